package event

import (
	"encoding/binary"
	"errors"
	"unsafe"
)

// ErrRecord is what a [RecordReader] reports for bytes that the Append
// functions did not write.
var ErrRecord = errors.New("event record is malformed")

// AppendRecord appends the journal's form of e to b: the seven attributes in
// the order of the struct as fields; the count of extensions, then kind, name
// and value of each; a presence byte, since no data and empty data differ, and
// the data. A field is a uvarint length and its bytes.
func AppendRecord(b []byte, e *Event) []byte {
	for _, s := range [...]string{e.ID, e.Source, e.Type, e.Subject, e.Time, e.DataContentType, e.DataSchema} {
		b = AppendField(b, s)
	}
	b = binary.AppendUvarint(b, uint64(len(e.Extensions)))
	for _, x := range e.Extensions {
		b = append(b, byte(x.Kind))
		b = AppendField(b, x.Name)
		b = AppendField(b, x.Value)
	}
	if e.Data == nil {
		return append(b, 0)
	}
	b = append(b, 1)
	return AppendField(b, e.Data)
}

// AppendField appends a uvarint length and s.
func AppendField[T string | []byte](b []byte, s T) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// RecordReader takes events and fields off the front of a record. After the
// first fault it yields zero values, and Err says so.
//
// The strings and data that it yields share memory with its input, which is
// not to be modified afterwards.
type RecordReader struct {
	raw []byte
	str string // the same bytes, so that attributes cost no allocation each
	pos int
	err error
}

// NewRecordReader returns a reader over b.
func NewRecordReader(b []byte) *RecordReader {
	// Copying b would be safe without a promise, and cost as much as all else
	// that reading a chunk takes.
	return &RecordReader{raw: b, str: unsafe.String(unsafe.SliceData(b), len(b))}
}

// Err is [ErrRecord] once anything read was malformed.
func (r *RecordReader) Err() error { return r.err }

// Len is the number of bytes not yet read.
func (r *RecordReader) Len() int { return len(r.raw) - r.pos }

// Event reads what [AppendRecord] wrote.
func (r *RecordReader) Event() Event {
	var e Event
	for _, dst := range [...]*string{&e.ID, &e.Source, &e.Type, &e.Subject, &e.Time, &e.DataContentType, &e.DataSchema} {
		*dst = r.Field()
	}
	// A claimed count is bounded by what is left: an extension takes 3 bytes or more.
	if n := r.Uvarint(); n > uint64(r.Len()/3) {
		r.fail()
	} else if n > 0 {
		e.Extensions = make([]Extension, n)
		for i := range e.Extensions {
			x := &e.Extensions[i]
			if x.Kind = Kind(r.Byte()); x.Kind > Boolean {
				r.fail()
			}
			x.Name, x.Value = r.Field(), r.Field()
		}
	}
	switch r.Byte() {
	case 0:
	case 1:
		e.Data = r.Bytes()
	default:
		r.fail()
	}
	if r.err != nil {
		return Event{}
	}
	return e
}

// Byte reads one byte.
func (r *RecordReader) Byte() byte {
	if r.Len() == 0 {
		r.fail()
		return 0
	}
	r.pos++
	return r.raw[r.pos-1]
}

// Uvarint reads an unsigned varint.
func (r *RecordReader) Uvarint() uint64 {
	v, n := binary.Uvarint(r.raw[r.pos:])
	if n <= 0 {
		r.fail()
		return 0
	}
	r.pos += n
	return v
}

// Field reads what [AppendField] wrote, as a string.
func (r *RecordReader) Field() string {
	start, end := r.span()
	return r.str[start:end]
}

// Bytes reads what [AppendField] wrote, as a slice that is never nil.
func (r *RecordReader) Bytes() []byte {
	start, end := r.span()
	return r.raw[start:end:end]
}

func (r *RecordReader) span() (start, end int) {
	n := r.Uvarint()
	if n > uint64(r.Len()) {
		r.fail()
		return 0, 0
	}
	start = r.pos
	r.pos += int(n)
	return start, r.pos
}

func (r *RecordReader) fail() {
	r.err = ErrRecord
	r.pos = len(r.raw)
}
