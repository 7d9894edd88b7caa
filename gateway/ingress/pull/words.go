package pull

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/Azure/go-amqp"
)

// CondEntityDisabled is the condition by which a service refuses to serve an
// entity that an operator has disabled.
const CondEntityDisabled amqp.ErrCond = "com.microsoft:entity-disabled"

// wrapped finds an AMQP error in the text of another: the SDKs have errors that
// wrap one without an Unwrap.
var wrapped = regexp.MustCompile(`(?s)\*Error\{Condition: ([^,]+), Description: (.*), Info: `)

// answered finds the answer to a request in the text of an error, likewise.
var answered = regexp.MustCompile(`(?s)rpc: failed, status code (\d+) and description: .*`)

// codes begin the words of the SDKs' own errors.
var codes = regexp.MustCompile(`\([a-z]+\): `)

// Condition returns the AMQP condition in an error of an SDK, and what the
// service said with it; none is "".
func Condition(err error) (amqp.ErrCond, string) {
	if said := (*amqp.Error)(nil); errors.As(err, &said) {
		return said.Condition, said.Description
	}
	if m := wrapped.FindStringSubmatch(err.Error()); m != nil {
		return amqp.ErrCond(m[1]), m[2]
	}
	switch status, text := answerOf(err); status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return amqp.ErrCondUnauthorizedAccess, text
	case http.StatusNotFound: // a 410 is a lock that was lost, as often as an entity that is gone
		return amqp.ErrCondNotFound, text
	}
	return "", ""
}

// answerOf is with what a request was answered, such as one to accept a claim:
// a status of HTTP, 0 when err is about something else, and words.
func answerOf(err error) (status int, text string) {
	if answer := (interface{ RPCCode() int })(nil); errors.As(err, &answer) {
		return answer.RPCCode(), err.Error()
	}
	if m := answered.FindStringSubmatch(err.Error()); m != nil {
		if status, err := strconv.Atoi(m[1]); err == nil {
			return status, m[0]
		}
	}
	return 0, ""
}

// Words says what an error means to whoever set the source up: the condition,
// what the service says, and what to do. It holds no secrets.
func (t *Target) Words(err error) string {
	condition, text := Condition(err)
	switch {
	case condition != "":
		text = strings.TrimSuffix(string(condition)+": "+t.clean(text), ": ")
	case errors.Is(err, context.DeadlineExceeded):
		text = "no answer in time"
	default:
		text = t.clean(err.Error())
	}
	if hint := t.hint(condition, text); hint != "" {
		text += " (" + hint + ")"
	}
	return t.Origin() + ": " + text
}

func (t *Target) hint(c amqp.ErrCond, text string) string {
	switch {
	case c == amqp.ErrCondUnauthorizedAccess, c == "com.microsoft:auth-failed":
		return "check the connectionString, whose policy needs the claim Listen; or the gateway's identity, which needs the role " + t.Right
	case c == amqp.ErrCondNotFound:
		return "check the namespace and the names in the settings"
	case c == amqp.ErrCondStolen:
		return "another reader has taken a partition; give each gateway a consumerGroup of its own, or let them share checkpoints in a container"
	case c == CondEntityDisabled:
		return "enable the entity for receiving"
	case strings.Contains(text, noToken):
		return "set up an identity of the gateway: its environment, a workload identity, a managed identity or the Azure CLI; or set a connectionString"
	case strings.Contains(text, "certificate signed by unknown authority"):
		return "set caFile to a file with the certificate to trust"
	case strings.Contains(text, "first record does not look like a TLS handshake"):
		return "an emulator needs ;UseDevelopmentEmulator=true in the connectionString"
	}
	return ""
}

// maxWords bounds what a service is quoted with, in bytes.
const maxWords = 300

// clean makes what a service said fit to be shown: one line of printable UTF-8,
// of bounded length, without the target's secrets.
func (t *Target) clean(text string) string {
	text = codes.ReplaceAllString(text, "")
	for _, secret := range t.secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return Line(text)
}

// Line is text as one line of at most maxWords bytes.
func Line(text string) string {
	words := strings.FieldsFunc(strings.ToValidUTF8(text, " "), func(r rune) bool { return r == ' ' || !unicode.IsPrint(r) })
	text = strings.Join(words, " ")
	if len(text) <= maxWords {
		return text
	}
	return strings.ToValidUTF8(text[:maxWords], "") + "…"
}
