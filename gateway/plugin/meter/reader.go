package meter

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// reader takes a module apart. It panics with a fault where the bytes end too
// early or a number is malformed.
type reader struct {
	b   []byte
	pos int

	out  []byte // what is to stand for b up to mark, when something was patched
	mark int
}

// patch puts b in the place of what was read since start.
func (r *reader) patch(start int, b []byte) {
	r.out = append(append(r.out, r.b[r.mark:start]...), b...)
	r.mark = r.pos
}

// patched returns what was read, with what was put in its place.
func (r *reader) patched() []byte { return append(r.out, r.b[r.mark:r.pos]...) }

// limits reads those of a table or memory.
func (r *reader) limits(what string) (least, most uint32, bounded bool) {
	flags := r.byte()
	if flags > 1 {
		panic(faultf("a shared or 64-bit %s is not of WebAssembly 2.0", what))
	}
	if least = r.u32(); flags == 0 {
		return least, 0, false
	}
	if most = r.u32(); most < least {
		panic(faultf("a %s of at least %d and at most %d", what, least, most))
	}
	return least, most, true
}

func (r *reader) done() bool { return r.pos >= len(r.b) }

func (r *reader) byte() byte {
	if r.done() {
		panic(fault("it ends too early"))
	}
	r.pos++
	return r.b[r.pos-1]
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b)-r.pos {
		panic(fault("it ends too early"))
	}
	r.pos += n
	return r.b[r.pos-n : r.pos]
}

// u32 reads an unsigned number as wazero does: at most five bytes, of which
// the last holds four bits.
func (r *reader) u32() uint32 {
	var v uint32
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		if shift == 28 && c > 0x0f {
			break
		}
		v |= uint32(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	panic(fault("a number is malformed"))
}

// size reads a length in bytes.
func (r *reader) size() uint32 { return r.u32() }

// count reads a number of elements, each of which takes one byte or more.
func (r *reader) count() uint32 {
	n := r.u32()
	if int64(n) > int64(len(r.b)-r.pos) && n > 0 {
		panic(faultf("it claims %d elements in %d bytes", n, len(r.b)-r.pos))
	}
	return n
}

func (r *reader) name() string {
	s := string(r.take(int(r.size())))
	if !utf8.ValidString(s) {
		panic(fault("a name is not UTF-8"))
	}
	return s
}

// signed passes over a signed number of at most so many bytes.
func (r *reader) signed(limit int) {
	for range limit {
		if r.byte() < 0x80 {
			return
		}
	}
	panic(fault("a number is malformed"))
}

func (r *reader) reference() {
	if t := r.byte(); t != 0x70 && t != 0x6f {
		panic(faultf("reference type 0x%02x is not of WebAssembly 2.0", t))
	}
}

// soundNames reports whether the counts in a name section hold.
func soundNames(r *reader) (sound bool) {
	defer func() {
		if _, bad := recover().(fault); bad {
			sound = false
		}
	}()
	for !r.done() {
		id := r.byte()
		sub := &reader{b: r.take(int(r.size()))}
		switch id {
		case 0:
			sub.name()
		case 1:
			sub.nameMap()
		case 2:
			for range sub.count() {
				sub.u32()
				sub.nameMap()
			}
		}
	}
	return true
}

func (r *reader) nameMap() {
	for range r.count() {
		r.u32()
		r.name()
	}
}

func appendName(b []byte, name string) []byte {
	return append(appendUnsigned(b, uint64(len(name))), name...)
}

func appendUnsigned(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

func appendSigned(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

// putPadded writes v as a signed number of exactly five bytes.
func putPadded(b []byte, v int64) {
	v = min(v, math.MaxInt32)
	for i := range 4 {
		b[i] = byte(v>>(7*i))&0x7f | 0x80
	}
	b[4] = byte(v>>28) & 0x7f
}
