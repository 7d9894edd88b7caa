package store_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/store"
)

func sourceOf(name, settings string) catalog.Source {
	return catalog.Source{Name: name, Kind: "serviceBus", Settings: json.RawMessage(settings), Enabled: true}
}

// TestSources holds sources to what other resources do, and their checkpoints to
// their sources, across a reopening.
func TestSources(t *testing.T) {
	file := filepath.Join(t.TempDir(), "catalog.db")
	s, err := store.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	update := func(fn func(*store.Tx) error) error {
		t.Helper()
		return s.Update(func(tx *store.Tx) error { tx.By = "tester"; return fn(tx) })
	}
	put := func(source catalog.Source, pre catalog.Precondition) (stored catalog.Source, isNew bool, err error) {
		err = update(func(tx *store.Tx) error {
			stored, isNew, err = tx.PutSource(source, pre)
			return err
		})
		return stored, isNew, err
	}
	first, isNew, err := put(sourceOf("a", `{"x":1}`), catalog.Precondition{})
	if err != nil || !isNew || first.Revision == 0 || first.CreatedAt.IsZero() {
		t.Fatalf("PutSource = %+v, %v, %v", first, isNew, err)
	}
	if same, isNew, err := put(sourceOf("a", `{ "x": 1 }`), catalog.Precondition{}); err != nil || isNew || same.Revision != first.Revision {
		t.Errorf("the same again = %+v, %v, %v", same, isNew, err)
	}
	if _, _, err := put(sourceOf("a", `{"x":2}`), catalog.Precondition{Revisions: []uint64{first.Revision + 7}}); !errors.Is(err, catalog.ErrConflict) {
		t.Errorf("with another revision: %v, want a conflict", err)
	}
	off := sourceOf("a", `{"x":1}`)
	off.Enabled = false
	second, isNew, err := put(off, catalog.Precondition{Revisions: []uint64{first.Revision}})
	if err != nil || isNew || second.Revision <= first.Revision {
		t.Errorf("disabled = %+v, %v, %v", second, isNew, err)
	}
	mark := func(source, part, value string) error {
		return update(func(tx *store.Tx) error { return tx.PutCheckpoint(source, part, []byte(value)) })
	}
	if _, _, err := put(sourceOf("ab", `{}`), catalog.Precondition{}); err != nil {
		t.Fatal(err)
	}
	for _, m := range [][3]string{{"a", "0", "seven"}, {"a", "1", "eight"}, {"ab", "0", "nine"}, {"a", "0", "ten"}} {
		if err := mark(m[0], m[1], m[2]); err != nil {
			t.Fatal(err)
		}
	}
	if err := mark("none", "0", "x"); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("a checkpoint of no source: %v, want not found", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = store.Open(file); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	checkpoints := func(source string) map[string]string {
		all := map[string]string{}
		if err := s.View(func(tx *store.Tx) error {
			for part, value := range tx.Checkpoints(source) {
				all[part] = string(value)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return all
	}
	if diff := cmp.Diff(map[string]string{"0": "ten", "1": "eight"}, checkpoints("a")); diff != "" {
		t.Errorf("checkpoints (-want +got):\n%s", diff)
	}
	if err := update(func(tx *store.Tx) error { return tx.DeleteSource("a", catalog.Precondition{}) }); err != nil {
		t.Fatal(err)
	}
	if err := update(func(tx *store.Tx) error { return tx.DeleteSource("a", catalog.Precondition{}) }); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("deleted again: %v, want not found", err)
	}
	if left, other := checkpoints("a"), checkpoints("ab"); len(left) != 0 || other["0"] != "nine" {
		t.Errorf("after the deletion there are %v, and %v of another", left, other)
	}
	snap := s.Snapshot()
	if _, ok := snap.Source("a"); ok || len(snap.Sources) != 1 {
		t.Errorf("after the deletion there are %+v", snap.Sources)
	}
	if err := s.View(func(tx *store.Tx) error {
		past, err := tx.SourceHistory("a")
		if err != nil || len(past) != 3 || !past[0].Deleted || past[1].State.Enabled || past[2].By != "tester" {
			t.Errorf("history = %+v, %v", past, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
}
