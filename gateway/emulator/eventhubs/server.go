// Package eventhubs is an in-memory Event Hubs namespace for demos and tests:
// hubs of partitions, to which the official clients send batches and from which
// they read by consumer group, over the server of package amqp.
//
// What it keeps to is what the clients rely on: addresses, annotations and
// their types, batches that count wholly or not at all, starting positions,
// epochs, the management node, the conditions of errors. What it does not have
// is what only the service has: throughput limits, retention by age, capture,
// its hash of partition keys (here one key leads to one partition, but not to
// the same one as there), geo-replication, publishers' addresses.
package eventhubs

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/headgate/headgate/gateway/emulator/amqp"
)

// Options are what a namespace may be told. The zero value works.
type Options struct {
	Hubs       []Hub  // that are there at the start
	Declared   bool   // those are all: others are not created on first use
	Partitions int    // of a hub that does not say; 4
	MaxSize    uint64 // of a batch, in bytes; 1 MiB
	KeepBytes  int    // of a partition's newest events, about; 64 MiB

	// AMQP is how the server speaks. Its Faults may be shared with the caller;
	// MaxMessageSize is MaxSize here.
	AMQP amqp.Options
}

// Hub is an event hub as it is declared.
type Hub struct {
	Name       string   `json:"name"`
	Partitions int      `json:"partitions,omitempty"`
	Groups     []string `json:"consumerGroups,omitempty"` // besides $Default; nil for any
}

// Server is a namespace. It needs no closing.
type Server struct {
	o          Options
	amqp       *amqp.Server
	management *amqp.Requests

	mu   sync.Mutex
	hubs map[string]*hub // by name in lower case, as names have none
}

// hub is one event hub. It does not change, but for what mu guards.
type hub struct {
	Hub
	created    time.Time
	max        uint64 // on the size of a batch
	partitions []*partition

	mu    sync.Mutex
	next  int    // the partition of the next batch without a key
	limit uint64 // on the size of a batch, by a fault; 0 for none but max
}

const maxPartitions = 1024 // as many as any tier of the service has

// New returns a namespace of the hubs that o declares.
func New(o Options) (*Server, error) {
	o.Partitions = cmp.Or(o.Partitions, 4)
	o.MaxSize = cmp.Or(o.MaxSize, 1<<20)
	o.KeepBytes = cmp.Or(o.KeepBytes, 64<<20)
	if o.AMQP.Faults == nil {
		o.AMQP.Faults = &amqp.Faults{}
	}
	s := &Server{o: o, hubs: map[string]*hub{}}
	s.management = amqp.NewRequests(s.manage)
	s.amqp = amqp.NewServer(s, o.AMQP)
	for _, h := range o.Hubs {
		if err := s.Declare(h); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Serve serves clients that connect to ln until ctx ends; see [amqp.Server.Serve].
func (s *Server) Serve(ctx context.Context, ln net.Listener) error { return s.amqp.Serve(ctx, ln) }

// Declare adds a hub. It fails when there is one of that name, or when its
// name or number of partitions cannot be.
func (s *Server) Declare(h Hub) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.declare(h)
	return err
}

func (s *Server) declare(h Hub) (*hub, error) {
	key := strings.ToLower(h.Name)
	h.Partitions = cmp.Or(h.Partitions, s.o.Partitions)
	switch {
	case h.Name == "" || len(h.Name) > 256 || strings.ContainsAny(h.Name, "/$"):
		return nil, fmt.Errorf("event hub %q: not a name", h.Name)
	case h.Partitions < 1 || h.Partitions > maxPartitions:
		return nil, fmt.Errorf("event hub %q: %d partitions, want 1 to %d", h.Name, h.Partitions, maxPartitions)
	case s.hubs[key] != nil:
		return nil, fmt.Errorf("event hub %q: is there already", h.Name)
	}
	made := &hub{Hub: h, created: time.Now(), max: s.o.MaxSize}
	for i := range h.Partitions {
		made.partitions = append(made.partitions, &partition{id: strconv.Itoa(i), keep: s.o.KeepBytes})
	}
	s.hubs[key] = made
	return made, nil
}

// hub returns the hub of that name, and creates it if that is how this
// namespace works.
func (s *Server) hub(name string) (*hub, *amqp.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.hubs[strings.ToLower(name)]; h != nil {
		return h, nil
	}
	if !s.o.Declared {
		if h, err := s.declare(Hub{Name: name}); err == nil {
			return h, nil
		}
	}
	return nil, amqp.Errorf(amqp.NotFound, "the event hub %q could not be found", name)
}

// Attach takes links to a hub, its partitions, and the management node, as
// [amqp.Handler].
func (s *Server) Attach(ctx context.Context, l *amqp.Link) error {
	path := strings.Split(strings.Trim(l.Address(), "/"), "/")
	if path[len(path)-1] == "$management" && len(path) <= 2 {
		return s.management.Attach(ctx, l)
	}
	h, err := s.hub(path[0])
	if err != nil {
		return err
	}
	l.SetMaxMessageSize(h.max)
	l.SetTolerance(h.max)
	rest := path[1:]
	switch {
	case l.Sends() && len(rest) == 0:
		return h.produce(l, nil)
	case l.Sends() && len(rest) == 2 && strings.EqualFold(rest[0], "Partitions"):
		p, err := h.partition(rest[1])
		if err != nil {
			return err
		}
		return h.produce(l, p)
	case !l.Sends() && len(rest) == 4 && strings.EqualFold(rest[0], "ConsumerGroups") && strings.EqualFold(rest[2], "Partitions"):
		p, err := h.partition(rest[3])
		if err != nil {
			return err
		}
		if !h.hasGroup(rest[1]) {
			return amqp.Errorf(amqp.NotFound, "the event hub %q has no consumer group %q", h.Name, rest[1])
		}
		return p.consume(l, strings.ToLower(rest[1]))
	}
	return amqp.Errorf(amqp.NotFound, "there is no entity %q", l.Address())
}

func (h *hub) partition(id string) (*partition, *amqp.Error) {
	i, err := strconv.Atoi(id)
	if err != nil || i < 0 || i >= len(h.partitions) {
		return nil, amqp.Errorf("com.microsoft:argument-out-of-range",
			"the event hub %q has no partition %q: it has 0 to %d", h.Name, id, len(h.partitions)-1)
	}
	return h.partitions[i], nil
}

func (h *hub) hasGroup(name string) bool {
	return h.Groups == nil || strings.EqualFold(name, "$Default") ||
		slices.ContainsFunc(h.Groups, func(g string) bool { return strings.EqualFold(g, name) })
}
