package journal

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// Entry is what a [Spool] keeps: a delivery, and for a dead letter why and when
// it was given up. A retry has no Reason.
type Entry = delivery.DeadLetter

// A spool's message is a version, 1, and records until its end. A record is an
// operation and what it is about:
//
//	1  put: an entry, as a field. The entry's reference is the message's
//	   sequence and the count of puts before it in the message.
//	2  remove: the sequence and the index of an entry of an earlier message
//	   that is no longer kept.
//
// An entry is, in this order, its endpoint, route and key as fields; the
// position's sequence and index, and the output; the time of acceptance, the
// attempts, the reason as a field, the time of death; the count of the history
// and of each attempt its time and error; session id, partition key and
// message id as fields, the time of schedule, the time to live; the count of
// application properties and of each the name and value as fields; and the
// event's record; a byte of flags; and then the record of the origin and the
// letter, time and attempts of the redrive, where the flags say so. Integers
// are uvarints, zigzag where they are signed; a time is its seconds since 1970
// and its nanoseconds.
const (
	spoolVersion = 1
	opPut        = 1
	opRemove     = 2

	flagUnrendered = 1
	flagOrigin     = 2
	flagRedrive    = 4
)

// appendEntry appends e in the form above.
func appendEntry(b []byte, e *Entry) []byte {
	d := &e.Delivery
	b = event.AppendField(b, d.Endpoint)
	b = event.AppendField(b, d.Route)
	b = event.AppendField(b, d.Key)
	b = binary.AppendUvarint(b, d.Position.Seq)
	b = binary.AppendVarint(b, int64(d.Position.Index))
	b = binary.AppendVarint(b, int64(d.Output))
	b = appendTime(b, d.Accepted)
	b = binary.AppendVarint(b, int64(d.Attempts))
	b = event.AppendField(b, e.Reason)
	b = appendTime(b, e.DeadAt)
	b = binary.AppendUvarint(b, uint64(len(d.History)))
	for _, a := range d.History {
		b = event.AppendField(appendTime(b, a.At), a.Error)
	}
	p := &d.Properties
	b = event.AppendField(b, p.SessionID)
	b = event.AppendField(b, p.PartitionKey)
	b = event.AppendField(b, p.MessageID)
	b = appendTime(b, p.ScheduledAt)
	b = binary.AppendVarint(b, int64(p.TimeToLive))
	b = binary.AppendUvarint(b, uint64(len(p.Application)))
	for _, a := range p.Application {
		b = event.AppendField(event.AppendField(b, a.Name), a.Value)
	}
	b = event.AppendRecord(b, &d.Event)
	flags, at := byte(0), len(b)
	b = append(b, 0)
	if d.Unrendered {
		flags |= flagUnrendered
	}
	if d.Origin != nil {
		flags |= flagOrigin
		b = event.AppendRecord(b, d.Origin)
	}
	if r := d.Redrive; r != nil {
		flags |= flagRedrive
		b = binary.AppendUvarint(b, r.Letter.Seq)
		b = binary.AppendVarint(b, int64(r.Letter.Index))
		b = appendTime(b, r.At)
		b = binary.AppendVarint(b, int64(r.Attempts))
	}
	b[at] = flags
	return b
}

// decodeEntry reads what appendEntry wrote; the entry shares b's memory.
func decodeEntry(b []byte) (Entry, error) {
	var e Entry
	d := &e.Delivery
	r := event.NewRecordReader(b)
	d.Endpoint, d.Route, d.Key = r.Field(), r.Field(), r.Field()
	d.Position.Seq, d.Position.Index = r.Uvarint(), int(readVarint(r))
	d.Output = int(readVarint(r))
	d.Accepted = readTime(r)
	d.Attempts = int(readVarint(r))
	e.Reason, e.DeadAt = r.Field(), readTime(r)
	// Claimed counts are bounded by what is left: an attempt takes 3 bytes or more, a property 2.
	if n := r.Uvarint(); n > uint64(r.Len()/3) {
		return Entry{}, event.ErrRecord
	} else if n > 0 {
		d.History = make([]delivery.Attempt, n)
	}
	for i := range d.History {
		d.History[i] = delivery.Attempt{At: readTime(r), Error: r.Field()}
	}
	p := &d.Properties
	p.SessionID, p.PartitionKey, p.MessageID = r.Field(), r.Field(), r.Field()
	p.ScheduledAt, p.TimeToLive = readTime(r), time.Duration(readVarint(r))
	if n := r.Uvarint(); n > uint64(r.Len()/2) {
		return Entry{}, event.ErrRecord
	} else if n > 0 {
		p.Application = make([]delivery.Property, n)
	}
	for i := range p.Application {
		p.Application[i] = delivery.Property{Name: r.Field(), Value: r.Field()}
	}
	d.Event = r.Event()
	flags := r.Byte()
	if flags > flagUnrendered|flagOrigin|flagRedrive {
		return Entry{}, event.ErrRecord
	}
	d.Unrendered = flags&flagUnrendered != 0
	if flags&flagOrigin != 0 {
		origin := r.Event()
		d.Origin = &origin
	}
	if flags&flagRedrive != 0 {
		letter := delivery.Ref{Seq: r.Uvarint(), Index: int(readVarint(r))}
		d.Redrive = &delivery.Redrive{Letter: letter, At: readTime(r), Attempts: int(readVarint(r))}
	}
	if r.Err() != nil {
		return Entry{}, r.Err()
	}
	if r.Len() != 0 {
		return Entry{}, fmt.Errorf("%d bytes follow the entry", r.Len())
	}
	return e, nil
}

// appendTime writes t, of which it keeps the instant and not the zone.
func appendTime(b []byte, t time.Time) []byte {
	b = binary.AppendVarint(b, t.Unix())
	return binary.AppendUvarint(b, uint64(t.Nanosecond()))
}

func readTime(r *event.RecordReader) time.Time {
	sec, nsec := readVarint(r), r.Uvarint()
	if r.Err() != nil {
		return time.Time{}
	}
	return time.Unix(sec, int64(nsec%1e9)).UTC()
}

// readVarint reads the zigzag form of [binary.AppendVarint].
func readVarint(r *event.RecordReader) int64 {
	u := r.Uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// record is one record of a spool's message.
type record struct {
	put    []byte       // the entry; nil for a removal
	remove delivery.Ref // what is removed
}

// readRecords splits a message into its records.
func readRecords(b []byte) ([]record, error) {
	if len(b) == 0 || b[0] != spoolVersion {
		return nil, fmt.Errorf("its format is not version %d", spoolVersion)
	}
	var records []record
	for b = b[1:]; len(b) > 0; {
		op := b[0]
		n, used := binary.Uvarint(b[1:])
		if used <= 0 {
			return nil, event.ErrRecord
		}
		b = b[1+used:]
		switch op {
		case opPut:
			if n > uint64(len(b)) {
				return nil, event.ErrRecord
			}
			records = append(records, record{put: b[:n:n]})
			b = b[n:]
		case opRemove:
			index, used := binary.Uvarint(b)
			if used <= 0 || index > 1<<31 {
				return nil, event.ErrRecord
			}
			records = append(records, record{remove: delivery.Ref{Seq: n, Index: int(index)}})
			b = b[used:]
		default:
			return nil, fmt.Errorf("operation %d is not known", op)
		}
	}
	return records, nil
}

// entryEndpoint is the endpoint of an entry, read without the rest.
func entryEndpoint(b []byte) (string, error) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return "", event.ErrRecord
	}
	return string(b[used : used+int(n)]), nil
}
