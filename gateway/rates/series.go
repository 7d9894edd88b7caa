package rates

import "encoding/binary"

// blockSteps is how many steps are kept together.
const blockSteps = 60

// series is a ring of numbers by step. What was not set is 0.
type series struct {
	blocks []*block // by the number of the block, modulo their count
	newest int64    // the number of the block that was written last
}

// newSeries returns a series that keeps at least so many steps.
func newSeries(steps int) series {
	return series{blocks: make([]*block, (steps+blockSteps-1)/blockSteps+1)}
}

// clone returns a copy that can be written on.
func (s series) clone() series {
	out := series{blocks: append([]*block(nil), s.blocks...), newest: s.newest}
	at := &out.blocks[s.newest%int64(len(out.blocks))]
	if *at != nil {
		*at = &block{(*at).width, append([]byte(nil), (*at).data...)}
	}
	return out
}

// set writes the number of a step, which must not be before the newest block.
// A block that is complete by that is shared with those that are the same.
func (s *series) set(step int64, n uint64, same interned) {
	number := step / blockSteps
	size := int64(len(s.blocks))
	if number > s.newest {
		if old := &s.blocks[s.newest%size]; *old != nil {
			*old = same.share(*old)
		}
		for k := max(s.newest+1, number-size+1); k <= number; k++ {
			s.blocks[k%size] = nil
		}
		s.newest = number
	}
	if at := &s.blocks[number%size]; n > 0 {
		*at = (*at).with(int(step%blockSteps), n)
	}
}

// at is the number of a step; 0 for one that was not set or is not kept.
func (s *series) at(step int64) uint64 {
	number := step / blockSteps
	size := int64(len(s.blocks))
	if number > s.newest || number <= s.newest-size || step < 0 {
		return 0
	}
	return s.blocks[number%size].at(int(step % blockSteps))
}

// block is the numbers of some steps, each of width bytes; nil is all zeros.
type block struct {
	width int // 1, 2, 4 or 8
	data  []byte
}

func (b *block) at(i int) uint64 {
	if b == nil {
		return 0
	}
	switch at := b.data[i*b.width:]; b.width {
	case 1:
		return uint64(at[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(at))
	case 4:
		return uint64(binary.LittleEndian.Uint32(at))
	default:
		return binary.LittleEndian.Uint64(at)
	}
}

// with returns b with the number n at i, as wide as that needs.
func (b *block) with(i int, n uint64) *block {
	width := 1
	for width < 8 && n>>(8*width) != 0 {
		width *= 2
	}
	if b == nil || b.width < width {
		wide := &block{width, make([]byte, width*blockSteps)}
		for k := range blockSteps {
			wide.put(k, b.at(k))
		}
		b = wide
	}
	b.put(i, n)
	return b
}

func (b *block) put(i int, n uint64) {
	switch at := b.data[i*b.width:]; b.width {
	case 1:
		at[0] = byte(n)
	case 2:
		binary.LittleEndian.PutUint16(at, uint16(n))
	case 4:
		binary.LittleEndian.PutUint32(at, uint32(n))
	default:
		binary.LittleEndian.PutUint64(at, n)
	}
}

// interned are blocks by what they hold: routes of one endpoint are asked about
// the same events, and many make one output of each that they match.
type interned map[string]*block

// share returns the block that is kept for all that hold what b does.
func (in interned) share(b *block) *block {
	if have := in[string(b.data)]; have != nil && have.width == b.width {
		return have
	}
	in[string(b.data)] = b
	return b
}
