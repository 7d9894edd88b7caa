package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/headgate/headgate/gateway/catalog"
)

// How much of the past is kept.
const (
	MaxHistory    = 100     // states of each route and endpoint
	MaxAudit      = 10_000  // entries of the audit log
	MaxProvenance = 100_000 // values of producedby that can be resolved
	// deletedHistory is what a resource keeps that is gone.
	deletedHistory = 10
)

// record writes a state of a resource into its history, nil for its deletion,
// and into the audit log.
func record[T any](tx *Tx, kind, key string, state *T, existed bool) error {
	rev := catalog.Revision[T]{Revision: tx.snap.Revision, At: tx.now, By: tx.By, State: state, Deleted: state == nil}
	action, keep := "create", MaxHistory
	if state == nil {
		action, keep = "delete", deletedHistory
	} else if existed {
		action = "replace"
	}
	prefix := historyKey(kind, key)
	bucket := tx.btx.Bucket(historyBucket)
	if err := put(bucket, append(prefix, number(tx.snap.Revision)...), rev); err != nil {
		return err
	}
	if err := trim(bucket, prefix, keep); err != nil {
		return err
	}
	return tx.audit(action, kind, key, "")
}

func historyKey(kind, key string) []byte {
	return slices.Concat([]byte(kind), []byte{0}, []byte(key), []byte{0})
}

// trim removes the oldest entries under prefix until keep are left.
func trim(b *bolt.Bucket, prefix []byte, keep int) error {
	var keys [][]byte
	err := eachUnder(b, prefix, func(k, _ []byte) error {
		keys = append(keys, slices.Clone(k))
		return nil
	})
	if err != nil {
		return err
	}
	for len(keys) > keep {
		if err := b.Delete(keys[0]); err != nil {
			return err
		}
		keys = keys[1:]
	}
	return nil
}

// eachUnder calls fn for each key that begins with prefix, ascending.
func eachUnder(b *bolt.Bucket, prefix []byte, fn func(k, v []byte) error) error {
	c := b.Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if err := fn(k, v); err != nil {
			return err
		}
	}
	return nil
}

// RouteHistory returns the states that the route with the id has had, the
// latest first: at most [MaxHistory], fewer of one that was deleted.
func (tx *Tx) RouteHistory(id string) ([]catalog.Revision[catalog.Route], error) {
	return history[catalog.Route](tx, "route", id)
}

// EndpointHistory returns the states that the endpoint called name has had,
// with their secrets, the latest first.
func (tx *Tx) EndpointHistory(name string) ([]catalog.Revision[catalog.Endpoint], error) {
	return history[catalog.Endpoint](tx, "endpoint", name)
}

func history[T any](tx *Tx, kind, key string) ([]catalog.Revision[T], error) {
	list := []catalog.Revision[T]{}
	err := eachUnder(tx.btx.Bucket(historyBucket), historyKey(kind, key), func(_, v []byte) error {
		var r catalog.Revision[T]
		if err := json.Unmarshal(v, &r); err != nil {
			return fmt.Errorf("history of %s %q: %w", kind, key, ErrDamaged)
		}
		list = append(list, r)
		return nil
	})
	slices.Reverse(list)
	return list, err
}

// audit notes a change in the audit log, and drops the oldest entry when the
// log is full.
func (tx *Tx) audit(action, kind, name, detail string) error {
	entry := catalog.AuditEntry{
		Revision: tx.snap.Revision, At: tx.now, By: tx.By,
		Action: action, Kind: kind, Name: name, Detail: detail,
	}
	b := tx.btx.Bucket(auditBucket)
	n, err := b.NextSequence()
	if err != nil {
		return err
	}
	if n > MaxAudit {
		if err := b.Delete(number(n - MaxAudit)); err != nil {
			return err
		}
	}
	return put(b, number(n), entry)
}

// Audit returns up to limit entries of the audit log, the latest first.
func (tx *Tx) Audit(limit int) ([]catalog.AuditEntry, error) {
	list := []catalog.AuditEntry{}
	c := tx.btx.Bucket(auditBucket).Cursor()
	for k, v := c.Last(); k != nil && len(list) < limit; k, v = c.Prev() {
		var e catalog.AuditEntry
		if err := json.Unmarshal(v, &e); err != nil {
			return nil, fmt.Errorf("audit log: %w", ErrDamaged)
		}
		list = append(list, e)
	}
	return list, nil
}

// RecordProvenance keeps p under its ID, unless it is there already; of more
// than [MaxProvenance] the oldest go. It is no change of the catalog.
func (tx *Tx) RecordProvenance(p catalog.Provenance) error {
	p.ProducedBy = p.ID()
	b, order := tx.btx.Bucket(provenanceBucket), tx.btx.Bucket(sinceBucket)
	key := []byte(p.ProducedBy)
	if b.Get(key) != nil {
		return nil
	}
	p.Since = tx.now
	n, err := order.NextSequence()
	if err != nil {
		return err
	}
	if n > MaxProvenance {
		old := number(n - MaxProvenance)
		if err := b.Delete(order.Get(old)); err != nil {
			return err
		}
		if err := order.Delete(old); err != nil {
			return err
		}
	}
	if err := order.Put(number(n), key); err != nil {
		return err
	}
	return put(b, key, p)
}

// Provenance resolves a value of producedby.
//
// Errors: a [*catalog.NotFoundError].
func (tx *Tx) Provenance(id string) (catalog.Provenance, error) {
	var p catalog.Provenance
	b := tx.btx.Bucket(provenanceBucket).Get([]byte(id))
	if b == nil {
		return p, &catalog.NotFoundError{Kind: "provenance", Name: id}
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return p, fmt.Errorf("provenance %q: %w", id, ErrDamaged)
	}
	return p, nil
}
