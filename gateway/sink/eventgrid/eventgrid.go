// Package eventgrid publishes events to an Event Grid topic, by the schema that
// the topic takes.
//
// What is sent is what the last stage of the route made, as it is. For a topic
// of the Event Grid schema that is the data of each delivery, an event of that
// schema already, so that neither idempotencykey nor producedby are in it; for
// a topic of CloudEvents it is the event, in the JSON format.
//
// What the topic answers decides the outcome, by the table of [sink.FromStatus].
// A try is one request: no retries of the SDK hide it. No error names the
// access key, nor what a topic echoes of it.
package eventgrid

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink"
	"github.com/headgate/headgate/gateway/sink/azure"
)

const (
	lanes     = 8 // concurrent requests
	batchSize = 256
	// batchBytes leaves room for what JSON adds, so that a batch is one request
	// as a rule.
	batchBytes = 768 << 10
	// maxRequest bounds a request of several events. The service says 1 MB and
	// not whether that is 2^20 or 10^6 bytes. A larger event goes alone, and the
	// topic decides.
	maxRequest = 1_000_000
	// maxWait bounds a request when its context does not.
	maxWait = 30 * time.Second
)

// tokenScope is what Microsoft Entra is asked for on behalf of an identity.
const tokenScope = "https://eventgrid.azure.net/.default"

// Options are what a gateway may decide for all of its topics.
type Options struct {
	// UserAgent goes before that of the SDK; "headgate" when empty.
	UserAgent string
	// Credential is the identity for endpoints without an access key; nil is the
	// default chain of azidentity.
	Credential azcore.TokenCredential
}

// Sink publishes to one topic. It is safe for concurrent use.
type Sink struct {
	settings  settings
	transport *azure.Transport
	pipeline  runtime.Pipeline
}

// Kind describes Event Grid topics to a catalog.
func Kind() sink.Kind {
	return sink.Kind{
		Name:     "eventGrid",
		Validate: func(raw json.RawMessage) error { _, err := parse(raw, true); return err },
		Secrets:  []sink.Secret{{Field: "accessKey", Form: sink.Whole}},
	}
}

// SchemaOf returns the schema that valid settings name: whether a route to the
// endpoint needs a mapping as its last stage.
func SchemaOf(raw json.RawMessage) (Schema, error) {
	s, err := parse(raw, false)
	return s.schema, err
}

// New returns a sink for an endpoint's settings; what is wrong with one of them
// is a [*sink.SettingError]. It neither connects nor reads the caFile, so that a
// gateway starts though that is missing: the endpoint then fails until it is back.
func New(raw json.RawMessage, o Options) (*Sink, error) {
	s, err := parse(raw, false)
	if err != nil {
		return nil, err
	}
	auth, err := s.authentication(o.Credential)
	if err != nil {
		return nil, err
	}
	transport := azure.NewTransport(lanes, azure.Trusting(s.caFile))
	// The publisher of azeventgrid would parse the events and write them anew:
	// times lose their text, numbers of extensions their kind, data its form.
	// The pipeline beneath it sends the bytes, and does all the rest.
	return &Sink{
		settings:  s,
		transport: transport,
		pipeline: runtime.NewPipeline("headgate", "v1", runtime.PipelineOptions{
			PerRetry: []policy.Policy{auth},
		}, &policy.ClientOptions{
			Retry:     policy.RetryOptions{MaxRetries: -1},
			Telemetry: policy.TelemetryOptions{ApplicationID: cmp.Or(o.UserAgent, "headgate")},
			Transport: transport,
		}),
	}, nil
}

// authentication is what shows requests to be of a publisher.
func (s *settings) authentication(identity azcore.TokenCredential) (policy.Policy, error) {
	if s.accessKey != "" {
		return runtime.NewKeyCredentialPolicy(azcore.NewKeyCredential(s.accessKey), "aeg-sas-key", nil), nil
	}
	identity, err := azure.Identity(identity, "accessKey")
	if err != nil {
		return nil, err
	}
	return runtime.NewBearerTokenPolicy(identity, []string{tokenScope}, nil), nil
}

// Capacity is 8 lanes of at most 256 events and 768 KiB.
func (s *Sink) Capacity() delivery.Capacity {
	return delivery.Capacity{Lanes: lanes, Batch: batchSize, BatchBytes: batchBytes}
}

// Send tries each delivery once, until ctx ends, and returns one outcome for
// each. Deliveries share a request as far as [maxRequest] allows.
//
// Event Grid promises no order; requests of one Send follow each other all the
// same, so that what it does keep is kept. Once a request fails unsettled the
// rest shares its outcome, since the topic is the same.
func (s *Sink) Send(ctx context.Context, batch []delivery.Delivery) []delivery.Outcome {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, maxWait)
		defer cancel()
	}
	outcomes := make([]delivery.Outcome, len(batch))
	r := newRequest(batch)
	for i := range batch {
		start := len(r.body)
		if err := s.settings.appendEvent(&r, &batch[i].Event); err != nil {
			outcomes[i] = delivery.Permanent(s.settings.wrap(err))
			continue
		}
		if len(r.deliveries) > 0 && len(r.body) >= maxRequest {
			rest := request{body: append([]byte(nil), r.body[start:]...)}
			r.body = r.body[:start]
			if out := s.sendTogether(ctx, r, outcomes); !out.Settled() {
				fill(outcomes[i:], out)
				return outcomes
			}
			r = rest
		}
		r.deliveries = append(r.deliveries, span{i, len(r.body)})
	}
	if len(r.deliveries) > 0 {
		s.sendTogether(ctx, r, outcomes)
	}
	return outcomes
}

// sendTogether makes one request of all events in r, sets their outcomes and
// returns the last. A topic that calls it malformed or too large has taken
// nothing of it and does not say which event is to blame, so the halves are
// sent on their own until the blame lies with single events: the others are
// not dead-lettered for it.
func (s *Sink) sendTogether(ctx context.Context, r request, outcomes []delivery.Outcome) delivery.Outcome {
	out := s.do(ctx, r.array())
	if out.Blame == delivery.Event && len(r.deliveries) > 1 {
		first, second := r.halves()
		if out = s.sendTogether(ctx, first, outcomes); out.Settled() {
			return s.sendTogether(ctx, second, outcomes)
		}
		r = second
	}
	for _, d := range r.deliveries {
		outcomes[d.index] = out
	}
	return out
}

func fill(outcomes []delivery.Outcome, out delivery.Outcome) {
	for i := range outcomes {
		outcomes[i] = out
	}
}

// Close drops idle connections; it is called when no Send is under way. It may
// be called more than once.
func (s *Sink) Close() error {
	s.transport.CloseIdleConnections()
	return nil
}
