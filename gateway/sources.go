package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/ingress/eventhubs"
	"github.com/headgate/headgate/gateway/ingress/pull"
	"github.com/headgate/headgate/gateway/ingress/servicebus"
	"github.com/headgate/headgate/gateway/store"
)

// source fetches events from a broker.
type source interface {
	// Run fetches until ctx ends and what the source had in hand is done.
	Run(ctx context.Context)
	Status() pull.Status
	// Probe connects, signs in and asks for the right to receive, over a connection
	// of its own, and takes nothing. It returns what it found.
	Probe(ctx context.Context) (string, error)
}

// sourceKind is a kind of source that this build holds.
type sourceKind struct {
	catalog.Kind
	open func(s catalog.Source, log *slog.Logger) (source, error)
}

// sourceKinds are all of them. A new connector is one entry here.
func (g *Gateway) sourceKinds() []sourceKind {
	options := func(log *slog.Logger) pull.Options {
		return pull.Options{UserAgent: "headgate/" + g.opts.Version, Logger: log}
	}
	return []sourceKind{
		{describedSource(eventhubs.Kind()), func(s catalog.Source, log *slog.Logger) (source, error) {
			return eventhubs.New(s.Settings, counting{g}, checkpoints{g.store, s.Name}, options(log))
		}},
		{describedSource(servicebus.Kind()), func(s catalog.Source, log *slog.Logger) (source, error) {
			return servicebus.New(s.Settings, counting{g}, options(log))
		}},
	}
}

// describedSource is k in the catalog's terms.
func describedSource(k pull.Kind) catalog.Kind {
	forms := map[pull.Form]catalog.Form{pull.ConnectionString: catalog.ConnectionString, pull.URL: catalog.URL}
	out := catalog.Kind{Name: k.Name, Validate: func(settings json.RawMessage) error {
		err := k.Validate(settings)
		if fault := (*pull.SettingError)(nil); errors.As(err, &fault) {
			return &catalog.FieldError{Field: fault.Field, Reason: fault.Reason}
		}
		return err
	}}
	for _, s := range k.Secrets {
		out.Secrets = append(out.Secrets, catalog.Secret{Field: s.Field, Form: forms[s.Form]})
	}
	return out
}

// counting is the journal, with its appends in the metrics.
type counting struct{ *Gateway }

// Append implements [pull.Journal].
func (c counting) Append(ctx context.Context, events []event.Event) (event.Position, error) {
	begun := time.Now()
	at, err := c.journal.Append(ctx, events)
	if err == nil {
		intake{c.Gateway}.Accepted(len(events), time.Since(begun))
	}
	return at, err
}

// checkpoints keeps the checkpoints of one source, in the catalog's file: they
// belong to what it says of the source, go with it, and are small and few.
type checkpoints struct {
	store  *store.Store
	source string
}

// Checkpoints implements [eventhubs.Store].
func (c checkpoints) Checkpoints(context.Context) (map[string]eventhubs.Checkpoint, error) {
	all := map[string]eventhubs.Checkpoint{}
	err := c.store.View(func(tx *store.Tx) error {
		for partition, b := range tx.Checkpoints(c.source) {
			var mark eventhubs.Checkpoint
			if err := json.Unmarshal(b, &mark); err != nil {
				return fmt.Errorf("partition %s: %w", partition, store.ErrDamaged)
			}
			all[partition] = mark
		}
		return nil
	})
	return all, err
}

// SaveCheckpoint implements [eventhubs.Store].
func (c checkpoints) SaveCheckpoint(_ context.Context, partition string, mark eventhubs.Checkpoint) error {
	b, err := json.Marshal(mark)
	if err != nil {
		return err
	}
	return c.store.Update(func(tx *store.Tx) error { return tx.PutCheckpoint(c.source, partition, b) })
}

// sources are those that are configured, running as far as they are enabled.
type sources struct {
	kinds []sourceKind
	log   *slog.Logger

	mu      sync.Mutex // guards what follows
	running map[string]*runningSource
	closed  bool
}

// runningSource is one that was started. It may be about to end.
type runningSource struct {
	source
	config catalog.Source
	cancel context.CancelFunc
	done   chan struct{} // closed when Run has returned
	over   bool          // it was told to stop; guarded by sources.mu
}

// described are the kinds, in the catalog's terms.
func (s *sources) described() catalog.SourceKinds {
	var all catalog.SourceKinds
	for _, k := range s.kinds {
		all = append(all, k.Kind)
	}
	return all
}

// apply starts, stops and restarts sources until those run that the catalog has
// enabled, and waits until those that were stopped have finished what they had
// in hand, or ctx ends; a source that is restarted begins after that in any
// case. One that cannot connect is started all the same: its status tells.
func (s *sources) apply(ctx context.Context, snapshot catalog.Snapshot) error {
	s.mu.Lock()
	var stopped []*runningSource
	for name, r := range s.running {
		if want, ok := snapshot.Source(name); !ok || !want.Enabled || !want.Same(r.config) {
			r.cancel()
			r.over = true
			stopped = append(stopped, r)
		}
	}
	var errs []error
	for _, want := range snapshot.Sources {
		before := s.running[want.Name]
		if s.closed || !want.Enabled || before != nil && !before.over && want.Same(before.config) {
			continue
		}
		if err := s.start(want, before); err != nil {
			errs = append(errs, fmt.Errorf("source %s: %w", want.Name, err))
		}
	}
	s.mu.Unlock()
	return errors.Join(append(errs, s.await(ctx, stopped))...)
}

