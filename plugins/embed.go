// Package plugins hands out the first-party plugins that the binary carries.
//
// They are built from source before the binary is: the task "plugins" leaves
// them in dist. A binary that was built without it carries none.
package plugins

import (
	"embed"
	"fmt"
	"path"
	"strings"
)

//go:embed dist
var dist embed.FS

// Plugin is a first-party plugin.
type Plugin struct {
	Name string // such as "tsi"
	Wasm []byte // its module
}

// FirstParty returns the plugins that the binary carries, in the order of
// their names.
func FirstParty() []Plugin {
	entries, err := dist.ReadDir("dist")
	if err != nil {
		panic(fmt.Sprintf("plugins: the binary's own files: %v", err))
	}
	var all []Plugin
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".wasm")
		if !ok {
			continue
		}
		wasm, err := dist.ReadFile(path.Join("dist", e.Name()))
		if err != nil {
			panic(fmt.Sprintf("plugins: the binary's own files: %v", err))
		}
		all = append(all, Plugin{Name: name, Wasm: wasm})
	}
	return all
}
