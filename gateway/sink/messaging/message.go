package messaging

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// prefix begins the name of an application property that carries an attribute,
// in the form that Azure Digital Twins writes.
const prefix = "cloudEvents:"

// MaxKey bounds partition keys, session ids and message ids, in characters
// (UTF-16 code units).
const MaxKey = 128

// Properties are the application properties of d: those that a transform has
// set, and the attributes of the event in the binary mode of the CloudEvents
// AMQP binding (1.0.2, section 3.1.3). The content type is not among them.
// Integers are longs and booleans are booleans; everything else is a string,
// the time too, as Azure Digital Twins has it. An attribute wins over a property of the
// same name.
//
// The map holds strings of d's, which are immutable. An error is d's fault.
func Properties(d *delivery.Delivery) (map[string]any, error) {
	e := &d.Event
	m := make(map[string]any, 8+len(e.Extensions)+len(d.Properties.Application))
	for _, p := range d.Properties.Application {
		m[p.Name] = p.Value
	}
	m[prefix+"specversion"] = event.SpecVersion
	m[prefix+"id"] = e.ID
	m[prefix+"source"] = e.Source
	m[prefix+"type"] = e.Type
	for _, optional := range [...]struct{ name, value string }{
		{prefix + "subject", e.Subject}, {prefix + "time", e.Time}, {prefix + "dataschema", e.DataSchema},
	} {
		if optional.value != "" {
			m[optional.name] = optional.value
		}
	}
	for _, x := range e.Extensions {
		m[prefix+x.Name] = native(x)
	}
	return m, checkText(m, e)
}

// native is the value of an extension in its AMQP type.
func native(x event.Extension) any {
	switch x.Kind {
	case event.Integer:
		if n, err := strconv.ParseInt(x.Value, 10, 64); err == nil {
			return n
		}
	case event.Boolean:
		return x.Value == "true"
	}
	return x.Value
}

// checkText finds what AMQP cannot carry: strings that are not UTF-8, and a
// content type, which is a symbol there, that is not ASCII.
func checkText(m map[string]any, e *event.Event) error {
	for name, value := range m {
		if text, ok := value.(string); !utf8.ValidString(name) || ok && !utf8.ValidString(text) {
			return Malformed("the application property %q is not UTF-8, which AMQP demands", name)
		}
	}
	for i := range len(e.DataContentType) {
		if e.DataContentType[i] >= utf8.RuneSelf {
			return Malformed("the content type %q is not ASCII, which AMQP demands", e.DataContentType)
		}
	}
	return nil
}

// MessageID is what names the message of d for duplicate detection, the same
// in every try: what a transform has set, else the extension idempotencykey,
// else a hash of what makes the delivery one of its own.
func MessageID(d *delivery.Delivery) string {
	if d.Properties.MessageID != "" {
		return d.Properties.MessageID
	}
	if key, _ := d.Event.Extension("idempotencykey"); key != "" && units(key) <= MaxKey {
		return key
	}
	return digest(d.Event.Source, d.Event.ID, d.Route, strconv.Itoa(d.Output))
}

// PartitionKey is what places d: the partition key that a transform has set,
// else the key by which the gateway orders d. One that is too long for the
// services is replaced by its hash; empty is none.
func PartitionKey(d *delivery.Delivery) string {
	key := d.Properties.PartitionKey
	if key == "" {
		key = d.Key
	}
	if units(key) > MaxKey || !utf8.ValidString(key) {
		return digest(key)
	}
	return key
}

// CheckKey reports what is wrong with a key that must not be replaced.
func CheckKey(name, key string) error {
	if !utf8.ValidString(key) {
		return Malformed("the %s %q is not UTF-8, which AMQP demands", name, key)
	}
	if n := units(key); n > MaxKey {
		return Malformed("the %s has %d characters; the service takes %d", name, n, MaxKey)
	}
	return nil
}

// units counts the UTF-16 code units of s.
func units(s string) int {
	if len(s) <= MaxKey {
		return len(s) // or fewer: enough for every comparison here
	}
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// digest is 64 hex digits over parts.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(strconv.Itoa(len(p)) + ":" + p))
	}
	return hex.EncodeToString(h.Sum(nil))
}
