package file

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	fileMode = 0o640
	dirMode  = 0o750
	// maxTail bounds how far a torn line is looked for: more than any event
	// takes as a line, and a batch of them.
	maxTail = 16 << 20
)

// errNotRegular is returned for a path that names a directory, pipe or device.
var errNotRegular = errors.New("not a regular file")

// reopen makes s.file the file that the path names, and creates it if need be.
func (s *Sink) reopen(ctx context.Context) error {
	now, err := os.Stat(s.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if s.file != nil && err == nil {
		if opened, err := s.file.Stat(); err == nil && os.SameFile(now, opened) {
			return nil
		}
	}
	if err == nil && !now.Mode().IsRegular() {
		return &fs.PathError{Op: "open", Path: s.path, Err: errNotRegular}
	}
	s.drop()
	f, err := open(s.path)
	if err != nil {
		return err
	}
	if err := mend(ctx, f); err != nil {
		f.Close()
		return err
	}
	s.file = f
	return nil
}

// open opens path for appending. One that it creates is durable, as is the
// last directory on the way to it, which it creates too.
func open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, fileMode)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	dir := filepath.Dir(path)
	switch err := os.Mkdir(dir, dirMode); {
	case err == nil:
		if err := syncDir(filepath.Dir(dir)); err != nil {
			return nil, err
		}
	case !errors.Is(err, fs.ErrExist):
		return nil, err
	}
	f, err = os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	if err := syncDir(dir); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// mend makes f end with a line break.
func mend(ctx context.Context, f *os.File) error {
	if err := lock(ctx, f); err != nil {
		return err
	}
	defer unlock(f)
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	tail, err := lastLine(f, info.Size())
	if err != nil || len(tail) == 0 {
		return err
	}
	if isTorn(tail) {
		return f.Truncate(info.Size() - int64(len(tail)))
	}
	return write(f, info.Size(), []byte{'\n'})
}

// lastLine returns what follows the last line break of f, or of its last
// maxTail bytes; it is empty when f ends with one.
func lastLine(f *os.File, size int64) ([]byte, error) {
	var tail []byte
	for length := int64(1); ; length *= 64 {
		length = min(length, size, maxTail)
		tail = make([]byte, length)
		if _, err := f.ReadAt(tail, size-length); err != nil && err != io.EOF {
			return nil, err
		}
		if i := bytes.LastIndexByte(tail, '\n'); i >= 0 {
			return tail[i+1:], nil
		}
		if length == min(size, maxTail) {
			return tail, nil
		}
	}
}

// isTorn reports whether tail, which no line break follows, is the beginning
// of a line of ours, or the zeros that some file systems leave instead. What
// someone else wrote is not ours to cut.
func isTorn(tail []byte) bool {
	if len(bytes.Trim(tail, "\x00")) == 0 {
		return true
	}
	n := min(len(tail), len(lineStart))
	return string(tail[:n]) == lineStart[:n] && !json.Valid(tail)
}

// syncDir makes the names in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