// start starts a source when the one of the same name before it is done. The
// caller holds the lock.
func (s *sources) start(config catalog.Source, before *runningSource) error {
	open := func(catalog.Source, *slog.Logger) (source, error) {
		return nil, fmt.Errorf("is of the kind %q, which this version does not have", config.Kind)
	}
	for _, k := range s.kinds {
		if k.Name == config.Kind {
			open = k.open
		}
	}
	opened, err := open(config, s.log.With("source", config.Name))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &runningSource{source: opened, config: config, cancel: cancel, done: make(chan struct{})}
	s.running[config.Name] = r
	go func() {
		defer close(r.done)
		defer cancel()
		if before != nil {
			<-before.done
		}
		r.Run(ctx)
	}()
	return nil
}

// await waits until sources that were told to stop are done, and forgets them.
func (s *sources) await(ctx context.Context, stopped []*runningSource) error {
	for _, r := range stopped {
		select {
		case <-r.done:
		case <-ctx.Done():
			return fmt.Errorf("source %s has not stopped yet: %w", r.config.Name, context.Cause(ctx))
		}
		s.mu.Lock()
		if s.running[r.config.Name] == r {
			delete(s.running, r.config.Name)
		}
		s.mu.Unlock()
	}
	return nil
}

// close stops all sources, for good, and waits for what they have in hand.
func (s *sources) close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	var all []*runningSource
	for _, r := range s.running {
		r.cancel()
		all = append(all, r)
	}
	s.mu.Unlock()
	return s.await(ctx, all)
}

// status says how the source that config describes fares.
func (s *sources) status(config catalog.Source) catalog.SourceStatus {
	out := catalog.SourceStatus{Name: config.Name, Kind: config.Kind, State: catalog.SourceDisabled, Since: config.UpdatedAt}
	s.mu.Lock()
	r := s.running[config.Name]
	s.mu.Unlock()
	switch {
	case !config.Enabled:
		return out
	case r == nil:
		out.State, out.Reason = catalog.SourceStopped, "it could not be started; the log says why"
		return out
	}
	have := r.Status()
	out.State, out.Reason, out.Since = catalog.SourceState(have.State), have.Reason, have.Since
	out.Received, out.LastReceivedAt = have.Received, have.LastReceivedAt
	out.Refused, out.LastRefusal = have.Refused, have.LastRefusal
	return out
}

// sourceStopTimeout bounds how long a change waits for a source to finish what
// it has in hand.
const sourceStopTimeout = 15 * time.Second

// PutSource creates or replaces a source; see [admin.Sources].
func (g *Gateway) PutSource(ctx context.Context, by admin.Change, s catalog.Source) (stored catalog.Source, created bool, err error) {
	err = g.changeSources(ctx, by.By, func(tx *store.Tx) error {
		snapshot := tx.Snapshot()
		var old *catalog.Source
		if have, ok := snapshot.Source(s.Name); ok {
			old = &have
		}
		prepared, err := g.sources.described().Prepare(s, old)
		if err != nil {
			return err
		}
		stored, created, err = tx.PutSource(prepared, by.If)
		return err
	})
	return stored, created, err
}

// DeleteSource removes a source, once it is done with what it has in hand.
func (g *Gateway) DeleteSource(ctx context.Context, by admin.Change, name string) error {
	return g.changeSources(ctx, by.By, func(tx *store.Tx) error { return tx.DeleteSource(name, by.If) })
}

// changeSources carries out one change of the sources. They are no part of the
// plan, so nothing is compiled.
func (g *Gateway) changeSources(ctx context.Context, by string, fn func(*store.Tx) error) error {
	// A client that goes away does not leave a change half done.
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), sourceStopTimeout, fmt.Errorf("not done within %s", sourceStopTimeout))
	defer cancel()
	g.changing.Lock()
	defer g.changing.Unlock()
	err := g.store.Update(func(tx *store.Tx) error {
		tx.By = by
		return fn(tx)
	})
	if err != nil {
		return err
	}
	return g.sources.apply(ctx, g.store.Snapshot())
}

// SourceStatus says how a source fares.
func (g *Gateway) SourceStatus(name string) (catalog.SourceStatus, bool) {
	snapshot := g.store.Snapshot()
	config, ok := snapshot.Source(name)
	if !ok {
		return catalog.SourceStatus{}, false
	}
	return g.sources.status(config), true
}

// SourceHistory returns the states that a source has had.
func (g *Gateway) SourceHistory(name string) (h []catalog.Revision[catalog.Source], err error) {
	err = g.store.View(func(tx *store.Tx) error {
		h, err = tx.SourceHistory(name)
		return err
	})
	return h, err
}

// openSources starts the sources of the catalog. One that cannot be started, as
// one of a kind that this version does not have, does not keep the others, nor
// the gateway, from it.
func (g *Gateway) openSources(ctx context.Context) {
	g.sources.kinds, g.sources.log, g.sources.running = g.sourceKinds(), g.log, map[string]*runningSource{}
	if err := g.sources.apply(ctx, g.store.Snapshot()); err != nil {
		g.log.Error("sources cannot be started", "err", err)
	}
	g.onClose(g.sources.close)
}
