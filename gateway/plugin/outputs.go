package plugin

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/sdk/abi"
)

// Bounds of a transform's answer, beside those in Limits.
const (
	maxOutputs = 1024 // of one event
	maxPairs   = 256  // of one list
	maxExtName = 64
)

// check looks at every record. An output with bad values fails its event; a
// bad structure is a breach, and fails the call.
func (d *decoder) check() error {
	last, run := uint32(0), 0
	for k := range d.out.Count() {
		r := d.out.Record(k)
		input := r.Input()
		if uint64(input) >= uint64(len(d.i.items)) || input < last {
			return breachf("output %d is of event %d, after one of event %d, in a call of %d events", k, input, last, len(d.i.items))
		}
		if input != last {
			last, run = input, 0
		}
		if run++; run > maxOutputs {
			return breachf("more than %d outputs of one event", maxOutputs)
		}
		if r.Reserved() != 0 {
			return breachf("output %d has %d in its reserved field", k, r.Reserved())
		}
		bad, err := d.checkRecord(r, record(d.arena, int(input)), d.i.items[input].Event)
		if err != nil {
			return breachf("output %d: %v", k, err)
		}
		if bad != nil && d.i.errs[input] == nil {
			d.i.errs[input] = d.i.fault(BadOutput, bad.Error())
		}
		if int64(d.size.text+d.size.data) > d.i.limits.OutputBytes {
			return breachf("outputs of more than %d bytes, the limit of outputBytes", d.i.limits.OutputBytes)
		}
	}
	return nil
}

// checkRecord checks one output and adds what it needs to d.size. The first
// result says what is wrong with its values, the second is a breach.
func (d *decoder) checkRecord(r abi.OutputRecord, own abi.Record, from *event.Event) (bad, err error) {
	size := 0
	for a := abi.ID; a <= abi.MessageID; a++ {
		if a == abi.Extensions {
			continue
		}
		n, wrong, err := d.checkValue(a, r.Slot(a), own, from)
		if err != nil {
			return nil, err
		}
		bad = firstError(bad, wrong)
		size += n
	}
	for _, a := range [...]abi.Attribute{abi.Extensions, abi.Properties} {
		n, wrong, err := d.checkList(a, r.Slot(a), own, from)
		if err != nil {
			return nil, err
		}
		bad = firstError(bad, wrong)
		size += n
	}
	if size > event.MaxEventBytes {
		bad = firstError(bad, fmt.Errorf("the output has %d bytes, the limit is %d", size, event.MaxEventBytes))
	}
	if ttl := r.TimeToLive(); ttl < 0 || ttl > math.MaxInt64/int64(time.Millisecond) {
		bad = firstError(bad, fmt.Errorf("time to live of %d ms", ttl))
	}
	if hasProperties(r) {
		d.size.properties++
	}
	return bad, nil
}

// hasProperties reports whether the output says anything about its delivery.
func hasProperties(r abi.OutputRecord) bool {
	for a := abi.SessionID; a <= abi.Properties; a++ {
		if s := r.Slot(a); s.Present() && s.Length > 0 {
			return true
		}
	}
	return r.Scheduled() != 0 || r.TimeToLive() != 0
}

// checkValue checks a text or the data, and returns its length.
func (d *decoder) checkValue(a abi.Attribute, s abi.Slot, own abi.Record, from *event.Event) (n int, bad, err error) {
	required := a <= abi.Type
	if !s.Present() {
		if required {
			bad = fmt.Errorf("no %v", a)
		}
		return 0, bad, nil
	}
	b, ok := d.out.Bytes(s)
	if !ok {
		return 0, nil, fmt.Errorf("%v at 0x%x of %d bytes leads out of the arena", a, s.Offset, s.Length)
	}
	if a == abi.Data {
		if s == own.Slot(abi.Data).FromInput() {
			return len(from.Data), nil, nil
		}
		d.size.data += len(b)
		return len(b), nil, nil
	}
	if str, ok := shared(s, own, from); ok {
		if a == abi.Time && str != from.Time {
			bad = checkText(a, b)
		}
		return len(str), bad, nil // texts of an accepted event are valid
	}
	if required && len(b) == 0 {
		return 0, fmt.Errorf("the %v is empty", a), nil
	}
	if a <= abi.DataSchema && string(b) == attribute(from, a) {
		return len(b), nil, nil // not copied, see decoder.attribute
	}
	d.size.text += len(b)
	return len(b), checkText(a, b), nil
}

