// Package store keeps the catalog (endpoints, routes and plugins with their
// versions, revisions and history) in one bbolt file.
//
// All changes go through [Store.Update], one at a time; what it returned nil
// for is on disk. The catalog proper is also held in memory, as an immutable
// [catalog.Snapshot], so that reading it costs no I/O.
package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/headgate/headgate/gateway/catalog"
)

// Errors of [Open].
var (
	// ErrLocked is returned when another process has the file open.
	ErrLocked = errors.New("catalog is in use by another process")
	// ErrDamaged is returned for a file that is damaged, or is none of ours.
	ErrDamaged = errors.New("file is damaged, or is not a Headgate catalog")
	// ErrNewer is returned for a file that a newer Headgate wrote.
	ErrNewer = errors.New("catalog was written by a newer Headgate")
)

// lockTimeout is how long Open waits for another process to let go.
const lockTimeout = time.Second

// Store is an open catalog, for use by any number of goroutines.
type Store struct {
	db *bolt.DB

	// mu makes a commit and the swap of snap one step for View.
	mu   sync.RWMutex
	snap catalog.Snapshot
}

// Open opens the catalog at path, and makes a new one where there is none. The
// file is readable by its owner alone, since it holds the endpoints' secrets.
func Open(path string) (*Store, error) {
	_, statErr := os.Stat(path)
	s, err := open(path)
	if err != nil {
		if errors.Is(statErr, fs.ErrNotExist) && !errors.Is(err, bolterrors.ErrTimeout) {
			_ = os.Remove(path) // a file half made, as on a full disk, would be a damaged one next time
		}
		return nil, fmt.Errorf("open catalog %s: %w", path, explain(err))
	}
	if errors.Is(statErr, fs.ErrNotExist) {
		if err := syncDir(filepath.Dir(path)); err != nil {
			return nil, errors.Join(fmt.Errorf("open catalog %s: %w", path, err), s.Close())
		}
	}
	return s, nil
}

// explain says what to do about err.
func explain(err error) error {
	var pathErr *fs.PathError
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("%w: stop the other server, or choose another --data directory", ErrLocked)
	case errors.As(err, &pathErr), errors.Is(err, ErrNewer):
		return err
	case errors.Is(err, ErrDamaged):
		return fmt.Errorf("%w: restore it from a backup, or choose another --data directory", err)
	}
	return fmt.Errorf("%w (%w): restore it from a backup, or choose another --data directory", ErrDamaged, err)
}

// open turns the panics and faults by which bbolt tells of damaged pages into
// errors; afterwards every page that holds the catalog proper has been read.
func open(path string) (s *Store, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	var db *bolt.DB
	defer func() {
		if r := recover(); r != nil {
			s, err = nil, fmt.Errorf("%w: %v", ErrDamaged, r)
		}
		if err != nil && db != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	db, err = bolt.Open(path, 0o600, &bolt.Options{Timeout: lockTimeout, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return nil, err
	}
	if err := checkSize(db, path); err != nil {
		return nil, err
	}
	prepared := false
	err = db.View(func(tx *bolt.Tx) error {
		prepared = isPrepared(tx)
		return nil
	})
	if err == nil && !prepared {
		err = db.Update(prepare)
	}
	if err != nil {
		return nil, err
	}
	s = &Store{db: db}
	err = db.View(func(tx *bolt.Tx) error {
		s.snap, err = load(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// checkSize refuses a file that was cut short: reading past its end would
// kill the process.
func checkSize(db *bolt.DB, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return db.View(func(tx *bolt.Tx) error {
		if tx.Size() > info.Size() {
			return fmt.Errorf("%w: %d of its %d bytes are there", ErrDamaged, info.Size(), tx.Size())
		}
		return nil
	})
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Close closes the file. It waits for open transactions, and may be called
// more than once.
func (s *Store) Close() error { return s.db.Close() }

// Snapshot returns the catalog as last committed.
func (s *Store) Snapshot() catalog.Snapshot {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.snap
}

// View calls fn with a transaction that reads one committed state.
func (s *Store) View(fn func(*Tx) error) error {
	s.mu.RLock()
	btx, err := s.db.Begin(false)
	snap := s.snap
	s.mu.RUnlock()
	if err != nil {
		return fmt.Errorf("read catalog: %w", err)
	}
	defer btx.Rollback() //nolint:errcheck // a reader has nothing to lose
	return fn(&Tx{btx: btx, snap: snap})
}

// Update calls fn with a transaction that may change the catalog, and commits
// what it did when it returns nil: all of it, durably, or nothing. Updates run
// one after the other, so fn may take its time to find out whether the
// changed catalog works; it must not call Update.
//
// The error is fn's own, as it is, or that of the commit: a [*FullError] when
// the disk is full.
func (s *Store) Update(fn func(*Tx) error) error {
	btx, err := s.db.Begin(true)
	if err != nil {
		return fmt.Errorf("change catalog: %w", err)
	}
	defer btx.Rollback() //nolint:errcheck // after a commit it does nothing
	tx := &Tx{btx: btx, snap: s.Snapshot(), now: time.Now().UTC().Round(0)}
	tx.base = tx.snap.Revision
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.finish(); err != nil {
		return fmt.Errorf("change catalog: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := btx.Commit(); err != nil {
		return commitError(err)
	}
	s.snap = tx.snap
	return nil
}

// FullError is returned for a change for which the disk has no room; nothing
// was changed.
type FullError struct{ err error }

// Error says what to do.
func (e *FullError) Error() string {
	return "there is no space on the disk for the catalog, and nothing was changed: free some space, then try again"
}

// Unwrap returns the error of the file system.
func (e *FullError) Unwrap() error { return e.err }

// RetryAfter is how long a caller does well to wait.
func (e *FullError) RetryAfter() time.Duration { return 10 * time.Second }

func commitError(err error) error {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, full) {
			return &FullError{err}
		}
	}
	return fmt.Errorf("change catalog: %w", err)
}
