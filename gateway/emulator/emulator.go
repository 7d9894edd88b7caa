// Package emulator is a local Azure for those who route twins: a Service Bus,
// an Event Hubs namespace and an Event Grid, in one process and in memory, as
// Microsoft's own SDKs speak to them.
//
// [Start] serves them until [Emulator.Close]; [Run] is a whole command. What is
// there is declared, by [Options].Declared or a file that [Parse] reads, or made
// on first use. [Emulator.Entities] shows what lies in it, and
// [Emulator.Inject] lets things go wrong; both are served over HTTP too. The
// rules of each service, and what it leaves out, are told by its own package.
//
// The ports for AMQP take TLS as well, told from the first byte, by the
// certificate that Event Grid has; clients must be told to trust it.
package emulator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	"github.com/headgate/headgate/gateway/emulator/certificate"
	"github.com/headgate/headgate/gateway/emulator/eventgrid"
	"github.com/headgate/headgate/gateway/emulator/eventhubs"
	"github.com/headgate/headgate/gateway/emulator/identity"
	"github.com/headgate/headgate/gateway/emulator/servicebus"
)

const (
	// KeyName is the name of the one shared access key.
	KeyName = "RootManageSharedAccessKey"
	// AnyKey is what connection strings show where every key is good. It is
	// base64, as keys must be, of what it is.
	AnyKey = "bm90IGEga2V5"
)

// The resources for which identities get their tokens.
const (
	busResource  = "https://servicebus.azure.net"
	hubsResource = "https://eventhubs.azure.net"
)

// Options say what is served. An address is HOST:PORT of loopback; port 0
// takes a free one, and an empty address leaves the service out.
type Options struct {
	ServiceBus string
	EventHubs  string
	EventGrid  string
	Control    string

	Declared Declared
	// AllowRemote permits addresses that other machines can reach. Whoever does
	// may read and change all that the emulator holds.
	AllowRemote bool
	// CertFile is where the certificate is written to, in PEM; "" is nowhere.
	CertFile string
	// Fast makes the waits of Event Grid, between attempts and until an event
	// expires, as many times shorter; 0 is 1.
	Fast float64
	// Logger is told of connections that went wrong, at level debug; nil is none.
	Logger *slog.Logger
}

// Emulator is a running one. It is safe for concurrent use.
type Emulator struct {
	key        string
	cert       certificate.Certificate
	serviceBus *servicebus.Server // nil when left out, as those that follow
	eventHubs  *eventhubs.Server
	eventGrid  *eventgrid.Server
	control    *http.Server
	addresses  map[Service]string // as clients reach them

	stop    context.CancelCauseFunc // with what broke, if anything did
	ended   context.Context
	serving sync.WaitGroup
	close   func() error

	mu     sync.Mutex // guards what follows
	states []Fault    // that were done to entities, and last until they are cleared
}

// Start serves what o asks for. An [*OptionError] means that o cannot be meant.
func Start(o Options) (_ *Emulator, err error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	e := &Emulator{key: o.Declared.Key, addresses: map[Service]string{}}
	e.ended, e.stop = context.WithCancelCause(context.Background())
	e.close = sync.OnceValue(e.end)
	defer func() {
		if err != nil {
			e.stop(nil)
			_ = e.close() // err says more
		}
	}()
	if e.cert, err = certificate.New(o.hosts()...); err != nil {
		return nil, err
	}
	for _, start := range []struct {
		service Service
		address string
		serve   func(address string, o Options) error
	}{
		{ServiceBus, o.ServiceBus, e.startServiceBus},
		{EventHubs, o.EventHubs, e.startEventHubs},
		{EventGrid, o.EventGrid, e.startEventGrid},
		{Control, o.Control, e.startControl},
	} {
		if start.address == "" {
			continue
		}
		if err := start.serve(start.address, o); err != nil {
			return nil, listenError(start.service, err)
		}
	}
	if o.CertFile != "" {
		if err := os.WriteFile(o.CertFile, e.cert.PEM, 0o644); err != nil {
			return nil, fmt.Errorf("write the certificate: %w", err)
		}
	}
	return e, nil
}

func (e *Emulator) startServiceBus(address string, o Options) error {
	s, err := servicebus.New(servicebus.Options{Entities: o.Declared.ServiceBus, AMQP: e.amqp(o, busResource)})
	if err != nil {
		return &OptionError{string(ServiceBus), err.Error()}
	}
	e.serviceBus = s
	return e.serveAMQP(ServiceBus, address, s.Serve)
}

