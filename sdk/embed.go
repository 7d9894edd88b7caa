//go:build !wasip1

package sdk

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed ABI.md *.go abi/*.go json/*.go plugintest/*.go
var source embed.FS

// Source is the source of this SDK without its tests, as the headgate command
// unpacks it beside a new plugin so that the plugin compiles anywhere: the
// files that belong into a directory sdk of the module
// github.com/headgate/headgate. No module carries it.
func Source() map[string][]byte {
	files := map[string][]byte{}
	// What is embedded can be read.
	_ = fs.WalkDir(source, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || path == "embed.go" {
			return err
		}
		files[path], err = source.ReadFile(path)
		return err
	})
	return files
}
