package store

import (
	"bytes"
	"slices"

	"github.com/headgate/headgate/gateway/catalog"
)

// PutSource stores s, whose Meta it sets, and reports whether it is new. A
// source that is stored just so keeps its revision. What kind of source it is,
// and whether its settings are valid, is the caller's to know.
//
// Errors: a [*catalog.ConflictError] when pre does not hold.
func (tx *Tx) PutSource(s catalog.Source, pre catalog.Precondition) (catalog.Source, bool, error) {
	old, exists := tx.snap.Source(s.Name)
	if err := pre.Check("source", s.Name, old.Revision); err != nil {
		return catalog.Source{}, false, err
	}
	if exists && old.Same(s) {
		return old, false, nil
	}
	s.Meta = tx.meta(old.Meta)
	if err := put(tx.btx.Bucket(sourceBucket), []byte(s.Name), s); err != nil {
		return catalog.Source{}, false, err
	}
	tx.snap.Sources = set(own(&tx.ownSources, tx.snap.Sources), s)
	return s, !exists, record(tx, "source", s.Name, &s, exists)
}

// DeleteSource removes the source called name, and its checkpoints.
//
// Errors: a [*catalog.NotFoundError]; a [*catalog.ConflictError] when pre does
// not hold.
func (tx *Tx) DeleteSource(name string, pre catalog.Precondition) error {
	old, exists := tx.snap.Source(name)
	if !exists {
		return &catalog.NotFoundError{Kind: "source", Name: name}
	}
	if err := pre.Check("source", name, old.Revision); err != nil {
		return err
	}
	if err := tx.btx.Bucket(sourceBucket).Delete([]byte(name)); err != nil {
		return err
	}
	for part := range tx.Checkpoints(name) {
		if err := tx.btx.Bucket(checkpointBucket).Delete(checkpointKey(name, part)); err != nil {
			return err
		}
	}
	tx.touch()
	tx.snap.Sources = unset(own(&tx.ownSources, tx.snap.Sources), name)
	return record[catalog.Source](tx, "source", name, nil, true)
}

// SourceHistory returns the states that the source called name has had, with
// their secrets, the latest first.
func (tx *Tx) SourceHistory(name string) ([]catalog.Revision[catalog.Source], error) {
	return history[catalog.Source](tx, "source", name)
}

// Checkpoints returns how far the parts of the source were read.
func (tx *Tx) Checkpoints(source string) map[string][]byte {
	all := map[string][]byte{}
	prefix := checkpointKey(source, "")
	_ = eachUnder(tx.btx.Bucket(checkpointBucket), prefix, func(k, v []byte) error {
		all[string(bytes.TrimPrefix(k, prefix))] = slices.Clone(v)
		return nil
	})
	return all
}

// PutCheckpoint keeps how far a part of the source was read. It is no change of
// the catalog.
//
// Errors: a [*catalog.NotFoundError] of a source that was deleted.
func (tx *Tx) PutCheckpoint(source, part string, value []byte) error {
	if _, exists := tx.snap.Source(source); !exists {
		return &catalog.NotFoundError{Kind: "source", Name: source}
	}
	return tx.btx.Bucket(checkpointBucket).Put(checkpointKey(source, part), value)
}

func checkpointKey(source, part string) []byte {
	return slices.Concat([]byte(source), []byte{0}, []byte(part))
}
