package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/client"
	"github.com/headgate/headgate/gateway/event"
)

const sendHelp = `Send events to the gateway. Files, or standard input, hold CloudEvents in JSON: one,
one on each line, or an array. They are sent in order, in batches; when the command
returns they are on the gateway's disk. While the gateway is full, sending waits.

With --type, one event is made from flags instead.

When sending fails, the message says how many events were accepted; --skip leaves
those out the next time.`

const sendExample = `  headgate send events.ndjson
  some-program | headgate send --rate 100
  headgate send --type Microsoft.DigitalTwins.Twin.Update --subject room-101 \
      --data '{"modelId":"dtmi:demo:Room;1","patch":[{"op":"replace","path":"/temperature","value":27}]}'`

// maxBatchBytes keeps a request well below what the server takes.
const maxBatchBytes = 4 << 20

// sender sends batches of events.
type sender struct {
	client   *client.Client
	progress *progress
	rate     float64 // events in a second; 0 sets no limit
	started  time.Time
	accepted int
}

func sendCommand(a *app) *cobra.Command {
	var (
		rate        float64
		batch, skip int
		one         event.Event
		data        string
		connect     connection
	)
	cmd := &cobra.Command{
		Use:     "send [FILE ...]",
		Short:   "Send events from files, standard input or flags",
		Long:    sendHelp,
		Example: sendExample,
	}
	flags := cmd.Flags()
	flags.Float64Var(&rate, "rate", 0, "most events to send in a second, `N`; 0 sets no limit")
	flags.IntVar(&batch, "batch", 100, "most events to send in a request, `N`")
	flags.IntVar(&skip, "skip", 0, "leave out the first `N` events")
	flags.StringVar(&one.Type, "type", "", "make one event, of this `TYPE`")
	flags.StringVar(&one.Source, "source", "headgate-cli", "`SOURCE` of the event that is made")
	flags.StringVar(&one.Subject, "subject", "", "`SUBJECT` of the event that is made")
	flags.StringVar(&one.ID, "id", "", "`ID` of the event that is made; default is one that is new")
	flags.StringVar(&data, "data", "", "data of the event that is made, `JSON`")
	connect.flags(flags)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var events iter.Seq2[json.RawMessage, error]
		switch {
		case batch < 1, rate < 0, skip < 0, math.IsNaN(rate):
			return usageError("--batch must be at least 1, --rate and --skip at least 0")
		case one.Type != "" && len(args) > 0:
			return usageError("send files, or one event made with --type, not both")
		case one.Type != "":
			made, err := makeEvent(one, data)
			if err != nil {
				return err
			}
			events = func(yield func(json.RawMessage, error) bool) { yield(made, nil) }
		case len(args) == 0 && isTerminal(a.in):
			return usageError("name a file, or pipe events in, or make one with --type")
		default:
			if len(args) == 0 {
				args = []string{"-"}
			}
			events = a.eventsOf(args)
		}
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		if rate > 0 {
			batch = min(batch, max(1, int(rate/10))) // ten requests a second look smooth
		}
		s := &sender{client: c, progress: a.progress(), rate: rate, started: time.Now()}
		defer s.progress.done()
		if err := s.sendAll(cmd.Context(), skipped(events, skip), batch); err != nil {
			s.progress.done()
			return fmt.Errorf("send: %w%s", err, resume(s.accepted, skip))
		}
		s.progress.done()
		if connect.json {
			return printJSON(a.out, map[string]int{"accepted": s.accepted})
		}
		fmt.Fprintf(a.out, "%d %s accepted\n", s.accepted, plural(s.accepted, "event", "events"))
		return nil
	}
	return cmd
}

// makeEvent returns the one event that the flags describe.
func makeEvent(e event.Event, data string) (json.RawMessage, error) {
	if data != "" {
		if !json.Valid([]byte(data)) {
			return nil, usageError("--data is not JSON")
		}
		e.Data, e.DataContentType = []byte(data), "application/json"
	}
	now := time.Now()
	e.Time = now.UTC().Format(time.RFC3339Nano)
	e.ID = cmp.Or(e.ID, fmt.Sprintf("cli-%x", now.UnixNano()))
	return event.AppendJSON(nil, &e), nil
}

// eventsOf yields the events of the files, one file after the other.
func (a *app) eventsOf(names []string) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		for _, name := range names {
			f, err := a.open(name)
			if err != nil {
				yield(nil, err)
				return
			}
			for e, err := range readEvents(f) {
				if err != nil {
					err = fmt.Errorf("%s: %w", name, err)
				}
				if !yield(e, err) || err != nil {
					f.Close()
					return
				}
			}
			f.Close()
		}
	}
}

// skipped leaves out the first n events.
func skipped(events iter.Seq2[json.RawMessage, error], n int) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		for e, err := range events {
			if n > 0 && err == nil {
				n--
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// sendAll sends the events in order until one cannot be sent.
func (s *sender) sendAll(ctx context.Context, events iter.Seq2[json.RawMessage, error], count int) error {
	for batch, err := range batches(events, count, maxBatchBytes) {
		if err != nil {
			return err
		}
		decoded := make([]event.Event, len(batch))
		for i, raw := range batch {
			if decoded[i], err = event.DecodeJSON(raw); err != nil {
				return fmt.Errorf("event %d: %w", s.accepted+i+1, err)
			}
		}
		if err := s.send(ctx, decoded); err != nil {
			return err
		}
		s.accepted += len(batch)
		seconds := time.Since(s.started).Seconds()
		s.progress.say("%d events accepted, %.0f/s", s.accepted, float64(s.accepted)/seconds)
		if s.rate > 0 {
			due := s.started.Add(time.Duration(float64(s.accepted) / s.rate * float64(time.Second)))
			if err := wait(ctx, time.Until(due)); err != nil {
				return err
			}
		}
	}
	return nil
}

// The waits while the gateway has no room.
const (
	firstWait = 250 * time.Millisecond
	longWait  = 5 * time.Second
)

// send sends one batch, again and again while the gateway says "not now".
func (s *sender) send(ctx context.Context, batch []event.Event) error {
	for pause := firstWait; ; pause = min(2*pause, longWait) {
		err := s.client.Send(ctx, batch)
		var p *client.Problem
		if !errors.As(err, &p) {
			return err
		}
		if p.Status != http.StatusServiceUnavailable && p.Status != http.StatusTooManyRequests {
			if p.Index != nil {
				return fmt.Errorf("event %d: %w", s.accepted+*p.Index+1, err)
			}
			return err
		}
		s.progress.say("%d events accepted, waiting: %s", s.accepted, p.Detail)
		if err := wait(ctx, pause); err != nil {
			return errors.Join(err, p)
		}
	}
}

// wait returns after d, or with the context's error when that ends first.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// resume says how to go on after some events were accepted.
func resume(accepted, skipped int) string {
	if accepted == 0 {
		return ""
	}
	return fmt.Sprintf("; %d %s accepted before that, go on with --skip %d", accepted, plural(accepted, "event was", "events were"), skipped+accepted)
}

// plural chooses the words for n things.
func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
