package amqp

import "fmt"

// The descriptors of composite types, from parts 2, 3 and 5 of the specification.
const (
	descOpen        = 0x10
	descBegin       = 0x11
	descAttach      = 0x12
	descFlow        = 0x13
	descTransfer    = 0x14
	descDisposition = 0x15
	descDetach      = 0x16
	descEnd         = 0x17
	descClose       = 0x18
	descError       = 0x1d
	descReceived    = 0x23
	descAccepted    = 0x24
	descRejected    = 0x25
	descReleased    = 0x26
	descModified    = 0x27
	descSource      = 0x28
	descTarget      = 0x29
	descMechanisms  = 0x40
	descInit        = 0x41
	descOutcome     = 0x44
	descHeader      = 0x70
	descDelivery    = 0x71
	descAnnotations = 0x72
	descProperties  = 0x73
	descApplication = 0x74
	descData        = 0x75
	descSequence    = 0x76
	descValue       = 0x77
	descFooter      = 0x78
)

// names are the symbolic descriptors that a peer may write in place of the numbers.
var names = map[Symbol]uint64{
	"amqp:open:list": descOpen, "amqp:begin:list": descBegin, "amqp:attach:list": descAttach,
	"amqp:flow:list": descFlow, "amqp:transfer:list": descTransfer, "amqp:disposition:list": descDisposition,
	"amqp:detach:list": descDetach, "amqp:end:list": descEnd, "amqp:close:list": descClose,
	"amqp:error:list": descError, "amqp:received:list": descReceived, "amqp:accepted:list": descAccepted,
	"amqp:rejected:list": descRejected, "amqp:released:list": descReleased, "amqp:modified:list": descModified,
	"amqp:source:list": descSource, "amqp:target:list": descTarget,
	"amqp:sasl-mechanisms:list": descMechanisms, "amqp:sasl-init:list": descInit, "amqp:sasl-outcome:list": descOutcome,
	"amqp:header:list": descHeader, "amqp:delivery-annotations:map": descDelivery,
	"amqp:message-annotations:map": descAnnotations, "amqp:properties:list": descProperties,
	"amqp:application-properties:map": descApplication, "amqp:data:binary": descData,
	"amqp:amqp-sequence:list": descSequence, "amqp:amqp-value:*": descValue, "amqp:footer:map": descFooter,
}

// descriptor is the number of a descriptor, or false for none of ours.
func descriptor(v any) (uint64, bool) {
	switch v := v.(type) {
	case uint64:
		return v, true
	case Symbol:
		n, ok := names[v]
		return n, ok
	}
	return 0, false
}

// composite is what the specification calls a composite type: a described list
// whose items are fields. One method serves both directions, so that they
// cannot differ: it shows every field, in order, to a reader or a writer.
type composite interface {
	code() uint64
	visit(f *fields)
}

// fields reads a list into fields, or writes fields into a list.
type fields struct {
	list  List
	next  int
	write bool
	err   error
}

// encodeComposite returns c as a value, without the nulls at its end.
func encodeComposite(c composite) Described {
	f := fields{write: true}
	c.visit(&f)
	for len(f.list) > 0 && f.list[len(f.list)-1] == nil {
		f.list = f.list[:len(f.list)-1]
	}
	return Described{c.code(), f.list}
}

// decodeComposite fills c from v. Fields that are missing or null stay as they are.
func decodeComposite(c composite, v any) error {
	d, ok := v.(Described)
	if code, known := descriptor(d.Descriptor); !ok || !known || code != c.code() {
		return malformed("%T where descriptor %#x belongs", v, c.code())
	}
	list, ok := d.Value.(List)
	if !ok {
		return malformed("descriptor %#x of a %T", c.code(), d.Value)
	}
	f := fields{list: list}
	c.visit(&f)
	return f.err
}

// one returns the next field's value, or false for one that is missing or null.
func (f *fields) one() (any, bool) {
	i := f.next
	f.next++
	if i >= len(f.list) || f.list[i] == nil {
		return nil, false
	}
	return f.list[i], true
}

func (f *fields) fail(c string, v any) {
	if f.err == nil {
		f.err = malformed("field %d is a %T, want %s", f.next, v, c)
	}
}

// must shows a field that is always there when it is written.
func must[T any](f *fields, p *T) {
	if f.write {
		f.list = append(f.list, *p)
		return
	}
	if v, ok := f.one(); ok {
		t, ok := v.(T)
		if !ok {
			f.fail(fmt.Sprintf("%T", *p), v)
			return
		}
		*p = t
	}
}

// may shows a field that is null when it has its zero value.
func may[T comparable](f *fields, p *T) {
	var zero T
	if f.write && *p == zero {
		f.list = append(f.list, nil)
		return
	}
	must(f, p)
}

// maybe shows a field that is null when its pointer is nil.
func maybe[T any](f *fields, p **T) {
	if f.write {
		if *p == nil {
			f.list = append(f.list, nil)
			return
		}
		f.list = append(f.list, **p)
		return
	}
	if v, ok := f.one(); ok {
		t, ok := v.(T)
		if !ok {
			f.fail(fmt.Sprintf("%T", t), v)
			return
		}
		*p = &t
	}
}

// many shows a list, map or array that is null when it is nil.
func many[T ~[]E, E any](f *fields, p *T) {
	if f.write && *p == nil {
		f.list = append(f.list, nil)
		return
	}
	must(f, p)
}

// whatever shows a field of any type.
func whatever(f *fields, p *any) {
	if f.write {
		f.list = append(f.list, *p)
		return
	}
	*p, _ = f.one()
}

// nested shows a field that is a composite, null when its pointer is nil.
func nested[T any, P interface {
	*T
	composite
}](f *fields, p **T) {
	if f.write {
		if *p == nil {
			f.list = append(f.list, nil)
			return
		}
		f.list = append(f.list, encodeComposite(P(*p)))
		return
	}
	if v, ok := f.one(); ok {
		*p = new(T)
		if err := decodeComposite(P(*p), v); err != nil && f.err == nil {
			f.err = err
		}
	}
}