func (e *Emulator) startEventHubs(address string, o Options) error {
	d := o.Declared.EventHubs
	s, err := eventhubs.New(eventhubs.Options{
		Hubs: d.Hubs, Declared: d.DeclaredOnly, Partitions: d.Partitions, MaxSize: d.MaxMessageBytes, KeepBytes: d.KeepBytes,
		AMQP: e.amqp(o, hubsResource, busResource),
	})
	if err != nil {
		return &OptionError{string(EventHubs), err.Error()}
	}
	e.eventHubs = s
	return e.serveAMQP(EventHubs, address, s.Serve)
}

func (e *Emulator) startEventGrid(address string, o Options) error {
	d := o.Declared.EventGrid
	for _, t := range d.Topics {
		if err := t.Validate(); err != nil {
			return &OptionError{string(EventGrid), err.Error()}
		}
	}
	options := eventgrid.Options{Topics: d.Topics, Declared: d.DeclaredOnly, Key: e.key, Keep: d.KeepEvents, Certificate: e.cert}
	if o.Fast > 0 {
		options.Clock = eventgrid.Faster(o.Fast)
	}
	s, err := eventgrid.Listen(address, options)
	if err != nil {
		return err
	}
	e.eventGrid = s
	e.addresses[EventGrid] = s.URL()[len("https://"):]
	return nil
}

// amqp is how the servers of AMQP speak. Where no key is declared every key is
// good, and so is every identity, by a token that is for one of the resources.
func (e *Emulator) amqp(o Options, resources ...string) amqp.Options {
	if e.key != "" {
		keys := amqp.Keys{KeyName: e.key}
		return amqp.Options{Logger: o.Logger, Authorize: keys.Authorize, Authenticate: keys.Authenticate}
	}
	return amqp.Options{Logger: o.Logger, Open: true, Authorize: func(t amqp.Token) error {
		if t.Type != identity.Type {
			return nil
		}
		return identity.Check(t.Value, time.Now(), resources...)
	}}
}

// serveAMQP has serve take connections at address.
func (e *Emulator) serveAMQP(s Service, address string, serve func(context.Context, net.Listener) error) error {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	e.addresses[s] = ln.Addr().String()
	e.serving.Go(func() {
		if err := serve(e.ended, eitherListener{ln, e.cert.Pair}); err != nil {
			e.stop(fmt.Errorf("%s: %w", s, err))
		}
	})
	return nil
}

// Broken is closed when a service has ended by itself, or all by Close, which
// says why.
func (e *Emulator) Broken() <-chan struct{} { return e.ended.Done() }

// Close ends all that is served, and waits for it. It returns the reason why
// a service had ended before, if one had. It may be called more than once.
func (e *Emulator) Close() error {
	e.stop(nil)
	return e.close()
}

func (e *Emulator) end() error {
	var errs []error
	if cause := context.Cause(e.ended); !errors.Is(cause, context.Canceled) {
		errs = append(errs, cause)
	}
	if e.control != nil {
		errs = append(errs, e.control.Close())
	}
	if e.eventGrid != nil {
		errs = append(errs, e.eventGrid.Close())
	}
	e.serving.Wait()
	if e.serviceBus != nil {
		e.serviceBus.Close()
	}
	return errors.Join(errs...)
}

// Address is where a service is reached, as HOST:PORT; "" when it is left out.
func (e *Emulator) Address(s Service) string {
	host, port, err := net.SplitHostPort(e.addresses[s])
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost" // which is where it is reached for sure
	}
	return net.JoinHostPort(host, port)
}

// ConnectionString is what clients of the Service Bus or of the Event Hubs are
// configured with; "" when it is left out. Without its last part, and trusting
// the certificate, they speak TLS.
func (e *Emulator) ConnectionString(s Service) string {
	address := e.Address(s)
	if address == "" || s != ServiceBus && s != EventHubs {
		return ""
	}
	return "Endpoint=sb://" + address + ";SharedAccessKeyName=" + KeyName + ";SharedAccessKey=" + e.Key() + ";UseDevelopmentEmulator=true"
}

// TopicEndpoint is what publishers to an Event Grid topic are configured with,
// beside the [Emulator.Key]; "" when Event Grid is left out. Without a name it
// is that of the first topic.
func (e *Emulator) TopicEndpoint(topic string) string {
	address := e.Address(EventGrid)
	switch {
	case address == "":
		return ""
	case topic == "":
		return "https://" + address + "/api/events"
	}
	return "https://" + address + "/" + topic + "/api/events"
}

// Key is the shared access key.
func (e *Emulator) Key() string { return cmp.Or(e.key, AnyKey) }

// CertificatePEM is the certificate that clients must trust.
func (e *Emulator) CertificatePEM() []byte { return append([]byte(nil), e.cert.PEM...) }

// ControlURL is the address of the HTTP API; "" when it is left out.
func (e *Emulator) ControlURL() string {
	if address := e.Address(Control); address != "" {
		return "http://" + address
	}
	return ""
}
