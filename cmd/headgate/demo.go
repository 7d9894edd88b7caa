package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway"
	"github.com/headgate/headgate/gateway/client"
	"github.com/headgate/headgate/gateway/config"
	"github.com/headgate/headgate/gateway/demo"
	"github.com/headgate/headgate/gateway/emulator"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/telemetry"
)

const demoHelp = `Serve a gateway with an example in it, simulate a factory of digital twins that feeds
it, and show what becomes of their events in an event hub, a Service Bus queue, an Event Grid
topic and a webhook, all of which are emulated on this machine. Everything lies in memory
or in a temporary directory, which goes when the demo stops (Ctrl-C).

The API has no token; only this machine can reach it.`

// demonstration is one run of the demo.
type demonstration struct {
	app      *app
	rate     float64
	duration time.Duration
	every    time.Duration // from one event that is shown to the next
	quiet    bool

	url      string
	client   *client.Client
	board    *board
	receiver *receiver
	emulator *emulator.Emulator
	certFile string // of the emulator
}

func demoCommand(a *app) *cobra.Command {
	d := &demonstration{app: a}
	var listen string
	cmd := &cobra.Command{
		Use:     "demo",
		Short:   "Serve a live example: simulated twins, routes, and what comes out",
		Long:    demoHelp,
		Example: "  headgate demo\n  headgate demo --rate 200 --listen 127.0.0.1:9000",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVar(&listen, "listen", "", "`HOST:PORT` to serve on (default "+config.Default().Listen+", or a free port when that is taken)")
	cmd.Flags().Float64Var(&d.rate, "rate", 20, "events in a second, `N`")
	cmd.Flags().Var(durationFlag{&d.duration}, "duration", "stop after so long; 0 goes on until interrupted")
	cmd.Flags().DurationVar(&d.every, "show-every", 1500*time.Millisecond, "show an event every `DURATION`")
	cmd.Flags().BoolVar(&d.quiet, "quiet", false, "serve and simulate, but show no events")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !(d.rate > 0 && d.rate <= 10_000) {
			return usageError("--rate must be above 0 and at most 10000")
		}
		if d.every < time.Millisecond {
			return usageError("--show-every must be at least 1ms")
		}
		if listen == "" {
			listen = freeAddress(config.Default().Listen)
		}
		return d.run(cmd.Context(), listen)
	}
	return cmd
}

// freeAddress is addr, or one with a free port when addr is taken.
func freeAddress(addr string) string {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		host, _, _ := net.SplitHostPort(addr)
		return net.JoinHostPort(host, "0")
	}
	l.Close()
	return addr
}

// run serves and simulates until ctx or the duration ends.
func (d *demonstration) run(ctx context.Context, listen string) (err error) {
	dir, err := os.MkdirTemp("", "headgate-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d.certFile = filepath.Join(dir, "emulator.pem")

	cfg, err := config.Load(config.Sources{Flags: map[string]string{
		"data": filepath.Join(dir, "data"), "listen": listen,
		"journal-max-size": "512MiB", "journal-retain-size": "64MiB", "disk-reserve": "0", "drain-timeout": "5s",
	}})
	if err != nil {
		return err
	}
	cfg.Version = versionText()
	d.board = newBoard(d.app.out, time.Now())
	if d.receiver, err = newReceiver(d.board); err != nil {
		return err
	}
	defer d.receiver.close()
	if err := d.startEmulator(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.emulator.Close()) }()
	return d.serve(ctx, cfg)
}

// serve runs the gateway, and the example once it is ready. The gateway is
// the last to stop, so that nothing talks to one that is gone.
func (d *demonstration) serve(ctx context.Context, cfg config.Config) error {
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	ready := &readyWriter{url: make(chan string, 1)}
	served := make(chan error, 1)
	go func() {
		log := telemetry.NewLogger(d.app.err, slog.LevelWarn, "text")
		if d.app.serveBeside != nil {
			served <- d.app.serveBeside(serving, cfg, ready, log, gateway.Beside{Emulator: emulated{d.emulator}})
		} else {
			served <- d.app.serve(serving, cfg, ready, log)
		}
	}()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
		stop()
		return <-served
	case d.url = <-ready.url:
	}
	err := d.example(ctx, served)
	stop()
	return errors.Join(err, <-served)
}

