// Package event defines [Event], the CloudEvents record that every room
// passes on, and its codecs.
//
// Decoding is strict about what CloudEvents 1.0 demands and faithful about
// everything else: data keeps the sender's exact bytes, time keeps the
// sender's exact text.
package event

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Limits of what is accepted from outside.
const (
	// MaxEventBytes bounds one event: the sum of its attributes and its data.
	MaxEventBytes = 1 << 20
	// MaxRequestBytes bounds one request, however many events it carries.
	MaxRequestBytes = 16 << 20
)

// SpecVersion is the only CloudEvents version spoken here.
const SpecVersion = "1.0"

// Event types of Azure Digital Twins, exactly as the service writes them
// (concepts-event-notifications in the Azure Digital Twins documentation).
const (
	TwinCreate         = "Microsoft.DigitalTwins.Twin.Create"
	TwinUpdate         = "Microsoft.DigitalTwins.Twin.Update"
	TwinDelete         = "Microsoft.DigitalTwins.Twin.Delete"
	RelationshipCreate = "Microsoft.DigitalTwins.Relationship.Create"
	RelationshipUpdate = "Microsoft.DigitalTwins.Relationship.Update"
	RelationshipDelete = "Microsoft.DigitalTwins.Relationship.Delete"
	Telemetry          = "microsoft.iot.telemetry"
)

// Event is one CloudEvents 1.0 record. Optional attributes are absent when
// empty: CloudEvents gives none of them a meaningful empty value.
//
// An Event that was accepted is immutable; copies share Extensions and Data.
type Event struct {
	ID     string
	Source string
	Type   string

	Subject         string
	Time            string // RFC 3339, the sender's own text
	DataContentType string
	DataSchema      string

	// Extensions are sorted by name and hold each name once.
	Extensions []Extension

	// Data is the sender's exact bytes; nil when the event has no data.
	Data []byte
}

// Extension is an additional CloudEvents attribute, such as traceparent.
type Extension struct {
	Name  string
	Value string // the canonical string form, whatever the kind
	Kind  Kind
}

// Kind is the CloudEvents type of an extension's value. It decides how the
// JSON format writes the value; every other binding carries strings.
type Kind uint8

// The kinds that the JSON format tells apart.
const (
	String Kind = iota
	Integer
	Boolean
)

// Extension returns the value of the extension name, and whether e has it.
func (e *Event) Extension(name string) (string, bool) {
	i, ok := slices.BinarySearchFunc(e.Extensions, name, compareName)
	if !ok {
		return "", false
	}
	return e.Extensions[i].Value, true
}

// WithExtensions returns a copy of e that also carries add, which replace
// extensions of the same name. It does not modify e's own list.
func (e *Event) WithExtensions(add ...Extension) Event {
	out := *e
	out.Extensions = make([]Extension, len(e.Extensions), len(e.Extensions)+len(add))
	copy(out.Extensions, e.Extensions)
	for _, x := range add {
		out.Extensions = setExtension(out.Extensions, x)
	}
	return out
}

// setExtension puts x into the sorted list, replacing one of the same name.
func setExtension(list []Extension, x Extension) []Extension {
	i, ok := slices.BinarySearchFunc(list, x.Name, compareName)
	if ok {
		list[i] = x
		return list
	}
	return slices.Insert(list, i, x)
}

func compareName(x Extension, name string) int { return cmp.Compare(x.Name, name) }

// TwinKey is the identity of the twin that e is about; deliveries with one
// key keep their order. It is, for telemetry, the tail of source after
// "/digitaltwins/"; else subject up to "/relationships/"; else subject; else
// source. Telemetry has no subject, or a component's name, so the subject
// alone would scatter one twin over several keys.
func (e *Event) TwinKey() string {
	if e.Type == Telemetry {
		if _, twin, ok := strings.Cut(e.Source, "/digitaltwins/"); ok && twin != "" {
			return twin
		}
	}
	if e.Subject == "" {
		return e.Source
	}
	if twin, _, ok := strings.Cut(e.Subject, "/relationships/"); ok && twin != "" {
		return twin
	}
	return e.Subject
}

// Size is the sum of the lengths of e's attributes and data, in bytes: what
// [MaxEventBytes] bounds.
func (e *Event) Size() int {
	n := len(e.ID) + len(e.Source) + len(e.Type) + len(e.Subject) + len(e.Time) +
		len(e.DataContentType) + len(e.DataSchema) + len(e.Data)
	for _, x := range e.Extensions {
		n += len(x.Name) + len(x.Value)
	}
	return n
}

// Chunk is a run of events that share a sequence number in the journal:
// they were accepted together and became durable in one write.
type Chunk struct {
	Seq      uint64 // counted from 1
	Accepted time.Time
	Events   []Event
}
