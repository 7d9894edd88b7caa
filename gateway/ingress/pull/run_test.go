package pull_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/ingress/pull"
	"github.com/headgate/headgate/gateway/ingress/pull/pulltest"
)

func monitor() *pull.Monitor { return pull.NewMonitor(slog.New(slog.DiscardHandler)) }

// TestRunBacksOff holds how often a source tries that cannot connect, and that a
// connection of use begins anew with that.
func TestRunBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, j := monitor(), &pulltest.Journal{}
		ctx, cancel := context.WithCancel(t.Context())
		tries := 0
		begun := time.Now()
		var took time.Duration
		pull.Run(ctx, m, error.Error, func(ctx context.Context) error {
			switch tries++; tries {
			case 1:
				if got := m.Status().State; got != pull.Connecting {
					t.Errorf("state = %s at first", got)
				}
			case 20:
				if s := m.Status(); s.State != pull.Failing || s.Reason != "no" || time.Since(s.Since) < time.Minute {
					t.Errorf("status = %+v after many failures", s)
				}
				took = time.Since(begun)
				m.Running()
				if err := m.Accept(ctx, j, make([]event.Event, 3), nil); err != nil {
					t.Error(err)
				}
				begun = time.Now()
			case 21:
				if again := time.Since(begun); again > time.Second {
					t.Errorf("after a connection of use it waits for %s", again)
				}
				cancel()
			}
			return errors.New("no")
		})
		if took < 2*time.Minute || took > 10*time.Minute {
			t.Errorf("20 tries took %s", took)
		}
		if s := m.Status(); s.State != pull.Stopped || s.Received != 3 {
			t.Errorf("status = %+v at the end", s)
		}
	})
}

// TestAcceptWaits holds that events wait for the journal, with their locks held,
// until it takes them.
func TestAcceptWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, j := monitor(), &pulltest.Journal{}
		m.Running()
		j.Refuse(pulltest.Full{})
		held := 0
		err := m.Accept(t.Context(), j, make([]event.Event, 2), func(context.Context) error {
			if s := m.Status(); s.State != pull.Waiting || s.Reason != "journal is full" {
				t.Errorf("status = %+v", s)
			}
			if held++; held == 500 {
				j.Refuse(nil)
			}
			return nil
		})
		if s := m.Status(); err != nil || s.State != pull.Running || s.Reason != "" || s.Received != 2 {
			t.Errorf("Accept = %v, status %+v", err, s)
		}
	})
}

// TestAcceptEnds holds what ends the wait: a lock that is lost, and the end of
// the source; not what the journal says.
func TestAcceptEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, j := monitor(), &pulltest.Journal{}
		j.Refuse(errors.New("a bug"))
		lost := errors.New("lock lost")
		begun := time.Now()
		err := m.Accept(t.Context(), j, make([]event.Event, 1), func(context.Context) error {
			if time.Since(begun) > time.Hour {
				return lost
			}
			return nil
		})
		if !errors.Is(err, lost) {
			t.Errorf("Accept = %v, want that the lock is lost", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := m.Accept(ctx, j, make([]event.Event, 1), nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Accept = %v, want the end of its context", err)
		}
	})
}

// TestLinger holds that what is under way may end after its source was told to,
// and not much later.
func TestLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		out, cancel := pull.Linger(ctx)
		defer cancel()
		stop()
		begun := time.Now()
		synctest.Wait()
		if out.Err() != nil {
			t.Fatal("it ends at once")
		}
		<-out.Done()
		if took := time.Since(begun); took != 5*time.Second {
			t.Errorf("it ends after %s", took)
		}
	})
}

// TestRefusals holds that each refusal is counted.
func TestRefusals(t *testing.T) {
	m := monitor()
	for range 3 {
		m.Refused("sequence number 7", errors.New("id is required"))
	}
	if s := m.Status(); s.Refused != 3 || s.LastRefusal != "sequence number 7: id is required" {
		t.Errorf("status = %+v", s)
	}
}
