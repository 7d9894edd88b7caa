// Package adt serves the gateway's routes and endpoints as Azure Digital Twins
// serves its own, so that the clients of that service work unmodified: event
// routes at /eventroutes, and endpoints at their paths of Azure Resource
// Manager, under /subscriptions.
//
// The resources are those of the control API. What these two APIs cannot say
// of a resource (plugins, delivery settings) is left as it is by a change that
// comes through them.
package adt

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/headgate/headgate/gateway/catalog"
)

// Catalog is what is configured and in force.
type Catalog interface {
	Snapshot() catalog.Snapshot
}

// Change says who asks for a change, and what it expects to find.
type Change struct {
	By string
	If catalog.Precondition
}

// Routes changes routes. A fault of one is a [*catalog.FieldError]: of "filter"
// with the place of a syntax error in its reason, of "endpointName" when there
// is no such endpoint. What was changed is in force when a method returns.
type Routes interface {
	PutRoute(ctx context.Context, by Change, r catalog.Route) error
	DeleteRoute(ctx context.Context, by Change, id string) error
}

// Endpoints changes endpoints. A fault of a setting is a [*catalog.FieldError]
// of "settings.NAME". What was changed is in force when a method returns.
type Endpoints interface {
	PutEndpoint(ctx context.Context, by Change, e catalog.Endpoint) (stored catalog.Endpoint, created bool, err error)
	DeleteEndpoint(ctx context.Context, by Change, name string) error
}

// Backend is what the two APIs stand on; every member is required.
type Backend struct {
	Catalog   Catalog
	Routes    Routes
	Endpoints Endpoints
}

// Options are what a [Server] can do without.
type Options struct {
	// MaxRoutes bounds the routes that can be made at /eventroutes, counting all
	// there are; 0 means 100,000.
	MaxRoutes int
	// Logger gets the errors that are answered with 500; nil discards them.
	Logger *slog.Logger
	// Actor says who sent a request, for the history; nil says nobody.
	Actor func(*http.Request) string
}

// Server serves both APIs. It is safe for concurrent use.
type Server struct {
	Backend
	opts       Options
	operations operations
	// creating is held from counting the routes to adding one.
	creating sync.Mutex
}

// New returns a server over b.
func New(b Backend, o Options) *Server {
	if o.MaxRoutes == 0 {
		o.MaxRoutes = 100_000
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Actor == nil {
		o.Actor = func(*http.Request) string { return "" }
	}
	return &Server{Backend: b, opts: o}
}

// Wrap returns a handler that answers the requests that are for s, and passes
// the others on to next. Who may send them is the caller's to decide before.
//
// The fixed segments of a path match without regard to case, as clients, the
// documentation and the service itself write them differently.
func (s *Server) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		switch {
		case strings.EqualFold(first, "eventroutes"):
			s.answer(w, r, s.serveRoutes)
		case strings.EqualFold(first, "subscriptions"):
			s.answer(w, r, s.serveARM)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// segments takes the path of r apart, each part unescaped once: an escaped
// slash is part of a name. A slash at the end is no part.
func segments(r *http.Request) ([]string, error) {
	parts := strings.Split(strings.TrimSuffix(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/"), "/")
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil {
			return nil, refuse(http.StatusBadRequest, codeArgument, "The path holds an escape that is none: "+part)
		}
		parts[i] = plain
	}
	return parts, nil
}

func (s *Server) change(r *http.Request) Change { return Change{By: s.opts.Actor(r)} }
