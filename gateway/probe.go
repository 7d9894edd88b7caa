package gateway

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/sink"
)

// probeTimeout bounds a probe.
const probeTimeout = 30 * time.Second

// ProbeEndpoint tries an endpoint, over a sink of its own; see [admin.Endpoints].
func (g *Gateway) ProbeEndpoint(ctx context.Context, name string, send bool) (catalog.Probed, error) {
	snapshot := g.store.Snapshot()
	e, ok := snapshot.Endpoint(name)
	if !ok {
		return catalog.Probed{}, &catalog.NotFoundError{Kind: "endpoint", Name: name}
	}
	i := slices.IndexFunc(g.builder.kinds, func(k kind) bool { return k.Name == e.Kind })
	if i < 0 {
		return catalog.Probed{}, fmt.Errorf("endpoint %s is of the kind %q, which this version does not have", name, e.Kind)
	}
	opened, err := g.builder.kinds[i].open(e.Settings)
	if err != nil {
		return catalog.Probed{}, fmt.Errorf("endpoint %s: %w", name, err)
	}
	defer opened.Close()
	if send {
		return g.sendProbe(ctx, &snapshot, e, opened)
	}
	prober, ok := opened.(sink.Prober)
	if !ok {
		return catalog.Probed{}, fmt.Errorf("endpoints of the kind %q cannot be tested", e.Kind)
	}
	return try(ctx, probeTimeout, prober.Probe), nil
}

// What tells the event of a probe from others: nothing else sends this type, and
// its subject is its session too, for queues that require one.
const (
	probeType    = "Headgate.Probe"
	probeSubject = "headgate-probe"
)

// sendProbe sends an endpoint one event made for it, as what a route without
// plugins of its own would make of it.
func (g *Gateway) sendProbe(ctx context.Context, snapshot *catalog.Snapshot, e catalog.Endpoint, to dispatch.Sink) (catalog.Probed, error) {
	if e.Paused {
		return catalog.Probed{Said: fmt.Sprintf("endpoint %s is paused, and is sent nothing: resume it, or try it without an event", e.Name)}, nil
	}
	now := time.Now()
	data, err := json.Marshal(map[string]string{"endpoint": e.Name})
	if err != nil {
		return catalog.Probed{}, err
	}
	made := event.Event{
		ID: rand.Text(), Source: "headgate/endpoints/" + e.Name, Type: probeType, Subject: probeSubject,
		Time: now.UTC().Format(time.RFC3339Nano), DataContentType: "application/json", Data: data,
	}
	item, why, err := g.renderProbe(ctx, snapshot, e, &made)
	if err != nil || why != "" {
		return catalog.Probed{Said: why}, err
	}
	policy := e.Policy()
	d := dispatch.Lone(e.Name, policy, now, item)
	probed := try(ctx, policy.Timeout, func(ctx context.Context) (string, error) {
		if out := to.Send(ctx, []delivery.Delivery{d})[0]; !out.Settled() || out.Err != nil {
			return "", fmt.Errorf("the event %s was not delivered: %s", made.ID, out.Reason())
		}
		return fmt.Sprintf("took the event %s, of type %s", made.ID, probeType), nil
	})
	probed.EventID = made.ID
	return probed, nil
}

// renderProbe makes of an event what e takes, and gives it a session, or says why
// the plugin that is to do so makes nothing of it.
func (g *Gateway) renderProbe(ctx context.Context, snapshot *catalog.Snapshot, e catalog.Endpoint, made *event.Event) (item pipeline.Item, why string, err error) {
	item = pipeline.Item{Source: made, Event: made}
	r, err := g.builder.mapped(snapshot, catalog.Route{EndpointName: e.Name})
	if err != nil {
		return item, "", err
	}
	g.trial.running.Lock()
	defer g.trial.running.Unlock()
	bound := trialBindings{}
	defer bound.Close()
	stages, err := g.trialStages(ctx, snapshot, r, bound)
	if err != nil {
		return item, "", err
	}
	for _, stage := range stages {
		next, verdict, err := stage.judge(ctx, []pipeline.Item{item})
		switch {
		case err != nil:
			return item, "", err
		case len(next) != 1 || verdict.Error != "":
			return item, fmt.Sprintf("endpoint %s takes events that the plugin %s makes, which makes none of a probe: %s", e.Name, stage.name, cmp.Or(verdict.Error, verdict.Verdict)), nil
		}
		item = next[0]
	}
	var p delivery.Properties
	if item.Properties != nil {
		p = *item.Properties
	}
	p.SessionID = cmp.Or(p.SessionID, probeSubject)
	item.Properties = &p
	return item, "", nil
}

// ProbeSource tries a source, by one of its own, without taking anything; see
// [admin.Sources].
func (g *Gateway) ProbeSource(ctx context.Context, name string) (catalog.Probed, error) {
	snapshot := g.store.Snapshot()
	s, ok := snapshot.Source(name)
	if !ok {
		return catalog.Probed{}, &catalog.NotFoundError{Kind: "source", Name: name}
	}
	i := slices.IndexFunc(g.sources.kinds, func(k sourceKind) bool { return k.Name == s.Kind })
	if i < 0 {
		return catalog.Probed{}, fmt.Errorf("source %s is of the kind %q, which this version does not have", name, s.Kind)
	}
	opened, err := g.sources.kinds[i].open(s, slog.New(slog.DiscardHandler))
	if err != nil {
		return catalog.Probed{}, fmt.Errorf("source %s: %w", name, err)
	}
	return try(ctx, probeTimeout, opened.Probe), nil
}

// try says what came of one try.
func try(ctx context.Context, timeout time.Duration, do func(context.Context) (said string, err error)) catalog.Probed {
	begin := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no answer within %s", timeout))
	defer cancel()
	said, err := do(ctx)
	probed := catalog.Probed{OK: err == nil, Said: said, TookMs: time.Since(begin).Milliseconds()}
	if err != nil {
		probed.Said = err.Error()
	}
	return probed
}
