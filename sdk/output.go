package sdk

import (
	"time"

	"github.com/headgate/headgate/sdk/abi"
	"github.com/headgate/headgate/sdk/json"
)

// Outputs collects what a transform makes of an event.
type Outputs struct {
	arena   abi.OutputWriter
	event   *Event
	input   int
	current Output
	data    json.Writer
}

// Add starts another output, which is the event as it came in until something
// of it is set. The output is valid until the next Add.
func (o *Outputs) Add() *Output {
	o.seal()
	o.arena.NextFrom(o.input, o.event.record)
	o.current.outputs = o
	return &o.current
}

// reset starts the answer to a batch.
func (o *Outputs) reset() { o.arena.Reset() }

// begin turns to event number input of the batch.
func (o *Outputs) begin(e *Event, input int) { o.event, o.input = e, input }

// seal writes what the current output has gathered.
func (o *Outputs) seal() {
	c := &o.current
	if c.outputs == nil {
		return
	}
	if c.json {
		o.arena.SetBytes(abi.Data, o.data.Bytes())
	}
	if c.extended {
		o.arena.SetSlot(abi.Extensions, o.arena.AppendList(c.extensions))
	}
	if len(c.properties) > 0 {
		o.arena.SetSlot(abi.Properties, o.arena.AppendList(c.properties))
	}
	c.reset()
}

// discard drops the outputs after the first keep.
func (o *Outputs) discard(keep int) {
	o.current.reset()
	for o.arena.Count() > keep {
		o.arena.Undo()
	}
}

// Output is an event that a transform makes, and how it is to be delivered.
// Setting an optional attribute to the empty string removes it.
type Output struct {
	outputs *Outputs // nil between outputs

	json       bool // the data is in outputs.data
	extended   bool // extensions holds the list, not the input
	extensions []abi.Pair
	properties []abi.Pair
}

func (o *Output) reset() {
	*o = Output{extensions: o.extensions[:0], properties: o.properties[:0]}
}

// SetID sets the attribute id.
func (o *Output) SetID(s string) { o.outputs.arena.Set(abi.ID, s) }

// SetSource sets the attribute source.
func (o *Output) SetSource(s string) { o.outputs.arena.Set(abi.Source, s) }

// SetType sets the attribute type.
func (o *Output) SetType(s string) { o.outputs.arena.Set(abi.Type, s) }

// SetSubject sets the attribute subject.
func (o *Output) SetSubject(s string) { o.outputs.arena.Set(abi.Subject, s) }

// SetTime sets the attribute time, in RFC 3339.
func (o *Output) SetTime(s string) { o.outputs.arena.Set(abi.Time, s) }

// SetDataContentType sets the attribute datacontenttype.
func (o *Output) SetDataContentType(s string) { o.outputs.arena.Set(abi.DataContentType, s) }

// SetDataSchema sets the attribute dataschema.
func (o *Output) SetDataSchema(s string) { o.outputs.arena.Set(abi.DataSchema, s) }

// SetData sets the data, which it copies.
func (o *Output) SetData(b []byte) {
	o.json = false
	o.outputs.arena.SetBytes(abi.Data, b)
}

// RemoveData leaves the output without data.
func (o *Output) RemoveData() {
	o.json = false
	o.outputs.arena.SetSlot(abi.Data, abi.None)
}

// JSON returns a writer of the data, and sets datacontenttype to
// application/json. What was written when the transform returns, or adds
// another output, is the data.
func (o *Output) JSON() *json.Writer {
	o.json = true
	o.outputs.data.Reset()
	o.SetDataContentType("application/json")
	return &o.outputs.data
}

// SetExtension sets the extension attribute name, which is of the letters a to
// z and digits.
func (o *Output) SetExtension(name, value string) {
	o.RemoveExtension(name)
	o.extensions = append(o.extensions, o.pair(name, value))
}

// RemoveExtension removes the extension attribute name, if there is one.
func (o *Output) RemoveExtension(name string) {
	o.extend()
	kept := o.extensions[:0]
	for _, p := range o.extensions {
		if o.name(p) != name {
			kept = append(kept, p)
		}
	}
	o.extensions = kept
}

// extend takes the list of extensions over from the event, to change it.
func (o *Output) extend() {
	if o.extended {
		return
	}
	o.extended = true
	event := o.outputs.event
	list := event.record.Slot(abi.Extensions)
	for i := range int(list.Length) {
		p := event.in.Pair(list, i)
		p.Name, p.Value = p.Name.FromInput(), p.Value.FromInput()
		o.extensions = append(o.extensions, p)
	}
}

// SetSessionID sets the Service Bus session, which also orders deliveries.
func (o *Output) SetSessionID(s string) { o.outputs.arena.Set(abi.SessionID, s) }

// SetPartitionKey sets the key by which Event Hubs and Service Bus place the
// delivery; it orders deliveries where there is no session.
func (o *Output) SetPartitionKey(s string) { o.outputs.arena.Set(abi.PartitionKey, s) }

// SetMessageID sets what Service Bus detects duplicates by.
func (o *Output) SetMessageID(s string) { o.outputs.arena.Set(abi.MessageID, s) }

// SetScheduledTime sets the time before which Service Bus does not make the
// delivery available.
func (o *Output) SetScheduledTime(t time.Time) { o.outputs.arena.SetScheduled(t.UnixMilli()) }

// SetTimeToLive sets after how long Service Bus lets the delivery expire. It
// counts in milliseconds, rounded up.
func (o *Output) SetTimeToLive(d time.Duration) {
	o.outputs.arena.SetTimeToLive(int64((d + time.Millisecond - 1) / time.Millisecond))
}

// SetProperty sets an AMQP application property.
func (o *Output) SetProperty(name, value string) {
	p := o.pair(name, value)
	for i := range o.properties {
		if o.name(o.properties[i]) == name {
			o.properties[i] = p
			return
		}
	}
	o.properties = append(o.properties, p)
}

// pair copies name and value into the arena.
func (o *Output) pair(name, value string) abi.Pair {
	return abi.Pair{Name: o.outputs.arena.AppendString(name), Value: o.outputs.arena.AppendString(value)}
}

// name reads a pair's name back.
func (o *Output) name(p abi.Pair) string {
	if p.Name.Offset&abi.InInput != 0 {
		return o.outputs.event.text(p.Name)
	}
	return string(o.outputs.arena.Text()[p.Name.Offset:][:p.Name.Length])
}
