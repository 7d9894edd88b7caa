package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A journal's directory holds LOCK, FORMAT and the store of the embedded
// server. FORMAT is "headgate journal 1" and a word: "new" until the streams
// exist, "ready" from then on, so that streams that are missing later are
// damage and are never made anew, empty.
const (
	lockName   = "LOCK"
	formatName = "FORMAT"
	formatTemp = "FORMAT.tmp"

	formatFresh = "headgate journal 1 new\n"
	formatReady = "headgate journal 1 ready\n"
)

// directory is a locked journal directory.
type directory struct {
	path  string
	lock  *os.File
	fresh bool // its streams are still to be made
}

// openDirectory creates or locks dir. It writes nothing into a directory that
// is not a journal's.
func openDirectory(dir string) (*directory, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if _, err := readFormat(path); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockFile(filepath.Join(path, lockName), path)
	if err != nil {
		return nil, err
	}
	d := &directory{path: path, lock: lock}
	// Another process may have been here between the first look and the lock.
	format, err := readFormat(path)
	if err == nil && format == "" {
		format, err = formatFresh, d.writeFormat(formatFresh)
	}
	if err != nil {
		d.close()
		return nil, err
	}
	d.fresh = format == formatFresh
	return d, nil
}

// readFormat returns the content of FORMAT, empty for a directory that does
// not exist or is empty, and an error for one that holds anything else.
func readFormat(dir string) (string, error) {
	b, err := os.ReadFile(filepath.Join(dir, formatName))
	switch format := string(b); {
	case err == nil && (format == formatFresh || format == formatReady):
		return format, nil
	case err == nil && strings.HasPrefix(format, "headgate journal "):
		return "", fmt.Errorf("journal directory %s has the format %q, which this binary does not read; use the headgate that wrote it, or a newer one",
			dir, strings.TrimSpace(format))
	case err == nil:
		return "", fmt.Errorf("journal directory %s: its file %s is damaged or not a journal's; restore the directory from a backup, or name another one", dir, formatName)
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("journal directory: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("journal directory: %w", err)
	}
	for _, e := range entries {
		if e.Name() != lockName && e.Name() != formatTemp {
			return "", fmt.Errorf("journal directory %s holds %q and no file %s, so it is not a journal's; name an empty directory, or move what is in it away",
				dir, e.Name(), formatName)
		}
	}
	return "", nil
}

// writeFormat replaces FORMAT, durably.
func (d *directory) writeFormat(format string) error {
	temp := filepath.Join(d.path, formatTemp)
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(format)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp, filepath.Join(d.path, formatName)); err != nil {
		return err
	}
	return syncDir(d.path)
}

// ready notes that the streams exist.
func (d *directory) ready() error {
	if !d.fresh {
		return nil
	}
	if err := d.writeFormat(formatReady); err != nil {
		return err
	}
	d.fresh = false
	return nil
}

func (d *directory) close() { d.lock.Close() }
