package plugintest

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/headgate/headgate/sdk/abi"
)

// attributes are the fields of e in the order of abi.Attribute, from ID to DataSchema.
func (e *Event) attributes() [abi.Extensions]*string {
	return [...]*string{&e.ID, &e.Source, &e.Type, &e.Subject, &e.Time, &e.DataContentType, &e.DataSchema}
}

func attributeOf(name string) (abi.Attribute, bool) {
	for a := range abi.Extensions {
		if a.String() == name {
			return a, true
		}
	}
	return 0, false
}

func sortPairs(pairs []Pair) {
	slices.SortFunc(pairs, func(a, b Pair) int { return cmp.Compare(a.Name, b.Name) })
}

func arenaBytes(events []Event) int {
	pairs, text := 0, 0
	for i := range events {
		for _, s := range events[i].attributes() {
			text += len(*s)
		}
		for _, p := range events[i].Extensions {
			pairs++
			text += len(p.Name) + len(p.Value)
		}
		text += len(events[i].Data)
	}
	return abi.InputBytes(len(events), pairs, text)
}

func writeArena(b []byte, events []Event) {
	pairs := 0
	for i := range events {
		pairs += len(events[i].Extensions)
	}
	w := abi.NewInputWriter(b, len(events), pairs)
	for i := range events {
		e := &events[i]
		w.Next()
		for a, s := range e.attributes() {
			if *s != "" {
				w.Set(abi.Attribute(a), *s)
			}
		}
		if e.Data != nil {
			w.SetData(e.Data)
		}
		for _, p := range e.Extensions {
			w.Extension(p.Name, p.Value, p.Kind)
		}
	}
}

func readOutput(t testing.TB, out *abi.Output, r abi.OutputRecord) Output {
	t.Helper()
	var o Output
	for a, s := range o.attributes() {
		*s = string(readSlot(t, out, r.Slot(abi.Attribute(a))))
	}
	o.Data = readSlot(t, out, r.Slot(abi.Data))
	o.Extensions = readPairs(t, out, r.Slot(abi.Extensions))
	sortPairs(o.Extensions)

	o.SessionID = string(readSlot(t, out, r.Slot(abi.SessionID)))
	o.PartitionKey = string(readSlot(t, out, r.Slot(abi.PartitionKey)))
	o.MessageID = string(readSlot(t, out, r.Slot(abi.MessageID)))
	o.Properties = readPairs(t, out, r.Slot(abi.Properties))
	if ms := r.Scheduled(); ms != 0 {
		o.ScheduledTime = time.UnixMilli(ms).UTC()
	}
	o.TimeToLive = time.Duration(r.TimeToLive()) * time.Millisecond
	return o
}

// readSlot returns a copy, nil for an absent value.
func readSlot(t testing.TB, out *abi.Output, s abi.Slot) []byte {
	t.Helper()
	if !s.Present() {
		return nil
	}
	b, ok := out.Bytes(s)
	if !ok {
		t.Fatalf("plugintest: the output's slot %+v leads out of its arena", s)
	}
	return append([]byte{}, b...)
}

func readPairs(t testing.TB, out *abi.Output, s abi.Slot) []Pair {
	t.Helper()
	if !s.Present() {
		return nil
	}
	list, ok := out.List(s)
	if !ok {
		t.Fatalf("plugintest: the output's list %+v leads out of its arena", s)
	}
	var pairs []Pair
	for i := range list.Len() {
		p := list.Pair(i)
		pairs = append(pairs, Pair{
			Name: string(readSlot(t, out, p.Name)), Value: string(readSlot(t, out, p.Value)), Kind: p.Kind,
		})
	}
	return pairs
}
