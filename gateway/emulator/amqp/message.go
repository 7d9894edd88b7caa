package amqp

import (
	"slices"
	"time"
)

// Message is a message, taken apart as far as a broker needs it. What a field
// does not say is not there: nil maps and pointers are absent sections and fields.
type Message struct {
	Header                *Header
	DeliveryAnnotations   Map
	Annotations           Map
	Properties            *Properties
	ApplicationProperties Map
	// Body is the encoded sections of the body, as the sender wrote them: one
	// or more of data, one or more of sequence, or one of value.
	Body   []byte
	Footer Map
}

// Header is what the delivery of a message is like.
type Header struct {
	Durable       bool
	Priority      *uint8
	TTL           *uint32 // milliseconds
	FirstAcquirer bool
	DeliveryCount uint32
}

func (*Header) code() uint64 { return descHeader }

func (h *Header) visit(f *fields) {
	may(f, &h.Durable)
	maybe(f, &h.Priority)
	maybe(f, &h.TTL)
	may(f, &h.FirstAcquirer)
	may(f, &h.DeliveryCount)
}

// Properties are the standard properties of a message. Its ids are a uint64,
// [UUID], []byte or string.
type Properties struct {
	MessageID          any
	UserID             []byte
	To                 *string
	Subject            *string
	ReplyTo            *string
	CorrelationID      any
	ContentType        *Symbol
	ContentEncoding    *Symbol
	AbsoluteExpiryTime *time.Time
	CreationTime       *time.Time
	GroupID            *string
	GroupSequence      *uint32
	ReplyToGroupID     *string
}

func (*Properties) code() uint64 { return descProperties }

func (p *Properties) visit(f *fields) {
	messageID(f, &p.MessageID)
	many(f, &p.UserID)
	maybe(f, &p.To)
	maybe(f, &p.Subject)
	maybe(f, &p.ReplyTo)
	messageID(f, &p.CorrelationID)
	maybe(f, &p.ContentType)
	maybe(f, &p.ContentEncoding)
	maybe(f, &p.AbsoluteExpiryTime)
	maybe(f, &p.CreationTime)
	maybe(f, &p.GroupID)
	maybe(f, &p.GroupSequence)
	maybe(f, &p.ReplyToGroupID)
}

func messageID(f *fields, p *any) {
	whatever(f, p)
	switch v := (*p).(type) {
	case nil, uint64, UUID, []byte, string:
	default:
		f.fail("a message id", v)
	}
}

// NewData returns a message whose body is data.
func NewData(data ...[]byte) *Message {
	m := &Message{}
	for _, b := range data {
		m.Body = appendData(m.Body, b)
	}
	return m
}

func appendData(dst, b []byte) []byte {
	dst = append(dst, codeDescribed, codeSmallUlong, descData)
	code := narrowest(b)
	dst, _ = appendVariable(append(dst, code), code, codeBin8, codeBin32, b) // a slice is not too long for its code
	return dst
}

// NewValue returns a message whose body is one value. It fails with [ErrValue].
func NewValue(v any) (*Message, error) {
	body, err := AppendValue(nil, Described{uint64(descValue), v})
	return &Message{Body: body}, err
}

// Append appends the encoding of m to dst. It fails, with [ErrValue], when a
// field holds what cannot be encoded, which no decoded message does.
func (m *Message) Append(dst []byte) (_ []byte, err error) {
	var before, after []Described
	if m.Header != nil {
		before = append(before, encodeComposite(m.Header))
	}
	before = appendMap(before, descDelivery, m.DeliveryAnnotations)
	before = appendMap(before, descAnnotations, m.Annotations)
	if m.Properties != nil {
		before = append(before, encodeComposite(m.Properties))
	}
	before = appendMap(before, descApplication, m.ApplicationProperties)
	after = appendMap(after, descFooter, m.Footer)
	for _, section := range before {
		if dst, err = AppendValue(dst, section); err != nil {
			return nil, err
		}
	}
	dst = append(dst, m.Body...)
	for _, section := range after {
		if dst, err = AppendValue(dst, section); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func appendMap(sections []Described, code uint64, m Map) []Described {
	if m == nil {
		return sections
	}
	return append(sections, Described{code, m})
}

// DecodeMessage decodes a whole message. Its body and other binary values are
// parts of b.
func DecodeMessage(b []byte) (*Message, error) {
	m := &Message{}
	d := decoder{b: b, alias: true}
	last, body := uint64(descHeader-1), uint64(0)
	for len(d.b) > 0 {
		start := d.b
		v, err := d.value(0)
		if err != nil {
			return nil, err
		}
		section, _ := v.(Described)
		code, _ := descriptor(section.Descriptor)
		switch {
		case code < descHeader || code > descFooter:
			return nil, malformed("a message holds a %T that is no section", v)
		case code == body && code != descValue: // another section of data, or of sequence
		case code <= last || body != 0 && code < descFooter:
			return nil, malformed("section %#x is not in its place", code)
		}
		last = code
		if code >= descData && code < descFooter {
			body = code
			m.Body = b[len(b)-len(start)-len(m.Body) : len(b)-len(d.b)]
		}
		if err := m.set(code, section); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// set takes a section over into m; the body is there already.
func (m *Message) set(code uint64, section Described) error {
	ok := true
	switch code {
	case descHeader:
		m.Header = &Header{}
		return decodeComposite(m.Header, section)
	case descProperties:
		m.Properties = &Properties{}
		return decodeComposite(m.Properties, section)
	case descDelivery:
		m.DeliveryAnnotations, ok = section.Value.(Map)
	case descAnnotations:
		m.Annotations, ok = section.Value.(Map)
	case descApplication:
		m.ApplicationProperties, ok = section.Value.(Map)
	case descFooter:
		m.Footer, ok = section.Value.(Map)
	case descData:
		_, ok = section.Value.([]byte)
	case descSequence:
		_, ok = section.Value.(List)
	}
	if !ok {
		return malformed("section %#x is a %T", code, section.Value)
	}
	return nil
}

// Clone returns a copy of m whose header, properties and maps can be changed
// without changing m. What maps hold, and the body, is shared.
func (m *Message) Clone() *Message {
	c := *m
	if m.Header != nil {
		h := *m.Header
		c.Header = &h
	}
	if m.Properties != nil {
		p := *m.Properties
		c.Properties = &p
	}
	c.DeliveryAnnotations = slices.Clone(m.DeliveryAnnotations)
	c.Annotations = slices.Clone(m.Annotations)
	c.ApplicationProperties = slices.Clone(m.ApplicationProperties)
	c.Footer = slices.Clone(m.Footer)
	return &c
}

// Data returns what is in the sections of the body if those are data, or else
// nil. It shares the memory of the body.
func (m *Message) Data() [][]byte {
	var data [][]byte
	d := decoder{b: m.Body, alias: true}
	for len(d.b) > 0 {
		v, err := d.value(0)
		section, _ := v.(Described)
		b, ok := section.Value.([]byte)
		if err != nil || !ok {
			return nil
		}
		data = append(data, b)
	}
	return data
}

// Value returns the body if that is one value, or else false.
func (m *Message) Value() (any, bool) {
	v, _, err := DecodeValue(m.Body)
	section, ok := v.(Described)
	if code, _ := descriptor(section.Descriptor); err != nil || !ok || code != descValue {
		return nil, false
	}
	return section.Value, true
}
