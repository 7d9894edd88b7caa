package dispatch

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/route"
	"github.com/headgate/headgate/sdk/json"
)

// The extension attributes that rendering adds to every event that leaves.
const (
	idempotencyKey = "idempotencykey"
	producedBy     = "producedby"
)

// render makes the delivery of one output. A failed output becomes the
// delivery of the accepted event, unrendered, with the error beside it.
func render(e *Endpoint, c *event.Chunk, out route.Output) (delivery.Delivery, error) {
	item := out.Item
	d := delivery.Delivery{
		Endpoint: e.Name,
		Route:    out.Rule.ID,
		Position: item.Position,
		Output:   out.Index,
		Accepted: c.Accepted,
	}
	if item.Properties != nil {
		d.Properties = *item.Properties
	}
	if item.Err != nil {
		d.Event, d.Unrendered = *item.Source, true
		d.Key = key(e.Policy.OrderBy, item.Source, &d)
		return d, item.Err
	}
	_, had1 := item.Source.Extension(idempotencyKey)
	_, had2 := item.Source.Extension(producedBy)
	if item.Event != item.Source || had1 || had2 {
		d.Origin = item.Source
	}
	d.Event = item.Event.WithExtensions(
		event.Extension{Name: idempotencyKey, Value: idempotency(item.Source, out.Rule.ID, out.Index)},
		event.Extension{Name: producedBy, Value: out.Rule.ProducedBy},
	)
	d.Key = key(e.Policy.OrderBy, item.Source, &d)
	return d, nil
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
	return hex.EncodeToString(sum[:16])
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
