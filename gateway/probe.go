package gateway

import (
	"context"
	"errors"
	"fmt"
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
	begin := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, probeTimeout, errors.New("no answer within 30 seconds"))
	defer cancel()
	said, err := prober.Probe(ctx)
	probed := catalog.Probed{OK: err == nil, Said: said, TookMs: time.Since(begin).Milliseconds()}
	if err != nil {
		probed.Said = err.Error()
	}
	return probed, nil
}
