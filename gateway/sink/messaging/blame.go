package messaging

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/go-amqp"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink"
)

// ErrTooLarge is what a [Service] makes of an event that is too large for its
// entity even alone.
var ErrTooLarge = errors.New("the event is too large")

// Malformed returns the error of an event that no entity would take.
func Malformed(format string, args ...any) error {
	return &malformed{fmt.Errorf(format, args...)}
}

type malformed struct{ error }

// verdict is what an error of an SDK comes to.
type verdict struct {
	delivery.Outcome
	// lost says that the link is of no use any more, or may not be.
	lost bool
}

// blames are the conditions of AMQP errors for which somebody is to blame. The
// event is when the service rejects a message with one of its conditions; when
// it refuses or ends a link with one, the endpoint is, but for a link that ends
// because a message is too large.
var blames = map[amqp.ErrCond]delivery.Blame{
	amqp.ErrCondMessageSizeExceeded:         delivery.Event,
	amqp.ErrCondDecodeError:                 delivery.Event,
	amqp.ErrCondInvalidField:                delivery.Event,
	amqp.ErrCondNotAllowed:                  delivery.Event, // a session is missing, or is not the partition key
	"com.microsoft:argument-error":          delivery.Event,
	"com.microsoft:argument-out-of-range":   delivery.Event,
	amqp.ErrCondUnauthorizedAccess:          delivery.Endpoint,
	amqp.ErrCondNotFound:                    delivery.Endpoint,
	amqp.ErrCondResourceLimitExceeded:       delivery.Endpoint, // the entity is full, or a quota is used up
	amqp.ErrCondNotImplemented:              delivery.Endpoint,
	"com.microsoft:entity-disabled":         delivery.Endpoint,
	"com.microsoft:auth-failed":             delivery.Endpoint,
	"com.microsoft:publisher-revoked":       delivery.Endpoint,
	"com.microsoft:namespace-disabled":      delivery.Endpoint,
	"com.microsoft:messaging-gateway-error": delivery.Nobody,
}

// keepsLink are conditions of rejections after which the link is as good as
// before, besides those that blame the event.
var keepsLink = map[amqp.ErrCond]bool{
	"com.microsoft:server-busy":         true,
	"com.microsoft:timeout":             true,
	"com.microsoft:operation-cancelled": true,
	amqp.ErrCondResourceLimitExceeded:   true,
}

// judge says what err, met under ctx, comes to: by a try to send, or by one to
// open a link.
func (s *Service[C]) judge(ctx context.Context, t *Target, err error, opening bool) verdict {
	words := func(text string) error { return fmt.Errorf("%s: %s", t.Origin(), text) }
	var bad *malformed
	var noConn *dialError
	var noToken *tokenError
	condition, status := conditionOf(err), statusOf(err)
	switch {
	case errors.As(err, &bad), errors.Is(err, ErrTooLarge):
		return verdict{delivery.Permanent(words(err.Error())), false}
	case errors.As(err, &noConn):
		return verdict{noConn.outcome(words("cannot connect: " + s.dialWords(t, noConn.cause))), true}
	case errors.As(err, &noToken):
		return verdict{noToken.outcome(words(noToken.Error())), true}
	case condition.name != "":
		condition.ofLink = condition.ofLink || opening
		return s.judgeCondition(t, condition, opening)
	case status != 0:
		return s.judgeStatus(t, status, err)
	}
	switch s.Code(err) {
	case "unauthorized":
		return s.judgeStatus(t, http.StatusUnauthorized, err)
	case "notfound":
		return s.judgeStatus(t, http.StatusNotFound, err)
	}
	text := "connection lost: " + t.clean(err.Error())
	switch {
	case ctx.Err() != nil:
		text = "no answer in time: " + context.Cause(ctx).Error()
	case errors.Is(err, context.DeadlineExceeded):
		text = "no connection in time"
	case errors.Is(err, errNotNow):
		text = "connection lost"
	}
	return verdict{delivery.Transient(words(text)), true}
}

func (s *Service[C]) judgeCondition(t *Target, c condition, opening bool) verdict {
	text := string(c.name)
	if description := t.clean(c.description); description != "" {
		text += ": " + description
	}
	blame := blames[c.name]
	if blame == delivery.Event && c.ofLink && (opening || c.name != amqp.ErrCondMessageSizeExceeded) {
		blame = delivery.Endpoint
	}
	if hint := s.hint(t, c.name, c.ofLink); hint != "" {
		text += " (" + hint + ")"
	}
	err := fmt.Errorf("%s: %s", t.Origin(), text)
	switch blame {
	case delivery.Event:
		return verdict{delivery.Permanent(err), c.ofLink}
	case delivery.Endpoint:
		return verdict{delivery.Refused(err), c.ofLink || !keepsLink[c.name]}
	}
	return verdict{delivery.Transient(err).After(waitOf(c.description)), c.ofLink || !keepsLink[c.name]}
}

