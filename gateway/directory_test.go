package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway"
)

// TestDamagedDirectories breaks a data directory in ways that hands and disks
// do. The gateway does not start, says why and what to do, and leaves what is
// there as it is.
func TestDamagedDirectories(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole")
	s := start(t, whole)
	s.fileEndpoint("out")
	s.put("/routes/r", `{"endpointName":"out"}`)
	s.send(update("1", "a", "/x", "1"))
	s.stop()
	const streams = "journal/store/jetstream/$G/streams/"
	remove := func(name string) func(dir string) error {
		return func(dir string) error { return os.RemoveAll(filepath.Join(dir, name)) }
	}
	garbage := func(name string) func(dir string) error {
		return func(dir string) error {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, name), bytes.Repeat([]byte("no such!"), int(info.Size())/8+1), 0o600)
		}
	}
	empty := func(name string) func(dir string) error {
		return func(dir string) error { return os.Truncate(filepath.Join(dir, name), 0) }
	}
	tests := []struct {
		name  string
		spoil func(dir string) error
		says  string
	}{
		{"catalog is gone", remove("catalog.db"), "catalog.db from a backup"},
		{"catalog is empty", empty("catalog.db"), "catalog.db from a backup"},
		{"catalog is garbage", garbage("catalog.db"), "from a backup"},
		{"catalog is cut short", func(dir string) error { return os.Truncate(filepath.Join(dir, "catalog.db"), 10_000) }, "from a backup"},
		{"journal has no format", remove("journal/FORMAT"), "move what is in it away"},
		{"journal has another format", garbage("journal/FORMAT"), "from a backup"},
		{"events are gone", remove(streams + "EVENTS"), "from a backup"},
		{"description of events is garbage", garbage(streams + "EVENTS/meta.inf"), "from a backup"},
		{"positions are gone", remove(streams + "MARKS"), "from a backup"},
		{"positions are garbage", garbage(streams + "MARKS/msgs/1.blk"), "from a backup"},
		{"dead letters are gone", remove(streams + "DEADLETTERS"), "from a backup"},
		{"journal is a file", func(dir string) error {
			return errors.Join(remove("journal")(dir), os.WriteFile(filepath.Join(dir, "journal"), nil, 0o600))
		}, "--data"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			if err := errors.Join(os.CopyFS(dir, os.DirFS(whole)), tt.spoil(dir)); err != nil {
				t.Fatal(err)
			}
			catalog, _ := os.ReadFile(filepath.Join(dir, "catalog.db"))
			g, err := gateway.Open(t.Context(), gateway.Options{Dir: dir})
			if err == nil {
				g.Close(context.Background())
				t.Fatal("the gateway starts")
			}
			if !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), dir) {
				t.Errorf("error %q, want the directory and %q", err, tt.says)
			}
			if after, _ := os.ReadFile(filepath.Join(dir, "catalog.db")); !bytes.Equal(catalog, after) {
				t.Error("the catalog was written to")
			}
		})
	}
}

// TestForeignCatalog: nothing is written beside a file that only has the name.
func TestForeignCatalog(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "catalog.db"), []byte("recipes, 1987"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := gateway.Open(t.Context(), gateway.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "--data") {
		t.Errorf("foreign catalog: %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("the directory was written to: %v", entries)
	}
}

// TestCacheIsExpendable: where compiled code cannot be kept, as on a full disk,
// a plugin is compiled all the same.
func TestCacheIsExpendable(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := start(t, dir)
	if err := os.RemoveAll(filepath.Join(dir, "cache")); err != nil {
		t.Fatal(err)
	}
	s.upload("shape", guest(t, "../plugins/tsi"))
}
