// Package pulltest holds what the tests of sources share: a journal that can be
// looked into and can refuse, and a source that runs until the test is over.
package pulltest

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/ingress/pull"
)

// Key is base64, as shared access keys are, and obviously none.
const Key = "bm90IGEga2V5"

// Journal holds what was accepted, in memory. The zero value takes everything.
type Journal struct {
	mu     sync.Mutex
	events []event.Event
	refuse error
	calls  uint64
}

// Full is what a journal says that has no room.
type Full struct{}

// Error implements error.
func (Full) Error() string { return "journal is full" }

// RetryAfter makes the error one that passes.
func (Full) RetryAfter() time.Duration { return 10 * time.Millisecond }

// Append implements [pull.Journal].
func (j *Journal) Append(ctx context.Context, events []event.Event) (event.Position, error) {
	if err := ctx.Err(); err != nil {
		return event.Position{}, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.refuse != nil {
		return event.Position{}, j.refuse
	}
	j.calls++
	j.events = append(j.events, events...)
	return event.Position{Seq: j.calls}, nil
}

// Refuse makes the journal fail with err, or take everything again.
func (j *Journal) Refuse(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.refuse = err
}

// Accepted returns what was accepted, in order.
func (j *Journal) Accepted() []event.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.events)
}

// Len is how many events were accepted.
func (j *Journal) Len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.events)
}

// Source is what runs.
type Source interface {
	Run(context.Context)
	Status() pull.Status
}

// Running is a source that was started.
type Running struct {
	Source
	// Stop stops the source, and waits until it has. It may be called again.
	Stop func()
	log  *log
}

// Log is what the source has logged.
func (r *Running) Log() string { return r.log.text() }

type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Run opens a source and runs it until it is stopped, or t is over.
func Run[S Source](t testing.TB, open func(pull.Options) (S, error)) *Running {
	t.Helper()
	l := &log{}
	s, err := open(pull.Options{UserAgent: "test", Logger: slog.New(slog.NewTextHandler(l, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	r := &Running{Source: s, log: l, Stop: func() {
		cancel()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Error("the source does not stop")
		}
	}}
	t.Cleanup(r.Stop)
	return r
}

// Eventually waits until ok says so, for a minute at most.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatal("in vain: " + what)
		case <-tick.C:
		}
	}
}

// Silent returns the address of a server that takes connections and says nothing
// until t is over, and a channel that is closed when the first has come.
func Silent(t testing.TB) (string, <-chan struct{}) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	came := make(chan struct{})
	first := sync.OnceFunc(func() { close(came) })
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			first()
			all.Go(func() {
				_, _ = io.Copy(io.Discard, conn) // until the client hangs up
				conn.Close()
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		all.Wait()
	})
	return ln.Addr().String(), came
}
