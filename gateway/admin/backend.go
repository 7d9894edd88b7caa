package admin

import (
	"context"
	"encoding/json"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
)

// Backend is what the API stands on; every member is required. What a method
// changed is in force, for every event accepted afterwards, when it returns.
//
// Errors that a method returns become answers by their kind:
// [*catalog.FieldError] and [*event.FieldError] 400, [catalog.ErrNotFound] 404,
// [catalog.ErrInUse] 409, [catalog.ErrConflict] 412, an error with a method
// RetryAfter() time.Duration 503, another 500.
type Backend struct {
	Catalog   Catalog
	Endpoints Endpoints
	Sources   Sources
	Routes    Routes
	Tester    Tester
	Filters   Filters
	Explainer Explainer
	Plugins   Plugins
	Modules   Modules
	Plans     Plans
	Traps     Traps
	History   History
	Origins   Origins
	Letters   Letters
	Redrives  Redrives
	Replays   Replays
	Events    Events
	Status    Status
	Rates     Rates
	// LetterGroups and RedriveJobs look at dead letters as many.
	LetterGroups LetterGroups
	RedriveJobs  RedriveJobs
	Previews     Previews
	Twins        Twins
	PluginLooks  PluginLooks
	Settings     Settings
	Simulations  Simulations
	Emulator     Emulator // nil where nothing is emulated
	Tail         *Tail
}

// Change says who asks for a change, and what it expects to find.
type Change struct {
	By string
	If catalog.Precondition
}

// Catalog is what is configured and in force.
type Catalog interface {
	Snapshot() catalog.Snapshot
}

// Endpoints changes endpoints.
type Endpoints interface {
	// PutEndpoint creates or replaces the endpoint called e.Name, and reports
	// whether it is new. A "***" among e's secrets keeps the stored one.
	PutEndpoint(ctx context.Context, by Change, e catalog.Endpoint) (stored catalog.Endpoint, created bool, err error)
	DeleteEndpoint(ctx context.Context, by Change, name string) error
	// ProbeEndpoint tries an endpoint: without delivering anything, or by sending
	// it one event made for that.
	ProbeEndpoint(ctx context.Context, name string, send bool) (catalog.Probed, error)
	// EndpointAttempts returns the latest tries of an endpoint that are
	// remembered, newest first, or only those that failed; at most limit.
	EndpointAttempts(name string, failed bool, limit int) ([]catalog.EndpointAttempt, error)
	// BlockedKeys returns the keys whose first delivery holds up the others, those
	// first that hold up the most, at most limit.
	BlockedKeys(ctx context.Context, endpoint string, limit int) (catalog.BlockedKeys, error)
	// SkipDelivery makes the first delivery of a key a dead letter, so that the
	// others go on. One that holds up nothing is a [*catalog.NotFoundError], one
	// that is being tried a [*catalog.UnderWayError].
	SkipDelivery(ctx context.Context, endpoint string, n catalog.DeliveryName) (catalog.SkippedDelivery, error)
	// RetryEndpoint tries at once what rests between two tries.
	RetryEndpoint(endpoint string) (catalog.Retried, error)
}

// Routes changes routes.
type Routes interface {
	// PutRoute creates or replaces the route r.ID, and reports whether it is
	// new. A filter that does not parse is a [*catalog.FieldError] of "filter".
	PutRoute(ctx context.Context, by Change, r catalog.Route) (stored catalog.Route, created bool, err error)
	DeleteRoute(ctx context.Context, by Change, id string) error
}

// Tester tries a route out, on fresh instances of its plugins, and delivers
// nothing.
type Tester interface {
	// TestRoute returns a result for each event, in order. A fault of r is a
	// [*catalog.FieldError] with a path in r, such as "filter".
	TestRoute(ctx context.Context, r catalog.Route, events []event.Event) ([]catalog.TestResult, error)
}

// Filters helps to write filters.
type Filters interface {
	// ParseFilter says what is known of a text, whether it is a filter or not. A
	// fault of req itself is a [*catalog.FieldError].
	ParseFilter(ctx context.Context, req catalog.FilterRequest) (catalog.FilterCheck, error)
	// NewMatcher compiles a filter. A text that is none is a
	// [*catalog.FieldError] of "filter".
	NewMatcher(ctx context.Context, text string) (Matcher, error)
}

