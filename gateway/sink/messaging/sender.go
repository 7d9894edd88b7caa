// Package messaging is what the senders to Azure Service Bus and Event Hubs
// share: where a target is and what opens it, the one link to it, the order in
// which deliveries leave, what an error comes to, and how an event is carried
// by AMQP.
//
// A [Sender] is that, for a [Service]: what differs between the two, in terms
// of its official SDK.
package messaging

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/headgate/headgate/gateway/delivery"
)

const (
	lanes     = 8
	batchSize = 256
	// batchBytes keeps a call within what the larger tiers take in one transfer.
	batchBytes = 768 << 10
	// inFlight bounds the transfers of one Send that wait for their answers.
	inFlight = 16
	// maxWait bounds a Send when its context does not.
	maxWait = 30 * time.Second
)

// Options are what a gateway may decide for all of its endpoints of a kind.
type Options struct {
	// UserAgent goes before that of the SDK; "headgate" when empty.
	UserAgent string
	// Credential is the identity for endpoints without a connection string; nil
	// is the default chain of azidentity.
	Credential azcore.TokenCredential
	// TLS replaces the default configuration, such as its trusted roots. It is cloned.
	TLS *tls.Config
}

// Name is the user agent.
func (o Options) Name() string { return cmp.Or(o.UserAgent, "headgate") }

// Service is what a sender needs of an SDK.
type Service[C Client] struct {
	// New returns a client that never tries to send again by itself. It does not
	// connect yet.
	New func(Access) (C, error)
	// Ready opens the client's connection and its link for sending, as far as
	// they are not.
	Ready func(context.Context, C) error
	// Pack makes one transfer of deliveries from the front of ds. It retains
	// nothing of them once the transfer's Send has returned.
	Pack func(ctx context.Context, c C, ds []*delivery.Delivery) (Transfer, error)
	// Place is what deliveries of one transfer have in common.
	Place func(*delivery.Delivery) string
	// Code is that of an error which hides an AMQP error, or "".
	Code func(error) string

	Role       string // that an identity needs
	NotAllowed string // what to do when a message is not allowed; may be empty
	Untried    string // what a probe cannot tell, for want of a message
}

// Transfer is one message of AMQP: N deliveries, at least one, which are taken
// or refused together.
type Transfer struct {
	N    int
	Send func(context.Context) error
}

// Sender sends to one entity. It is safe for concurrent use.
type Sender[C Client] struct {
	service Service[C]
	target  Target
	links   links[C]
}

// NewSender returns a sender. It does not connect before there is something to
// send, so that a gateway starts though an endpoint is down.
func NewSender[C Client](t Target, s Service[C], o Options) (*Sender[C], error) {
	out := &Sender[C]{service: s, target: t}
	out.links.target = &out.target
	out.links.create, out.links.ready = s.New, s.Ready
	out.links.tls = o.TLS
	if t.Connection != "" {
		return out, nil
	}
	out.links.credential = o.Credential
	if o.Credential == nil {
		chain, err := defaultIdentity()
		if err != nil {
			return nil, err
		}
		out.links.credential = chain
	}
	return out, nil
}

// Capacity is 8 lanes of at most 256 deliveries and 768 KiB.
func (s *Sender[C]) Capacity() delivery.Capacity {
	return delivery.Capacity{Lanes: lanes, Batch: batchSize, BatchBytes: batchBytes}
}

// Send tries each delivery once, until ctx ends, and returns one outcome for
// each. Deliveries of one key leave one transfer after the other, in the order
// given; those of different keys side by side. Once a transfer fails unsettled,
// nothing more is begun: what has the same key is held back, and the rest
// shares the outcome, since the entity is the same.
//
// There is one exception to "once", and it is the SDKs': when the service has
// detached the link, as it does to an idle one, they send the same message again on a new one.
func (s *Sender[C]) Send(ctx context.Context, batch []delivery.Delivery) []delivery.Outcome {
	outcomes := make([]delivery.Outcome, len(batch))
	if len(batch) == 0 {
		return outcomes
	}
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, maxWait)
		defer cancel()
	}
	if out, ended := s.ended(ctx); ended {
		return fill(outcomes, out)
	}
	link, err := s.links.acquire(ctx)
	if err != nil {
		return fill(outcomes, s.service.judge(ctx, &s.target, err, true).Outcome)
	}
	r := &run[C]{Sender: s, client: link.client}
	r.all(ctx, chains(batch, outcomes, s.service.Place))
	s.links.release(link, r.lost.Load())
	return outcomes
}

// Probe opens a link of its own and closes it again.
func (s *Sender[C]) Probe(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	w := &wire{target: &s.target, tls: s.links.tls}
	client, err := s.links.openOn(ctx, w)
	if err != nil {
		return "", s.service.judge(ctx, &s.target, err, true).Err
	}
	closeClient(client, w)
	return fmt.Sprintf("connected to %s%s, signed in with %s, and opened a link for sending; no message was sent, so that %s were not tried",
		s.target.Origin(), s.target.security(), s.target.proof(), s.service.Untried), nil
}

func (t *Target) security() string {
	how := " over TLS"
	if t.plain {
		how = " without TLS"
	}
	if t.sockets {
		how += ", by WebSockets"
	}
	return how
}

// proof is what shows that the gateway may send.
func (t *Target) proof() string {
	switch {
	case t.Connection == "":
		return "the gateway's identity"
	case t.key != "":
		return "the shared access key " + t.clean(t.key)
	}
	return "a shared access signature"
}

// ended is the outcome of what is not sent because ctx has ended.
func (s *Sender[C]) ended(ctx context.Context) (delivery.Outcome, bool) {
	if ctx.Err() == nil {
		return delivery.Outcome{}, false
	}
	return delivery.Transient(fmt.Errorf("%s: not sent: %w", s.target.Origin(), context.Cause(ctx))), true
}

func fill(outcomes []delivery.Outcome, out delivery.Outcome) []delivery.Outcome {
	for i := range outcomes {
		outcomes[i] = out
	}
	return outcomes
}

// Close ends the connection, within a few seconds; it is called when no Send
// is under way. It may be called more than once.
func (s *Sender[C]) Close() error {
	s.links.close()
	return nil
}