// judgeStatus is about the answer to a claim, or to another request.
func (s *Service[C]) judgeStatus(t *Target, status int, err error) verdict {
	text := t.clean(err.Error())
	condition := amqp.ErrCond("")
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		condition = amqp.ErrCondUnauthorizedAccess
	case http.StatusNotFound, http.StatusGone:
		condition = amqp.ErrCondNotFound
	}
	if hint := s.hint(t, condition, true); hint != "" {
		text += " (" + hint + ")"
	}
	words := fmt.Errorf("%s: %s", t.Origin(), text)
	// What is asked for here does not depend on an event.
	if condition != "" || status == http.StatusBadRequest {
		return verdict{delivery.Refused(words), true}
	}
	return verdict{delivery.Transient(words).After(waitOf(text)), true}
}

// hint says what to do about a condition.
func (s *Service[C]) hint(t *Target, c amqp.ErrCond, ofLink bool) string {
	switch c {
	case amqp.ErrCondUnauthorizedAccess, "com.microsoft:auth-failed":
		if t.Connection == "" {
			return "the gateway's identity needs the role " + s.Role
		}
		return "check the connectionString: its key must be in force, and its policy must grant Send"
	case amqp.ErrCondNotFound:
		return "check the endpoint's entityPath and namespace"
	case "com.microsoft:entity-disabled":
		return "enable the entity for sending"
	case amqp.ErrCondResourceLimitExceeded:
		return "the entity is full or a quota is used up: let its consumers catch up, or raise the quota"
	case amqp.ErrCondNotAllowed:
		if !ofLink {
			return s.NotAllowed
		}
	}
	return ""
}

func (s *Service[C]) dialWords(t *Target, cause error) string {
	text := t.clean(cause.Error())
	if !t.plain && strings.Contains(text, "first record does not look like a TLS handshake") {
		text += " (an emulator needs ;UseDevelopmentEmulator=true in the connectionString)"
	}
	if errors.As(cause, new(x509.UnknownAuthorityError)) {
		text += " (set caFile to a file with the certificate to trust)"
	}
	return text
}

// condition is the AMQP error in an error of an SDK.
type condition struct {
	name        amqp.ErrCond
	description string
	ofLink      bool // the link, session or connection was refused or ended by it, for all that can be told
}

// wrapped finds an AMQP error in the text of another: the SDKs have errors that
// wrap without an Unwrap.
var wrapped = regexp.MustCompile(`(?s)\*Error\{Condition: ([^,]+), Description: (.*), Info: `)

func conditionOf(err error) condition {
	if said := (*amqp.Error)(nil); errors.As(err, &said) {
		ofLink := errors.As(err, new(*amqp.LinkError)) || errors.As(err, new(*amqp.SessionError)) || errors.As(err, new(*amqp.ConnError))
		return condition{said.Condition, said.Description, ofLink}
	}
	if m := wrapped.FindStringSubmatch(err.Error()); m != nil {
		return condition{name: amqp.ErrCond(m[1]), description: m[2]}
	}
	return condition{}
}

// answered finds the status of a request's answer in the text of an error.
var answered = regexp.MustCompile(`rpc: failed, status code (\d+) and description: `)

// statusOf is with what a request was answered, such as one to accept a claim;
// 0 when err is about something else.
func statusOf(err error) int {
	if answer := (interface{ RPCCode() int })(nil); errors.As(err, &answer) {
		return answer.RPCCode()
	}
	if m := answered.FindStringSubmatch(err.Error()); m != nil {
		if status, err := strconv.Atoi(m[1]); err == nil {
			return status
		}
	}
	return 0
}

var waits = regexp.MustCompile(`(?i)\bwait (\d{1,4}) seconds?\b`)

// waitOf is how long a description asks to wait, as that of a throttled
// namespace does; zero when it does not.
func waitOf(description string) time.Duration {
	m := waits.FindStringSubmatch(description)
	if m == nil {
		return 0
	}
	seconds, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// codes begin the texts of the SDKs' own errors.
var codes = regexp.MustCompile(`^\([a-z]+\): `)

// clean makes what a service said fit for an error.
func (t *Target) clean(text string) string {
	return sink.Snippet([]byte(codes.ReplaceAllString(text, "")), t.secrets...)
}
