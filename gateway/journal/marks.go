package journal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// SaveMarks makes marks, one of each endpoint, durable in the place of those
// saved before. From then on the journal may purge, by its retention, what all
// of them have passed; no mark at all has passed everything.
func (j *Journal) SaveMarks(ctx context.Context, marks []delivery.Mark) error {
	j.markMu.Lock()
	defer j.markMu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	last := j.Last()
	e, err := j.serving()
	if err != nil {
		return err
	}
	b := encodeMarks(marks)
	if len(b) > maxPayload {
		return fmt.Errorf("journal: marks of %d endpoints: %w", len(marks), ErrTooLarge)
	}
	if _, err := e.publish(markStream, b); err != nil {
		return fmt.Errorf("journal: save marks: %w", err)
	}
	low := last + 1
	for _, m := range marks {
		low = min(low, m.Low)
	}
	j.passed(low)
	return nil
}

// LoadMarks returns the marks saved last, none if none were. A mark never
// covers chunks that the journal does not have yet, whatever a power cut took.
// Marks that were lost are an [ErrDamaged]: without them nobody knows what is owed.
func (j *Journal) LoadMarks(ctx context.Context) ([]delivery.Mark, error) {
	e, err := j.await(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	m, err := e.streams[markStream].GetLastMsgForSubject(ctx, markStream)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, lostMarks(errors.New("their stream is empty"))
	}
	if err != nil {
		return nil, fmt.Errorf("journal: load marks: %w", err)
	}
	marks, err := decodeMarks(m.Data)
	if err != nil {
		return nil, lostMarks(err)
	}
	end := j.Last() + 1
	for i := range marks {
		if marks[i].Low > end {
			j.opt.Logger.Error("journal: a mark is ahead of the journal, whose end was lost",
				"endpoint", marks[i].Endpoint, "mark", marks[i].Low, "end", end)
		}
		clampMark(&marks[i], end)
	}
	return marks, nil
}

func lostMarks(cause error) error {
	return fmt.Errorf("%w: the endpoints' positions in it are lost (%w); restore the directory from a backup, or move it away to begin with an empty journal",
		ErrDamaged, cause)
}

// clampMark takes back what m says of chunks from end on: sequences that a
// crash took are given out again, to other events.
func clampMark(m *delivery.Mark, end uint64) {
	if m.Low >= end {
		m.Low, m.Settled = end, nil
		return
	}
	if known := end - m.Low; uint64(len(m.Settled)) > known {
		m.Settled = m.Settled[:known]
	}
}

// Marks are one message: version 1, the count of marks, and of each the
// endpoint as a field, Low, and the count of runs of equal bitmaps; a run is
// its length and the bitmap as a field. Integers are uvarints.
const (
	marksVersion  = 1
	maxMarkChunks = 1 << 16 // bitmaps of a mark; those beyond are left out
)

// encodeMarks writes marks. Should they not fit into a message, the longest
// bitmaps are left out: their events are then delivered once more after a
// crash, which is better than to save nothing.
func encodeMarks(marks []delivery.Mark) []byte {
	parts := make([][]byte, len(marks))
	size := 16
	for i, m := range marks {
		parts[i] = appendRuns(nil, m.Settled[:min(len(m.Settled), maxMarkChunks)])
		size += len(m.Endpoint) + 16 + len(parts[i])
	}
	for size > maxPayload {
		longest := 0
		for i := range parts {
			if len(parts[i]) > len(parts[longest]) {
				longest = i
			}
		}
		if len(parts[longest]) <= 1 {
			break // a hundred thousand endpoints; the caller will be told
		}
		size -= len(parts[longest]) - 1
		parts[longest] = appendRuns(nil, nil)
	}
	b := append(make([]byte, 0, size), marksVersion)
	b = binary.AppendUvarint(b, uint64(len(marks)))
	for i, m := range marks {
		b = event.AppendField(b, m.Endpoint)
		b = binary.AppendUvarint(b, m.Low)
		b = append(b, parts[i]...)
	}
	return b
}

func appendRuns(b []byte, settled [][]byte) []byte {
	runs := 0
	for run := range equalRuns(settled) {
		_ = run
		runs++
	}
	b = binary.AppendUvarint(b, uint64(runs))
	for n, bits := range equalRuns(settled) {
		b = binary.AppendUvarint(b, uint64(n))
		b = event.AppendField(b, bits)
	}
	return b
}

// equalRuns yields the length and the bitmap of each run of equal bitmaps.
func equalRuns(settled [][]byte) func(yield func(int, []byte) bool) {
	return func(yield func(int, []byte) bool) {
		for len(settled) > 0 {
			n := 1
			for n < len(settled) && slices.Equal(settled[n], settled[0]) {
				n++
			}
			if !yield(n, settled[0]) {
				return
			}
			settled = settled[n:]
		}
	}
}

func decodeMarks(b []byte) ([]delivery.Mark, error) {
	r := event.NewRecordReader(b)
	if v := r.Byte(); r.Err() == nil && v != marksVersion {
		return nil, fmt.Errorf("their format has version %d, this binary reads %d", v, marksVersion)
	}
	n := r.Uvarint()
	if n > uint64(r.Len()/3) {
		return nil, event.ErrRecord
	}
	marks := make([]delivery.Mark, n)
	for i := range marks {
		m := &marks[i]
		m.Endpoint, m.Low = r.Field(), r.Uvarint()
		for range min(r.Uvarint(), uint64(r.Len())) {
			count, bits := r.Uvarint(), r.Bytes()
			if count > maxMarkChunks-uint64(len(m.Settled)) {
				return nil, event.ErrRecord
			}
			for range count {
				m.Settled = append(m.Settled, bits)
			}
		}
	}
	if r.Err() != nil || r.Len() != 0 {
		return nil, event.ErrRecord
	}
	return marks, nil
}
