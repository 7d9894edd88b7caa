package amqp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"time"
)

// The codes of a SASL outcome.
const (
	saslOK   = 0
	saslAuth = 1
)

// open brings a new connection to where sessions can begin: the client signs in,
// both name the protocol, both say open.
func (c *Conn) open() error {
	_ = c.nc.SetDeadline(time.Now().Add(c.s.o.IdleTimeout))
	if err := c.header(headerSASL); err != nil {
		return err
	}
	if err := c.signIn(); err != nil {
		return err
	}
	if err := c.header(headerAMQP); err != nil {
		return err
	}
	f, err := c.in.next()
	if err != nil {
		return err
	}
	p, ok := f.body.(*open)
	if !ok || f.kind != frameAMQP {
		return malformed("a %T where open belongs", f.body)
	}
	c.peer = *p
	c.maxFrame = int(min(deref(p.MaxFrameSize, 64<<10), 64<<10))
	e := p.refusal()
	mine := &open{
		ContainerID:  c.s.o.ContainerID,
		MaxFrameSize: &c.s.o.MaxFrameSize,
		ChannelMax:   ref(uint16(channelMax)),
		IdleTimeout:  uint32(c.s.o.IdleTimeout.Milliseconds() / 2), // as advised: half of the truth
	}
	out, err := appendFrame(nil, frameAMQP, 0, mine, nil)
	if err == nil && e != nil {
		out, err = appendFrame(out, frameAMQP, 0, &shut{e}, nil)
	}
	if err == nil {
		_, err = c.nc.Write(out)
	}
	if err == nil && e != nil {
		err = e
	}
	_ = c.nc.SetDeadline(time.Time{})
	return err
}

// refusal is why a client cannot be served, or nil.
func (p *open) refusal() *Error {
	switch {
	case p.ContainerID == "":
		return Errorf(InvalidField, "open has no container id")
	case deref(p.MaxFrameSize, minFrameSize) < minFrameSize:
		return Errorf(InvalidField, "a max frame size of %d; %d is the least", *p.MaxFrameSize, minFrameSize)
	}
	return nil
}

// header expects a protocol header and answers it. To any other it answers
// what it expected, as the specification says, and gives up.
func (c *Conn) header(want [8]byte) error {
	var got [8]byte
	if _, err := io.ReadFull(c.in.r, got[:]); err != nil {
		return err
	}
	if _, err := c.nc.Write(want[:]); err != nil {
		return err
	}
	if got != want {
		return malformed("protocol header %q, want %q", got, want)
	}
	return nil
}

func (c *Conn) signIn() error {
	offer := &mechanisms{NewArray[Symbol]("MSSBCBS", "PLAIN", "ANONYMOUS")}
	if err := c.say(offer); err != nil {
		return err
	}
	f, err := c.in.next()
	if err != nil {
		return err
	}
	p, ok := f.body.(*saslInit)
	if !ok || f.kind != frameSASL {
		return malformed("a %T where sasl-init belongs", f.body)
	}
	err = c.authenticate(p)
	if errors.Is(err, errDropped) {
		return err
	}
	if err != nil {
		return errors.Join(err, c.say(&saslOutcome{saslAuth}))
	}
	return c.say(&saslOutcome{saslOK})
}

func (c *Conn) say(body composite) error {
	b, err := appendFrame(nil, frameSASL, 0, body, nil)
	if err == nil {
		_, err = c.nc.Write(b)
	}
	return err
}

func (c *Conn) authenticate(p *saslInit) error {
	if f := c.s.o.Faults.hit(SignIn, ""); f.Drop {
		return errDropped
	} else if f.Error != nil {
		return f.Error
	}
	switch p.Mechanism {
	case "ANONYMOUS", "MSSBCBS":
		return nil
	case "PLAIN":
		parts := bytes.Split(p.Response, []byte{0})
		if len(parts) != 3 {
			return malformed("PLAIN with %d parts", len(parts))
		}
		if c.s.o.Authenticate == nil {
			return nil
		}
		err := c.s.o.Authenticate(string(parts[1]), string(parts[2]))
		c.trusted = err == nil
		return err
	}
	return malformed("SASL mechanism %q", p.Mechanism)
}

func ref[T any](v T) *T { return &v }

func deref[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// tag is a delivery tag for who does not care.
func tag(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
