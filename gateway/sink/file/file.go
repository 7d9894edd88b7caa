// Package file appends events to a local file, one structured CloudEvent per
// line (NDJSON), each on stable storage before it counts as delivered.
//
// A batch is one write and one flush, and is taken whole or not at all: when
// either fails, the file is cut back to its former length. Lines of several
// writers to one file never interleave, since each holds the file's lock
// (flock) from its write to its flush.
//
// A crash may leave the beginning of a line that nobody was told of. It is cut
// off before the next write; it comes again from the journal. An unterminated
// last line that is no such thing is ended with a line break instead.
//
// The file may be renamed or removed at any time, as log rotation does: the
// next batch goes to a new file at the path. Truncating in place works too.
package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink"
)

const (
	batchSize  = 1024
	batchBytes = 2 << 20
	// maxKept bounds the buffer that is kept for the next batch.
	maxKept = 8 << 20
)

// Sink appends to one path. It is safe for concurrent use, one batch at a time.
type Sink struct {
	path string

	mu     sync.Mutex // guards what follows
	file   *os.File   // nil until the first Send, and after a fault
	buf    []byte
	closed bool
}

// Kind describes files to a catalog.
func Kind() sink.Kind {
	return sink.Kind{Name: "file", Validate: validate}
}

// New returns a sink for an endpoint's settings; what is wrong with one of them
// is a [*sink.SettingError]. A relative path is taken from the working
// directory. Nothing is opened before the first Send, so that a gateway starts
// though a disk is missing: the endpoint then fails until it is back.
func New(raw json.RawMessage) (*Sink, error) {
	path, err := parse(raw)
	if err != nil {
		return nil, err
	}
	return &Sink{path: path}, nil
}

func parse(raw json.RawMessage) (string, error) {
	in := sink.ReadSettings(raw)
	path := in.Required("path")
	switch {
	case strings.ContainsRune(path, 0):
		in.Refuse("path", "holds a NUL byte")
	case path != "" && os.IsPathSeparator(path[len(path)-1]):
		in.Refuse("path", "names a directory; add the name of a file")
	}
	if err := in.Err(); err != nil {
		return "", err
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", &sink.SettingError{Field: "path", Reason: "is relative, and the working directory is unknown: " + err.Error()}
	}
	return absolute, nil
}

// validate is what an operator learns at once: also that the path leads nowhere.
func validate(raw json.RawMessage) error {
	path, err := parse(raw)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return &sink.SettingError{Field: "path", Reason: "names something that is not a regular file"}
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return &sink.SettingError{Field: "path", Reason: "cannot be used: " + err.Error()}
	}
	for _, dir := range []string{filepath.Dir(path), filepath.Dir(filepath.Dir(path))} {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return nil
		}
	}
	return &sink.SettingError{Field: "path", Reason: fmt.Sprintf(
		"lies in a directory that does not exist; create %s (only the last directory is made as needed)",
		filepath.Dir(filepath.Dir(path)))}
}

// Capacity is one lane of at most 1024 events and 2 MiB: batches share a flush.
func (s *Sink) Capacity() delivery.Capacity {
	return delivery.Capacity{Lanes: 1, Batch: batchSize, BatchBytes: batchBytes}
}

// Send appends the batch, whole or not at all, and returns the same outcome
// for each delivery. It heeds the end of ctx before it writes; a write or a
// flush that has begun is not interrupted.
func (s *Sink) Send(ctx context.Context, batch []delivery.Delivery) []delivery.Outcome {
	if len(batch) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := outcome(s.path, s.send(ctx, batch))
	outcomes := make([]delivery.Outcome, len(batch))
	for i := range outcomes {
		outcomes[i] = out
	}
	return outcomes
}

func (s *Sink) send(ctx context.Context, batch []delivery.Delivery) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if s.closed {
		return os.ErrClosed
	}
	s.buf = appendLines(s.buf[:0], batch)
	defer func() {
		if cap(s.buf) > maxKept {
			s.buf = nil
		}
	}()
	if err := s.append(ctx, s.buf); err != nil {
		// Whatever is wrong with this descriptor, the next try has its own.
		s.drop()
		return err
	}
	return nil
}

// append makes lines durable at the end of the file that the path names now.
func (s *Sink) append(ctx context.Context, lines []byte) error {
	if err := s.reopen(ctx); err != nil {
		return err
	}
	if err := lock(ctx, s.file); err != nil {
		return fmt.Errorf("waiting for another writer: %w", err)
	}
	defer unlock(s.file)
	info, err := s.file.Stat()
	if err != nil {
		return err
	}
	return write(s.file, info.Size(), lines)
}

// write appends lines to f, which is size bytes long and locked, in one call,
// and flushes them. After a fault f is as long as before.
func write(f *os.File, size int64, lines []byte) error {
	_, err := f.Write(lines)
	if err == nil {
		err = flush(f)
	}
	if err == nil {
		return nil
	}
	if undo := f.Truncate(size); undo != nil {
		// What is left of the lines ends like a torn one, which the next open mends.
		return errors.Join(err, undo)
	}
	return err
}

// drop closes the file, so that the next Send opens it afresh.
func (s *Sink) drop() {
	if s.file != nil {
		s.file.Close() // nothing is buffered: what was delivered has been flushed
		s.file = nil
	}
}

// Close closes the file. It may be called more than once; a later Send fails.
func (s *Sink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop()
	s.closed = true
	return nil
}

// outcome blames the endpoint for what an operator must mend, and nobody for
// the rest: a full disk is emptied sooner or later.
func outcome(path string, err error) delivery.Outcome {
	if err == nil {
		return delivery.Delivered()
	}
	var pathError *fs.PathError
	if !errors.As(err, &pathError) {
		err = fmt.Errorf("append %s: %w", path, err)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, errNotRegular),
		errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.EROFS),
		errors.Is(err, syscall.ELOOP), errors.Is(err, syscall.ENAMETOOLONG):
		return delivery.Refused(err)
	}
	return delivery.Transient(err)
}
