package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/client"
	"github.com/headgate/headgate/gateway/plugin/admission"
	"github.com/headgate/headgate/gateway/workbench"
)

const devHelp = `Compile the plugin in a directory, run its golden tests, upload it and make it the active
version; and again at every change of a file, until interrupted. Each swap shows which
of the latest events come out otherwise than before.

In between, every event that the server accepts is shown with what the plugin makes of it
in the routes that use it, or alone with --config if there is none. Showing delivers
nothing. A plugin that does not compile or load changes nothing; one whose tests fail is
swapped in all the same, and the failures are named.`

const devExample = `  headgate plugin dev warm
  headgate plugin dev warm --config '{"path":"/Temperature","min":30}'`

func devCommand(a *app) *cobra.Command {
	var (
		name, config string
		connect      connection
	)
	cmd := &cobra.Command{
		Use: "dev [DIR]", Short: "Swap a plugin into a server at every change of its source",
		Long: devHelp, Example: devExample, Args: wants(0, 1, "at most one directory"),
	}
	cmd.Flags().StringVar(&name, "name", "", "upload it as `NAME` (default: what the plugin calls itself)")
	cmd.Flags().StringVar(&config, "config", "{}", "`JSON` of the configuration under which events are shown while no route uses it")
	connect.flags(cmd.Flags())
	cmd.Flags().Lookup("json").Hidden = true
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !json.Valid([]byte(config)) {
			return usageError("--config: not JSON: " + config)
		}
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		bench, err := workbench.Open(cmd.Context())
		if err != nil {
			return err
		}
		defer bench.Close()
		d := &dev{app: a, client: c, bench: bench, dir: firstOr(args, "."), name: name, config: json.RawMessage(config)}
		if err := d.run(cmd.Context()); err != nil && cmd.Context().Err() == nil {
			return fmt.Errorf("dev: %w", err)
		}
		return nil // interrupted, which is how this ends
	}
	return cmd
}

// dev swaps a plugin into a server and shows what it does.
type dev struct {
	*app
	client *client.Client
	bench  *workbench.Bench
	dir    string
	name   string
	config json.RawMessage

	version int // that this command made active; 0 for none yet
	kinds   []string
	routes  []catalog.Route       // that use the plugin
	recent  []catalog.StoredEvent // the latest that were shown, oldest first
}

const (
	devPoll   = 250 * time.Millisecond
	devGather = 300 * time.Millisecond // events that come together are shown together
	devRecent = 20                     // events by which a swap is judged
	devShown  = 10                     // events that are shown at a time
)

// run works until ctx ends or the server is gone.
func (d *dev) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// First, so that a server that is not there is found before anything is built.
	follow, err := d.client.Follow(ctx, catalog.EventQuery{}, false)
	if err != nil {
		return err
	}
	watcher := workbench.Watch(d.dir) // now: what changes during the first compilation counts
	if err := d.swap(ctx); err != nil {
		return err
	}
	changes, live := make(chan struct{}, 1), make(chan catalog.StoredEvent, catalog.MaxTestEvents)
	ended := make(chan error, 2)
	var feeds sync.WaitGroup
	feeds.Go(func() {
		ended <- watcher.Run(ctx, devPoll, func() {
			select {
			case changes <- struct{}{}:
			default: // one is waiting
			}
		})
	})
	feeds.Go(func() {
		var err error
		for item, e := range follow {
			if err = e; err == nil && item.Accepted != nil {
				select {
				case live <- *item.Accepted:
				default: // shown is a sample, when they come fast
				}
			}
		}
		if errors.Is(err, client.ErrStreamEnded) {
			err = errors.New("the server stopped")
		}
		ended <- err
	})
	err = d.loop(ctx, changes, live, ended)
	cancel()
	feeds.Wait()
	return err
}

// loop returns when one of the two that feed it ended.
func (d *dev) loop(ctx context.Context, changes <-chan struct{}, live <-chan catalog.StoredEvent, ended <-chan error) error {
	for {
		select {
		case err := <-ended:
			return err
		case <-changes:
			if err := d.swap(ctx); err != nil {
				d.tell("%v", err)
			}
		case first := <-live:
			events := gather(ctx, first, live)
			err := d.findRoutes(ctx)
			if err == nil {
				err = d.show(ctx, events)
			}
			if err != nil && ctx.Err() == nil {
				d.tell("%v", err)
			}
		}
	}
}

