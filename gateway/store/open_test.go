package store_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/headgate/headgate/gateway/store"
)

func TestOpenInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "catalog.db")
	openAt(t, path)
	if _, err := store.Open(path); !errors.Is(err, store.ErrLocked) {
		t.Errorf("Open = %v, want ErrLocked", err)
	}
}

func TestOpenDamaged(t *testing.T) {
	good := func(t *testing.T) []byte {
		path := filepath.Join(t.TempDir(), "catalog.db")
		s := openAt(t, path)
		seed(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	bolted := func(t *testing.T, bucket string, key, value string) []byte {
		path := filepath.Join(t.TempDir(), "x.db")
		db, err := bolt.Open(path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Update(func(tx *bolt.Tx) error {
			b, err := tx.CreateBucket([]byte(bucket))
			if err != nil {
				return err
			}
			return b.Put([]byte(key), []byte(value))
		})
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	tests := []struct {
		name  string
		bytes func(*testing.T) []byte
		want  error
	}{
		{"text", func(*testing.T) []byte { return []byte("hello") }, store.ErrDamaged},
		{"long text", func(*testing.T) []byte { return bytes.Repeat([]byte("hello "), 10_000) }, store.ErrDamaged},
		{"cut short", func(t *testing.T) []byte { b := good(t); return b[:len(b)/2] }, store.ErrDamaged},
		{"cut to the first page", func(t *testing.T) []byte { return good(t)[:4096] }, store.ErrDamaged},
		{"zeros behind the first pages", func(t *testing.T) []byte { b := good(t); clear(b[8192:]); return b }, store.ErrDamaged},
		{"another program's", func(t *testing.T) []byte { return bolted(t, "todo", "a", "b") }, store.ErrDamaged},
		{"another program's meta", func(t *testing.T) []byte { return bolted(t, "meta", "format", "todo 1") }, store.ErrDamaged},
		{"a newer one's", func(t *testing.T) []byte { return bolted(t, "meta", "format", "headgate catalog 2") }, store.ErrNewer},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "catalog.db")
			if err := os.WriteFile(path, tt.bytes(t), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := store.Open(path)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("Open = %v, want %v", err, tt.want)
			}
			if s != nil {
				s.Close()
			}
		})
	}
	t.Run("a directory", func(t *testing.T) {
		if _, err := store.Open(t.TempDir()); err == nil {
			t.Error("Open of a directory = nil")
		}
	})
	t.Run("an empty file is a new one", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "catalog.db")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		openAt(t, path)
	})
}
