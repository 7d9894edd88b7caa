package amqp

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

// Point is where something can go wrong.
type Point string

// The points, in the order of a message's life. What a fault's fields mean at
// each is said here; fields that are not named do nothing there.
const (
	// SignIn: the client signs in, by SASL. Error refuses it, Drop hangs up.
	SignIn Point = "sign-in"
	// PutToken: a token is put to $cbs, for an address. Error answers 401, or Status.
	PutToken Point = "put-token"
	// Attach: a link is attached. Error refuses it, Delay delays the answer.
	Attach Point = "attach"
	// Transfer: a client's message came and the broker has not seen it. Error
	// rejects it, Detach detaches the link.
	Transfer Point = "transfer"
	// Settle: the broker has decided on a client's message (it may hold it),
	// and the client does not know. Error tells the client that it is rejected,
	// Detach detaches the link before it is told, Delay tells it later.
	Settle Point = "settle"
	// Deliver: the broker sends a message, and the client does not get it.
	// Detach detaches the link.
	Deliver Point = "deliver"
	// Respond: the client said what became of a message and the broker has
	// not seen it. Error answers that it is rejected, Detach detaches the link,
	// Delay lets the broker see it later.
	Respond Point = "respond"
	// Confirm: the broker answers that outcome, and the client does not know.
	// Error answers that it is rejected, Detach detaches the link, Delay
	// answers later.
	Confirm Point = "confirm"
)

// Fault is what goes wrong. Drop cuts the connection, at every point.
type Fault struct {
	Error  *Error        // the refusal, or why the link is detached
	Detach bool          // detach the link, for Error or else amqp:link:detach-forced
	Drop   bool          // cut the connection
	Delay  time.Duration // do it that much later
	Status int           // of an answer with Error; 0 is 401
}

// Rule says when a fault happens: at Point, on links to Address or below it
// ("": on all), after Skip times, and then Times times (0: always). Links to a node
// $cbs or $management are meant only when Address ends in its name, except at
// PutToken, where the address is the one that the token claims.
type Rule struct {
	Name    string // of the rule, for those who ask for [Faults.Rules]
	Point   Point
	Address string
	Skip    int
	Times   int
	Fault   Fault
}

// Faults is a set of rules that can change while a server runs. The zero
// value has none.
type Faults struct {
	mu    sync.Mutex
	rules []Rule
}

// Add adds a rule. Of several that fit, the first that was added happens.
func (f *Faults) Add(r Rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, r)
}

// Clear removes every rule.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = nil
}

// Rules returns the rules that are left, with what is left of them.
func (f *Faults) Rules() []Rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.rules)
}

// hit returns the fault that happens now, or none.
func (f *Faults) hit(p Point, address string) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.rules {
		r := &f.rules[i]
		if r.Point != p || !covers(r.Address, address) || p != PutToken && serving(address) && !serving(r.Address) {
			continue
		}
		if r.Skip > 0 {
			r.Skip--
			continue
		}
		fault := r.Fault
		if r.Times == 1 {
			f.rules = slices.Delete(f.rules, i, i+1)
		} else if r.Times > 1 {
			r.Times--
		}
		return fault
	}
	return Fault{}
}

var errDropped = errors.New("amqp: a fault dropped the connection")

// reason is why a fault detaches a link.
func (f Fault) reason() *Error {
	if f.Error != nil {
		return f.Error
	}
	return Errorf(DetachForced, "the link was detached by a fault")
}

// serving tells whether an address is that of a node which serves the others.
func serving(address string) bool {
	last := address[strings.LastIndexByte(address, '/')+1:]
	return last == cbs || strings.EqualFold(last, "$management")
}

// covers tells whether address is scope or below it, whatever the case, as
// entity names have none.
func covers(scope, address string) bool {
	scope, address = strings.Trim(scope, "/"), strings.Trim(address, "/")
	if scope == "" {
		return true
	}
	return len(address) >= len(scope) && strings.EqualFold(address[:len(scope)], scope) &&
		(len(address) == len(scope) || address[len(scope)] == '/')
}
