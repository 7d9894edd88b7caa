package plugin

import (
	"fmt"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/sdk/abi"
)

// run passes the items of a batch through the guest, as cfg says, and appends
// what becomes of them to out. A GuestError concerns the whole batch, and ends
// the instance.
func (i *instance) run(cfg *config, h uint32, in, out []pipeline.Item) ([]pipeline.Item, error) {
	i.uses++
	i.used = 0
	n, err := i.write(in)
	if err != nil {
		return nil, err
	}
	i.items, i.kind, i.answered = in, cfg.kind, false
	i.errs = append(i.errs[:0], make([]*GuestError, len(in))...)
	// The call has one tank: what the largest event may use. What each used is
	// looked at when it is over.
	largest := 0
	for k := range in {
		largest = max(largest, in[k].Event.Size())
	}
	fuel := i.limits.fuel(largest)
	if i.ledger != nil {
		i.ledger.Start(len(in), fuel)
	}
	i.stack = [3]uint64{uint64(h), uint64(i.arena), uint64(n)}
	name, f := abi.ExportFilter, i.filter
	if cfg.kind == Transform {
		name, f = abi.ExportTransform, i.transform
	}
	err = i.call(name, f, fuel)
	i.used = i.total()
	if err != nil {
		return nil, err
	}
	i.answered = true
	i.settle()
	if cfg.kind == Filter {
		out, err = i.verdicts(n, out)
	} else {
		out, err = i.decode(n, out)
	}
	if err != nil {
		g := i.fault(Breach, err.Error())
		g.Fuel = i.used
		return nil, g
	}
	i.finish()
	return out, nil
}

// settle notes the fuel of each event after a call: what was used between its
// begin and the next one, with what came before the first and after the last.
// A guest that did not begin each is taken to have used the same for all.
func (i *instance) settle() {
	n := len(i.items)
	i.spent = append(i.spent[:0], make([]int64, n)...)
	if i.ledger == nil || i.ledger.Begun() < n {
		for k := range i.spent {
			i.spent[k] = i.used / int64(n)
		}
		return
	}
	for k := 1; k < n; k++ {
		i.spent[k-1] = i.ledger.Note(k)
	}
	i.spent[n-1] += i.using()
	for k, spent := range i.spent {
		if i.errs[k] == nil && spent > i.limits.fuel(i.items[k].Event.Size()) {
			i.errs[k] = i.fault(OutOfFuel, i.limits.outOfFuel())
		}
	}
	i.spent[0] += i.ledger.Note(0)
}

// total is the fuel that the call has used so far.
func (i *instance) total() int64 {
	total := i.using()
	for k := range i.begun() {
		total += i.ledger.Note(k)
	}
	return total
}

// answer returns item k of the call as it leaves the guest: with its fuel, and
// with what the guest said of it when it failed.
func (i *instance) answer(k int) pipeline.Item {
	item := i.items[k]
	item.Fuel += i.spent[k]
	if i.errs[k] != nil {
		i.fail(&item, k, i.errs[k])
	}
	return item
}

func (i *instance) fail(item *pipeline.Item, k int, g *GuestError) {
	g.Fuel, g.Position = i.spent[k], item.Position
	item.Err = g
}

// finish forgets the call's events, so that an idle instance holds none.
func (i *instance) finish() {
	i.items = nil
	clear(i.errs)
	i.errs = i.errs[:0]
}

// write lays the events out in the guest's memory and returns the arena's size.
func (i *instance) write(in []pipeline.Item) (int, error) {
	pairs, text := 0, 0
	for k := range in {
		e := in[k].Event
		pairs += len(e.Extensions)
		text += e.Size()
	}
	n := abi.InputBytes(len(in), pairs, text)
	b, err := i.reserve(n, i.limits.fuel(n))
	if err != nil {
		return 0, err
	}
	w := abi.NewInputWriter(b, len(in), pairs)
	for k := range in {
		writeEvent(&w, in[k].Event)
	}
	return n, nil
}

func writeEvent(w *abi.InputWriter, e *event.Event) {
	w.Next()
	w.Set(abi.ID, e.ID)
	w.Set(abi.Source, e.Source)
	w.Set(abi.Type, e.Type)
	setOptional(w, abi.Subject, e.Subject)
	setOptional(w, abi.Time, e.Time)
	setOptional(w, abi.DataContentType, e.DataContentType)
	setOptional(w, abi.DataSchema, e.DataSchema)
	for j := range e.Extensions {
		x := &e.Extensions[j]
		w.Extension(x.Name, x.Value, abi.ValueKind(x.Kind))
	}
	if e.Data != nil {
		w.SetData(e.Data)
	}
}

func setOptional(w *abi.InputWriter, a abi.Attribute, s string) {
	if s != "" {
		w.Set(a, s)
	}
}

// input returns the view of the input arena of n bytes, after a call.
func (i *instance) input(n int) []byte {
	b, _ := i.mod.Memory().Read(i.arena, uint32(n)) // it was there, and a memory never shrinks
	return b
}

// record returns event k's record. The guest may have overwritten it, and the
// header, so its place is what the host knows.
func record(arena []byte, k int) abi.Record {
	at := abi.HeaderBytes + k*abi.InputRecordBytes
	return abi.Record(arena[at : at+abi.InputRecordBytes])
}

// verdicts appends the items that a filter lets pass, and those that failed.
func (i *instance) verdicts(n int, out []pipeline.Item) ([]pipeline.Item, error) {
	if status := abi.Status(i.stack[0]); status != abi.OK {
		return nil, breachf("status %d, want 0", status)
	}
	arena := i.input(n)
	for k := range i.items {
		item := i.answer(k)
		v := record(arena, k).Verdict()
		switch {
		case item.Err != nil || v == abi.Pass:
		case v == abi.Drop:
			continue
		case v == abi.Unset:
			i.fail(&item, k, i.fault(Failed, "it gave no verdict"))
		default:
			i.fail(&item, k, i.fault(Failed, fmt.Sprintf("it gave the verdict %d, want 0 or 1", v)))
		}
		out = append(out, item)
	}
	return out, nil
}
