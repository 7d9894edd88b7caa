package sinktest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink/sinktest"
)

// again names the variable by which a test runs once more as a child process.
const again = "HEADGATE_SINKTEST_FLAW"

// TestRunPasses holds a sink in memory, which sends piecemeal, to the suite.
func TestRunPasses(t *testing.T) { run(t, "") }

// TestRunFails gives the suite sinks with one flaw each, and demands that the
// part that is about it fails.
func TestRunFails(t *testing.T) {
	if flaw := os.Getenv(again); flaw != "" {
		run(t, flaw)
		return
	}
	for flaw, part := range map[string]string{
		"no lanes":         "states its capacity",
		"drops extensions": "carries every shape of event",
		"cuts data":        "carries the largest event",
		"forgets outcomes": "answers for each delivery",
		"reverses":         "keeps the order of a key over all lanes",
		"modifies":         "leaves its arguments alone",
		"keeps":            "leaves its arguments alone",
		"ignores ctx":      "sends nothing once its context has ended",
		"retries":          "blames rightly when the endpoint would busy",
		"blames the event": "blames rightly when the endpoint would refuse",
		"never waits":      "blames rightly when the endpoint would busy",
		"says nothing":     "blames rightly when the endpoint would reject",
		"overtakes":        "keeps order around a delivery that the endpoint would drop",
		"blames all":       "keeps order around a delivery that the endpoint would reject",
		"holds strangers":  "keeps order around a delivery that the endpoint would refuse",
		"closes once":      "closes more than once and leaves nothing running",
	} {
		t.Run(flaw, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRunFails$", "-test.v")
			cmd.Env = append(os.Environ(), again+"="+flaw)
			out, err := cmd.CombinedOutput()
			want := "--- FAIL: TestRunFails/" + strings.ReplaceAll(part, " ", "_")
			if err == nil || !strings.Contains(string(out), want) {
				t.Errorf("the suite did not fail where it says %q: %v\n%s", part, err, out)
			}
		})
	}
}

func run(t *testing.T, flaw string) {
	f := sinktest.Features{
		Faults:     []sinktest.Fault{sinktest.Reject, sinktest.Refuse, sinktest.Busy, sinktest.Drop, sinktest.Stall},
		RetryAfter: time.Minute,
	}
	sinktest.Run(t, f, func(*testing.T) (sinktest.Sink, sinktest.Endpoint) {
		e := &memory{}
		return &memorySink{e, flaw, 0}, e
	})
}

// memory is an endpoint in this process.
type memory struct {
	mu       sync.Mutex // guards what follows
	received []event.Event
	tries    int
	fault    sinktest.Fault
	ids      []string
}

func (m *memory) Received() []event.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.received)
}

func (m *memory) Tries() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tries
}

func (m *memory) Fail(fault sinktest.Fault, ids ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault, m.ids = fault, ids
}

func (m *memory) take(e event.Event) sinktest.Fault {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tries++
	if m.fault != sinktest.Take && (len(m.ids) == 0 || slices.Contains(m.ids, e.ID)) {
		return m.fault
	}
	m.received = append(m.received, e)
	return sinktest.Take
}

// memorySink sends to memory, with a flaw or without.
type memorySink struct {
	to     *memory
	flaw   string
	closed int
}

func (s *memorySink) Capacity() delivery.Capacity {
	if s.flaw == "no lanes" {
		return delivery.Capacity{Batch: 8}
	}
	return delivery.Capacity{Lanes: 3, Batch: 8}
}

func (s *memorySink) Send(ctx context.Context, batch []delivery.Delivery) []delivery.Outcome {
	out := make([]delivery.Outcome, len(batch))
	failed := map[string]bool{}
	for i := range batch {
		at := i
		if s.flaw == "reverses" {
			at = len(batch) - 1 - i
		}
		d := &batch[at]
		if failed[d.Key] && s.flaw != "overtakes" || s.flaw == "holds strangers" && len(failed) > 0 {
			out[at] = delivery.NotTried()
			continue
		}
		out[at] = s.send(ctx, d)
		if s.flaw == "retries" && !out[at].Settled() && ctx.Err() == nil {
			out[at] = s.send(ctx, d)
		}
		if !out[at].Settled() {
			failed[d.Key] = true
		}
	}
	return s.spoil(batch, out)
}

func (s *memorySink) send(ctx context.Context, d *delivery.Delivery) delivery.Outcome {
	if ctx.Err() != nil && s.flaw != "ignores ctx" {
		return delivery.Transient(context.Cause(ctx))
	}
	e := d.Event.WithExtensions() // a copy of its own
	e.Data = slices.Clone(e.Data)
	switch s.flaw {
	case "drops extensions":
		e.Extensions = nil
	case "cuts data":
		e.Data = e.Data[:min(len(e.Data), 1<<16)]
	case "keeps":
		e.Data = d.Event.Data
	case "modifies":
		d.Event.Subject += "!"
	}
	fault := s.to.take(e)
	err := errors.New("the endpoint would " + fault.String())
	switch fault {
	case sinktest.Take:
		return delivery.Delivered()
	case sinktest.Reject:
		return delivery.Permanent(err)
	case sinktest.Refuse:
		return delivery.Refused(err)
	case sinktest.Busy:
		return delivery.Transient(err).After(time.Minute)
	case sinktest.Stall:
		<-ctx.Done()
	}
	return delivery.Transient(err)
}

// spoil makes of right outcomes those of the flaw.
func (s *memorySink) spoil(batch []delivery.Delivery, out []delivery.Outcome) []delivery.Outcome {
	switch s.flaw {
	case "forgets outcomes":
		return out[:min(len(out), 1)]
	case "blames all":
		if i := slices.IndexFunc(out, func(o delivery.Outcome) bool { return o.Blame == delivery.Event }); i >= 0 {
			return slices.Repeat(out[i:i+1], len(batch))
		}
	case "blames the event", "never waits", "says nothing":
		for i := range out {
			switch {
			case s.flaw == "blames the event" && out[i].Blame == delivery.Endpoint:
				out[i].Blame = delivery.Event
			case s.flaw == "never waits":
				out[i].RetryAfter = 0
			case s.flaw == "says nothing":
				out[i].Err = nil
			}
		}
	}
	return out
}

func (s *memorySink) Close() error {
	if s.closed++; s.flaw == "closes once" && s.closed > 1 {
		return errors.New("closed twice")
	}
	return nil
}
