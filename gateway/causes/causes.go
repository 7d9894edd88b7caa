// Package causes groups dead letters by their cause.
//
// An [Index] knows of every letter where it lies, when and why it was given up,
// in some forty bytes: what tells one letter's reason from another's, such as
// numbers and ids, is folded away by [Fold]. The letters themselves stay on disk.
package causes

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
)

// Bounds of an index: what is beyond them is in the group of what has no group.
const (
	maxGroups = 10_000 // by endpoint and cause
	maxRoutes = 1 << 16
)

// other is the cause of letters that have no group of their own.
const other = "other causes"

// Index groups letters. Its methods may be called from any goroutine.
type Index struct {
	mu      sync.Mutex // guards what follows
	records []record   // by reference; those of letters that are gone have no group
	gone    int        // of them
	groups  []*group   // by number; the first is none
	byKey   map[key]uint32
	routes  []string
	byRoute map[string]uint32
	kept    map[string]uint64 // by endpoint: letters that were put, since the start
}

// record is one letter.
type record struct {
	seq   uint64
	dead  int64 // when it was given up, in milliseconds since 1970
	index uint32
	group uint32
	route uint32
}

func (r record) ref() delivery.Ref { return delivery.Ref{Seq: r.seq, Index: int(r.index)} }

type key struct{ endpoint, cause string }

// group is what the letters of one cause have in common.
type group struct {
	key
	id      string
	latest  int64
	example string // the reason of the latest letter
}

// NewIndex returns an index of no letters.
func NewIndex() *Index {
	return &Index{groups: []*group{nil}, byKey: map[key]uint32{}, byRoute: map[string]uint32{}, kept: map[string]uint64{}}
}

// Put adds a letter, unless it is there.
func (x *Index) Put(k delivery.Kept) {
	cause := Fold(k.Reason)
	x.mu.Lock()
	defer x.mu.Unlock()
	r := record{seq: k.Ref.Seq, index: uint32(k.Ref.Index), dead: k.DeadAt.UnixMilli()}
	at, there := x.find(k.Ref)
	if there && x.records[at].group != 0 {
		return
	}
	r.group = x.groupOf(key{k.Delivery.Endpoint, cause})
	r.route = x.routeOf(k.Delivery.Route)
	if g := x.groups[r.group]; r.dead >= g.latest {
		g.latest, g.example = r.dead, clip(k.Reason)
	}
	if there {
		x.records[at] = r
		x.gone--
		return
	}
	// Letters come almost in order, so that few are moved.
	x.records = slices.Insert(x.records, at, r)
}

// Kept counts a letter that was put, for the rates.
func (x *Index) Kept(endpoint string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.kept[endpoint]++
}

// Remove forgets a letter.
func (x *Index) Remove(ref delivery.Ref) {
	x.mu.Lock()
	defer x.mu.Unlock()
	at, there := x.find(ref)
	if !there || x.records[at].group == 0 {
		return
	}
	x.records[at].group = 0
	if x.gone++; x.gone > 1024 && x.gone > len(x.records)/2 {
		x.compact()
	}
}

// find is the place of ref, and whether it is there.
func (x *Index) find(ref delivery.Ref) (int, bool) {
	if n := len(x.records); n == 0 || x.records[n-1].ref().Compare(ref) < 0 {
		return n, false
	}
	return slices.BinarySearchFunc(x.records, ref, func(r record, ref delivery.Ref) int { return r.ref().Compare(ref) })
}

// compact drops what letters that are gone left behind: their records, and the
// groups and routes that no letter is of.
func (x *Index) compact() {
	records, groups, routes, byKey, byRoute := x.records, x.groups, x.routes, x.byKey, x.byRoute
	x.groups, x.byKey = []*group{nil}, make(map[key]uint32, len(byKey))
	x.routes, x.byRoute = nil, make(map[string]uint32, len(byRoute))
	kept := make([]record, 0, len(records)-x.gone)
	for _, r := range records {
		if r.group == 0 {
			continue
		}
		g := groups[r.group]
		r.group, r.route = x.groupOf(g.key), x.routeOf(routes[r.route])
		x.groups[r.group].latest, x.groups[r.group].example = g.latest, g.example
		kept = append(kept, r)
	}
	x.records, x.gone = kept, 0
}

func (x *Index) groupOf(k key) uint32 {
	n, ok := x.byKey[k]
	if ok {
		return n
	}
	if len(x.groups) > maxGroups && k.cause != other {
		return x.groupOf(key{k.endpoint, other})
	}
	n = uint32(len(x.groups))
	x.groups = append(x.groups, &group{key: k, id: k.id()})
	x.byKey[k] = n
	return n
}

