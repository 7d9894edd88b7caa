// Package blob writes events to a container of Azure Blob Storage or Data Lake
// Storage, as files of one structured CloudEvent per line (NDJSON):
//
//	[PREFIX/]date=2026-11-23/hour=06/20261123T065504.123456789Z-7F3AQ….ndjson
//
// A delivery counts as delivered when the file that holds it is there. A file
// appears whole, under a name that nothing had before, and never changes.
//
// # Why files that do not grow
//
// A blob could grow with each Send: an append blob, or a block list committed
// anew. Deliveries would be settled sooner and files be larger. But those who
// read a lake take each name once, when it appears (Spark's and Databricks'
// file streams, Data Factory, the Event Grid triggers of Fabric and Data
// Explorer): of a blob that grows they miss what came later, or read the
// beginning again with every commit, and one that reads it meanwhile fails with
// a changed ETag. An append blob besides cannot be moved to a cooler tier. A
// hidden blob that is given its name in the end would leave deliveries that were
// acknowledged to someone's later work.
//
// So a Send waits. Those that come within maxAge share a file, which is written
// by one request and settles all of them. Under load nobody waits that long:
// once a batch is full, more lies behind it, and the file is closed. The price
// is latency at low rates, at most maxAge, and that no file is larger than what
// the gateway holds in memory for one endpoint.
//
// # Why these directories
//
// "name=value" is what Spark, Fabric, Databricks and Hive make columns of, and
// Synapse reaches by filepath(). One column of dates rather than year, month and
// day lets a query ask for a range. Date and hour are those of the writing, in
// UTC, so that an hour that has passed gets no more files; when the event
// happened is in the event. Names sort by time: the events of a key are in order
// within a file, and by name among files.
package blob

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink"
	"github.com/headgate/headgate/gateway/sink/azure"
)

const (
	lanes      = 8 // Sends that share files
	batchSize  = 512
	batchBytes = 2 << 20
	// fullBytes make a full batch: the next event might not have had room.
	fullBytes = batchBytes - 1<<20
	// linger is how long a file with a full batch waits for the other lanes.
	linger = 20 * time.Millisecond
	// maxWait bounds a Send when its context does not.
	maxWait = time.Minute
)

// Options are what a gateway may decide for all of its containers.
type Options struct {
	// UserAgent goes before that of the SDK; "headgate" when empty.
	UserAgent string
	// Credential is the identity for containers without key and signature; nil
	// is the default chain of azidentity.
	Credential azcore.TokenCredential
	// Now tells the time by which files are named; nil is time.Now.
	Now func() time.Time
}

// Sink writes to one container. It is safe for concurrent use.
type Sink struct {
	settings  settings
	client    *container.Client
	transport *azure.Transport
	now       func() time.Time
	writing   sync.WaitGroup // for files

	mu   sync.Mutex // guards what follows, and what is in it
	open *file      // the one that gathers; nil when none does
	last time.Time  // by which the latest file was named
}

// Kind describes containers to a catalog.
func Kind() sink.Kind {
	return sink.Kind{
		Name:     "blob",
		Validate: func(raw json.RawMessage) error { _, err := parse(raw, true); return err },
		Secrets:  []sink.Secret{{Field: "connectionString", Form: sink.ConnectionString}, {Field: "containerUri", Form: sink.URL}},
	}
}

// New returns a sink for an endpoint's settings; what is wrong with one of them
// is a [*sink.SettingError]. It does not connect.
func New(raw json.RawMessage, o Options) (*Sink, error) {
	s, err := parse(raw, false)
	if err != nil {
		return nil, err
	}
	client, transport, err := s.target.connect(o)
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Sink{settings: s, client: client, transport: transport, now: o.Now}, nil
}

// Capacity is 8 lanes of at most 512 events and 2 MiB.
func (s *Sink) Capacity() delivery.Capacity {
	return delivery.Capacity{Lanes: lanes, Batch: batchSize, BatchBytes: batchBytes}
}

// Send has the batch written, whole, with others that come within maxAge, and
// returns the same outcome for each delivery. It waits for the file at most
// until ctx ends; the file is closed when half of the time until then has
// passed, so that the other half is left for the writing.
func (s *Sink) Send(ctx context.Context, batch []delivery.Delivery) []delivery.Outcome {
	if len(batch) == 0 {
		return nil
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, maxWait)
		defer cancel()
	}
	out := s.send(ctx, batch)
	outcomes := make([]delivery.Outcome, len(batch))
	for i := range outcomes {
		outcomes[i] = out
	}
	return outcomes
}

func (s *Sink) send(ctx context.Context, batch []delivery.Delivery) delivery.Outcome {
	if ctx.Err() != nil {
		return delivery.Transient(s.settings.wrap(fmt.Errorf("not sent: %w", context.Cause(ctx))))
	}
	p := &part{lines: appendLines(nil, batch), full: isFull(batch)}
	f := s.join(ctx, p)
	if f == nil {
		return delivery.Transient(s.settings.wrap(errClosed))
	}
	select {
	case <-f.done:
		return f.out
	case <-ctx.Done():
		s.leave(f, p)
		return delivery.Transient(s.settings.wrap(fmt.Errorf("not written in time: %w", context.Cause(ctx))))
	}
}

var errClosed = errors.New("the sink is closed")

// isFull reports whether more deliveries are likely to lie behind a batch.
func isFull(batch []delivery.Delivery) bool {
	if len(batch) >= batchSize {
		return true
	}
	size := 0
	for i := range batch {
		size += batch[i].Event.Size()
	}
	return size >= fullBytes
}

// Close waits for files that are being written, and drops idle connections. It
// is called when no Send is under way, so that nobody waits for one. It may be
// called more than once.
func (s *Sink) Close() error {
	s.writing.Wait()
	s.transport.CloseIdleConnections()
	return nil
}