// checkText checks the value of a, which is not empty where it is required.
func checkText(a abi.Attribute, b []byte) error {
	if !isText(b) {
		return fmt.Errorf("the %v %.60q is not UTF-8 without control characters", a, b)
	}
	if a == abi.Time && len(b) > 0 {
		if _, err := time.Parse(time.RFC3339Nano, string(b)); err != nil {
			return fmt.Errorf("the time %.60q is not RFC 3339", b)
		}
	}
	return nil
}

// isText reports whether b may be an attribute's value.
func isText(b []byte) bool {
	for len(b) > 0 {
		if c := b[0]; c < utf8.RuneSelf {
			if c < ' ' || c == 0x7f {
				return false
			}
			b = b[1:]
			continue
		}
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 || r < 0xa0 {
			return false
		}
		b = b[n:]
	}
	return true
}

// checkList checks a list and returns the length of its texts.
func (d *decoder) checkList(a abi.Attribute, s abi.Slot, own abi.Record, from *event.Event) (n int, bad, err error) {
	if !s.Present() {
		return 0, nil, nil
	}
	list, ok := d.out.List(s)
	if !ok {
		return 0, nil, fmt.Errorf("%v at 0x%x, %d of them, lead out of the arena", a, s.Offset, s.Length)
	}
	if a == abi.Extensions && s == own.Slot(a).FromInput() {
		for _, x := range from.Extensions {
			n += len(x.Name) + len(x.Value)
		}
		return n, nil, nil
	}
	if list.Len() > maxPairs {
		return 0, fmt.Errorf("%d %v, the limit is %d", list.Len(), a, maxPairs), nil
	}
	d.names = d.names[:0]
	for k := range list.Len() {
		p := list.Pair(k)
		name, ok1 := d.out.Bytes(p.Name)
		value, ok2 := d.out.Bytes(p.Value)
		if !ok1 || !ok2 {
			return 0, nil, fmt.Errorf("number %d of the %v leads out of the arena", k, a)
		}
		n += len(name) + len(value)
		bad = firstError(bad, checkPair(a, name, value, p.Kind))
		d.names = append(d.names, string(name))
	}
	d.size.text += n
	if a == abi.Extensions {
		d.size.extensions += list.Len()
	} else {
		d.size.pairs += list.Len()
	}
	return n, firstError(bad, twice(a, d.names)), nil
}

// twice reports a name that occurs more than once. It sorts names.
func twice(a abi.Attribute, names []string) error {
	slices.Sort(names)
	for k := 1; k < len(names); k++ {
		if names[k] == names[k-1] {
			return fmt.Errorf("%v: %q occurs twice", a, names[k])
		}
	}
	return nil
}

func checkPair(a abi.Attribute, name, value []byte, kind abi.ValueKind) error {
	if !isText(value) {
		return fmt.Errorf("%v: the value of %.60q is not UTF-8 without control characters", a, name)
	}
	if a == abi.Properties {
		if len(name) == 0 || !isText(name) || kind != abi.String {
			return fmt.Errorf("%v: name %.60q, kind %d", a, name, kind)
		}
		return nil
	}
	if !isExtensionName(name) {
		return fmt.Errorf("%.80q is not an extension's name: want 1 to %d of a–z and 0–9, and not the name of another attribute", name, maxExtName)
	}
	switch kind {
	case abi.String:
		return nil
	case abi.Integer:
		if v, err := strconv.ParseInt(string(value), 10, 32); err == nil && strconv.FormatInt(v, 10) == string(value) {
			return nil
		}
	case abi.Boolean:
		if v := string(value); v == "true" || v == "false" {
			return nil
		}
	}
	return fmt.Errorf("the extension %s has the value %.60q of kind %d", name, value, kind)
}

func isExtensionName(b []byte) bool {
	for _, c := range b {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(b) > 0 && len(b) <= maxExtName && !slices.Contains(reserved, string(b))
}

// reserved are the names that CloudEvents gives to other attributes.
var reserved = []string{"id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "specversion", "data"}
