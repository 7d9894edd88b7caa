// Package eventhubs fetches events from the partitions of an event hub, as one
// consumer group, through the official SDK of Azure Event Hubs.
//
// A partition's checkpoint moves over an event only when what it carries is
// durable; so after the end of the process reading goes on with what may not
// be. The events of a partition are accepted in its order. An event that carries
// none and cannot be wrapped is accepted as one of the type
// [pull.UndecodableType], since it cannot be left at its hub.
//
// Checkpoints are kept by the gateway, which then reads all partitions, or in a
// container of Blob storage, by which several gateways share them out.
package eventhubs

import (
	"context"
	"encoding/json"
	"net"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
	"golang.org/x/sync/errgroup"

	"github.com/headgate/headgate/gateway/ingress/pull"
)

// Checkpoint is how far a partition was read.
type Checkpoint struct {
	// Hub tells the namespace, hub and consumer group, and Created when the hub
	// was made: one that was deleted and made anew has other events.
	Hub     string    `json:"hub"`
	Created time.Time `json:"created"`
	// Offset and Sequence are those of the last event whose successors are to
	// come; "-1" and -1 stand before the first.
	Offset   string `json:"offset"`
	Sequence int64  `json:"sequence"`
}

// Store keeps the checkpoints of one source, durably.
type Store interface {
	// Checkpoints returns those that were saved, by partition.
	Checkpoints(ctx context.Context) (map[string]Checkpoint, error)
	SaveCheckpoint(ctx context.Context, partition string, c Checkpoint) error
}

// Options are what a gateway may decide for all of its sources.
type Options = pull.Options

// Source reads one event hub.
type Source struct {
	settings settings
	journal  pull.Journal
	store    Store
	opts     Options
	monitor  *pull.Monitor

	mu   sync.Mutex
	read map[string]Checkpoint // how far each partition was read, for its store may fail
}

// Kind describes such sources to a catalog.
func Kind() pull.Kind {
	return pull.Kind{
		Name:     "eventHub",
		Validate: validate,
		Secrets: []pull.Secret{
			{Field: "connectionString", Form: pull.ConnectionString},
			{Field: "checkpointConnectionString", Form: pull.ConnectionString},
			{Field: "checkpointContainerUri", Form: pull.URL},
		},
	}
}

// New returns a source by its settings; what is wrong with one of them is a
// [*pull.SettingError]. Its checkpoints are in store, unless the settings name a
// container. It does not connect.
func New(raw json.RawMessage, j pull.Journal, store Store, o Options) (*Source, error) {
	set, err := parse(raw)
	if err != nil {
		return nil, err
	}
	return &Source{settings: set, journal: j, store: store, opts: o, monitor: pull.NewMonitor(o.Log()), read: map[string]Checkpoint{}}, nil
}

// Status says how the source fares.
func (s *Source) Status() pull.Status { return s.monitor.Status() }

// Run reads until ctx ends and what it had in hand is done. It is called once.
func (s *Source) Run(ctx context.Context) {
	pull.Run(ctx, s.monitor, s.settings.Words, s.connect)
}

const (
	// closeTimeout bounds the goodbye to the service.
	closeTimeout = 2 * time.Second
	// requestTimeout bounds each request to the service that does not wait for
	// events.
	requestTimeout = 30 * time.Second
	// watchInterval is how often the hub is asked for its partitions, of which it
	// may get more.
	watchInterval = time.Minute
)

// connect reads on one connection until it fails or ctx ends.
func (s *Source) connect(ctx context.Context) error {
	client, err := s.newClient()
	if err != nil {
		return err
	}
	defer closeClient(ctx, client)
	h, err := s.look(ctx, client)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.watch(ctx, h) })
	if s.settings.shared() {
		group.Go(func() error { return s.readShared(ctx, h) })
	} else {
		group.Go(func() error { return s.readAll(ctx, h) })
	}
	return group.Wait()
}

func (s *Source) newClient() (*azeventhubs.ConsumerClient, error) {
	options := &azeventhubs.ConsumerClientOptions{
		ApplicationID: s.opts.UserAgent,
		// The hook for WebSockets takes any connection.
		NewWebSocketConn: func(ctx context.Context, _ azeventhubs.WebSocketConnParams) (net.Conn, error) {
			return s.settings.Dial(ctx, s.opts)
		},
		// The SDK renews its claims in the background with these, in a loop that
		// pauses for nothing else.
		RetryOptions: azeventhubs.RetryOptions{MaxRetries: 1, RetryDelay: time.Second, MaxRetryDelay: time.Second},
	}
	t := &s.settings.Target
	if t.Connection != "" {
		return azeventhubs.NewConsumerClientFromConnectionString(t.Connection, t.Entity, s.settings.group, options)
	}
	identity, err := s.opts.Identity()
	if err != nil {
		return nil, err
	}
	return azeventhubs.NewConsumerClient(t.Host, t.Entity, s.settings.group, identity, options)
}

// hub is an event hub as it was when the source connected.
type hub struct {
	*azeventhubs.ConsumerClient
	name       string // of the namespace, hub and consumer group
	created    time.Time
	partitions []string
}

func (s *Source) look(ctx context.Context, client *azeventhubs.ConsumerClient) (*hub, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	p, err := client.GetEventHubProperties(ctx, nil)
	if err != nil {
		return nil, err
	}
	return &hub{
		ConsumerClient: client, name: s.settings.Host + "/" + s.settings.Entity + "/" + s.settings.group,
		created: p.CreatedOn.UTC(), partitions: p.PartitionIDs,
	}, nil
}

// last is the checkpoint behind the latest event of a partition.
func (h *hub) last(ctx context.Context, partition string) (Checkpoint, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	p, err := h.GetPartitionProperties(ctx, partition, nil)
	if err != nil {
		return Checkpoint{}, err
	}
	if p.LastEnqueuedSequenceNumber < 0 {
		return h.checkpoint(beforeFirst, -1), nil // a new partition has no event
	}
	return h.checkpoint(p.LastEnqueuedOffset, p.LastEnqueuedSequenceNumber), nil
}

func (h *hub) checkpoint(offset string, sequence int64) Checkpoint {
	return Checkpoint{Hub: h.name, Created: h.created, Offset: offset, Sequence: sequence}
}

// beforeFirst is the offset before the first event of a partition.
const beforeFirst = "-1"

// start is where a reader with the checkpoint begins.
func (c Checkpoint) start() azeventhubs.StartPosition {
	if c.Offset == "" {
		return azeventhubs.StartPosition{SequenceNumber: &c.Sequence}
	}
	return azeventhubs.StartPosition{Offset: &c.Offset}
}

// watch ends with [pull.ErrRestart] once the hub has other partitions, or is
// another hub under the same name.
func (s *Source) watch(ctx context.Context, h *hub) error {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		now, err := s.look(ctx, h.ConsumerClient)
		if err != nil {
			continue // whether the connection is of use is for its readers to say
		}
		if len(now.partitions) != len(h.partitions) || !now.created.Equal(h.created) {
			return pull.ErrRestart
		}
	}
}
