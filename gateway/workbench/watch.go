package workbench

import (
	"context"
	"io/fs"
	"maps"
	"path/filepath"
	"strings"
	"time"
)

// Watcher sees when the source of a plugin changes. It looks every so often,
// which works on every file system. Modules and what is hidden do not count.
type Watcher struct {
	dir   string
	known map[string]stamp
}

// Watch returns a watcher of the directory dir as it is now.
func Watch(dir string) *Watcher { return &Watcher{dir: dir, known: look(dir)} }

// Run calls changed when a file was written, made or removed since Watch, once
// for changes that come together, until ctx ends, and returns why that did.
// What changes during a call of changed is seen after it.
func (w *Watcher) Run(ctx context.Context, every time.Duration, changed func()) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		now := look(w.dir)
		if maps.Equal(w.known, now) {
			continue
		}
		for settled := false; !settled; { // an editor may write several files
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-tick.C:
			}
			next := look(w.dir)
			settled, now = maps.Equal(now, next), next
		}
		w.known = now
		changed()
	}
}

// stamp is by what a change of a file is seen.
type stamp struct {
	modified time.Time
	size     int64
}

// look returns the files of dir. One that goes away meanwhile is not there.
func look(dir string) map[string]stamp {
	files := map[string]stamp{}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return nil
		}
		hidden := strings.HasPrefix(d.Name(), ".")
		if d.IsDir() && hidden {
			return filepath.SkipDir
		}
		if d.IsDir() || hidden || strings.HasSuffix(path, ".wasm") {
			return nil
		}
		if info, err := d.Info(); err == nil {
			files[path] = stamp{info.ModTime(), info.Size()}
		}
		return nil
	})
	return files
}
