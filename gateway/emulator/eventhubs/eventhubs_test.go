package eventhubs_test

import (
	"context"
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	"github.com/headgate/headgate/gateway/emulator/eventhubs"
)

// keys are what the test's clients sign with.
var keys = amqp.Keys{"test": "not a key"}

// namespace is a running server.
type namespace struct {
	*eventhubs.Server
	addr string
}

// start runs a namespace until the test is over.
func start(t testing.TB, o eventhubs.Options, wrap func(net.Listener) net.Listener) *namespace {
	t.Helper()
	o.AMQP = amqp.Options{Authorize: keys.Authorize, Authenticate: keys.Authenticate}
	s, err := eventhubs.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &namespace{s, ln.Addr().String()}
	if wrap != nil {
		ln = wrap(ln)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve = %v, want nil", err)
		}
	})
	return n
}

// connection is the connection string of the namespace, over plain TCP.
func (n *namespace) connection() string {
	return "Endpoint=sb://" + n.addr + ";SharedAccessKeyName=test;SharedAccessKey=not a key;UseDevelopmentEmulator=true"
}

func (n *namespace) producer(t testing.TB, hub string) *azeventhubs.ProducerClient {
	t.Helper()
	p, err := azeventhubs.NewProducerClientFromConnectionString(n.connection(), hub, &azeventhubs.ProducerClientOptions{RetryOptions: once})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close(timeout(t)) })
	return p
}

func (n *namespace) consumer(t *testing.T, hub string) *azeventhubs.ConsumerClient {
	t.Helper()
	c, err := azeventhubs.NewConsumerClientFromConnectionString(n.connection(), hub, azeventhubs.DefaultConsumerGroup, &azeventhubs.ConsumerClientOptions{RetryOptions: once})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(timeout(t)) })
	return c
}

// once retries after next to no time: the faults of these tests are over at once.
var once = azeventhubs.RetryOptions{MaxRetries: 3, RetryDelay: time.Millisecond, MaxRetryDelay: time.Millisecond}

func timeout(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// send sends bodies as one batch.
func send(t *testing.T, p *azeventhubs.ProducerClient, o *azeventhubs.EventDataBatchOptions, bodies ...string) error {
	t.Helper()
	batch, err := p.NewEventDataBatch(timeout(t), o)
	if err != nil {
		return err
	}
	for _, body := range bodies {
		if err := batch.AddEventData(&azeventhubs.EventData{Body: []byte(body)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	return p.SendEventDataBatch(timeout(t), batch, nil)
}

// receive reads n events of a partition, or as many as come before an error.
func receive(t *testing.T, c *azeventhubs.PartitionClient, n int) []*azeventhubs.ReceivedEventData {
	t.Helper()
	var all []*azeventhubs.ReceivedEventData
	for len(all) < n {
		events, err := c.ReceiveEvents(timeout(t), min(n-len(all), 100), nil)
		if err != nil {
			t.Error(err)
			return all
		}
		all = append(all, events...)
	}
	return all
}

func ptr[T any](v T) *T { return &v }

// withTLS wraps a listener with a certificate.
func withTLS(cert tls.Certificate) func(net.Listener) net.Listener {
	return func(ln net.Listener) net.Listener {
		return tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{cert}})
	}
}
