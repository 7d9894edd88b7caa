package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/headgate/headgate/gateway/event"
)

// Bounds of a chunk. An event that is larger alone makes a chunk of its own.
const (
	maxChunkEvents = 256
	maxChunkBytes  = 512 << 10
	maxPayload     = 2 << 20 // of a message of events or marks
	maxEntryBytes  = 8 << 20 // of a delivery, which may hold its event twice, with its history
)

// A chunk is a message of the stream EVENTS:
//
//	offset  bytes
//	0       1      version, 1
//	1       8      accepted: nanoseconds since 1970, UTC; never before that of an earlier chunk
//	9       8      events in all chunks before this one, since the journal began
//	17      8      bytes of all chunks before this one, likewise
//	25      4      events in this chunk, 1 or more
//	29      …      their records, as event.AppendRecord writes them, and nothing after
//
// Integers are little-endian. The running totals make the number of events
// and bytes between two chunks known from their headers alone.
const (
	chunkVersion = 1
	chunkHeader  = 29
)

// head is the header of a chunk.
type head struct {
	accepted int64
	events   uint64
	bytes    uint64
	count    uint32
}

// put writes h into the first bytes of b.
func (h head) put(b []byte) {
	b[0] = chunkVersion
	binary.LittleEndian.PutUint64(b[1:], uint64(h.accepted))
	binary.LittleEndian.PutUint64(b[9:], h.events)
	binary.LittleEndian.PutUint64(b[17:], h.bytes)
	binary.LittleEndian.PutUint32(b[25:], h.count)
}

// readHead reads what put wrote.
func readHead(b []byte) (head, error) {
	if len(b) < chunkHeader {
		return head{}, errors.New("it is shorter than a header")
	}
	if b[0] != chunkVersion {
		return head{}, fmt.Errorf("its format has version %d, this binary reads %d", b[0], chunkVersion)
	}
	return head{
		accepted: int64(binary.LittleEndian.Uint64(b[1:])),
		events:   binary.LittleEndian.Uint64(b[9:]),
		bytes:    binary.LittleEndian.Uint64(b[17:]),
		count:    binary.LittleEndian.Uint32(b[25:]),
	}, nil
}

// decodeChunk reads the whole message, whose memory the events share.
func decodeChunk(seq uint64, b []byte) (event.Chunk, error) {
	h, err := readHead(b)
	if err != nil {
		return event.Chunk{}, err
	}
	// A claimed count is bounded by what follows: a record takes 9 bytes or more.
	if rest := len(b) - chunkHeader; h.count == 0 || int64(h.count) > int64(rest/9) {
		return event.Chunk{}, fmt.Errorf("it claims %d events in %d bytes", h.count, rest)
	}
	c := event.Chunk{
		Seq:      seq,
		Accepted: time.Unix(0, h.accepted).UTC(),
		Events:   make([]event.Event, h.count),
	}
	r := event.NewRecordReader(b[chunkHeader:])
	for i := range c.Events {
		c.Events[i] = r.Event()
	}
	if err := r.Err(); err != nil {
		return event.Chunk{}, err
	}
	if r.Len() != 0 {
		return event.Chunk{}, fmt.Errorf("%d bytes follow its last event", r.Len())
	}
	return c, nil
}
