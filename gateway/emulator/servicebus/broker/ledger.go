package broker

import "sort"

// ledger lists the messages of an entity in the order of their sequence
// numbers, which only grow.
type ledger struct {
	entries []*entry
	gone    int // entries that were removed and still lie here
}

func (l *ledger) add(m *entry) { l.entries = append(l.entries, m) }

func (l *ledger) len() int { return len(l.entries) - l.gone }

// remove drops m. It costs a constant time over many removals.
func (l *ledger) remove(m *entry) {
	m.gone = true
	m.Body, m.Properties = nil, nil
	l.gone++
	if l.gone < 32 || l.gone*2 < len(l.entries) {
		return
	}
	kept := l.entries[:0]
	for _, m := range l.entries {
		if !m.gone {
			kept = append(kept, m)
		}
	}
	clear(l.entries[len(kept):])
	l.entries, l.gone = kept, 0
}

// find is the message with that number, or nil.
func (l *ledger) find(sequence int64) *entry {
	at := l.from(sequence)
	if at < len(l.entries) && l.entries[at].Sequence == sequence && !l.entries[at].gone {
		return l.entries[at]
	}
	return nil
}

// from is the place of the first number that is not below sequence.
func (l *ledger) from(sequence int64) int {
	return sort.Search(len(l.entries), func(i int) bool { return l.entries[i].Sequence >= sequence })
}
