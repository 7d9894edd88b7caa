package amqp_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/emulator/amqp"
)

func TestSignIn(t *testing.T) {
	addr := serve(t, &queues{}, amqp.Options{Authenticate: amqp.Keys{"user": "not a key"}.Authenticate})
	tests := []struct {
		mechanism, response string
		want                uint64
	}{
		{"ANONYMOUS", "", 0},
		{"MSSBCBS", "", 0},
		{"PLAIN", "\x00user\x00not a key", 0},
		{"PLAIN", "\x00user\x00another", 1},
		{"PLAIN", "\x00nobody\x00not a key", 1},
		{"PLAIN", "user", 1},
		{"EXTERNAL", "", 1},
	}
	for _, tt := range tests {
		c := connect(t, addr)
		c.say([]byte("AMQP\x03\x01\x00\x00"), frame(1, 0, 0x41, amqp.Symbol(tt.mechanism), []byte(tt.response)))
		c.header("AMQP\x03\x01\x00\x00")
		c.want("mechanisms", 0x40)
		if out := c.want("outcome", 0x44); out.uint(0) != tt.want {
			t.Errorf("%s %q: outcome %d, want %d", tt.mechanism, tt.response, out.uint(0), tt.want)
		}
		if tt.want != 0 {
			c.gone()
		}
	}
}

// TestHeader has a client that does not start with SASL told to.
func TestHeader(t *testing.T) {
	addr := serve(t, &queues{}, amqp.Options{})
	for _, said := range []string{"AMQP\x00\x01\x00\x00", "AMQP\x02\x01\x00\x00", "GET / HT"} {
		c := connect(t, addr)
		c.say([]byte(said))
		c.header("AMQP\x03\x01\x00\x00")
		c.gone()
	}
}

// TestMistakes ends a connection, and says why.
func TestMistakes(t *testing.T) {
	addr := serve(t, &queues{}, amqp.Options{})
	tests := map[string]struct {
		said []byte
		want amqp.Symbol
	}{
		"a frame too large":            {[]byte{0x7f, 0, 0, 0, 2, 0, 0, 0}, amqp.FramingError},
		"a frame too small":            {[]byte{0, 0, 0, 7, 2, 0, 0, 0}, amqp.FramingError},
		"a body before its frame":      {[]byte{0, 0, 0, 8, 1, 0, 0, 0}, amqp.FramingError},
		"a frame of another type":      {[]byte{0, 0, 0, 8, 2, 7, 0, 0}, amqp.FramingError},
		"a performative of no kind":    {frame(0, 1, 0x19), amqp.FramingError},
		"a field of another type":      {frame(0, 1, 0x16, "handle"), amqp.FramingError},
		"a frame of SASL":              {frame(1, 0, 0x41, amqp.Symbol("PLAIN")), amqp.NotAllowed},
		"open again":                   {frame(0, 0, 0x10, "raw"), amqp.NotAllowed},
		"a session begun twice":        {frame(0, 1, 0x11, nil, uint32(0), uint32(1), uint32(1)), amqp.NotAllowed},
		"a channel that is too high":   {frame(0, 5000, 0x11, nil, uint32(0), uint32(1), uint32(1)), amqp.NotAllowed},
		"a channel without a session":  {frame(0, 9, 0x17), amqp.NotAllowed},
		"an answer to a begin of ours": {frame(0, 2, 0x11, uint16(2), uint32(0), uint32(1), uint32(1)), amqp.NotAllowed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := opened(t, addr)
			c.say(tt.said)
			if got := c.want("close", 0x18); got.condition(0) != string(tt.want) {
				t.Errorf("closed for %v, want %s", got.fields, tt.want)
			}
			c.say(frame(0, 0, 0x18))
			c.gone()
		})
	}
}

// TestSessionMistakes ends a session, and leaves the connection, and the
// channel for another session.
func TestSessionMistakes(t *testing.T) {
	addr := serve(t, &queues{}, amqp.Options{})
	tests := map[string]struct {
		said []byte
		want amqp.Symbol
	}{
		"a transfer to no link":      {message(7, 0, "x"), amqp.UnattachedHandle},
		"a flow of no link":          {credit(7, 100, 0, 1), amqp.UnattachedHandle},
		"a detach of no link":        {frame(0, 1, 0x16, uint32(7)), amqp.UnattachedHandle},
		"a handle in use":            {attachFrame(0, false), amqp.HandleInUse},
		"a handle that is too high":  {attachFrame(5000, false), amqp.HandleInUse},
		"a transfer to a receiver":   {message(1, 0, "x"), amqp.NotAllowed},
		"a transfer without an id":   {frame(0, 1, 0x14, uint32(0)), amqp.NotAllowed},
		"a disposition of no sense":  {frame(0, 1, 0x15, true, uint32(0), nil, true, "x"), amqp.DecodeError},
		"a rejection that is broken": {frame(0, 1, 0x15, true, uint32(0), nil, true, amqp.Described{Descriptor: uint64(0x25), Value: amqp.List{"x"}}), amqp.DecodeError},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := opened(t, addr)
			c.attach(0, false)
			c.want("flow", 0x13)
			c.attach(1, true)
			c.say(tt.said, message(0, 0, "after it"))
			if got := c.want("end", 0x17); got.condition(0) != string(tt.want) {
				t.Errorf("ended for %v, want %s", got.fields, tt.want)
			}
			c.say(frame(0, 1, 0x17))
			c.begin(1, 100)
			c.attach(0, false)
		})
	}
}

