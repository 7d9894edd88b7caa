package eventhubs

import (
	"context"
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2/checkpoints"
	"github.com/Azure/go-amqp"
	"golang.org/x/sync/errgroup"

	"github.com/headgate/headgate/gateway/ingress/pull"
)

// readShared reads the partitions that fall to this gateway, by checkpoints in a
// container that others may use too.
func (s *Source) readShared(ctx context.Context, h *hub) error {
	client, err := s.settings.open(s.opts)
	if err != nil {
		return err
	}
	store, err := checkpoints.NewBlobStore(client, nil)
	if err != nil {
		return err
	}
	save := func(ctx context.Context, id string, c Checkpoint) error {
		return store.SetCheckpoint(ctx, azeventhubs.Checkpoint{
			FullyQualifiedNamespace: s.settings.Host, EventHubName: s.settings.Entity, ConsumerGroup: s.settings.group,
			PartitionID: id, Offset: &c.Offset, SequenceNumber: &c.Sequence,
		}, nil)
	}
	if err := s.prepare(ctx, h, store, save); err != nil {
		return err
	}
	if err := s.tryGroup(ctx, h); err != nil {
		return err
	}
	earliest := true
	processor, err := azeventhubs.NewProcessor(h.ConsumerClient, store, &azeventhubs.ProcessorOptions{
		LoadBalancingStrategy: azeventhubs.ProcessorStrategyGreedy,
		StartPositions:        azeventhubs.StartPositions{Default: azeventhubs.StartPosition{Earliest: &earliest}},
		Prefetch:              int32(s.settings.prefetch),
	})
	if err != nil {
		return err
	}
	s.monitor.Running()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := processor.Run(ctx); err != nil {
			return err
		}
		return ctx.Err()
	})
	group.Go(func() error {
		for {
			next := processor.NextPartitionClient(ctx)
			if next == nil {
				return ctx.Err()
			}
			group.Go(func() error {
				defer closeClient(ctx, next)
				p := &partition{source: s, hub: h, id: next.PartitionID(), reader: next, save: func(ctx context.Context, c Checkpoint) error {
					return save(ctx, next.PartitionID(), c)
				}}
				if err := p.read(ctx); !lost(err) {
					return err
				}
				return nil // it fell to another gateway
			})
		}
	})
	return group.Wait()
}

// prepare puts the checkpoints right before anyone reads by them: those of a hub
// that was made anew, and those of a first start at the end.
func (s *Source) prepare(ctx context.Context, h *hub, store *checkpoints.BlobStore, save func(context.Context, string, Checkpoint) error) error {
	list, err := store.ListCheckpoints(ctx, s.settings.Host, s.settings.Entity, s.settings.group, nil)
	if err != nil {
		return fmt.Errorf("read the checkpoints: %w", err)
	}
	at := map[string]int64{}
	for _, c := range list {
		at[c.PartitionID] = *c.SequenceNumber
	}
	for _, id := range h.partitions {
		last, err := h.last(ctx, id)
		if err != nil {
			return err
		}
		sequence, ok := at[id]
		switch {
		case ok && sequence > last.Sequence:
			s.opts.Log().Warn("event hub was made anew since it was read; reading it from its beginning", "hub", h.name, "partition", id)
			last = h.checkpoint(beforeFirst, -1)
		case ok || len(at) > 0 || !s.settings.latest:
			continue
		}
		if err := save(ctx, id, last); err != nil {
			return fmt.Errorf("save the checkpoint of partition %s: %w", id, err)
		}
	}
	return nil
}

// tryGroup finds out whether the consumer group may be read, of which a
// processor says nothing.
func (s *Source) tryGroup(ctx context.Context, h *hub) error {
	client, err := h.NewPartitionClient(h.partitions[0], &azeventhubs.PartitionClientOptions{Prefetch: -1})
	if err != nil {
		return err
	}
	defer closeClient(ctx, client)
	within, cancel := context.WithTimeout(ctx, quiet)
	defer cancel()
	_, err = client.ReceiveEvents(within, 1, nil)
	if err == nil || within.Err() != nil && errors.Is(err, context.DeadlineExceeded) {
		return ctx.Err()
	}
	switch condition, _ := pull.Condition(err); condition {
	case amqp.ErrCondNotFound, amqp.ErrCondUnauthorizedAccess, pull.CondEntityDisabled:
		return err
	}
	return ctx.Err() // such as that another gateway has the partition
}
