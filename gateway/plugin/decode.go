package plugin

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/sdk/abi"
)

// decoder reads what a transform answered. It goes over the outputs twice:
// first it checks all and sums up what must be copied, then it builds the
// events with one allocation each for events, text, data and, where there are
// some, extensions and properties. Values that are the input's own share its
// memory.
type decoder struct {
	i     *instance
	arena []byte // input
	out   abi.Output
	names []string // scratch

	size sizes // what is to be allocated

	events     []event.Event
	text       strings.Builder
	data       []byte
	extensions []event.Extension
	properties []delivery.Properties
	pairs      []delivery.Property
}

// sizes count what outputs need beyond their inputs.
type sizes struct {
	text, data, extensions, properties, pairs int
}

// decode appends what became of the call's items. A breach is an error.
func (i *instance) decode(n int, out []pipeline.Item) ([]pipeline.Item, error) {
	ptr, length := abi.Unpack(i.stack[0])
	if int64(length) > i.limits.OutputBytes {
		return nil, breachf("an output arena of %d bytes, the limit of outputBytes is %d", length, i.limits.OutputBytes)
	}
	answer, ok := i.mod.Memory().Read(ptr, length)
	if !ok || length > 0 && ptr%abi.Alignment != 0 {
		return nil, breachf("an output arena at 0x%x of %d bytes: not aligned, or leads out of the memory", ptr, length)
	}
	d := decoder{i: i, arena: i.input(n)}
	var err error
	if d.out, err = abi.NewOutput(d.arena, answer); err != nil {
		return nil, breach(err.Error())
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	return d.build(out), nil
}

// build appends the items. Everything was checked; an event that failed has no
// outputs.
func (d *decoder) build(out []pipeline.Item) []pipeline.Item {
	count := d.out.Count()
	d.events = make([]event.Event, 0, count)
	d.text.Grow(d.size.text)
	d.data = make([]byte, 0, d.size.data)
	d.extensions = make([]event.Extension, 0, d.size.extensions)
	d.properties = make([]delivery.Properties, 0, d.size.properties)
	d.pairs = make([]delivery.Property, 0, d.size.pairs)
	k := 0
	for input := range d.i.items {
		item := d.i.answer(input)
		if item.Err != nil {
			out = append(out, item)
		}
		for ; k < count && int(d.out.Record(k).Input()) == input; k++ {
			if item.Err == nil {
				out = append(out, d.make(item, input, d.out.Record(k)))
			}
		}
	}
	return out
}

// make returns the item that r makes of item, number input of the call.
func (d *decoder) make(item pipeline.Item, input int, r abi.OutputRecord) pipeline.Item {
	own := record(d.arena, input)
	from := item.Event
	d.events = append(d.events, event.Event{
		ID:              d.attribute(abi.ID, r, own, from),
		Source:          d.attribute(abi.Source, r, own, from),
		Type:            d.attribute(abi.Type, r, own, from),
		Subject:         d.attribute(abi.Subject, r, own, from),
		Time:            d.attribute(abi.Time, r, own, from),
		DataContentType: d.attribute(abi.DataContentType, r, own, from),
		DataSchema:      d.attribute(abi.DataSchema, r, own, from),
		Extensions:      d.extensionList(r.Slot(abi.Extensions), own, from),
		Data:            d.bytes(r.Slot(abi.Data), own, from),
	})
	item.Event = &d.events[len(d.events)-1]
	if hasProperties(r) {
		item.Properties = d.propertiesOf(r, own, item)
	}
	return item
}

// propertiesOf returns what earlier stages set and r does not say otherwise.
func (d *decoder) propertiesOf(r abi.OutputRecord, own abi.Record, item pipeline.Item) *delivery.Properties {
	var p delivery.Properties
	if item.Properties != nil {
		p = *item.Properties
	}
	from := d.i.items[r.Input()].Event
	p.SessionID = cmp.Or(d.string(r.Slot(abi.SessionID), own, from), p.SessionID)
	p.PartitionKey = cmp.Or(d.string(r.Slot(abi.PartitionKey), own, from), p.PartitionKey)
	p.MessageID = cmp.Or(d.string(r.Slot(abi.MessageID), own, from), p.MessageID)
	if ms := r.Scheduled(); ms != 0 {
		p.ScheduledAt = time.UnixMilli(ms).UTC()
	}
	if ms := r.TimeToLive(); ms != 0 {
		p.TimeToLive = time.Duration(ms) * time.Millisecond
	}
	if s := r.Slot(abi.Properties); s.Present() && s.Length > 0 {
		list, _ := d.out.List(s)
		start := len(d.pairs)
		for k := range list.Len() {
			pair := list.Pair(k)
			d.pairs = append(d.pairs, delivery.Property{
				Name:  d.string(pair.Name, own, from),
				Value: d.string(pair.Value, own, from),
			})
		}
		p.Application = d.pairs[start:len(d.pairs):len(d.pairs)]
	}
	d.properties = append(d.properties, p)
	return &d.properties[len(d.properties)-1]
}

// attribute returns an attribute of an output: the event's own also when the
// guest copied it, as when it writes the content type that was there.
func (d *decoder) attribute(a abi.Attribute, r abi.OutputRecord, own abi.Record, from *event.Event) string {
	s := r.Slot(a)
	if s.Present() && s.Offset&abi.InInput == 0 {
		if b, _ := d.out.Bytes(s); string(b) == attribute(from, a) {
			return attribute(from, a)
		}
	}
	return d.string(s, own, from)
}

// string returns the text that s names: one of the event's own, or a copy.
func (d *decoder) string(s abi.Slot, own abi.Record, from *event.Event) string {
	if !s.Present() || s.Length == 0 {
		return ""
	}
	if str, ok := shared(s, own, from); ok {
		return str
	}
	b, _ := d.out.Bytes(s)
	start := d.text.Len()
	d.text.Write(b)
	return d.text.String()[start:]
}

func (d *decoder) bytes(s abi.Slot, own abi.Record, from *event.Event) []byte {
	if !s.Present() {
		return nil
	}
	if s == own.Slot(abi.Data).FromInput() {
		return from.Data
	}
	b, _ := d.out.Bytes(s)
	start := len(d.data)
	d.data = append(d.data, b...)
	return d.data[start:len(d.data):len(d.data)]
}

// extensionList returns the list that s names, sorted: the event's own, or a
// copy.
func (d *decoder) extensionList(s abi.Slot, own abi.Record, from *event.Event) []event.Extension {
	if !s.Present() || s.Length == 0 {
		return nil
	}
	if s == own.Slot(abi.Extensions).FromInput() {
		return from.Extensions
	}
	list, _ := d.out.List(s)
	start := len(d.extensions)
	for k := range list.Len() {
		p := list.Pair(k)
		d.extensions = append(d.extensions, event.Extension{
			Name:  d.string(p.Name, own, from),
			Value: d.string(p.Value, own, from),
			Kind:  event.Kind(p.Kind),
		})
	}
	made := d.extensions[start:len(d.extensions):len(d.extensions)]
	slices.SortFunc(made, func(x, y event.Extension) int { return strings.Compare(x.Name, y.Name) })
	return made
}

// shared returns the attribute of from whose slot s is, so that it need not be
// copied. own is from's record, in which a guest may have written what it
// likes: the answer is one of from's attributes all the same.
func shared(s abi.Slot, own abi.Record, from *event.Event) (string, bool) {
	if s.Offset&abi.InInput == 0 {
		return "", false
	}
	for a := abi.ID; a <= abi.DataSchema; a++ {
		if s == own.Slot(a).FromInput() {
			str := attribute(from, a)
			return str, str != ""
		}
	}
	return "", false
}

func attribute(e *event.Event, a abi.Attribute) string {
	switch a {
	case abi.ID:
		return e.ID
	case abi.Source:
		return e.Source
	case abi.Type:
		return e.Type
	case abi.Subject:
		return e.Subject
	case abi.Time:
		return e.Time
	case abi.DataContentType:
		return e.DataContentType
	}
	return e.DataSchema
}