// example seeds the gateway, introduces it, and plays until ctx ends. It puts
// back what it takes from served.
func (d *demonstration) example(ctx context.Context, served chan error) (err error) {
	if d.client, err = client.New(d.url, client.Options{}); err != nil {
		return err
	}
	if err := d.seed(ctx); err != nil {
		return fmt.Errorf("seed the example: %w", err)
	}
	d.introduce()
	d.board.begin(time.Now())
	if d.duration > 0 { // of the play, however long the start took
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.duration)
		defer cancel()
	}

	playing, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	follow, err := d.client.Follow(playing, tailEverything, true)
	if err != nil {
		return fmt.Errorf("follow the events: %w", err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for item, err := range follow {
			if err != nil {
				stop(err)
				return
			}
			d.tell(item)
		}
	})
	wg.Go(func() { stop(d.simulate(playing)) })
	wg.Go(func() {
		if err := d.watch(playing); err != nil {
			stop(err)
		}
	})
	select {
	case <-playing.Done():
	case err := <-served:
		served <- err
		stop(errors.New("the gateway stopped"))
	}
	wg.Wait()
	if ctx.Err() != nil {
		d.farewell()
		return nil
	}
	return context.Cause(playing)
}

// simulate lets the factory live, and sends what happens in it.
func (d *demonstration) simulate(ctx context.Context) error {
	return demo.New(uint64(time.Now().UnixNano())).Live(ctx, d.rate, func(ctx context.Context, events []event.Event) error {
		s := sender{client: d.client, progress: &progress{w: io.Discard}}
		return s.send(ctx, events)
	})
}

// tell passes what happened on to the board.
func (d *demonstration) tell(item client.Tailed) {
	now := time.Now()
	switch {
	case item.Accepted != nil:
		d.board.accepted(*item.Accepted, now)
	case item.Delivery != nil:
		d.board.delivery(*item.Delivery, now)
	default:
		d.board.missed(item.Dropped)
	}
}

// summaryEvery is how many events are shown from one summary to the next.
const summaryEvery = 8

// watch shows an event now and then, and the rates every few of them, until
// ctx ends.
func (d *demonstration) watch(ctx context.Context) error {
	if d.quiet {
		<-ctx.Done()
		return nil
	}
	came := newArrivals(d.emulator, d.board, d.rate)
	for shown := 0; wait(ctx, d.every) == nil; {
		if err := came.tell(); err != nil {
			return err
		}
		if d.board.show(time.Now()) {
			if shown++; shown%summaryEvery == 0 {
				d.board.summary(time.Now())
			}
		}
	}
	return nil
}

// introduce says what there is to see, and what to try.
func (d *demonstration) introduce() {
	flag := ""
	if d.url != defaultServer {
		flag = " --server " + d.url
	}
	var b strings.Builder
	fmt.Fprintf(&b, "listening on %s\n\n", d.url)
	fmt.Fprintf(&b, "A factory with digital twins is simulated: three lines of a press, an oven, a conveyor and a robot, and the orders\nthat are made on them. Its events go through these routes:\n\n")
	for _, r := range seedRoutes() {
		fmt.Fprintf(&b, "  %-9s → %-9s %s\n", r.id, r.endpoint, r.about)
	}
	fmt.Fprintf(&b, "\nService Bus, Event Hubs and Event Grid are emulated on this machine. Microsoft's SDKs can look into them:\n\n")
	fmt.Fprintf(&b, "  %-19s %s\n", "queue "+queueName, d.emulator.ConnectionString(emulator.ServiceBus))
	fmt.Fprintf(&b, "  %-19s %s\n", "event hub "+hubName, d.emulator.ConnectionString(emulator.EventHubs))
	fmt.Fprintf(&b, "\nTry in a second terminal, while this goes on:\n\n")
	for _, try := range []string{
		d.app.self + " tail --deliveries" + flag,
		d.app.self + " get routes" + flag,
		d.app.self + " put route cold --endpoint desk --filter \"PATCH('/temperature') < 212\"" + flag,
		"curl -s '" + d.emulator.ControlURL() + "/entities?service=serviceBus&limit=2'",
		"curl -d '{\"service\":\"serviceBus\",\"kind\":\"server-busy\",\"times\":50}' " + d.emulator.ControlURL() + "/faults",
		d.app.self + " status" + flag,
	} {
		fmt.Fprintf(&b, "  %s\n", try)
	}
	fmt.Fprintf(&b, "\nCtrl-C stops it. One event of many is shown, with what became of it:\n")
	fmt.Fprint(d.app.out, b.String())
}

func (d *demonstration) farewell() {
	if !d.quiet {
		d.board.summary(time.Now())
	}
}
