package eventhubs

import (
	"context"
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2/checkpoints"
)

// Probe connects, signs in and asks for the right to read, and to see the
// checkpoints in their container if they are in one, over connections of its own.
// It takes no partition from those who read, and moves no checkpoint.
func (s *Source) Probe(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	found, err := s.probe(ctx)
	if err != nil {
		return "", errors.New(s.settings.Words(err))
	}
	return s.settings.Reached() + ", and may read: " + found, nil
}

func (s *Source) probe(ctx context.Context) (string, error) {
	client, err := s.newClient()
	if err != nil {
		return "", err
	}
	defer closeClient(ctx, client)
	h, err := s.look(ctx, client)
	if err != nil {
		return "", err
	}
	if err := s.tryGroup(ctx, h); err != nil {
		return "", err
	}
	found := fmt.Sprintf("the event hub has %d partitions", len(h.partitions))
	if len(h.partitions) == 1 {
		found = "the event hub has one partition"
	}
	if !s.settings.shared() {
		return found, nil
	}
	container, err := s.settings.open(s.opts)
	if err != nil {
		return "", err
	}
	store, err := checkpoints.NewBlobStore(container, nil)
	if err != nil {
		return "", err
	}
	list, err := store.ListCheckpoints(ctx, s.settings.Host, s.settings.Entity, s.settings.group, nil)
	if err != nil {
		return "", fmt.Errorf("read the checkpoints: %w", err)
	}
	return fmt.Sprintf("%s, and the container has checkpoints of %d", found, len(list)), nil
}
