package amqp_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	client "github.com/Azure/go-amqp"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/emulator/amqp"
)

// FuzzValue: what can be decoded can be encoded, to the shortest encoding, and
// that is decoded to the same.
func FuzzValue(f *testing.F) {
	for _, seed := range [][]byte{
		{0x40}, {0xe0, 7, 2, 0, 0x53, 9, 0x50, 1, 2}, {0xc1, 6, 2, 0xa1, 1, 'k', 0x50, 1}, {0xd0, 0, 0, 0, 4, 0, 0, 0, 0},
		{0xf0, 0, 0, 0, 5, 0, 0, 0, 6, 0x41}, {0x00, 0x53, 0x24, 0x45}, {0x83, 0x80, 0, 0, 0, 0, 0, 0, 0}, {0xf0, 0, 0, 0, 5, 0, 0, 0, 2, 0x41},
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, rest, err := amqp.DecodeValue(b)
		if err != nil {
			return
		}
		amqp.Plain(v)
		short, err := amqp.AppendValue(nil, v)
		if err != nil {
			t.Fatalf("%#v cannot be encoded: %v", v, err)
		}
		if used := len(b) - len(rest); len(short) > used {
			t.Errorf("%d bytes became %d", used, len(short))
		}
		v2, rest, err := amqp.DecodeValue(short)
		if err != nil || len(rest) > 0 {
			t.Fatalf("%x cannot be decoded: %v", short, err)
		}
		again, err := amqp.AppendValue(nil, v2)
		if err != nil || !bytes.Equal(short, again) {
			t.Errorf("%x became %x: %v", short, again, err)
		}
	})
}

// FuzzMessage: what can be decoded can be encoded, and the reference client
// reads the same from both.
func FuzzMessage(f *testing.F) {
	for _, m := range messages() {
		b, err := m.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := amqp.DecodeMessage(b)
		if err != nil {
			return
		}
		m.Data()
		m.Value()
		amqp.DecodeMessages(amqp.BatchFormat, b)
		again, err := m.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		var want, got client.Message
		if want.UnmarshalBinary(b) != nil {
			return // it does not know all that the specification has
		}
		if err := got.UnmarshalBinary(again); err != nil {
			t.Fatalf("%x became %x, which is refused: %v", b, again, err)
		}
		if diff := cmp.Diff(want, got, same...); diff != "" {
			t.Errorf("%x became %x\n%s", b, again, diff)
		}
	})
}

// FuzzServer: whatever a client writes in frames after it has signed in, and
// then without any, the server ends the connection in the end, and does not
// panic. In the input each frame's body follows its channel and its length.
func FuzzServer(f *testing.F) {
	for _, frames := range conversations() {
		var in []byte
		for _, frame := range frames {
			in = append(binary.BigEndian.AppendUint16(append(in, frame[7]), uint16(len(frame)-8)), frame[8:]...)
		}
		f.Add(in, []byte{0, 0, 0, 8, 2, 0, 0, 0, 0xff})
	}
	f.Fuzz(func(t *testing.T, in, rest []byte) {
		var b []byte
		for len(in) > 3 {
			n := min(int(binary.BigEndian.Uint16(in[1:])), len(in)-3)
			b = append(binary.BigEndian.AppendUint32(b, uint32(8+n)), 2, 0, 0, in[0])
			b = append(b, in[3:3+n]...)
			in = in[3+n:]
		}
		b = append(b, rest...)
		here, there := net.Pipe()
		wait := servePipe(t, there)
		go io.Copy(io.Discard, here)
		here.SetWriteDeadline(time.Now().Add(5 * time.Second))
		here.Write([]byte("AMQP\x03\x01\x00\x00"))
		here.Write(frame(1, 0, 0x41, amqp.Symbol("ANONYMOUS")))
		here.Write([]byte("AMQP\x00\x01\x00\x00"))
		here.Write(frame(0, 0, 0x10, "fuzz"))
		here.Write(b)
		here.Close()
		wait()
	})
}

// frame is a frame with a performative.
func frame(kind byte, channel uint16, code uint64, fields ...any) []byte {
	body, err := amqp.AppendValue(nil, amqp.Described{Descriptor: code, Value: amqp.List(fields)})
	if err != nil {
		panic(err)
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(8+len(body))), append([]byte{2, kind, byte(channel >> 8), byte(channel)}, body...)...)
}

// conversations are what clients say after open.
func conversations() map[string][][]byte {
	source := amqp.Described{Descriptor: uint64(0x28), Value: amqp.List{"q"}}
	target := amqp.Described{Descriptor: uint64(0x29), Value: amqp.List{"q"}}
	begin := frame(0, 1, 0x11, nil, uint32(0), uint32(100), uint32(100))
	sender := frame(0, 1, 0x12, "s", uint32(0), false, nil, nil, nil, target, nil, nil, uint32(0))
	receiver := frame(0, 1, 0x12, "r", uint32(1), true, nil, nil, source)
	message := append(frame(0, 1, 0x14, uint32(0), uint32(0), []byte{1}, uint32(0), false, false), "\x00\x53\x75\xa0\x01x"...)
	binary.BigEndian.PutUint32(message, uint32(len(message)))
	flow := frame(0, 1, 0x13, uint32(1), uint32(100), uint32(0), uint32(100), uint32(1), uint32(0), uint32(10), nil, true, true)
	settle := frame(0, 1, 0x15, true, uint32(0), uint32(0xffffffff), true, amqp.Described{Descriptor: uint64(0x24), Value: amqp.List{}})
	return map[string][][]byte{
		"send":    {begin, sender, message, frame(0, 1, 0x16, uint32(0), true), frame(0, 1, 0x17), frame(0, 0, 0x18)},
		"receive": {begin, receiver, flow, settle, frame(0, 1, 0x17), begin, receiver, flow, frame(0, 0, 0x18)},
		"nothing": {{0, 0, 0, 8, 2, 0, 0, 0}},
	}
}
