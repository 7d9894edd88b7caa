package dispatch

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/pipeline"
	"github.com/headgate/headgate/gateway/route"
	"github.com/headgate/headgate/sdk/json"
)

// The extension attributes that rendering adds to every event that leaves.
const (
	idempotencyKey = "idempotencykey"
	producedBy     = "producedby"
)

// rendered is a delivery, or with err set one that a stage gave up.
type rendered struct {
	d   delivery.Delivery
	err error
}

// render makes the delivery of one output. A failed output becomes the
// delivery of the accepted event, unrendered, with the error beside it.
func (r *rendered) render(e *Endpoint, at time.Time, out *route.Output) {
	item, d := &out.Item, &r.d
	d.Endpoint, d.Route = e.Name, out.Rule.ID
	d.Position, d.Output = item.Position, out.Index
	d.Accepted = at
	if item.Properties != nil {
		d.Properties = *item.Properties
	}
	if item.Err != nil {
		d.Event, d.Unrendered, r.err = *item.Source, true, item.Err
		d.Key = key(e.Policy.OrderBy, item.Source, d)
		return
	}
	if item.Event != item.Source || carries(item.Source, idempotencyKey) || carries(item.Source, producedBy) {
		d.Origin = item.Source
	}
	d.Event = item.Event.WithExtensions(
		event.Extension{Name: idempotencyKey, Value: idempotency(item.Source, out.Rule.ID, out.Index)},
		event.Extension{Name: producedBy, Value: out.Rule.ProducedBy},
	)
	d.Key = key(e.Policy.OrderBy, item.Source, d)
}

// Lone returns the delivery of an item that no route made, and so without
// producedby: of an event that tries an endpoint.
func Lone(endpoint string, p delivery.Policy, at time.Time, item pipeline.Item) delivery.Delivery {
	d := delivery.Delivery{Endpoint: endpoint, Accepted: at}
	if item.Properties != nil {
		d.Properties = *item.Properties
	}
	d.Event = item.Event.WithExtensions(event.Extension{Name: idempotencyKey, Value: idempotency(item.Source, "", 0)})
	d.Key = key(p.OrderBy, item.Source, &d)
	return d
}

func carries(e *event.Event, extension string) bool {
	_, ok := e.Extension(extension)
	return ok
}

// sizeOf is what a delivery takes of memory and of the disk.
func sizeOf(d *delivery.Delivery) int {
	if d.Origin != nil {
		return d.Event.Size() + d.Origin.Size()
	}
	return d.Event.Size()
}

// own gives d memory of its own: what an event is decoded from, and what a
// plugin answers, it shares with many others.
func own(d *delivery.Delivery) {
	d.Event = clone(&d.Event)
	if d.Origin != nil {
		origin := clone(d.Origin)
		d.Origin = &origin
	}
	d.Key = strings.Clone(d.Key)
	p := &d.Properties
	p.SessionID, p.PartitionKey, p.MessageID = strings.Clone(p.SessionID), strings.Clone(p.PartitionKey), strings.Clone(p.MessageID)
	p.Application = slices.Clone(p.Application)
	for i, a := range p.Application {
		p.Application[i] = delivery.Property{Name: strings.Clone(a.Name), Value: strings.Clone(a.Value)}
	}
}

// clone takes e through the journal's form, which costs one piece of memory.
func clone(e *event.Event) event.Event {
	b := event.AppendRecord(make([]byte, 0, e.Size()+32+8*len(e.Extensions)), e)
	return event.NewRecordReader(b).Event()
}

// idempotency is the same for every copy of one output, whatever version of a
// plugin made it: 32 hex digits over source, id, route and output index.
func idempotency(source *event.Event, route string, output int) string {
	var buf [256]byte
	b := event.AppendField(buf[:0], source.Source)
	b = event.AppendField(b, source.ID)
	b = event.AppendField(b, route)
	b = strconv.AppendInt(b, int64(output), 10)
	sum := sha256.Sum256(b)
	var digits [32]byte
	hex.Encode(digits[:], sum[:16])
	return string(digits[:])
}

// key is what orders d within its endpoint. By default it is the session id,
// else the partition key, else the key of the accepted event's twin.
func key(orderBy string, source *event.Event, d *delivery.Delivery) string {
	switch orderBy {
	case "", "subject":
		if d.Properties.SessionID != "" {
			return d.Properties.SessionID
		}
		if d.Properties.PartitionKey != "" {
			return d.Properties.PartitionKey
		}
		return source.TwinKey()
	case "none":
		return ""
	}
	if path, ok := strings.CutPrefix(orderBy, "$body."); ok {
		return bodyKey(d.Event.Data, path)
	}
	return attribute(&d.Event, orderBy)
}

// bodyKey is the text of the value at a dotted path of data; events without
// one share the empty key, which orders nothing.
func bodyKey(data []byte, path string) string {
	v, err := json.Parse(data)
	if err != nil {
		return ""
	}
	v, ok := v.Get(strings.Split(path, ".")...)
	if !ok {
		return ""
	}
	if s, ok := v.String(); ok {
		return s
	}
	return string(v)
}

func attribute(e *event.Event, name string) string {
	switch name {
	case "id":
		return e.ID
	case "source":
		return e.Source
	case "type":
		return e.Type
	case "time":
		return e.Time
	case "datacontenttype":
		return e.DataContentType
	case "dataschema":
		return e.DataSchema
	}
	v, _ := e.Extension(name)
	return v
}
