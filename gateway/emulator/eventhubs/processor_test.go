package eventhubs_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"github.com/headgate/headgate/gateway/emulator/eventhubs"
)

// checkpoints keeps ownerships and checkpoints in memory.
type checkpoints struct {
	mu     sync.Mutex
	owners map[string]azeventhubs.Ownership
	marks  map[string]azeventhubs.Checkpoint
	etag   int
}

func newCheckpoints() *checkpoints {
	return &checkpoints{owners: map[string]azeventhubs.Ownership{}, marks: map[string]azeventhubs.Checkpoint{}}
}

func (c *checkpoints) ClaimOwnership(_ context.Context, want []azeventhubs.Ownership, _ *azeventhubs.ClaimOwnershipOptions) ([]azeventhubs.Ownership, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var got []azeventhubs.Ownership
	for _, o := range want {
		have, owned := c.owners[o.PartitionID]
		if owned && (o.ETag == nil || *o.ETag != *have.ETag) || !owned && o.ETag != nil {
			continue // another was faster
		}
		c.etag++
		o.ETag, o.LastModifiedTime = ptr(azcore.ETag(fmt.Sprint(c.etag))), time.Now().UTC()
		c.owners[o.PartitionID] = o
		got = append(got, o)
	}
	return got, nil
}

func (c *checkpoints) ListOwnership(context.Context, string, string, string, *azeventhubs.ListOwnershipOptions) ([]azeventhubs.Ownership, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.owners)), nil
}

func (c *checkpoints) ListCheckpoints(context.Context, string, string, string, *azeventhubs.ListCheckpointsOptions) ([]azeventhubs.Checkpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.marks)), nil
}

func (c *checkpoints) SetCheckpoint(_ context.Context, m azeventhubs.Checkpoint, _ *azeventhubs.SetCheckpointOptions) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.marks[m.PartitionID] = m
	return nil
}

// process runs a processor until it has handled n events, each of which it
// checkpoints, and returns their bodies by partition.
func process(t *testing.T, n *namespace, store *checkpoints, want int) map[string][]string {
	t.Helper()
	p, err := azeventhubs.NewProcessor(n.consumer(t, "hub"), store, &azeventhubs.ProcessorOptions{
		UpdateInterval:        10 * time.Millisecond,
		LoadBalancingStrategy: azeventhubs.ProcessorStrategyGreedy,
		StartPositions:        azeventhubs.StartPositions{Default: azeventhubs.StartPosition{Earliest: ptr(true)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(timeout(t))
	var mu sync.Mutex
	got, left := map[string][]string{}, want
	handle := func(pc *azeventhubs.ProcessorPartitionClient) {
		defer pc.Close(context.Background())
		for {
			events, err := pc.ReceiveEvents(ctx, 1, nil)
			if err != nil {
				if ctx.Err() == nil {
					t.Error(err)
				}
				return
			}
			for _, e := range events {
				if err := pc.UpdateCheckpoint(ctx, e, nil); err != nil {
					t.Error(err)
				}
				mu.Lock()
				got[pc.PartitionID()] = append(got[pc.PartitionID()], string(e.Body))
				if left--; left <= 0 {
					cancel()
				}
				mu.Unlock()
			}
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for pc := p.NextPartitionClient(ctx); pc != nil; pc = p.NextPartitionClient(ctx) {
			wg.Go(func() { handle(pc) })
		}
	})
	if err := p.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	cancel()
	wg.Wait()
	return got
}

// TestProcessor has a second processor go on where the first one stopped.
func TestProcessor(t *testing.T) {
	n := start(t, eventhubs.Options{}, nil)
	p, store := n.producer(t, "hub"), newCheckpoints()
	fill := func(from, to int) {
		for i := from; i < to; i++ {
			if err := send(t, p, &azeventhubs.EventDataBatchOptions{PartitionID: ptr(fmt.Sprint(i % 4))}, fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	fill(0, 40)
	check := func(got map[string][]string, from, to int) {
		t.Helper()
		for part := range 4 {
			var want []string
			for i := from + part; i < to; i += 4 {
				want = append(want, fmt.Sprint(i))
			}
			if !slices.Equal(got[fmt.Sprint(part)], want) {
				t.Errorf("partition %d: %v, want %v", part, got[fmt.Sprint(part)], want)
			}
		}
	}
	check(process(t, n, store, 40), 0, 40)
	fill(40, 60)
	check(process(t, n, store, 20), 40, 60)
}
