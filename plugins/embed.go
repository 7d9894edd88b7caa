// Package plugins hands out the first-party plugins that the binary carries.
//
// They are built from source, and described, before the binary is: the task
// "plugins" leaves both in dist. A binary that was built without it carries
// none. With the description at hand a server need not compile a plugin before
// a route uses it.
package plugins

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"path"
	"strings"
)

//go:embed dist
var dist embed.FS

// Plugin is a first-party plugin.
type Plugin struct {
	Name string // such as "tsi"
	Wasm []byte // its module

	// What the module says of itself.
	Kinds        []string
	ConfigSchema json.RawMessage
}

// FirstParty returns the plugins that the binary carries, in the order of
// their names. A module whose description is missing, or is that of other
// bytes, is a half-finished build, and left out.
func FirstParty() []Plugin {
	entries, err := dist.ReadDir("dist")
	if err != nil {
		return nil // it was built without the directory
	}
	var all []Plugin
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".wasm")
		if !ok {
			continue
		}
		if p, ok := read(name); ok {
			all = append(all, p)
		}
	}
	return all
}

func read(name string) (Plugin, bool) {
	wasm, err := dist.ReadFile(path.Join("dist", name+".wasm"))
	if err != nil {
		return Plugin{}, false
	}
	text, err := dist.ReadFile(path.Join("dist", name+".json"))
	if err != nil {
		return Plugin{}, false
	}
	var described struct {
		Digest       string          `json:"digest"`
		Kinds        []string        `json:"kinds"`
		ConfigSchema json.RawMessage `json:"configSchema"`
	}
	sum := sha256.Sum256(wasm)
	if json.Unmarshal(text, &described) != nil || described.Digest != "sha256:"+hex.EncodeToString(sum[:]) {
		return Plugin{}, false
	}
	return Plugin{Name: name, Wasm: wasm, Kinds: described.Kinds, ConfigSchema: described.ConfigSchema}, true
}
