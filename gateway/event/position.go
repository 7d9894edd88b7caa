package event

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Position is where an accepted event lies in the journal. It names the event
// uniquely, which its CloudEvents id does not.
type Position struct {
	Seq   uint64 // the chunk, counted from 1
	Index int    // the event in its chunk, counted from 0
}

// ParsePosition reads the form that [Position.String] writes, "SEQ-INDEX".
func ParsePosition(s string) (Position, error) {
	seq, index, ok := strings.Cut(s, "-")
	if !ok {
		return Position{}, fmt.Errorf("position %q: want SEQ-INDEX, such as 42-0", s)
	}
	n, err := strconv.ParseUint(seq, 10, 64)
	if err != nil || n == 0 {
		return Position{}, fmt.Errorf("position %q: %q is not a sequence number from 1", s, seq)
	}
	i, err := strconv.ParseUint(index, 10, 31)
	if err != nil {
		return Position{}, fmt.Errorf("position %q: %q is not an index from 0", s, index)
	}
	return Position{Seq: n, Index: int(i)}, nil
}

// String returns "SEQ-INDEX".
func (p Position) String() string {
	b := strconv.AppendUint(make([]byte, 0, 24), p.Seq, 10)
	return string(strconv.AppendInt(append(b, '-'), int64(p.Index), 10))
}

// Compare orders positions as the journal does.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Seq, q.Seq), cmp.Compare(p.Index, q.Index))
}

// MarshalText returns what String does.
func (p Position) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what [ParsePosition] does.
func (p *Position) UnmarshalText(b []byte) error {
	q, err := ParsePosition(string(b))
	if err == nil {
		*p = q
	}
	return err
}
