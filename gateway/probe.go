package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/sink"
)

// probeTimeout bounds a probe.
const probeTimeout = 30 * time.Second

// ProbeEndpoint tries an endpoint, over a sink of its own, without delivering
// anything; see [admin.Endpoints].
func (g *Gateway) ProbeEndpoint(ctx context.Context, name string) (catalog.Probed, error) {
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
	prober, ok := opened.(sink.Prober)
	if !ok {
		return catalog.Probed{}, fmt.Errorf("endpoints of the kind %q cannot be tested", e.Kind)
	}
	return probe(ctx, prober), nil
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
	return probe(ctx, opened), nil
}

// probe says what came of trying p.
func probe(ctx context.Context, p sink.Prober) catalog.Probed {
	begin := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, probeTimeout, errors.New("no answer within 30 seconds"))
	defer cancel()
	said, err := p.Probe(ctx)
	probed := catalog.Probed{OK: err == nil, Said: said, TookMs: time.Since(begin).Milliseconds()}
	if err != nil {
		probed.Said = err.Error()
	}
	return probed
}
