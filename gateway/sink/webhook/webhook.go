// Package webhook sends events to an HTTP endpoint: in the CloudEvents HTTP
// binding 1.0.2, or the data alone.
//
// What the endpoint answers decides the outcome, by the table of
// [sink.FromStatus]. Redirects are not followed. Neither settings nor what an
// endpoint echoes of them appears in an error: it names the scheme and the
// host, never the rest of the URL and no header.
package webhook

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink"
)

const (
	lanes      = 32 // concurrent requests
	batchLanes = 4  // the same, of batches
	batchSize  = 100
	batchBytes = 512 << 10
)

// Options are what a gateway may decide for all of its webhooks.
type Options struct {
	// UserAgent is sent unless the settings' headers have one; "headgate" when empty.
	UserAgent string
	// Proxy picks a proxy for a request, as http.ProxyFromEnvironment does; nil
	// connects directly, whatever the environment says.
	Proxy func(*http.Request) (*url.URL, error)
	// TLS replaces the default configuration, such as its trusted roots. It is cloned.
	TLS *tls.Config
}

// Sink sends to one URL. It is safe for concurrent use.
type Sink struct {
	settings  settings
	transport *http.Transport
	buffers   sync.Pool // of *[]byte, for encoded events
}

// Kind describes webhooks to a catalog.
func Kind() sink.Kind {
	return sink.Kind{
		Name:     "webhook",
		Validate: func(raw json.RawMessage) error { _, err := parse(raw, ""); return err },
		Secrets:  []sink.Secret{{Field: "url", Form: sink.URL}, {Field: "headers", Form: sink.Headers}},
	}
}

// New returns a sink for an endpoint's settings; what is wrong with one of them
// is a [*sink.SettingError]. It does not connect.
func New(raw json.RawMessage, o Options) (*Sink, error) {
	s, err := parse(raw, o.UserAgent)
	if err != nil {
		return nil, err
	}
	most := capacity(s.mode).Lanes
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &Sink{
		settings: s,
		transport: &http.Transport{
			Proxy:                  o.Proxy,
			DialContext:            dialer.DialContext,
			TLSClientConfig:        o.TLS.Clone(),
			TLSHandshakeTimeout:    10 * time.Second,
			ForceAttemptHTTP2:      true,
			MaxConnsPerHost:        most,
			MaxIdleConnsPerHost:    most,
			IdleConnTimeout:        60 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true, // answers are read for their first words alone
		},
		buffers: sync.Pool{New: func() any { return new([]byte) }},
	}, nil
}

// Capacity is 32 lanes of one event, and in batch mode 4 of at most 100 events
// and 512 KiB.
func (s *Sink) Capacity() delivery.Capacity { return capacity(s.settings.mode) }

func capacity(mode string) delivery.Capacity {
	if mode == modeBatch {
		return delivery.Capacity{Lanes: batchLanes, Batch: batchSize, BatchBytes: batchBytes}
	}
	return delivery.Capacity{Lanes: lanes, Batch: 1}
}

// Send tries each delivery once, until ctx ends, and returns one outcome for
// each. In batch mode all of them make one request.
func (s *Sink) Send(ctx context.Context, batch []delivery.Delivery) []delivery.Outcome {
	outcomes := make([]delivery.Outcome, len(batch))
	if s.settings.mode == modeBatch {
		s.sendTogether(ctx, batch, outcomes)
	} else {
		s.sendEach(ctx, batch, outcomes)
	}
	return outcomes
}

// sendEach makes a request of each delivery, and holds those back whose key
// failed before.
func (s *Sink) sendEach(ctx context.Context, batch []delivery.Delivery, outcomes []delivery.Outcome) {
	var failed map[string]bool
	for i := range batch {
		d := &batch[i]
		if failed[d.Key] {
			outcomes[i] = delivery.NotTried()
			continue
		}
		outcomes[i] = s.sendOne(ctx, &d.Event)
		if !outcomes[i].Settled() && d.Key != "" && len(batch) > 1 {
			if failed == nil {
				failed = map[string]bool{}
			}
			failed[d.Key] = true
		}
	}
}

// sendTogether makes one request of the whole batch. An endpoint that calls it
// malformed or too large has taken nothing of it and does not say which event
// is to blame, so the halves are sent on their own until the blame lies with
// single events: the others are not dead-lettered for it. Once a request fails
// in another way the rest shares its outcome.
func (s *Sink) sendTogether(ctx context.Context, batch []delivery.Delivery, outcomes []delivery.Outcome) {
	if len(batch) == 0 {
		return
	}
	out := s.sendBatch(ctx, batch)
	if out.Blame == delivery.Event && len(batch) > 1 {
		half := len(batch) / 2
		s.sendTogether(ctx, batch[:half], outcomes[:half])
		if out = outcomes[half-1]; out.Settled() {
			s.sendTogether(ctx, batch[half:], outcomes[half:])
			return
		}
		batch, outcomes = batch[half:], outcomes[half:]
	}
	for i := range batch {
		outcomes[i] = out
	}
}

// Close drops idle connections; it is called when no Send is under way. It
// may be called more than once.
func (s *Sink) Close() error {
	s.transport.CloseIdleConnections()
	return nil
}
