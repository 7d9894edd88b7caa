package eventhubs

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
	"golang.org/x/sync/errgroup"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/ingress/pull"
)

// reader is what the SDK's clients of a partition share.
type reader interface {
	ReceiveEvents(context.Context, int, *azeventhubs.ReceiveEventsOptions) ([]*azeventhubs.ReceivedEventData, error)
}

// partition is one that is being read.
type partition struct {
	source *Source
	hub    *hub
	id     string
	reader reader
	save   func(context.Context, Checkpoint) error
	// marks holds the latest checkpoint that is not saved, if there is one.
	marks chan Checkpoint
}

// read reads until something fails or ctx ends. Checkpoints are saved beside it,
// as fast as that goes: each is of what is durable, and the last is saved before
// read returns.
func (p *partition) read(ctx context.Context) error {
	p.marks = make(chan Checkpoint, 1)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return p.keep(ctx) })
	group.Go(func() error {
		defer close(p.marks)
		for {
			if err := p.step(ctx); err != nil {
				return err
			}
		}
	})
	return group.Wait()
}

func (p *partition) keep(ctx context.Context) error {
	ctx, cancel := pull.Linger(ctx)
	defer cancel()
	for c := range p.marks {
		if err := p.save(ctx, c); err != nil {
			return fmt.Errorf("save the checkpoint of partition %s: %w", p.id, err)
		}
	}
	return nil
}

// mark has a checkpoint saved, in the place of one that waits for that.
func (p *partition) mark(c Checkpoint) {
	select {
	case <-p.marks:
	default:
	}
	p.marks <- c
}

// over is a context that has ended, with which the SDK returns what it has.
var over = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// step makes the next events durable: those that are there, or else the first to
// come.
func (p *partition) step(ctx context.Context) error {
	s := p.source
	received, err := p.reader.ReceiveEvents(ctx, 1, nil)
	if err != nil {
		return err
	}
	if s.settings.maxBatch > 1 {
		// An error other than that of over is met again by the next step.
		more, _ := p.reader.ReceiveEvents(over, s.settings.maxBatch-1, nil)
		received = append(received, more...)
	}
	events := make([]event.Event, 0, len(received))
	for _, r := range received {
		events = append(events, p.decode(r)...)
	}
	if err := s.monitor.Accept(ctx, s.journal, events, nil); err != nil {
		return err
	}
	s.monitor.Running()
	last := received[len(received)-1]
	c := p.hub.checkpoint(last.Offset, last.SequenceNumber)
	s.remember(p.id, c)
	p.mark(c)
	return nil
}

func (p *partition) decode(r *azeventhubs.ReceivedEventData) []event.Event {
	s := &p.source.settings
	raw := r.RawAMQPMessage
	m := pull.Message{Properties: r.Properties, Sequence: p.id + "-" + strconv.FormatInt(r.SequenceNumber, 10)}
	if r.ContentType != nil {
		m.ContentType = *r.ContentType
	}
	if r.MessageID != nil {
		m.ID = *r.MessageID
	}
	if r.PartitionKey != nil {
		m.PartitionKey = *r.PartitionKey
	}
	if r.EnqueuedTime != nil {
		m.Enqueued = *r.EnqueuedTime
	}
	if id, ok := r.CorrelationID.(string); ok {
		m.CorrelationID = id
	}
	if raw.Properties != nil && raw.Properties.Subject != nil {
		m.Subject = *raw.Properties.Subject
	}
	if raw.Properties != nil && raw.Properties.GroupID != nil {
		m.Session = *raw.Properties.GroupID
	}
	var events []event.Event
	var err error
	if m.Body, err = pull.Body(raw.Body.Data, raw.Body.Value, raw.Body.Sequence); err == nil {
		events, err = s.wrap.Events(&m)
	}
	if err != nil {
		p.source.monitor.Refused("partition "+p.id+", sequence number "+strconv.FormatInt(r.SequenceNumber, 10), err)
		return []event.Event{pull.Undecodable(&m, s.Origin(), err)}
	}
	return events
}

// lost reports whether another reader has taken the partition.
func lost(err error) bool {
	said := (*azeventhubs.Error)(nil)
	return errors.As(err, &said) && said.Code == azeventhubs.ErrorCodeOwnershipLost
}