// Matcher tries events on a filter, for one goroutine, which closes it.
type Matcher interface {
	Matches(e *event.Event) bool
	Close() error
}

// Explainer says why events match routes or not. It delivers nothing; plugins run
// on instances of its own.
type Explainer interface {
	// ExplainEvent says what the routes in force make of an accepted event, and
	// where its deliveries are.
	ExplainEvent(ctx context.Context, q catalog.EventExplainQuery) (catalog.EventExplanation, error)
	// ExplainEvents says what the routes in force, or one of them, make of events
	// that nobody sent.
	ExplainEvents(ctx context.Context, route string, events []event.Event) ([]catalog.Explained, error)
	// ExplainRoute counts why the events of a part of the journal match a route or
	// do not.
	ExplainRoute(ctx context.Context, q catalog.ExplainQuery) (catalog.RouteExplanation, error)
}

// Plugins changes plugins.
type Plugins interface {
	// AddVersion tries module out, admits it as a version of the plugin called
	// name, unless it is a dry run, and reports whether it is new. A module that
	// cannot be one is a [*catalog.FieldError] that says why.
	AddVersion(ctx context.Context, by Change, name string, module []byte, dryRun bool) (v catalog.Admitted, created bool, err error)
	// PutPluginSettings replaces the settings of a plugin that exists.
	PutPluginSettings(ctx context.Context, by Change, name string, s catalog.PluginSettings) (catalog.Plugin, error)
	Activate(ctx context.Context, by Change, name string, version int) (catalog.Plugin, error)
	// DeletePlugin removes a version, or with version 0 the whole plugin.
	DeletePlugin(ctx context.Context, by Change, name string, version int) error
}

// Modules are the bytes of plugins.
type Modules interface {
	// Module returns the module with the digest, of a version that exists.
	Module(digest string) ([]byte, error)
}

// Plans changes the catalog as a whole, to what documents say.
type Plans interface {
	// PlanCatalog says what ApplyCatalog would do, and what it would mean for the
	// latest events. It changes nothing and delivers nothing.
	PlanCatalog(ctx context.Context, by Change, req catalog.ApplyRequest) (catalog.Planned, error)
	// ApplyCatalog makes all of the changes, or none. Faults of documents are
	// [*catalog.FieldError]s or [catalog.FieldErrors] with paths in the request,
	// such as "documents[2].spec.filter".
	ApplyCatalog(ctx context.Context, by Change, req catalog.ApplyRequest) (catalog.Planned, error)
	// Documents returns the catalog as documents, and its revision.
	Documents() ([]catalog.Document, uint64)
}

// Traps looks at the events on which plugins failed.
type Traps interface {
	// Traps lists those that are kept, the latest first.
	Traps() ([]catalog.Trap, error)
	// Trap returns the bundle with the id, by which the trap can be reproduced.
	Trap(id string) ([]byte, error)
}

// History is what was configured before.
type History interface {
	// EndpointHistory and RouteHistory return the latest state first, and
	// nothing for what never was.
	EndpointHistory(name string) ([]catalog.Revision[catalog.Endpoint], error)
	RouteHistory(id string) ([]catalog.Revision[catalog.Route], error)
	// Audit returns up to limit entries, the latest first.
	Audit(limit int) ([]catalog.AuditEntry, error)
}

// Origins resolves the values of the extension attribute producedby.
type Origins interface {
	Provenance(id string) (catalog.Provenance, error)
}

// LetterQuery asks for dead letters.
type LetterQuery struct {
	Endpoint string       // only those of this endpoint, unless empty
	Route    string       // only those of this route, unless empty
	Group    string       // only those of this group, unless empty
	After    delivery.Ref // only those behind this one
	Limit    int          // at most so many
}

// Letters looks at dead letters.
type Letters interface {
	// DeadLetters returns the first q.Limit of those that q asks for, in the
	// order of their ids; fewer only when there are no more.
	DeadLetters(ctx context.Context, q LetterQuery) ([]delivery.Kept, error)
	DeadLetter(ctx context.Context, id delivery.Ref) (delivery.Kept, error)
}

