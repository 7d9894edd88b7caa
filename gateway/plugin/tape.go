package plugin

import "encoding/binary"

// HostCall is one call of a host function by a guest, as a bundle keeps it.
type HostCall struct {
	Func  string   `json:"func"`
	Event int      `json:"event"` // number of the event that the guest was at; −1 for none
	Args  []uint64 `json:"args,omitempty"`
	// Data is what the guest said, or was given.
	Data   []byte  `json:"data,omitempty"`
	Result *uint32 `json:"result,omitempty"`
}

// tape records the calls of host functions since an instance was made: the
// first of them, as far as there is room. A nil tape records nothing.
type tape struct {
	calls []HostCall
	bytes int  // of data kept
	cut   bool // some calls or data were not kept
	on    bool // the call under way is the last of calls
	read  int  // calls that a replay has used
}

// Bounds of a tape.
const (
	maxTapeCalls = 2000
	maxTapeBytes = 256 << 10
)

// start records a call with arguments of these types, after so many events
// were begun.
func (t *tape) start(name, types string, begun int, stack []uint64) {
	if t.on = len(t.calls) < maxTapeCalls; !t.on {
		t.cut = true
		return
	}
	c := HostCall{Func: name, Event: begun - 1}
	for k, typ := range types {
		v := stack[k]
		if typ == 'i' {
			v = uint64(uint32(v)) // the rest is not defined
		}
		c.Args = append(c.Args, v)
	}
	t.calls = append(t.calls, c)
}

// data adds what the guest said, or was given.
func (t *tape) data(b []byte) {
	switch {
	case t == nil || !t.on:
	case t.bytes+len(b) > maxTapeBytes:
		t.cut = true
	default:
		t.bytes += len(b)
		c := &t.calls[len(t.calls)-1]
		c.Data = append(c.Data, b...)
	}
}

// result ends a call.
func (t *tape) result(v uint64) {
	if t.on {
		r := uint32(v)
		t.calls[len(t.calls)-1].Result = &r
	}
}

// next returns what the next call of that name was given when it was recorded.
func (t *tape) next(name string) ([]byte, bool) {
	for t.read < len(t.calls) {
		c := &t.calls[t.read]
		t.read++
		if c.Func == name {
			return c.Data, true
		}
	}
	return nil, false
}

func le64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
