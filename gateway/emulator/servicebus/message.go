package servicebus

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// The annotations that the service reads and writes.
const (
	annPartitionKey     amqp.Symbol = "x-opt-partition-key"
	annScheduledEnqueue amqp.Symbol = "x-opt-scheduled-enqueue-time"
	annEnqueued         amqp.Symbol = "x-opt-enqueued-time"
	annSequence         amqp.Symbol = "x-opt-sequence-number"
	annEnqueuedSequence amqp.Symbol = "x-opt-enqueue-sequence-number"
	annLockedUntil      amqp.Symbol = "x-opt-locked-until"
	annDeadLetterSource amqp.Symbol = "x-opt-deadletter-source"
	annState            amqp.Symbol = "x-opt-message-state"
	annLockToken        amqp.Symbol = "x-opt-lock-token" // of the delivery
)

// ofTheService are the annotations that a sender cannot set.
var ofTheService = []amqp.Symbol{
	annEnqueued, annSequence, annEnqueuedSequence, annLockedUntil, annDeadLetterSource, annState, annLockToken,
}

// decode returns the messages of a transfer, whole or in a batch. Its error is
// the sender's fault.
func decode(format uint32, payload []byte) ([]broker.Message, error) {
	if format != amqp.BatchFormat {
		m, err := decodeOne(payload)
		return []broker.Message{m}, err
	}
	envelope, err := amqp.DecodeMessage(payload)
	if err != nil {
		return nil, err
	}
	parts := envelope.Data()
	if len(parts) == 0 {
		return nil, fmt.Errorf("%w: a batch without messages", broker.ErrArgument)
	}
	messages := make([]broker.Message, len(parts))
	for i, b := range parts {
		if messages[i], err = decodeOne(b); err != nil {
			return nil, fmt.Errorf("message %d of a batch: %w", i, err)
		}
	}
	return messages, nil
}

// decodeOne reads from a message what the broker's rules need.
func decodeOne(b []byte) (broker.Message, error) {
	m, err := amqp.DecodeMessage(b)
	if err != nil {
		return broker.Message{}, err
	}
	out := broker.Message{Size: int64(len(b)), Body: m}
	if m.Properties == nil {
		m.Properties = &amqp.Properties{} // clients read the delivery count only beside one
	}
	out.ID = idText(m.Properties.MessageID)
	if m.Properties.MessageID == nil {
		m.Properties.MessageID = newID() // without it the JavaScript client cannot settle
	}
	if id := m.Properties.GroupID; id != nil {
		out.SessionID, out.HasSession = *id, true
	}
	if m.Header != nil && m.Header.TTL != nil {
		out.TTL = max(time.Duration(*m.Header.TTL)*time.Millisecond, 1) // 0 is over at once
	}
	if v, _ := m.Annotations.Get(string(annPartitionKey)); v != nil {
		key, ok := v.(string)
		if !ok {
			return out, fmt.Errorf("%w: annotation %s is a %T, want a string", broker.ErrArgument, annPartitionKey, v)
		}
		out.PartitionKey = key
	}
	if v, _ := m.Annotations.Get(string(annScheduledEnqueue)); v != nil {
		at, ok := v.(time.Time)
		if !ok {
			return out, fmt.Errorf("%w: annotation %s is a %T, want a timestamp", broker.ErrArgument, annScheduledEnqueue, v)
		}
		if at.After(endOfTime) {
			at = endOfTime
		}
		out.EnqueueAt = at
	}
	return out, nil
}

// newID is an id for a message that was sent without.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// idText is a message id as text, by which duplicates are known; "" for none.
func idText(id any) string {
	switch id := id.(type) {
	case nil:
		return ""
	case string:
		return id
	case []byte:
		return string(id)
	case uint64:
		return strconv.FormatUint(id, 10)
	}
	return fmt.Sprint(id) // a UUID
}

// encode is a message as a receiver gets it: what the sender wrote, with the
// service's word on it.
func encode(m broker.Message) ([]byte, error) {
	sent := m.Body.(*amqp.Message)
	out := *sent // what changes is replaced, not changed
	b, err := amqp.AppendValue(make([]byte, 0, int(m.Size)+256), header(sent.Header, m))
	if err != nil {
		return nil, err
	}
	out.Header = nil // which is written
	out.DeliveryAnnotations = nil
	if m.LockToken != (broker.Token{}) {
		out.DeliveryAnnotations = amqp.Map{{Key: annLockToken, Value: amqp.UUID(m.LockToken)}}
	}
	out.Annotations = annotations(sent.Annotations, m)
	out.ApplicationProperties = applicationProperties(m)
	return out.Append(b)
}

// header is the header of a delivery. It says the delivery count even if that
// is 0, the default, as the service does: clients show what is there.
func header(sent *amqp.Header, m broker.Message) amqp.Described {
	if sent == nil {
		sent = &amqp.Header{}
	}
	fields := amqp.List{sent.Durable, nil, nil, nil, uint32(m.Failures)}
	if sent.Priority != nil {
		fields[1] = *sent.Priority
	}
	if m.TTL > 0 {
		fields[2] = uint32(min(m.TTL.Milliseconds(), math.MaxUint32))
	}
	return amqp.Described{Descriptor: uint64(0x70), Value: fields}
}

// annotations are the sender's, and the service's.
func annotations(sent amqp.Map, m broker.Message) amqp.Map {
	all := make(amqp.Map, 0, len(sent)+len(ofTheService))
	all = append(all, sent...)
	for _, name := range ofTheService {
		all.Delete(string(name))
	}
	all = append(all,
		amqp.Pair{Key: annEnqueued, Value: m.EnqueuedAt},
		amqp.Pair{Key: annSequence, Value: m.Sequence},
		amqp.Pair{Key: annEnqueuedSequence, Value: m.EnqueuedSequence},
		amqp.Pair{Key: annState, Value: int32(m.State)},
	)
	if !m.LockedUntil.IsZero() {
		all = append(all, amqp.Pair{Key: annLockedUntil, Value: m.LockedUntil})
	}
	if m.DeadLetterSource != "" {
		all = append(all, amqp.Pair{Key: annDeadLetterSource, Value: m.DeadLetterSource})
	}
	return all
}

// tag is the delivery tag of a lock: its token as a .NET GUID, whose first
// three fields are little-endian.
func tag(t broker.Token) []byte {
	return []byte{t[3], t[2], t[1], t[0], t[5], t[4], t[7], t[6], t[8], t[9], t[10], t[11], t[12], t[13], t[14], t[15]}
}

// ticks is a time as .NET counts it: in units of 100 ns since the year 1.
func ticks(t time.Time) int64 {
	const unixEpoch = 621355968000000000
	return unixEpoch + t.Unix()*1e7 + int64(t.Nanosecond())/100
}
