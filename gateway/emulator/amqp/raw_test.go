package amqp_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/emulator/amqp"
)

// raw is a client that says exactly what it is told to.
type raw struct {
	t *testing.T
	net.Conn
}

// connect dials without a word.
func connect(t *testing.T, addr string) *raw {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	return &raw{t, nc}
}

// opened dials, signs in, says open with those fields, and begins channel 1.
func opened(t *testing.T, addr string, open ...any) *raw {
	t.Helper()
	c := connect(t, addr)
	c.say([]byte("AMQP\x03\x01\x00\x00"), frame(1, 0, 0x41, amqp.Symbol("ANONYMOUS")), []byte("AMQP\x00\x01\x00\x00"))
	c.say(frame(0, 0, 0x10, append([]any{"raw", nil}, open...)...))
	c.header("AMQP\x03\x01\x00\x00")
	c.want("mechanisms", 0x40)
	if out := c.want("outcome", 0x44); out.uint(0) != 0 {
		t.Fatalf("SASL outcome %v", out.fields)
	}
	c.header("AMQP\x00\x01\x00\x00")
	c.want("open", 0x10)
	c.begin(1, 100)
	return c
}

func (c *raw) begin(channel uint16, window uint32) {
	c.t.Helper()
	c.say(frame(0, channel, 0x11, nil, uint32(0), window, uint32(100)))
	if b := c.want("begin", 0x11); b.channel != channel || b.uint(0) != uint64(channel) {
		c.t.Fatalf("begin on channel %d: %v", b.channel, b.fields)
	}
}

func (c *raw) say(frames ...[]byte) {
	c.t.Helper()
	for _, f := range frames {
		if _, err := c.Write(f); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *raw) header(want string) {
	c.t.Helper()
	got := make([]byte, 8)
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		c.t.Fatalf("protocol header %q, %v, want %q", got, err, want)
	}
}

// heard is a frame that the server wrote.
type heard struct {
	size    int
	channel uint16
	code    uint64 // 0 for a heartbeat
	fields  amqp.List
	payload []byte
}

// uint is a field that is a number; 0 for null.
func (h heard) uint(i int) uint64 {
	switch v := h.field(i).(type) {
	case uint8:
		return uint64(v)
	case uint16:
		return uint64(v)
	case uint32:
		return uint64(v)
	case uint64:
		return v
	}
	return 0
}

func (h heard) field(i int) any {
	if i < len(h.fields) {
		return h.fields[i]
	}
	return nil
}

// condition is what a field that is an error or a rejection says.
func (h heard) condition(i int) string {
	for v := h.field(i); ; {
		switch x := v.(type) {
		case amqp.Described:
			v = x.Value
		case amqp.List:
			if len(x) == 0 {
				return ""
			}
			v = x[0]
		case amqp.Symbol:
			return string(x)
		default:
			return fmt.Sprint(x)
		}
	}
}

// next reads a frame; io.EOF when the server has closed the connection.
func (c *raw) next() (heard, error) {
	head := make([]byte, 8)
	if _, err := io.ReadFull(c, head); err != nil {
		return heard{}, err
	}
	h := heard{size: int(binary.BigEndian.Uint32(head)), channel: binary.BigEndian.Uint16(head[6:])}
	body := make([]byte, h.size-8)
	if _, err := io.ReadFull(c, body); err != nil || len(body) == 0 {
		return h, err
	}
	v, rest, err := amqp.DecodeValue(body)
	if err != nil {
		return h, err
	}
	d := v.(amqp.Described)
	h.code, h.fields, h.payload = d.Descriptor.(uint64), d.Value.(amqp.List), rest
	return h, nil
}

// want reads a frame, which must have that code; heartbeats do not count.
func (c *raw) want(what string, code uint64) heard {
	c.t.Helper()
	for {
		h, err := c.next()
		if err != nil {
			c.t.Fatalf("waiting for %s: %v", what, err)
		}
		if h.code == code {
			return h
		}
		if h.code != 0 {
			c.t.Fatalf("frame %#x %v, want %s", h.code, h.fields, what)
		}
	}
}

// gone waits until the server has closed the connection, without another word.
func (c *raw) gone() {
	c.t.Helper()
	for {
		h, err := c.next()
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !strings.Contains(err.Error(), "reset") {
				c.t.Errorf("the connection ended with %v", err)
			}
			return
		}
		if h.code != 0 {
			c.t.Fatalf("frame %#x %v, want the end", h.code, h.fields)
		}
	}
}

// attach attaches a link to q on channel 1, as sender or receiver.
func (c *raw) attach(handle uint32, receiver bool, settle ...any) heard {
	c.t.Helper()
	c.say(attachFrame(handle, receiver, settle...))
	return c.want("attach", 0x12)
}

func attachFrame(handle uint32, receiver bool, settle ...any) []byte {
	settle = append(settle, nil, nil)[:2]
	ends := []any{nil, node(0x29, "q")}
	if receiver {
		ends = []any{node(0x28, "q"), nil}
	}
	return frame(0, 1, 0x12, "link", handle, receiver, settle[0], settle[1], ends[0], ends[1], nil, nil, uint32(0))
}

func node(code uint64, address string) any {
	return amqp.Described{Descriptor: code, Value: amqp.List{address}}
}

// message is a transfer frame with a message whose data is text.
func message(handle, id uint32, text string, flags ...any) []byte {
	fields := append([]any{handle, id, binary.BigEndian.AppendUint32(nil, id), uint32(0)}, flags...)
	b := append(frame(0, 1, 0x14, fields...), data(text)...)
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

func data(text string) []byte {
	b, err := amqp.NewData([]byte(text)).Append(nil)
	if err != nil {
		panic(err)
	}
	return b
}

// credit is a flow that grants credit to the server's link.
func credit(handle, window, count, credit uint32, flags ...any) []byte {
	return frame(0, 1, 0x13, append([]any{uint32(1), window, uint32(0), uint32(100), handle, count, credit, nil}, flags...)...)
}

func accepted() any { return amqp.Described{Descriptor: uint64(0x24), Value: amqp.List{}} }
