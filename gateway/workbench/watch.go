package workbench

import (
	"context"
	"io/fs"
	"maps"
	"path/filepath"
	"strings"
	"time"
)

// Watch calls changed whenever a file of the plugin in dir was written, made or
// removed, once for changes that come together, until ctx ends. It looks every
// so often, which works on every file system. What changes during a call of
// changed is seen after it. Modules and what is hidden do not count.
func Watch(ctx context.Context, dir string, every time.Duration, changed func()) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	known := look(dir)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		now := look(dir)
		if maps.Equal(known, now) {
			continue
		}
		for settled := false; !settled; { // an editor may write several files
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-tick.C:
			}
			next := look(dir)
			settled, now = maps.Equal(now, next), next
		}
		known = now
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
