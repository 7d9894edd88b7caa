// Package gateway assembles the rooms; it is the one package that knows every
// other.
//
// [Open] puts a gateway together in a data directory, [Gateway.Handler] is its
// front, [Gateway.Close] drains it. [Run] does all of that for a process.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/dispatch"
	"github.com/headgate/headgate/gateway/journal"
	"github.com/headgate/headgate/gateway/logbook"
	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/gateway/plugin/matcher"
	"github.com/headgate/headgate/gateway/rates"
	"github.com/headgate/headgate/gateway/site"
	"github.com/headgate/headgate/gateway/store"
	"github.com/headgate/headgate/gateway/telemetry"
	"github.com/headgate/headgate/gateway/trail"
)

// Options configure a gateway. Dir is required.
type Options struct {
	// Dir is the data directory, which is made when it is missing.
	Dir     string
	Journal journal.Options
	// PluginLimits and PluginMaxLimits are as in [plugin.Options]; zero fields of
	// the latter are as in [plugin.DefaultMaxLimits].
	PluginLimits, PluginMaxLimits plugin.Limits
	// Token guards the API and ingest; an empty one leaves them open.
	Token string
	// MaxRoutes bounds the routes that clients of Azure Digital Twins can make, as
	// in [adt.Options].
	MaxRoutes int
	Version   string // of the binary, for status and metrics
	Logger    *slog.Logger
	// Settings are those of the process, for whoever asks, and Emulator what is
	// emulated beside it; nil is none.
	Settings []catalog.Setting
	Emulator admin.Emulator
	// UI holds the files of the web UI, as [site.New] wants them; nil serves none.
	UI fs.FS
}

// Gateway is a running gateway.
type Gateway struct {
	opts    Options
	log     *slog.Logger
	started time.Time

	store    *store.Store
	journal  *journal.Journal
	kinds    catalog.Kinds
	builder  builder
	dispatch *dispatch.Dispatcher
	trial    trial
	metrics  *telemetry.Metrics
	tally    tally
	seen     seen
	tallies  tallies
	accepted atomic.Uint64 // events, since the start
	book     *rates.Book
	trail    *trail.Trail

	simulation simulation
	letters    letterStore
	redrives   redrives
	logbook    *logbook.Book
	copies     copies
	tail       *admin.Tail
	site       *site.Site
	sources    sources

	changing sync.Mutex // serialises what changes the catalog or the plan

	background context.Context // of goroutines that outlive a request
	cancel     context.CancelFunc
	wg         sync.WaitGroup

	stops     []func(context.Context) error // in the order of opening
	closeOnce sync.Once
	closeErr  error
}

// Open puts the gateway in opts.Dir together and starts to dispatch what its
// journal holds. Each room is opened after those it needs, and closed before
// them, so this function is long and straight on purpose.
func Open(ctx context.Context, opts Options) (_ *Gateway, err error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	g := &Gateway{opts: opts, log: opts.Logger, started: time.Now(), logbook: logbook.New(), tail: admin.NewTail(), trail: trail.New(trail.Options{})}
	g.background, g.cancel = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			g.Close(context.WithoutCancel(ctx))
		}
	}()
	if g.site, err = site.New(opts.UI); err != nil {
		return nil, fmt.Errorf("files of the web UI: %w", err)
	}
	if err := prepareDir(opts.Dir); err != nil {
		return nil, err
	}

	// The catalog comes first: a journal without one is then known to have
	// lost it.
	if g.store, err = store.Open(filepath.Join(opts.Dir, catalogFile)); err != nil {
		return nil, inDir(opts.Dir, err)
	}
	g.onClose(func(context.Context) error { return g.store.Close() })

	jopts := opts.Journal
	jopts.Logger = opts.Logger
	if g.journal, err = journal.Open(ctx, filepath.Join(opts.Dir, journalDir), jopts); err != nil {
		return nil, inDir(opts.Dir, err)
	}
	g.onClose(unhurried(g.journal.Close))
	g.letters = newLetterStore(g.journal.DeadLetters())

	g.metrics = telemetry.NewMetrics(telemetry.Options{Version: opts.Version, Logger: opts.Logger})
	cache := filepath.Join(opts.Dir, cacheDir)
	most := opts.PluginMaxLimits.Or(plugin.DefaultMaxLimits())
	plugins, err := plugin.NewRuntime(ctx, plugin.Options{
		CacheDir: cache, Limits: opts.PluginLimits, MaxLimits: most, TrapDir: filepath.Join(opts.Dir, trapDir),
		Log: g.logPlugin, Notify: g.notePlugin, Measure: g.measurePlugin,
	})
	if err != nil {
		return nil, inDir(opts.Dir, err)
	}
	g.onClose(unhurried(plugins.Close))
	g.trial.plugins, err = plugin.NewRuntime(ctx, plugin.Options{
		CacheDir: cache, Limits: opts.PluginLimits, MaxLimits: most, Log: g.trial.log,
	})
	if err != nil {
		return nil, err
	}
	g.onClose(unhurried(g.trial.plugins.Close))
	if g.trial.filters, err = matcher.NewRuntime(ctx); err != nil {
		return nil, err
	}
	g.onClose(func(context.Context) error { return g.trial.filters.Close() })
	filters := g.trial.filters

	workers := max(2, runtime.GOMAXPROCS(0))
	g.builder = builder{kinds: kinds(opts.Version), filters: filters, plugins: plugins, warm: workers + 1, tally: g.tallies.of}
	for _, k := range g.builder.kinds {
		g.kinds = append(g.kinds, k.Kind)
	}
	if err := g.installFirstParty(); err != nil {
		return nil, err
	}

	g.builder.starting = true
	first, err := g.builder.build(ctx, g.store.Snapshot(), g.module)
	g.builder.starting = false
	if err != nil {
		return nil, fmt.Errorf("data directory %s: catalog cannot be put in force: %w", opts.Dir, err)
	}
	g.dispatch, err = dispatch.Open(ctx, g.journal, g.journal.Retries(), g.letters, first.plan, dispatch.Options{
		Workers: workers, Recorder: recorders{g.metrics, &g.tally, g.tail, g.trail}, Accepted: g.tail.Accepted, Logger: opts.Logger,
	})
	if err != nil {
		return nil, inDir(opts.Dir, err)
	}
	g.builder.adopt(first)
	g.onClose(g.dispatch.Close)
	g.metrics.Watch(g.telemetryState)
	g.book = rates.NewBook(g.started, g.reading)
	g.wg.Go(func() { g.book.Run(g.background) })
	g.wg.Go(g.learnLetters)
	g.wg.Go(func() { g.builder.bindings.warmUp(g.background) })
	g.wg.Go(func() { g.compileFilters(first.set) })
	g.copyLetters(&first.snapshot)

	g.onClose(func(context.Context) error {
		g.cancel()
		g.tail.Close()
		g.wg.Wait()
		return nil
	})
	g.openSources(ctx)
	g.onClose(g.closeSimulation)
	return g, nil
}

