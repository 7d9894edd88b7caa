package eventhubs

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
	"golang.org/x/sync/errgroup"
)

// quiet is how long all partitions are read without a failure before the source
// is called running, when no event has shown it: the SDK does not tell when a
// link is open.
const quiet = 2 * time.Second

// readAll reads all partitions, by checkpoints in the gateway's store.
func (s *Source) readAll(ctx context.Context, h *hub) error {
	starts, err := s.starts(ctx, h)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.announce(ctx) })
	alone := int64(0) // the epoch, by which nobody else reads for the group
	for id, from := range starts {
		client, err := h.NewPartitionClient(id, &azeventhubs.PartitionClientOptions{
			StartPosition: from.start(), OwnerLevel: &alone, Prefetch: int32(s.settings.prefetch),
		})
		if err != nil {
			group.Go(func() error { return err }) // which ends the others, who are waited for
			break
		}
		group.Go(func() error {
			defer closeClient(ctx, client)
			p := &partition{source: s, hub: h, id: id, reader: client, save: func(ctx context.Context, c Checkpoint) error {
				return s.store.SaveCheckpoint(ctx, id, c)
			}}
			return p.read(ctx)
		})
	}
	return group.Wait()
}

// announce calls the source running once nothing has failed for a while.
func (s *Source) announce(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-time.After(quiet):
		s.monitor.Running()
	}
	return nil
}

func closeClient(ctx context.Context, c interface{ Close(context.Context) error }) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	_ = c.Close(ctx) // nothing is lost without a goodbye
}

// starts returns where to begin each partition.
func (s *Source) starts(ctx context.Context, h *hub) (map[string]Checkpoint, error) {
	saved, err := s.store.Checkpoints(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the checkpoints: %w", err)
	}
	known := false
	for id, c := range saved {
		if !strings.EqualFold(c.Hub, h.name) {
			delete(saved, id) // of a hub that the source read before
			continue
		}
		known = true
	}
	starts := map[string]Checkpoint{}
	for _, id := range h.partitions {
		last, err := h.last(ctx, id)
		if err != nil {
			return nil, err
		}
		c, ok := saved[id]
		if latest, read := s.remembered(id); read {
			c, ok = latest, true
		}
		switch {
		case ok && c.Created.Equal(h.created) && c.Sequence <= last.Sequence:
			starts[id] = c
		case ok:
			s.opts.Log().Warn("event hub was made anew since it was read; reading it from its beginning", "hub", h.name, "partition", id)
			starts[id] = h.checkpoint(beforeFirst, -1)
		case known || !s.settings.latest: // a partition that was added has nothing old
			starts[id] = h.checkpoint(beforeFirst, -1)
		default:
			starts[id] = last
		}
	}
	// Whatever comes from now on is to be read, also after the next start.
	for id, c := range starts {
		if saved[id] == c {
			continue
		}
		if err := s.store.SaveCheckpoint(ctx, id, c); err != nil {
			return nil, fmt.Errorf("save the checkpoint of partition %s: %w", id, err)
		}
	}
	return starts, nil
}

// remember keeps how far a partition was read, should it not be possible to save
// that.
func (s *Source) remember(id string, c Checkpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read[id] = c
}

func (s *Source) remembered(id string) (Checkpoint, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.read[id]
	return c, ok
}
