package plugin

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero"
)

// cache is a directory of compiled code. wazero trusts nearly everything in
// such a file, lengths and addresses included, so each has a file with its
// checksum beside it, and one that does not agree is deleted before wazero can
// see it. wazero's keys cover the module, its own version and the processor.
type cache struct {
	dir  string
	code wazero.CompilationCache

	mu   sync.Mutex          // guards what follows, and compilation: one at a time
	seen map[string]struct{} // files that have their checksum
}

const sumSuffix = ".crc"

// openCache makes the directory where needed, and deletes damaged files.
func openCache(dir string) (*cache, error) {
	code, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return nil, err
	}
	c := &cache{dir: dir, code: code}
	if err := c.sweep(); err != nil {
		return nil, errors.Join(err, code.Close(context.Background()))
	}
	return c, nil
}

// compile compiles by f, which uses the cache. When f fails the cache may be
// at fault: what is damaged is deleted, and f tried again. So it is when the
// code could not be written, to a full disk: by then wazero has it in memory,
// and only the next start will be slower.
func (c *cache) compile(f func() (wazero.CompiledModule, error)) (wazero.CompiledModule, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, err := f()
	if err != nil {
		before := len(c.seen)
		swept := c.sweep() == nil && len(c.seen) < before
		if unwritten := (*fs.PathError)(nil); swept || errors.As(err, &unwritten) {
			m, err = f()
		}
	}
	if err == nil {
		c.sign()
	}
	return m, err
}

// sign writes the checksums of new files. A file without one is compiled again
// at the next start, so errors are of no consequence.
func (c *cache) sign() {
	_ = c.walk(func(path string) error {
		if _, ok := c.seen[path]; ok {
			return nil
		}
		sum, err := checksum(path)
		if err == nil {
			err = os.WriteFile(path+sumSuffix, sum, 0o600)
		}
		if err == nil {
			c.seen[path] = struct{}{}
		}
		return err
	})
}

// sweep deletes every file whose checksum is missing or wrong.
func (c *cache) sweep() error {
	c.seen = map[string]struct{}{}
	return c.walk(func(path string) error {
		want, err := os.ReadFile(path + sumSuffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		sum, err := checksum(path)
		if err != nil {
			return err
		}
		if string(sum) == string(want) {
			c.seen[path] = struct{}{}
			return nil
		}
		return os.Remove(path)
	})
}

// walk visits the files of code.
func (c *cache) walk(visit func(path string) error) error {
	return filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, sumSuffix) {
			return err
		}
		return visit(path)
	})
}

func checksum(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	n, err := io.Copy(h, f)
	return binary.LittleEndian.AppendUint64(h.Sum(nil), uint64(n)), err
}

func (c *cache) close(ctx context.Context) error { return c.code.Close(ctx) }
