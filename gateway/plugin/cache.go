package plugin

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero"

	"github.com/headgate/headgate/gateway/plugin/meter"
)

// cache is a directory of what need not be done again for a module: its
// metered form, its description, and the code that wazero made of it. It is
// within a directory that names the versions of the meter and of wazero; those
// of other versions are deleted.
//
// wazero trusts nearly everything in a file of code, lengths and addresses
// included, so each file has one with its checksum beside it, and one that
// does not agree is deleted before anyone can see it.
type cache struct {
	dir  string
	code wazero.CompilationCache

	mu   sync.Mutex          // guards seen
	seen map[string]struct{} // files of code that have their checksum
}

const (
	sumSuffix    = ".crc"
	cachePrefix  = "code-"
	defaultCache = 4 << 30
)

// openCache makes the directory where needed, and deletes what is damaged, of
// other versions, or too much.
func openCache(root string, limit int64) (*cache, error) {
	name := cachePrefix + "wazero" + wazeroVersion() + "-meter" + meter.Version
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		old := strings.HasPrefix(e.Name(), cachePrefix) || strings.HasPrefix(e.Name(), "wazero-")
		if old && e.Name() != name {
			if err := os.RemoveAll(filepath.Join(root, e.Name())); err != nil {
				return nil, err
			}
		}
	}
	dir := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Join(dir, "modules"), 0o700); err != nil {
		return nil, err
	}
	code, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return nil, err
	}
	c := &cache{dir: dir, code: code}
	if limit <= 0 {
		limit = defaultCache
	}
	if err := errors.Join(c.evict(limit), c.sweep()); err != nil {
		return nil, errors.Join(err, code.Close(context.Background()))
	}
	return c, nil
}

// wazeroVersion is the one that this binary was built with.
func wazeroVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "github.com/tetratelabs/wazero" {
				return d.Version
			}
		}
	}
	return "unknown"
}

// compile compiles by f, which uses the cache. When f fails the cache may be
// at fault: what is damaged is deleted, and f tried again. So it is when the
// code could not be written, to a full disk: by then wazero has it in memory,
// and only the next start will be slower.
func (c *cache) compile(f func() (wazero.CompiledModule, error)) (wazero.CompiledModule, error) {
	m, err := f()
	c.mu.Lock()
	defer c.mu.Unlock()
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

// restore fills m with what is known of it, and reports whether it is.
func (c *cache) restore(m *Module) bool {
	base := c.base(m.key)
	text, ok := readSigned(base + ".json")
	if !ok || json.Unmarshal(text, &m.info) != nil || m.info.Digest != m.key.digest {
		m.info = Info{}
		return false
	}
	m.metered, ok = readSigned(base + ".wasm")
	return ok
}

// store keeps what is known of m. It is of no consequence when that fails.
func (c *cache) store(m *Module, metered []byte) {
	base := c.base(m.key)
	text, err := json.Marshal(m.info)
	if err == nil && writeSigned(base+".wasm", metered) == nil {
		_ = writeSigned(base+".json", text)
	}
}

// base is the path of the files of a module, without their suffix. What a
// module says of itself may depend on what it is given.
func (c *cache) base(k moduleKey) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v %s", k.limits, k.grant))
	return filepath.Join(c.dir, "modules", strings.TrimPrefix(k.digest, "sha256:")+"-"+hex.EncodeToString(sum[:8]))
}

func readSigned(path string) ([]byte, bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, false
	}
	want, err := os.ReadFile(path + sumSuffix)
	if err != nil || string(want) != string(sumOf(b)) {
		_ = os.Remove(path)
		return nil, false
	}
	return b, true
}

// writeSigned writes a file whole or not at all.
func writeSigned(path string, b []byte) error {
	if err := writeWhole(path+sumSuffix, sumOf(b)); err != nil {
		return err
	}
	return writeWhole(path, b)
}

func writeWhole(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

func sumOf(b []byte) []byte {
	sum := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint32(nil, sum), uint64(len(b)))
}

// sign writes the checksums of new files of code. A file without one is
// compiled again at the next start, so errors are of no consequence.
func (c *cache) sign() {
	_ = c.walk(func(path string) error {
		if _, ok := c.seen[path]; ok {
			return nil
		}
		sum, err := checksum(path)
		if err == nil {
			err = writeWhole(path+sumSuffix, sum)
		}
		if err == nil {
			c.seen[path] = struct{}{}
		}
		return err
	})
}

// sweep deletes every file of code whose checksum is missing or wrong.
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

// walk visits the files of code, which wazero keeps in a directory of its own.
func (c *cache) walk(visit func(path string) error) error {
	dirs, err := filepath.Glob(filepath.Join(c.dir, "wazero-*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if name := e.Name(); !strings.HasSuffix(name, sumSuffix) && !strings.HasSuffix(name, ".tmp") {
				if err := visit(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
			}
		}
	}
	return nil
}

// evict deletes the oldest files until the others fit.
func (c *cache) evict(limit int64) error {
	type file struct {
		path string
		fs.FileInfo
	}
	var files []file
	total := int64(0)
	err := filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			files = append(files, file{path, info})
			total += info.Size()
		}
		return err
	})
	slices.SortFunc(files, func(a, b file) int { return a.ModTime().Compare(b.ModTime()) })
	for _, f := range files {
		if err != nil || total <= limit {
			break
		}
		err = os.Remove(f.path)
		total -= f.Size()
	}
	return err
}

func checksum(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	n, err := io.Copy(h, f)
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint32(nil, h.Sum32()), uint64(n)), err
}

func (c *cache) close(ctx context.Context) error { return c.code.Close(ctx) }
