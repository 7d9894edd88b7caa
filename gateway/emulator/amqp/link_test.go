package amqp_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/emulator/amqp"
)

// TestAnswer is what an attach answers: what was asked, and what the broker set.
func TestAnswer(t *testing.T) {
	const filter = "com.microsoft:session-filter"
	addr := serve(t, amqp.HandlerFunc(func(_ context.Context, l *amqp.Link) error {
		if v, ok := l.FilterValue(filter); !ok || v != nil {
			t.Errorf("filter value %v, %v", v, ok)
		}
		l.SetFilter(filter, "granted")
		l.SetFilter("another", "not asked for")
		l.SetProperty("com.microsoft:locked-until-utc", int64(7))
		return nil
	}), amqp.Options{})
	described := func(v any) any { return amqp.Described{Descriptor: uint64(0x137000000C), Value: v} }
	bare := func(v any) any { return v }
	for name, form := range map[string]func(any) any{"described": described, "bare": bare} {
		c := opened(t, addr)
		filters := func(v any) any {
			return amqp.Described{Descriptor: uint64(0x28), Value: amqp.List{"q", nil, nil, nil, nil, nil, nil, amqp.Map{{Key: amqp.Symbol(filter), Value: form(v)}}}}
		}
		c.say(frame(0, 1, 0x12, "name", uint32(3), true, uint8(0), uint8(1), filters(nil), node(0x29, "mine")))
		got := c.want("attach", 0x12)
		want := amqp.List{"name", uint32(3), false, uint8(0), uint8(1), filters("granted"), node(0x29, "mine"), nil, nil, uint32(0), uint64(1 << 20), nil, nil,
			amqp.Map{{Key: amqp.Symbol("com.microsoft:locked-until-utc"), Value: int64(7)}}}
		if diff := cmp.Diff(want, got.fields); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

// TestRefuse is an attach without ends, and then a detach that says why.
func TestRefuse(t *testing.T) {
	addr := serve(t, amqp.HandlerFunc(func(_ context.Context, l *amqp.Link) error {
		l.OnDetach(func() { t.Error("a refused link was detached") })
		switch l.Name() {
		case "unknown":
			return amqp.Errorf(amqp.NotFound, "no %q", l.Address())
		case "detached":
			l.Detach(amqp.Errorf(amqp.Stolen, "by another"))
			return nil
		}
		return errors.New("broken")
	}), amqp.Options{})
	c := opened(t, addr)
	dynamic := amqp.Described{Descriptor: uint64(0x28), Value: amqp.List{nil, nil, nil, nil, true}}
	coordinator := amqp.Described{Descriptor: uint64(0x30), Value: amqp.List{}}
	tests := []struct {
		name           string
		receiver       bool
		source, target any
		want           amqp.Symbol
	}{
		{"unknown", true, node(0x28, "q"), nil, amqp.NotFound},
		{"detached", true, node(0x28, "q"), nil, amqp.Stolen},
		{"broken", false, nil, node(0x29, "q"), amqp.InternalError},
		{"nowhere", false, nil, nil, amqp.InvalidField},
		{"from nowhere", true, nil, node(0x29, "q"), amqp.InvalidField},
		{"dynamic", true, dynamic, nil, amqp.NotImplemented},
		{"a transaction", false, nil, coordinator, amqp.NotImplemented},
		{"no target", false, nil, amqp.Described{Descriptor: uint64(0x29), Value: amqp.List{nil, "durable"}}, amqp.DecodeError},
	}
	for _, tt := range tests {
		c.say(frame(0, 1, 0x12, tt.name, uint32(0), tt.receiver, nil, nil, tt.source, tt.target))
		if a := c.want("attach", 0x12); a.field(0) != tt.name || a.field(2) == tt.receiver || a.field(5) != nil || a.field(6) != nil {
			t.Errorf("%s: attach %v, want one without ends", tt.name, a.fields)
		}
		if d := c.want("detach", 0x16); d.field(1) != true || d.condition(2) != string(tt.want) {
			t.Errorf("%s: detach %v, want %s", tt.name, d.fields, tt.want)
		}
		c.say(frame(0, 1, 0x16, uint32(0), true))
	}
}

// TestWait lets a broker answer when it can. A client that gives up meanwhile
// is answered once the broker knows, whichever way it gives up.
func TestWait(t *testing.T) {
	asked, answer, told := make(chan struct{}), make(chan error), make(chan struct{}, 1)
	addr := serve(t, amqp.HandlerFunc(func(ctx context.Context, l *amqp.Link) error {
		l.OnDetach(func() { told <- struct{}{} })
		asked <- struct{}{}
		select {
		case <-ctx.Done():
			if l.Name() == "late" {
				return nil // it had made up its mind
			}
			return ctx.Err()
		case err := <-answer:
			return err
		}
	}), amqp.Options{})
	c := opened(t, addr)
	ask := func(name string) {
		c.say(frame(0, 1, 0x12, name, uint32(0), true, nil, nil, node(0x28, "q")))
		<-asked
	}

	ask("patient")
	c.say(credit(0, 100, 0, 5, nil, true)) // before the answer
	answer <- nil
	c.want("attach", 0x12)
	if f := c.want("flow", 0x13); f.uint(6) != 5 {
		t.Errorf("flow %v, want the credit of 5 that came early", f.fields)
	}
	c.say(frame(0, 1, 0x16, uint32(0), true))
	c.want("detach", 0x16)
	<-told

	ask("impatient")
	c.say(frame(0, 1, 0x16, uint32(0), true))
	c.want("attach", 0x12)
	c.want("detach", 0x16)

	ask("late")
	c.say(frame(0, 1, 0x16, uint32(0), true))
	c.want("attach", 0x12)
	c.want("detach", 0x16)
	if len(told) != 1 {
		t.Error("the detach was answered before the broker knew")
	}
	<-told

	ask("ended")
	c.say(frame(0, 1, 0x17))
	c.want("end", 0x17)
	c.begin(1, 100)

	ask("gone")
	c.Close()
}

// TestDetached tells the broker, before the client, that a link is over, once.
func TestDetached(t *testing.T) {
	var links []*amqp.Link
	told := make(chan string, 10)
	addr := serve(t, amqp.HandlerFunc(func(ctx context.Context, l *amqp.Link) error {
		links = append(links, l)
		context.AfterFunc(ctx, func() {})
		l.OnDetach(func() { told <- l.Name() })
		return nil
	}), amqp.Options{})
	c := opened(t, addr)
	attach := func(name string) *amqp.Link {
		c.say(frame(0, 1, 0x12, name, uint32(0), true, nil, nil, node(0x28, "q")))
		c.want("attach", 0x12)
		return links[len(links)-1]
	}
	over := func(l *amqp.Link, want ...string) {
		t.Helper()
		if err := l.Send(amqp.Outgoing{}); !errors.Is(err, amqp.ErrDetached) {
			t.Errorf("%s: Send = %v, want ErrDetached", l.Name(), err)
		}
		var got []string
		for len(told) > 0 {
			got = append(got, <-told)
		}
		if !slices.Equal(got, want) {
			t.Errorf("told of %v, want %v", got, want)
		}
	}
	l := attach("by the client")
	if err := l.Send(amqp.Outgoing{}); !errors.Is(err, amqp.ErrNoCredit) {
		t.Errorf("Send = %v, want ErrNoCredit", err)
	}
	c.say(frame(0, 1, 0x16, uint32(0), true))
	c.want("detach", 0x16)
	over(l, "by the client")

	l = attach("by the broker")
	l.Detach(amqp.Errorf(amqp.Stolen, "by another"))
	if d := c.want("detach", 0x16); d.condition(2) != string(amqp.Stolen) {
		t.Errorf("detach %v", d.fields)
	}
	c.say(credit(0, 100, 0, 1), frame(0, 1, 0x16, uint32(0), true))
	over(l)

	l = attach("with the session")
	c.say(frame(0, 1, 0x17))
	c.want("end", 0x17)
	over(l, "with the session")
	c.begin(1, 100)

	l = attach("with the connection")
	c.say(frame(0, 0, 0x18))
	c.want("close", 0x18)
	over(l, "with the connection")
	c.gone()
}

// TestSlow settles from another goroutine, in another order, while credit follows.
func TestSlow(t *testing.T) {
	taken := make(chan *amqp.Delivery, 4)
	addr := serve(t, amqp.HandlerFunc(func(_ context.Context, l *amqp.Link) error {
		l.Grant(4)
		l.OnTransfer(func(d *amqp.Delivery) { taken <- d })
		return nil
	}), amqp.Options{})
	c := opened(t, addr)
	c.attach(0, false)
	if f := c.want("flow", 0x13); f.uint(6) != 4 {
		t.Fatalf("credit %d, want 4", f.uint(6))
	}
	for id := range uint32(4) {
		c.say(message(0, id, "x"))
	}
	var held []*amqp.Delivery
	for range 4 {
		held = append(held, <-taken)
	}
	outcomes := []amqp.Outcome{amqp.Accepted{}, amqp.Released{}, amqp.Reject("com.microsoft:server-busy", "wait"), amqp.Modified{DeliveryFailed: true}}
	codes := []uint64{0x24, 0x26, 0x25, 0x27}
	for n, i := range []int{3, 1, 0, 2} {
		held[i].Settle(outcomes[i])
		held[i].Settle(amqp.Accepted{}) // too late
		d := c.want("disposition", 0x15)
		state, _ := d.field(4).(amqp.Described)
		if d.field(0) != true || d.uint(1) != uint64(i) || d.field(3) != true || state.Descriptor != codes[i] {
			t.Errorf("disposition %v, want %d with %#x", d.fields, i, codes[i])
		}
		if n < 3 { // more than half of it is credit then
			if f := c.want("flow", 0x13); f.uint(6) != uint64(n+1) {
				t.Errorf("credit %d, want %d", f.uint(6), n+1)
			}
		}
	}
}

// TestFaults is what a client notices of each fault.
func TestFaults(t *testing.T) {
	busy := amqp.Fault{Error: amqp.Errorf("com.microsoft:server-busy", "wait")}
	drop, detach, slow := amqp.Fault{Drop: true}, amqp.Fault{Detach: true}, amqp.Fault{Delay: 30 * time.Millisecond}
	tests := []struct {
		point amqp.Point
		fault amqp.Fault
		want  string
	}{
		{amqp.Attach, busy, "refused"},
		{amqp.Attach, drop, "gone"},
		{amqp.Attach, slow, "sent received settled"},
		{amqp.Transfer, busy, "rejected"},
		{amqp.Transfer, detach, "detached"},
		{amqp.Transfer, drop, "gone"},
		{amqp.Settle, busy, "rejected"},
		{amqp.Settle, detach, "detached"},
		{amqp.Settle, drop, "gone"},
		{amqp.Settle, slow, "sent received settled"},
		{amqp.Deliver, detach, "sent detached"},
		{amqp.Deliver, drop, "sent gone"},
		{amqp.Respond, busy, "sent received rejected"},
		{amqp.Respond, detach, "sent received detached"},
		{amqp.Respond, drop, "sent received gone"},
		{amqp.Respond, slow, "sent received settled"},
		{amqp.Confirm, busy, "sent received rejected"},
		{amqp.Confirm, detach, "sent received detached"},
		{amqp.Confirm, drop, "sent received gone"},
		{amqp.Confirm, slow, "sent received settled"},
	}
	for _, tt := range tests {
		faults := &amqp.Faults{}
		c := opened(t, serve(t, &queues{}, amqp.Options{Faults: faults}))
		faults.Add(amqp.Rule{Point: tt.point, Address: "other", Fault: amqp.Fault{Drop: true}})
		faults.Add(amqp.Rule{Point: tt.point, Address: "Q", Times: 1, Fault: tt.fault})
		if got := walk(c); got != tt.want {
			t.Errorf("%s %+v: %s, want %s", tt.point, tt.fault, got, tt.want)
		}
		if left := faults.Rules(); len(left) != 1 {
			t.Errorf("%s: rules left: %v", tt.point, left)
		}
	}
}

// walk sends a message and receives it, and says how far it came.
func walk(c *raw) (came string) {
	step := func(name string, code uint64) bool {
		for {
			h, err := c.next()
			state, _ := h.field(4).(amqp.Described)
			switch {
			case err != nil:
				came += "gone"
			case h.code == 0x12 && h.field(5) == nil && h.field(6) == nil:
				came += "refused"
			case h.code == 0x15 && state.Descriptor == uint64(0x25):
				came += "rejected"
			case h.code == 0x16:
				came += "detached"
			case h.code == code:
				came += name
				return true
			default:
				continue
			}
			return false
		}
	}
	c.say(attachFrame(0, false))
	if !step("", 0x13) {
		return came
	}
	c.say(message(0, 0, "x"))
	if !step("sent ", 0x15) {
		return came
	}
	c.say(attachFrame(1, true, nil, uint8(1)), credit(1, 100, 0, 1))
	if !step("received ", 0x14) {
		return came
	}
	c.say(frame(0, 1, 0x15, true, uint32(0), uint32(0), false, accepted()))
	step("settled", 0x15)
	return came
}

func TestRules(t *testing.T) {
	faults := &amqp.Faults{}
	rejected := func() (n int) {
		c := opened(t, serve(t, &queues{}, amqp.Options{Faults: faults}))
		c.attach(0, false)
		c.want("flow", 0x13)
		for id := range uint32(5) {
			c.say(message(0, id, "x"))
			if d := c.want("disposition", 0x15); d.condition(4) != "" {
				n |= 1 << id
			}
		}
		return n
	}
	busy := amqp.Fault{Error: amqp.Errorf("com.microsoft:server-busy", "wait")}
	faults.Add(amqp.Rule{Point: amqp.Transfer, Skip: 1, Times: 2, Fault: busy})
	if got := rejected(); got != 0b00110 {
		t.Errorf("rejected %05b, want the second and the third", got)
	}
	faults.Add(amqp.Rule{Point: amqp.Transfer, Fault: busy})
	if got := rejected(); got != 0b11111 {
		t.Errorf("rejected %05b, want all", got)
	}
	faults.Clear()
	if got := rejected(); got != 0 || len(faults.Rules()) > 0 {
		t.Errorf("rejected %05b, want none", got)
	}
}
