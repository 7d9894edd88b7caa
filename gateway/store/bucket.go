package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/headgate/headgate/gateway/catalog"
)

// The buckets of the file, and what is in each.
var (
	metaBucket       = []byte("meta")        // "format", "revision"
	endpointBucket   = []byte("endpoints")   // name → catalog.Endpoint
	routeBucket      = []byte("routes")      // id → catalog.Route
	pluginBucket     = []byte("plugins")     // name → storedPlugin
	moduleBucket     = []byte("modules")     // digest → the module's bytes
	historyBucket    = []byte("history")     // kind NUL key NUL revision → catalog.Revision
	auditBucket      = []byte("audit")       // number → catalog.AuditEntry
	provenanceBucket = []byte("provenance")  // producedby → catalog.Provenance
	sinceBucket      = []byte("since")       // number → producedby, oldest first
	settingBucket    = []byte("settings")    // name → bytes
	sourceBucket     = []byte("sources")     // name → catalog.Source
	checkpointBucket = []byte("checkpoints") // source NUL part → bytes
)

var buckets = [][]byte{
	metaBucket, endpointBucket, routeBucket, pluginBucket, moduleBucket,
	historyBucket, auditBucket, provenanceBucket, sinceBucket, settingBucket, sourceBucket, checkpointBucket,
}

var (
	formatKey   = []byte("format")
	revisionKey = []byte("revision")
)

// The format of the file. A change that an older Headgate cannot read gets
// the next number.
const (
	formatName    = "headgate catalog "
	formatVersion = '1'
)

// isPrepared reports whether prepare has nothing to do: a file is not written to
// by opening it, which also works while the disk is full.
func isPrepared(tx *bolt.Tx) bool {
	meta := tx.Bucket(metaBucket)
	if meta == nil || string(meta.Get(formatKey)) != string(append([]byte(formatName), formatVersion)) {
		return false
	}
	for _, name := range buckets {
		if tx.Bucket(name) == nil {
			return false
		}
	}
	return true
}

// prepare makes the buckets of a new file, and refuses one that is not ours.
func prepare(tx *bolt.Tx) error {
	meta := tx.Bucket(metaBucket)
	if meta == nil {
		if name, _ := tx.Cursor().First(); name != nil {
			return fmt.Errorf("%w: it is another program's database", ErrDamaged)
		}
		var err error
		if meta, err = tx.CreateBucket(metaBucket); err != nil {
			return err
		}
		if err := meta.Put(formatKey, append([]byte(formatName), formatVersion)); err != nil {
			return err
		}
	}
	version, ok := bytes.CutPrefix(meta.Get(formatKey), []byte(formatName))
	switch {
	case !ok || len(version) == 0:
		return fmt.Errorf("%w: it is another program's database", ErrDamaged)
	case len(version) != 1 || version[0] != formatVersion:
		return fmt.Errorf("%w (format %s, this one reads %c): use that version", ErrNewer, version, formatVersion)
	}
	for _, name := range buckets {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}

// storedPlugin is a plugin in the file. Next is the number of its next
// version, so that none is given twice.
type storedPlugin struct {
	catalog.Plugin
	Next int `json:"next"`
}

// load reads the catalog.
func load(tx *bolt.Tx) (catalog.Snapshot, error) {
	var snap catalog.Snapshot
	if b := tx.Bucket(metaBucket).Get(revisionKey); b != nil {
		if len(b) != 8 {
			return snap, fmt.Errorf("%w: revision", ErrDamaged)
		}
		snap.Revision = binary.BigEndian.Uint64(b)
	}
	var plugins []storedPlugin
	err := errors.Join(
		loadAll(tx.Bucket(endpointBucket), &snap.Endpoints),
		loadAll(tx.Bucket(routeBucket), &snap.Routes),
		loadAll(tx.Bucket(pluginBucket), &plugins),
		loadAll(tx.Bucket(sourceBucket), &snap.Sources),
	)
	for _, p := range plugins {
		snap.Plugins = append(snap.Plugins, p.Plugin)
	}
	return snap, err
}

// loadAll appends the values of b to list; b's keys are their keys, so they
// come sorted.
func loadAll[T interface{ Key() string }](b *bolt.Bucket, list *[]T) error {
	return b.ForEach(func(k, v []byte) error {
		var t T
		if err := json.Unmarshal(v, &t); err != nil || t.Key() != string(k) {
			return fmt.Errorf("%w: entry %q", ErrDamaged, k)
		}
		*list = append(*list, t)
		return nil
	})
}

// put writes v as JSON. It leaves <, > and & as they are, so that JSON within
// v comes back byte for byte.
func put(b *bolt.Bucket, key []byte, v any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	return b.Put(key, bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