// The parts of a data directory.
const (
	journalDir  = "journal"
	catalogFile = "catalog.db"
	cacheDir    = "cache"
	trapDir     = "traps"
)

// prepareDir makes the data directory, and refuses one that holds something
// else, or a part of what belongs together: nothing is to be written between
// the files of another program, and nothing to be begun anew that was lost.
func prepareDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return inDir(dir, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return inDir(dir, err)
	}
	for _, e := range entries {
		switch e.Name() {
		case journalDir, catalogFile, cacheDir, trapDir, "lost+found":
		default:
			return fmt.Errorf("data directory %s holds %s, which is not Headgate's; name an empty directory with --data", dir, e.Name())
		}
	}
	if _, err := os.Stat(filepath.Join(dir, journalDir)); err != nil {
		return nil // whatever is wrong with it, opening it tells
	}
	catalog, err := os.Stat(filepath.Join(dir, catalogFile))
	if errors.Is(err, fs.ErrNotExist) || err == nil && catalog.Size() == 0 {
		return fmt.Errorf("data directory %s holds a %s but no %s, without which nobody knows where its events are to go; "+
			"restore %[3]s from a backup, or name an empty directory with --data", dir, journalDir, catalogFile)
	}
	return nil
}

// inDir says what the file system has against the data directory, and what to do.
func inDir(dir string, err error) error {
	err = fmt.Errorf("data directory %s: %w", dir, err)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w; let the user that runs headgate read and write there, or name another directory with --data", err)
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w; free some space, or name a directory on another disk with --data", err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR), errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w; name a directory that can be written with --data", err)
	}
	return err
}

// onClose notes how to undo the latest step of Open.
func (g *Gateway) onClose(stop func(context.Context) error) { g.stops = append(g.stops, stop) }

// closeTime bounds the closing of a room that has nothing to drain.
const closeTime = 10 * time.Second

// unhurried gives a room its own time to close: an end of the draining must not
// keep the journal from ending properly.
func unhurried(stop func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		return stop(ctx)
	}
}

// Close drains the gateway: deliveries under way finish until ctx ends, then
// everything is closed, in the reverse order of Open. What is not delivered by
// then is delivered after the next Open. It is idempotent.
func (g *Gateway) Close(ctx context.Context) error {
	g.closeOnce.Do(func() {
		var errs []error
		for i := len(g.stops) - 1; i >= 0; i-- {
			errs = append(errs, g.stops[i](ctx))
		}
		g.cancel()
		g.closeErr = errors.Join(errs...)
	})
	return g.closeErr
}

// recorders tells each of them of every try.
type recorders []dispatch.Recorder

func (rs recorders) Record(tries []delivery.Try) {
	for _, r := range rs {
		r.Record(tries)
	}
}

func (g *Gateway) telemetryState() telemetry.State {
	stats := g.journal.Stats()
	s := telemetry.State{JournalBytes: uint64(stats.Bytes), First: stats.First, Last: stats.Last}
	dead := g.letters.Counts()
	for _, e := range g.dispatch.Status() {
		s.Endpoints = append(s.Endpoints, telemetry.EndpointState{
			Name: e.Endpoint, Lag: e.Behind, Retrying: e.Retrying, Dead: dead[e.Endpoint],
		})
	}
	return s
}
