package delivery_test

import (
	"errors"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

var errBusy = errors.New("busy")

func TestPolicyBackoff(t *testing.T) {
	p := delivery.DefaultPolicy()
	tests := []struct {
		name     string
		attempts int
		out      delivery.Outcome
		want     time.Duration
	}{
		{"after the first try", 1, delivery.Transient(errBusy), time.Second},
		{"doubles", 4, delivery.Transient(errBusy), 8 * time.Second},
		{"stops at the maximum", 10, delivery.Transient(errBusy), 5 * time.Minute},
		{"does not overflow", 1 << 40, delivery.Transient(errBusy), 5 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 100 {
				if got := p.Backoff(tt.attempts, tt.out); got > tt.want || got < tt.want*8/10 {
					t.Fatalf("Backoff(%d) = %s, want %s less at most a fifth", tt.attempts, got, tt.want)
				}
			}
		})
	}
	if got := p.Backoff(1, delivery.Transient(errBusy).After(time.Hour)); got != time.Hour {
		t.Errorf("Backoff with Retry-After = %s, want 1h", got)
	}
	if got := p.Backoff(1, delivery.Transient(errBusy).After(100*time.Hour)); got != p.MaxAge {
		t.Errorf("Backoff with an absurd Retry-After = %s, want the age limit", got)
	}
	if got := (delivery.Policy{MaxAge: time.Hour}).Backoff(3, delivery.Transient(errBusy)); got != 0 {
		t.Errorf("Backoff of a zero policy = %s, want 0", got)
	}
}

func TestPolicyExhausted(t *testing.T) {
	accepted := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	limited := delivery.DefaultPolicy()
	limited.MaxAttempts = 3
	tests := []struct {
		name     string
		policy   delivery.Policy
		attempts int
		age      time.Duration
		out      delivery.Outcome
		redrive  bool
		want     bool
	}{
		{"young, no limit on attempts", delivery.DefaultPolicy(), 1000, time.Hour, delivery.Transient(errBusy), false, false},
		{"a day old", delivery.DefaultPolicy(), 1, 24 * time.Hour, delivery.Transient(errBusy), false, true},
		{"last attempt", limited, 3, time.Second, delivery.Transient(errBusy), false, true},
		{"attempts are left", limited, 2, time.Second, delivery.Transient(errBusy), false, false},
		{"refusals do not count", limited, 300, time.Hour, delivery.Refused(errBusy), false, false},
		{"refused for a day", limited, 3, 24 * time.Hour, delivery.Refused(errBusy), false, true},
		{"a redrive is young", limited, 1, 100 * time.Hour, delivery.Transient(errBusy), true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := accepted.Add(tt.age)
			d := delivery.Delivery{Accepted: accepted, Attempts: tt.attempts}
			if tt.redrive {
				d.Redrive = &delivery.Redrive{At: now.Add(-time.Minute)}
			}
			if got := tt.policy.Exhausted(d, tt.out, now); got != tt.want {
				t.Errorf("Exhausted = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestDeliveryTriedKeepsTheLatest(t *testing.T) {
	var d delivery.Delivery
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range delivery.MaxHistory + 5 {
		before := d
		d = d.Tried(start.Add(time.Duration(i)*time.Second), delivery.Transient(errBusy))
		if len(before.History) > 0 && &before.History[0] == &d.History[0] {
			t.Fatal("Tried shares the history of the delivery that it came from")
		}
	}
	if d.Attempts != delivery.MaxHistory+5 || len(d.History) != delivery.MaxHistory {
		t.Errorf("%d attempts, %d in history; want %d and %d", d.Attempts, len(d.History), delivery.MaxHistory+5, delivery.MaxHistory)
	}
	if want := start.Add(5 * time.Second); !d.History[0].At.Equal(want) {
		t.Errorf("oldest kept = %s, want %s", d.History[0].At, want)
	}
}

func TestMarkIsSettled(t *testing.T) {
	m := delivery.Mark{Low: 10, Settled: [][]byte{{0b0000_0101}, nil, {0xff, 0b1}}}
	tests := []struct {
		p    event.Position
		want bool
	}{
		{event.Position{Seq: 9, Index: 500}, true},
		{event.Position{Seq: 10, Index: 0}, true},
		{event.Position{Seq: 10, Index: 1}, false},
		{event.Position{Seq: 10, Index: 2}, true},
		{event.Position{Seq: 10, Index: 8}, false},
		{event.Position{Seq: 11, Index: 0}, false},
		{event.Position{Seq: 12, Index: 8}, true},
		{event.Position{Seq: 12, Index: 9}, false},
		{event.Position{Seq: 13, Index: 0}, false},
	}
	for _, tt := range tests {
		if got := m.IsSettled(tt.p); got != tt.want {
			t.Errorf("IsSettled(%s) = %v, want %v", tt.p, got, tt.want)
		}
	}
}
