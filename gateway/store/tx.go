package store

import (
	"cmp"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/headgate/headgate/gateway/catalog"
)

// Tx is a transaction. It is valid until the function that got it returns,
// and is for one goroutine.
//
// Get by way of [Tx.Snapshot], which shows the transaction's own changes.
type Tx struct {
	// By says who changes the catalog, for its history.
	By string

	btx  *bolt.Tx
	snap catalog.Snapshot
	base uint64 // the revision before
	now  time.Time

	// The slices of snap that this transaction has copied, and so may change.
	ownEndpoints, ownRoutes, ownPlugins, ownSources bool
}

// Snapshot returns the catalog with the transaction's changes so far: what
// will be in force when it commits. It stays as it is.
func (tx *Tx) Snapshot() catalog.Snapshot {
	tx.ownEndpoints, tx.ownRoutes, tx.ownPlugins, tx.ownSources = false, false, false, false
	return tx.snap
}

// touch returns the revision of what this transaction changes: one more than
// the catalog had.
func (tx *Tx) touch() uint64 {
	tx.snap.Revision = tx.base + 1
	return tx.snap.Revision
}

// finish writes what belongs to the transaction as a whole.
func (tx *Tx) finish() error {
	if tx.snap.Revision == tx.base {
		return nil
	}
	return tx.btx.Bucket(metaBucket).Put(revisionKey, number(tx.snap.Revision))
}

// meta returns what the store says of a resource that changes now.
func (tx *Tx) meta(old catalog.Meta) catalog.Meta {
	m := catalog.Meta{Revision: tx.touch(), CreatedAt: old.CreatedAt, UpdatedAt: tx.now}
	if old.Revision == 0 {
		m.CreatedAt = tx.now
	}
	return m
}

// PutEndpoint stores e, whose Meta it sets, and reports whether it is new. An
// endpoint that is stored just so keeps its revision. What kind of endpoint it
// is, and whether its settings are valid, is the caller's to know.
//
// Errors: a [*catalog.ConflictError] when pre does not hold.
func (tx *Tx) PutEndpoint(e catalog.Endpoint, pre catalog.Precondition) (catalog.Endpoint, bool, error) {
	e = e.WithDefaults()
	old, exists := tx.snap.Endpoint(e.Name)
	if err := pre.Check("endpoint", e.Name, old.Revision); err != nil {
		return catalog.Endpoint{}, false, err
	}
	if exists && old.Same(e) {
		return old, false, nil
	}
	e.Meta = tx.meta(old.Meta)
	if err := put(tx.btx.Bucket(endpointBucket), []byte(e.Name), e); err != nil {
		return catalog.Endpoint{}, false, err
	}
	tx.snap.Endpoints = set(own(&tx.ownEndpoints, tx.snap.Endpoints), e)
	return e, !exists, record(tx, "endpoint", e.Name, &e, exists)
}

// DeleteEndpoint removes the endpoint called name.
//
// Errors: a [*catalog.NotFoundError]; a [*catalog.ConflictError] when pre does
// not hold; a [*catalog.InUseError] that names the routes to it.
func (tx *Tx) DeleteEndpoint(name string, pre catalog.Precondition) error {
	old, exists := tx.snap.Endpoint(name)
	if !exists {
		return &catalog.NotFoundError{Kind: "endpoint", Name: name}
	}
	if err := pre.Check("endpoint", name, old.Revision); err != nil {
		return err
	}
	if users := tx.snap.UsersOfEndpoint(name); users != nil {
		return inUse("endpoint", name, users)
	}
	if err := tx.btx.Bucket(endpointBucket).Delete([]byte(name)); err != nil {
		return err
	}
	tx.touch()
	tx.snap.Endpoints = unset(own(&tx.ownEndpoints, tx.snap.Endpoints), name)
	return record[catalog.Endpoint](tx, "endpoint", name, nil, true)
}

// PutRoute stores r, whose Meta it sets, and reports whether it is new. A
// route that is stored just so keeps its revision. What its filter means is
// the caller's to know.
//
// Errors: a [*catalog.FieldError] for an endpoint or a plugin that does not
// exist, or a plugin of the wrong kind; a [*catalog.ConflictError] when pre
// does not hold.
func (tx *Tx) PutRoute(r catalog.Route, pre catalog.Precondition) (catalog.Route, bool, error) {
	r = r.WithDefaults()
	old, exists := tx.snap.Route(r.ID)
	if err := pre.Check("route", r.ID, old.Revision); err != nil {
		return catalog.Route{}, false, err
	}
	if err := tx.snap.CheckRoute(r); err != nil {
		return catalog.Route{}, false, err
	}
	if exists && old.Same(r) {
		return old, false, nil
	}
	r.Meta = tx.meta(old.Meta)
	if err := put(tx.btx.Bucket(routeBucket), []byte(r.ID), r); err != nil {
		return catalog.Route{}, false, err
	}
	tx.snap.Routes = set(own(&tx.ownRoutes, tx.snap.Routes), r)
	return r, !exists, record(tx, "route", r.ID, &r, exists)
}

// DeleteRoute removes the route with the id.
//
// Errors: a [*catalog.NotFoundError]; a [*catalog.ConflictError] when pre does
// not hold.
func (tx *Tx) DeleteRoute(id string, pre catalog.Precondition) error {
	old, exists := tx.snap.Route(id)
	if !exists {
		return &catalog.NotFoundError{Kind: "route", Name: id}
	}
	if err := pre.Check("route", id, old.Revision); err != nil {
		return err
	}
	if err := tx.btx.Bucket(routeBucket).Delete([]byte(id)); err != nil {
		return err
	}
	tx.touch()
	tx.snap.Routes = unset(own(&tx.ownRoutes, tx.snap.Routes), id)
	return record[catalog.Route](tx, "route", id, nil, true)
}

// Setting returns the value of a small setting of the gateway's own; nil when
// it was never put.
func (tx *Tx) Setting(name string) []byte {
	return slices.Clone(tx.btx.Bucket(settingBucket).Get([]byte(name)))
}

// PutSetting keeps a small setting. It is no change of the catalog.
func (tx *Tx) PutSetting(name string, value []byte) error {
	return tx.btx.Bucket(settingBucket).Put([]byte(name), value)
}

// inUse says that routes use the resource.
func inUse(kind, name string, routes []string) error {
	users := make([]string, len(routes))
	for i, id := range routes {
		users[i] = "route " + quoted(id)
	}
	return &catalog.InUseError{Kind: kind, Name: name, Users: users}
}

// own returns list as a copy that the transaction may change.
func own[T any](owned *bool, list []T) []T {
	if *owned {
		return list
	}
	*owned = true
	return append(make([]T, 0, len(list)+1), list...)
}

type keyed interface{ Key() string }

func position[T keyed](list []T, key string) (int, bool) {
	return slices.BinarySearchFunc(list, key, func(t T, k string) int { return cmp.Compare(t.Key(), k) })
}

func set[T keyed](list []T, t T) []T {
	i, ok := position(list, t.Key())
	if ok {
		list[i] = t
		return list
	}
	return slices.Insert(list, i, t)
}

func unset[T keyed](list []T, key string) []T {
	i, ok := position(list, key)
	if !ok {
		return list
	}
	return slices.Delete(list, i, i+1)
}