// id names a group by what makes it one, so that it is the same after a restart.
func (k key) id() string {
	sum := sha256.Sum256([]byte(k.endpoint + "\x00" + k.cause))
	return hex.EncodeToString(sum[:6])
}

func (x *Index) routeOf(route string) uint32 {
	n, ok := x.byRoute[route]
	switch {
	case ok:
		return n
	case len(x.routes) >= maxRoutes:
		return 0 // nobody has letters of so many
	}
	n = uint32(len(x.routes))
	x.routes = append(x.routes, route)
	x.byRoute[route] = n
	return n
}

// Group is the letters of one endpoint with one cause.
type Group struct {
	ID, Endpoint, Cause string
	Example             string // the reason of a letter, as it is
	Count               int
	Routes              []RouteCount // the most first
	First, Last         time.Time
	Series              []int // letters in each of the steps that were asked for
}

// RouteCount is how many letters are of a route.
type RouteCount struct {
	Route string
	Count int
}

// Listed is what an index holds.
type Listed struct {
	Groups  []Group      // the largest first
	Letters int          // in all of them
	Newest  delivery.Ref // the latest of them; zero when there is none
	From    time.Time
	Step    time.Duration // of the series
}

// maxRouteCounts bounds the routes that are told of one group.
const maxRouteCounts = 20

// List returns the groups of an endpoint, or of all where that is "", with series
// of so many steps from the first letter to now.
func (x *Index) List(endpoint string, steps int, now time.Time) Listed {
	x.mu.Lock()
	defer x.mu.Unlock()
	wanted := make([]bool, len(x.groups))
	for i, g := range x.groups {
		wanted[i] = g != nil && (endpoint == "" || g.endpoint == endpoint)
	}
	first := now.UnixMilli()
	for _, r := range x.records {
		if wanted[r.group] {
			first = min(first, r.dead)
		}
	}
	step := max((now.UnixMilli()-first)/int64(steps)+1, 1000)
	counted := make([]counted, len(x.groups))
	out := Listed{Groups: []Group{}, From: time.UnixMilli(first).UTC(), Step: time.Duration(step) * time.Millisecond}
	for _, r := range x.records {
		if wanted[r.group] {
			counted[r.group].add(r, min(int((r.dead-first)/step), steps-1), steps)
			out.Letters++
			out.Newest = r.ref()
		}
	}
	for i, c := range counted {
		if c.n > 0 {
			out.Groups = append(out.Groups, c.group(x.groups[i], x.routes))
		}
	}
	slices.SortFunc(out.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), b.Last.Compare(a.Last), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// counted is a group while it is counted.
type counted struct {
	n           int
	first, last int64
	routes      map[uint32]int
	series      []int
}

func (c *counted) add(r record, step, steps int) {
	if c.n == 0 {
		c.first, c.last, c.routes, c.series = r.dead, r.dead, map[uint32]int{}, make([]int, steps)
	}
	c.n++
	c.first, c.last = min(c.first, r.dead), max(c.last, r.dead)
	c.routes[r.route]++
	c.series[step]++
}

func (c *counted) group(g *group, routes []string) Group {
	out := Group{
		ID: g.id, Endpoint: g.endpoint, Cause: g.cause, Example: g.example, Count: c.n, Series: c.series,
		First: time.UnixMilli(c.first).UTC(), Last: time.UnixMilli(c.last).UTC(),
	}
	for route, n := range c.routes {
		out.Routes = append(out.Routes, RouteCount{routes[route], n})
	}
	slices.SortFunc(out.Routes, func(a, b RouteCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Route, b.Route))
	})
	out.Routes = out.Routes[:min(len(out.Routes), maxRouteCounts)]
	return out
}

// Letters returns up to limit letters behind after of the group with the id, in
// order; 0 sets no limit. It reports false when there is no such group.
func (x *Index) Letters(id string, after delivery.Ref, limit int) ([]delivery.Ref, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	number := slices.IndexFunc(x.groups, func(g *group) bool { return g != nil && g.id == id })
	if number < 0 {
		return nil, false
	}
	from, there := x.find(after)
	if there {
		from++
	}
	var refs []delivery.Ref
	for _, r := range x.records[from:] {
		if r.group == uint32(number) {
			if refs = append(refs, r.ref()); len(refs) == limit {
				break
			}
		}
	}
	return refs, true
}

// Kepts is how many letters of each endpoint were put since the start.
func (x *Index) Kepts() map[string]uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := make(map[string]uint64, len(x.kept))
	for name, n := range x.kept {
		out[name] = n
	}
	return out
}
