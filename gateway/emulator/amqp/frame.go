package amqp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// Frame types, and the smallest frame that every peer must take.
const (
	frameAMQP = 0
	frameSASL = 1

	minFrameSize = 512
)

// Protocol headers: AMQP, then what is spoken after it and its version.
var (
	headerAMQP = [8]byte{'A', 'M', 'Q', 'P', 0, 1, 0, 0}
	headerSASL = [8]byte{'A', 'M', 'Q', 'P', 3, 1, 0, 0}
)

// frame is what came in one: its body is a performative, nil for a heartbeat,
// and a payload.
type frame struct {
	kind    byte
	channel uint16
	body    composite
	payload []byte // valid until the next frame is read
}

// frameReader reads frames of at most max bytes.
type frameReader struct {
	r   *bufio.Reader
	max uint32
	buf []byte
}

// next reads a frame. Its error is io.EOF, one of the connection, or an [ErrDecode].
func (r *frameReader) next() (frame, error) {
	var head [8]byte
	if _, err := io.ReadFull(r.r, head[:]); err != nil {
		return frame{}, err
	}
	size, offset := binary.BigEndian.Uint32(head[:]), 4*int(head[4])
	if size < 8 || size > r.max || offset < 8 || offset > int(size) {
		return frame{}, malformed("a frame of %d bytes, its body at %d", size, offset)
	}
	if cap(r.buf) < int(size) {
		r.buf = make([]byte, size)
	}
	b := r.buf[:size-8]
	if _, err := io.ReadFull(r.r, b); err != nil {
		return frame{}, noEOF(err)
	}
	f := frame{kind: head[5], channel: binary.BigEndian.Uint16(head[6:])}
	if f.kind > frameSASL {
		return frame{}, malformed("a frame of type %d", f.kind)
	}
	return f, f.decode(b[offset-8:])
}

func (f *frame) decode(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	v, rest, err := DecodeValue(b)
	if err != nil {
		return err
	}
	d, _ := v.(Described)
	code, _ := descriptor(d.Descriptor)
	if f.body = newPerformative(code); f.body == nil {
		return malformed("a frame holds a %T that is no performative", v)
	}
	f.payload = rest
	return decodeComposite(f.body, v)
}

// appendFrame appends a frame to dst. What the server writes into composites
// can always be encoded; what brokers put into them is checked before.
func appendFrame(dst []byte, kind byte, channel uint16, body composite, payload []byte) ([]byte, error) {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0, 2, kind, byte(channel>>8), byte(channel))
	if body != nil {
		var err error
		if dst, err = AppendValue(dst, encodeComposite(body)); err != nil {
			return nil, err
		}
	}
	dst = append(dst, payload...)
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start))
	return dst, nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