// TestHeartbeat has the server write at least once in half of what a client
// waits for.
func TestHeartbeat(t *testing.T) {
	c := opened(t, serve(t, &queues{}, amqp.Options{}), nil, nil, uint32(90))
	for range 3 {
		began := time.Now()
		h, err := c.next()
		if err != nil || h.code != 0 {
			t.Fatalf("frame %#x, %v, want a heartbeat", h.code, err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("a heartbeat took %v", took)
		}
	}
}

// TestSilence ends a connection on which a client says nothing at all.
func TestSilence(t *testing.T) {
	addr := serve(t, &queues{}, amqp.Options{IdleTimeout: 50 * time.Millisecond})
	c := opened(t, addr)
	if got := c.want("close", 0x18); got.condition(0) != string(amqp.ConnectionForced) {
		t.Errorf("closed for %v", got.fields)
	}
	c.Close()
	connect(t, addr).gone()
}

// TestSplit has a message cut to the client's frames, and joined from them.
func TestSplit(t *testing.T) {
	addr := serve(t, &queues{}, amqp.Options{})
	c := opened(t, addr, uint32(512))
	text := strings.Repeat("0123456789", 500)
	c.attach(0, false)
	c.want("flow", 0x13)
	whole := data(text)
	first := append(frame(0, 1, 0x14, uint32(0), uint32(0), []byte("tag"), uint32(0), false, true), whole[:10]...)
	first[3] = byte(len(first))
	rest := append(frame(0, 1, 0x14, uint32(0)), whole[10:]...)
	rest[2], rest[3] = byte(len(rest)>>8), byte(len(rest))
	c.say(first, rest)
	if d := c.want("disposition", 0x15); d.uint(1) != 0 {
		t.Errorf("disposition %v", d.fields)
	}
	c.attach(1, true)
	c.say(credit(1, 100, 0, 1))
	var got []byte
	for n := 0; ; n++ {
		h := c.want("transfer", 0x14)
		if h.size > 512 || (h.field(1) != nil) != (n == 0) {
			t.Fatalf("frame %d of %d bytes: %v", n, h.size, h.fields)
		}
		got = append(got, h.payload...)
		if h.field(5) == nil {
			break
		}
	}
	if !bytes.Equal(got, whole) {
		t.Errorf("%d bytes came back, want %d", len(got), len(whole))
	}
}

// TestClientWindow has the server keep to the client's window and credit.
func TestClientWindow(t *testing.T) {
	c := opened(t, serve(t, &queues{}, amqp.Options{}))
	c.attach(0, false)
	c.want("flow", 0x13)
	for id := range uint32(6) {
		c.say(message(0, id, "x", true)) // settled
	}
	c.attach(1, true, uint8(1))
	// The window lets two through, then the credit one more.
	c.say(credit(1, 2, 0, 3))
	for id := range uint64(2) {
		if h := c.want("transfer", 0x14); h.uint(1) != id || h.field(4) != true {
			t.Errorf("transfer %v, want %d, settled", h.fields, id)
		}
	}
	echo := frame(0, 1, 0x13, uint32(1), uint32(2), uint32(6), uint32(100), nil, nil, nil, nil, nil, true)
	c.say(echo)
	if h := c.want("flow", 0x13); h.uint(0) != 6 || h.uint(2) != 3 {
		t.Errorf("flow %v, want 6 incoming, 3 next outgoing", h.fields)
	}
	c.say(frame(0, 1, 0x13, uint32(3), uint32(1), uint32(6), uint32(100)))
	if h := c.want("transfer", 0x14); h.uint(1) != 2 {
		t.Errorf("transfer %v, want 2", h.fields)
	}
	c.say(credit(1, 100, 0, 3, nil, true))
	if h := c.want("flow", 0x13); h.uint(4) != 1 || h.uint(5) != 3 || h.uint(6) != 0 {
		t.Errorf("flow %v, want a delivery count of 3, no credit", h.fields)
	}
	// The most that can be said is no mistake, of window or of credit.
	c.say(frame(0, 1, 0x13, uint32(4), uint32(0xffffffff), uint32(6), uint32(100), uint32(1), uint32(3), uint32(0xffffffff)))
	for id := range uint64(3) {
		if h := c.want("transfer", 0x14); h.uint(1) != 3+id {
			t.Errorf("transfer %v, want %d", h.fields, 3+id)
		}
	}
	for id := uint32(6); id < 9; id++ {
		c.say(message(0, id, "x", true))
		c.want("transfer", 0x14)
	}
	c.say(credit(1, 100, 9, 0))
	for id := uint32(9); id < 12; id++ {
		c.say(message(0, id, "x", true))
	}
	// Three are left: a drain of ten sends them and gives back seven.
	c.say(credit(1, 100, 9, 10, true))
	for id := range uint64(3) {
		if h := c.want("transfer", 0x14); h.uint(1) != 9+id {
			t.Errorf("transfer %v, want %d", h.fields, 9+id)
		}
	}
	if h := c.want("flow", 0x13); h.uint(5) != 19 || h.uint(6) != 0 || h.field(8) != true {
		t.Errorf("flow %v, want a delivery count of 19, no credit, drained", h.fields)
	}
}

// TestSettle answers a client that settles second, once for each delivery,
// however wide a range it names.
func TestSettle(t *testing.T) {
	c := opened(t, serve(t, &queues{}, amqp.Options{}))
	c.attach(0, false)
	c.want("flow", 0x13)
	for id := range uint32(3) {
		c.say(message(0, id, "x", true))
	}
	if a := c.attach(1, true, nil, uint8(1)); a.uint(4) != 1 {
		t.Errorf("attach answers rcv-settle-mode %v, want that of the client", a.field(4))
	}
	c.say(credit(1, 100, 0, 10))
	for range 3 {
		c.want("transfer", 0x14)
	}
	received := amqp.Described{Descriptor: uint64(0x23), Value: amqp.List{uint32(0), uint64(0)}}
	c.say(frame(0, 1, 0x15, true, uint32(0), uint32(2), false, received)) // no outcome yet
	c.say(frame(0, 1, 0x15, true, uint32(0), uint32(0xfffffffe), false, accepted()))
	for id := range uint64(3) {
		if d := c.want("disposition", 0x15); d.field(0) != false || d.uint(1) != id || d.field(3) != true {
			t.Errorf("disposition %v, want %d settled", d.fields, id)
		}
	}
	c.say(frame(0, 1, 0x15, true, uint32(0), uint32(2), true, accepted())) // again: they are forgotten
	c.say(frame(0, 1, 0x17))
	c.want("end", 0x17)
}

// TestLimits detaches a link whose client takes more than it was given.
func TestLimits(t *testing.T) {
	stuck := amqp.HandlerFunc(func(_ context.Context, l *amqp.Link) error {
		l.Grant(2)
		l.SetMaxMessageSize(100)
		l.OnTransfer(func(*amqp.Delivery) {})
		return nil
	})
	addr := serve(t, stuck, amqp.Options{})
	for want, said := range map[amqp.Symbol][]byte{
		amqp.MessageSizeExceeded:   message(0, 0, strings.Repeat("x", 100)),
		amqp.TransferLimitExceeded: bytes.Join([][]byte{message(0, 0, "x"), message(0, 1, "x"), message(0, 2, "x")}, nil),
	} {
		c := opened(t, addr)
		if a := c.attach(0, false); a.uint(10) != 100 {
			t.Errorf("max-message-size %d, want 100", a.uint(10))
		}
		if f := c.want("flow", 0x13); f.uint(6) != 2 {
			t.Errorf("credit %d, want 2", f.uint(6))
		}
		c.say(said, message(0, 9, "after it"))
		if d := c.want("detach", 0x16); d.condition(2) != string(want) {
			t.Errorf("detached for %v, want %s", d.fields, want)
		}
		c.say(frame(0, 1, 0x16, uint32(0), true))
		c.attach(0, false)
	}
}

// TestAborted forgets a message that its sender gave up.
func TestAborted(t *testing.T) {
	c := opened(t, serve(t, &queues{}, amqp.Options{}))
	c.attach(0, false)
	c.want("flow", 0x13)
	c.say(message(0, 0, "given up", false, true), frame(0, 1, 0x14, uint32(0), nil, nil, nil, nil, false, nil, nil, nil, true), message(0, 1, "whole"))
	if d := c.want("disposition", 0x15); d.uint(1) != 1 {
		t.Errorf("disposition %v, want that of delivery 1", d.fields)
	}
}

// TestShutdown says close to clients when the server closes, and waits for theirs.
func TestShutdown(t *testing.T) {
	var over chan struct{}
	h := amqp.HandlerFunc(func(_ context.Context, l *amqp.Link) error {
		l.OnDetach(func() { close(over) })
		return nil
	})
	over = make(chan struct{})
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	addr, done := serveUntil(t, ctx, h, amqp.Options{})
	c := opened(t, addr)
	c.attach(0, true)
	signing := connect(t, addr)
	signing.say([]byte("AMQP\x03\x01\x00\x00"))
	signing.header("AMQP\x03\x01\x00\x00")
	stop()
	if got := c.want("close", 0x18); got.condition(0) != string(amqp.ConnectionForced) {
		t.Errorf("closed for %v", got.fields)
	}
	<-over
	c.say(frame(0, 0, 0x18))
	if err := <-done; err != nil {
		t.Errorf("Serve = %v", err)
	}
}
