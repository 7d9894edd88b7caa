package plugin

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// BundleFile is a file in Options.TrapDir.
type BundleFile struct {
	Name string
	Time time.Time
	Size int64
}

// bundles is the directory of them, of which the oldest make room.
type bundles struct {
	dir   string
	files int
	bytes int64

	mu sync.Mutex // one writer at a time
}

func openBundles(o Options) (*bundles, error) {
	b := &bundles{dir: o.TrapDir, files: o.TrapFiles, bytes: o.TrapBytes}
	if b.files <= 0 {
		b.files = 100
	}
	if b.bytes <= 0 {
		b.bytes = 64 << 20
	}
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return nil, err
	}
	return b, b.prune()
}

// Names are the time in UTC, so that they sort by it, and the plugin's digest.
const (
	bundlePrefix = "trap-"
	bundleSuffix = ".json"
	bundleTime   = "20060102T150405.000000000"
)

func (b *bundles) write(at time.Time, digest string, text []byte) (string, error) {
	if int64(len(text)) > b.bytes {
		return "", fmt.Errorf("it takes %d bytes, and %d are the limit for all", len(text), b.bytes)
	}
	name := bundlePrefix + at.Format(bundleTime) + "-" + strings.TrimPrefix(digest, "sha256:")[:12] + bundleSuffix
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := writeWhole(filepath.Join(b.dir, name), text); err != nil {
		return "", err
	}
	return name, b.prune()
}

// prune deletes the oldest until the others are few and small enough.
func (b *bundles) prune() error {
	list, err := b.list()
	total := int64(0)
	for k, f := range list {
		if total += f.Size; k < b.files && total <= b.bytes {
			continue
		}
		if e := os.Remove(filepath.Join(b.dir, f.Name)); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// list returns the newest first.
func (b *bundles) list() ([]BundleFile, error) {
	entries, err := os.ReadDir(b.dir)
	if err != nil {
		return nil, err
	}
	var files []BundleFile
	for _, e := range entries {
		at, ok := bundleName(e.Name())
		if !ok {
			continue
		}
		if info, err := e.Info(); err == nil {
			files = append(files, BundleFile{Name: e.Name(), Time: at, Size: info.Size()})
		}
	}
	slices.Reverse(files)
	return files, nil
}

// bundleName takes a file's name apart.
func bundleName(name string) (at time.Time, ok bool) {
	rest, ok1 := strings.CutPrefix(name, bundlePrefix)
	rest, ok2 := strings.CutSuffix(rest, bundleSuffix)
	stamp, digest, ok3 := strings.Cut(rest, "-")
	at, err := time.Parse(bundleTime, stamp)
	return at, ok1 && ok2 && ok3 && err == nil && filepath.IsLocal(digest) && filepath.Base(digest) == digest
}

// Bundles lists the bundles of traps that are kept, the newest first.
func (r *Runtime) Bundles() ([]BundleFile, error) {
	if r.traps == nil {
		return nil, nil
	}
	return r.traps.list()
}

// Bundle returns the text of a bundle by its name, for [ReadBundle]. It is
// [fs.ErrNotExist] when there is none of that name.
func (r *Runtime) Bundle(name string) ([]byte, error) {
	if _, ok := bundleName(name); !ok || r.traps == nil {
		return nil, fmt.Errorf("bundle %q: %w", name, fs.ErrNotExist)
	}
	return os.ReadFile(filepath.Join(r.traps.dir, name))
}