// Redrives decides what becomes of dead letters. An id that is no dead letter's
// is a [*catalog.NotFoundError], and then nothing is done.
type Redrives interface {
	// Redrive starts the delivery of the letters again and does not wait for it.
	Redrive(ctx context.Context, s catalog.Selection) (catalog.Redriven, error)
	// Purge removes the letters for good, and returns how many.
	Purge(ctx context.Context, s catalog.Selection) (int, error)
}

// Replays delivers events that the journal keeps once more.
type Replays interface {
	// Replay takes an endpoint back to the event at from, or to the first that
	// is kept, and does not wait for its deliveries. It is on disk when Replay
	// returns.
	Replay(ctx context.Context, endpoint string, from catalog.Bound) (catalog.Replay, error)
}

// Events looks at accepted events.
type Events interface {
	// Scan looks through part of the journal, within bounds of its own on the
	// events it looks at and on the bytes it returns, and says which part that
	// was.
	Scan(ctx context.Context, q catalog.EventQuery) (catalog.EventPage, error)
}

// Status says how the gateway is doing. The server fills in Tail.
type Status interface {
	Status(ctx context.Context) (catalog.Status, error)
}

// Rates is what was counted over time.
type Rates interface {
	// Rates returns what q asks for. What cannot be asked for is a
	// [*catalog.FieldError] of a parameter of the request.
	Rates(ctx context.Context, q catalog.RatesQuery) (catalog.Rates, error)
	// FollowRates returns a function that tells, each time it is called, what was
	// counted since it was called before, or since now.
	FollowRates(q catalog.RatesQuery) func() catalog.RatesTick
}

// GroupQuery asks for groups of dead letters.
type GroupQuery struct {
	Endpoint string // only those of this endpoint, unless empty
	Steps    int    // of their series
	Limit    int    // at most so many
}

// LetterGroups looks at dead letters by their cause.
type LetterGroups interface {
	LetterGroups(ctx context.Context, q GroupQuery) (catalog.LetterGroups, error)
}

// RedriveJobs looks at what [Redrives] started.
type RedriveJobs interface {
	// Redrives lists those that are under way and the latest that ended, the
	// latest first.
	Redrives() []catalog.RedriveJob
	RedriveJob(id string) (catalog.RedriveJob, error)
	// StopRedrive starts no more letters of a job; those under way go on.
	StopRedrive(id string) (catalog.RedriveJob, error)
}

// Previews says what redrives would do.
type Previews interface {
	// Preview runs the routes in force on the accepted events of dead letters,
	// on fresh instances of their plugins, and sends nothing.
	Preview(ctx context.Context, r catalog.PreviewRequest) (catalog.Preview, error)
}

// Twins looks at the events of one twin.
type Twins interface {
	// Twin looks through part of the journal from its end back, within bounds of
	// its own, and says which part that was.
	Twin(ctx context.Context, q catalog.TwinQuery) (catalog.TwinPage, error)
}

// LogQuery asks for what a plugin said.
type LogQuery struct {
	Plugin  string
	Version int    // only this one, unless 0
	Level   string // or above, unless empty
	Limit   int
}

// PluginLooks looks at what plugins do.
type PluginLooks interface {
	// VersionStats returns nil for a version that did nothing since the start.
	VersionStats(name string, version int) *catalog.VersionStats
	PluginLogs(q LogQuery) (catalog.PluginLogs, error)
	TrapGroups() ([]catalog.TrapGroup, error)
}

// Settings are those of the process.
type Settings interface {
	// Settings returns all of them, secrets masked.
	Settings() catalog.Settings
}

// Simulations lets simulated twins send events, for somebody who has none yet.
type Simulations interface {
	Simulation() catalog.Simulation
	// Simulate starts anew; twins that live already end.
	Simulate(catalog.SimulationRequest) catalog.Simulation
	// StopSimulation returns when the last event is accepted.
	StopSimulation()
}

// Emulator is what is emulated beside the gateway.
type Emulator interface {
	// Entities returns the entities of a service, of all where that is empty, or
	// the one of a name, each a JSON object with at most limit of its messages.
	Entities(service, name string, limit int) ([]json.RawMessage, error)
}