// gather returns the events that come with first.
func gather(ctx context.Context, first catalog.StoredEvent, live <-chan catalog.StoredEvent) []catalog.StoredEvent {
	events := []catalog.StoredEvent{first}
	timer := time.NewTimer(devGather)
	defer timer.Stop()
	for len(events) < catalog.MaxTestEvents {
		select {
		case e := <-live:
			events = append(events, e)
		case <-timer.C:
			return events
		case <-ctx.Done():
			return events
		}
	}
	return events
}

// tell writes a line with the time of day; what follows in text is indented.
func (d *dev) tell(format string, args ...any) {
	at := d.when(time.Now(), timeOfDay) + "  "
	for line := range strings.Lines(fmt.Sprintf(format, args...)) {
		fmt.Fprintf(d.out, "%s%s\n", at, oneLine(strings.TrimRight(line, "\n"), 500))
		at = "          "
	}
}

// swap makes what the source is now the active version. It returns an error
// for what may be otherwise at the next change, except that nothing works
// without a first version.
func (d *dev) swap(ctx context.Context) error {
	begin := time.Now()
	wasm, err := d.compile(ctx, d.dir, workbench.CompileOptions{})
	if err == nil {
		info, refused := d.bench.Check(ctx, wasm)
		if refused != nil {
			err = fmt.Errorf("a gateway refuses it: %w", refused)
		} else {
			d.kinds = admission.KindNames(info.Kinds)
			d.name = cmp.Or(d.name, info.Name)
		}
	}
	if err != nil && d.version > 0 {
		return fmt.Errorf("version %d stays active: %w", d.version, err)
	}
	if err != nil {
		return err
	}
	if d.name == "" {
		return usageError("the plugin does not say its name: give it one with --name")
	}
	took := round(time.Since(begin))
	tests := d.testLine(ctx, wasm)
	admitted, _, err := d.client.Upload(ctx, d.name, strings.NewReader(string(wasm)), int64(len(wasm)), func(int64) {})
	if err != nil {
		return fmt.Errorf("push %s: %w", d.name, err)
	}
	v := admitted.Version
	if v.Version == d.version {
		d.tell("%s compiles to the same module; %s", d.name, tests)
		return nil
	}
	if _, err := d.client.Activate(ctx, d.name, v.Version, catalog.Precondition{}); err != nil {
		return fmt.Errorf("activate %s version %d: %w", d.name, v.Version, err)
	}
	before := d.version
	d.version = v.Version
	d.tell("%s version %d is active: compiled in %s, %s", d.name, v.Version, took, tests)
	if err := d.findRoutes(ctx); err != nil || before == 0 {
		return err
	}
	return d.compare(ctx, before)
}

// testLine says what came of the golden tests.
func (d *dev) testLine(ctx context.Context, wasm []byte) string {
	total, failed, err := tryAll(ctx, d.bench, wasm, d.dir)
	switch {
	case err != nil:
		return "tests cannot run: " + err.Error()
	case total == 0:
		return "it has no tests"
	case len(failed) > 0:
		return fmt.Sprintf("%d of %s FAILED: %s (see headgate plugin test)", len(failed), count(total, "test"), strings.Join(failed, ", "))
	}
	return count(total, "test") + " passed"
}

// findRoutes looks up who uses the plugin, and says so when that changed.
func (d *dev) findRoutes(ctx context.Context) error {
	before := routeIDs(d.routes)
	var routes []catalog.Route
	for r, err := range d.client.Routes(ctx) {
		if err != nil {
			return err
		}
		if uses(r, d.name) {
			routes = append(routes, r)
		}
	}
	switch ids := routeIDs(routes); {
	case len(routes) == 0:
		if d.routes == nil || before != "" {
			d.tell("no route uses %s: events are shown with the configuration %s", d.name, d.config)
		}
		routes = d.alone()
	case ids != before:
		d.tell("it is used by %s", ids)
	}
	d.routes = routes
	return nil
}

func routeIDs(routes []catalog.Route) string {
	var ids []string
	for _, r := range routes {
		if r.ID != "" {
			ids = append(ids, r.ID)
		}
	}
	return strings.Join(ids, ", ")
}

// alone is a route for each kind that the plugin has.
func (d *dev) alone() (routes []catalog.Route) {
	use := []catalog.PluginRef{{Plugin: catalog.Ref{Name: d.name}, Config: d.config}}
	for _, kind := range d.kinds {
		r := catalog.Route{Filter: "true"}
		if kind == "filter" {
			r.Filters = use
		} else {
			r.Transforms = use
		}
		routes = append(routes, r)
	}
	return routes
}
