package store

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/headgate/headgate/gateway/catalog"
)

// Check verifies the whole file and reports every fault:
//
//  1. the pages of the file are sound;
//  2. what is in memory is what is in the file;
//  3. each route's endpoint and plugins exist, and can do what it asks;
//  4. each plugin's active version exists, and its numbers ascend;
//  5. each version's module is there, undamaged, and there is no other module.
func (s *Store) Check() error {
	return s.View(func(tx *Tx) error {
		var faults []error
		for err := range tx.btx.Check() {
			faults = append(faults, err)
		}
		stored, err := load(tx.btx)
		if err != nil {
			return errors.Join(append(faults, err)...)
		}
		if !sameSnapshot(stored, tx.snap) {
			faults = append(faults, errors.New("memory and file differ"))
		}
		for _, r := range stored.Routes {
			if err := stored.CheckRoute(r); err != nil {
				faults = append(faults, fmt.Errorf("route %q: %w", r.ID, err))
			}
		}
		return errors.Join(append(faults, tx.checkPlugins(stored))...)
	})
}

func sameSnapshot(a, b catalog.Snapshot) bool {
	same := func(a, b any, n, m int) bool { return n == m && (n == 0 || reflect.DeepEqual(a, b)) }
	return a.Revision == b.Revision &&
		same(a.Endpoints, b.Endpoints, len(a.Endpoints), len(b.Endpoints)) &&
		same(a.Routes, b.Routes, len(a.Routes), len(b.Routes)) &&
		same(a.Plugins, b.Plugins, len(a.Plugins), len(b.Plugins)) &&
		same(a.Sources, b.Sources, len(a.Sources), len(b.Sources))
}

func (tx *Tx) checkPlugins(snap catalog.Snapshot) error {
	var faults []error
	modules := map[string]bool{}
	for _, p := range snap.Plugins {
		if _, ok := p.Version(p.Active); !ok {
			faults = append(faults, fmt.Errorf("plugin %q: active version %d is missing", p.Name, p.Active))
		}
		last := 0
		for _, v := range p.Versions {
			if v.Version <= last {
				faults = append(faults, fmt.Errorf("plugin %q: version %d follows %d", p.Name, v.Version, last))
			}
			last = v.Version
			modules[v.Digest] = true
			if _, err := tx.Module(v.Digest); err != nil {
				faults = append(faults, fmt.Errorf("plugin %q version %d: %w", p.Name, v.Version, err))
			}
		}
	}
	err := tx.btx.Bucket(moduleBucket).ForEach(func(k, _ []byte) error {
		if !modules[string(k)] {
			return fmt.Errorf("module %s belongs to no version", k)
		}
		return nil
	})
	return errors.Join(append(faults, err)...)
}
