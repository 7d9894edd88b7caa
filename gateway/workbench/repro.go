package workbench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/plugin"
)

// Reproduce runs the bundle of a trap, in its JSON form, again with the module
// that trapped, in a host of its own.
func Reproduce(ctx context.Context, bundle, wasm []byte) (*plugin.Bundle, *plugin.Replayed, error) {
	b, err := plugin.ReadBundle(bundle)
	if err != nil {
		return nil, nil, err
	}
	r, err := plugin.Replay(ctx, b, wasm)
	return b, r, err
}

// SaveCase makes a golden test of a bundle in the directory dir, which must be
// empty or not exist. It wants anything but a failure, so that it passes once
// the plugin is mended; [Result.Update] then writes what exactly.
func SaveCase(dir string, b *plugin.Bundle) error {
	item, err := b.Item()
	if err != nil {
		return err
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s exists already and is not empty", dir)
	}
	for name, text := range map[string][]byte{
		inFile:     append(event.AppendJSON(nil, item.Event), '\n'),
		configFile: append(bytes.Clone(b.Config), '\n'),
		wantFile:   []byte(`{"` + b.Kind + `": [null]}` + "\n"),
	} {
		if err := write(filepath.Join(dir, name), text); err != nil {
			return err
		}
	}
	return nil
}
