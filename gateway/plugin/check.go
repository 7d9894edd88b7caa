package plugin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/headgate/headgate/gateway/plugin/meter"
	"github.com/headgate/headgate/sdk/abi"
)

// checkBytes looks at what can be told from the bytes alone.
func checkBytes(wasm []byte, l Limits) error {
	switch {
	case int64(len(wasm)) > l.ModuleBytes:
		return refuse("it has %d bytes, the limit of moduleBytes is %d: build without debug information", len(wasm), l.ModuleBytes)
	case len(wasm) < 8 || !bytes.HasPrefix(wasm, []byte("\x00asm")):
		return refuse("not WebAssembly: it does not start with the bytes 00 61 73 6d")
	case wasm[6] == 1:
		return refuse("a WebAssembly component: build a core module instead")
	case !bytes.Equal(wasm[4:8], []byte{1, 0, 0, 0}):
		return refuse("WebAssembly of version % x, want 01 00 00 00", wasm[4:8])
	}
	return nil
}

// signature is a function type of the ABI.
type signature struct {
	params, results []api.ValueType
}

const (
	i32 = api.ValueTypeI32
	i64 = api.ValueTypeI64
)

// required are the exports that every guest has; of the kinds' exports each
// guest has those of its kinds.
var (
	required = []export{
		{abi.ExportDescribe, signature{nil, []api.ValueType{i64}}},
		{abi.ExportAlloc, signature{[]api.ValueType{i32}, []api.ValueType{i32}}},
		{abi.ExportOpen, signature{[]api.ValueType{i32, i32, i32}, []api.ValueType{i32}}},
		{abi.ExportClose, signature{[]api.ValueType{i32}, nil}},
	}
	ofKind = map[Kind]export{
		Filter:    {abi.ExportFilter, signature{[]api.ValueType{i32, i32, i32}, []api.ValueType{i32}}},
		Transform: {abi.ExportTransform, signature{[]api.ValueType{i32, i32, i32}, []api.ValueType{i64}}},
	}
	starters = []export{{name: abi.ExportInitialize}, {name: abi.ExportStart}}

	// marker is what package meter puts instructions in the place of.
	marker = meter.Import{Module: abi.Module, Name: abi.ImportBegin}
)

type export struct {
	name string
	signature
}

// check gathers what is wrong with a module.
type check struct {
	code     wazero.CompiledModule
	problems []string
}

func (c *check) add(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// imports checks every function that the module imports. Package meter has
// refused imports of other kinds.
func (c *check) imports() {
	for _, f := range c.code.ImportedFunctions() {
		module, name, _ := f.Import()
		if module == meter.LedgerModule {
			continue // the marker, of the right type
		}
		functions, known := hostModules[module]
		if !known {
			c.add("imports %q from %q: only %s and %s can be imported from", name, module, abi.Module, wasiModule)
			continue
		}
		def, known := functions[name]
		if !known {
			c.add("imports %q from %q, which has no such function", name, module)
			continue
		}
		want := parseType(def.typ)
		if got := signatureOf(f); !got.equal(want) {
			c.add("imports %q from %q as %v, want %v", name, module, got, want)
		}
	}
}

// exports checks what every guest exports, and the types of what it may export.
func (c *check) exports() {
	if len(c.code.ExportedMemories()) == 0 || c.code.ExportedMemories()[abi.ExportMemory] == nil {
		c.add("exports no memory as %q", abi.ExportMemory)
	}
	for _, e := range required {
		c.export(e, true)
	}
	for _, k := range []Kind{Filter, Transform} {
		c.export(ofKind[k], false)
	}
	for _, e := range starters {
		c.export(e, false)
	}
}

func (c *check) export(e export, needed bool) {
	f := c.code.ExportedFunctions()[e.name]
	switch {
	case f == nil && needed:
		c.add("does not export %s %v", e.name, e.signature)
	case f != nil && !signatureOf(f).equal(e.signature):
		c.add("exports %s as %v, want %v", e.name, signatureOf(f), e.signature)
	}
}

// canDescribe reports whether the description can be asked for.
func (c *check) canDescribe() bool {
	exported := c.code.ExportedFunctions()
	f := exported[abi.ExportDescribe]
	if f == nil || !signatureOf(f).equal(required[0].signature) || c.code.ExportedMemories()[abi.ExportMemory] == nil {
		return false
	}
	for _, e := range starters {
		if f := exported[e.name]; f != nil && !signatureOf(f).equal(e.signature) {
			return false
		}
	}
	return true
}

// Features and capabilities that this host knows.
var (
	knownFeatures     []string // none yet
	knownCapabilities = []string{CapabilityClock, CapabilityRandom}
)

// Bounds of a description.
const (
	maxDescription = 256 << 10
	maxName        = 128
	maxSentence    = 4 << 10
)

// description reads the module's answer into info.
func (c *check) description(text []byte, info *Info) {
	var d struct {
		Name         string          `json:"name"`
		Description  string          `json:"description"`
		Kinds        []string        `json:"kinds"`
		Config       json.RawMessage `json:"config"`
		Features     []string        `json:"features"`
		Capabilities []string        `json:"capabilities"`
	}
	if err := json.Unmarshal(text, &d); err != nil {
		c.add("its description is not the JSON that %s is to return: %v", abi.ExportDescribe, err)
		return
	}
	c.kinds(d.Kinds, info)
	c.known("feature", d.Features, knownFeatures)
	c.known("capability", d.Capabilities, knownCapabilities)
	if len(d.Name) > maxName {
		c.add("its name has %d bytes, the limit is %d", len(d.Name), maxName)
	}
	if len(d.Description) > maxSentence {
		c.add("its description member has %d bytes, the limit is %d", len(d.Description), maxSentence)
	}
	switch schema := bytes.TrimSpace(d.Config); {
	case len(schema) == 0 || string(schema) == "null":
		d.Config = nil
	case schema[0] != '{' && schema[0] != 't' && schema[0] != 'f':
		c.add("its config is not a JSON Schema: want an object, true or false")
	}
	info.Name, info.Description, info.Config = d.Name, d.Description, d.Config
	info.Features, info.Capabilities = d.Features, d.Capabilities
}

func (c *check) kinds(names []string, info *Info) {
	if len(names) == 0 {
		c.add(`its description lists no kinds: want "filter", "transform" or both`)
	}
	for _, name := range names {
		k := Filter
		if name == Transform.String() {
			k = Transform
		}
		switch {
		case name != k.String():
			c.add(`its description lists the kind %q: want "filter", "transform" or both`, name)
		case c.code.ExportedFunctions()[ofKind[k].name] == nil:
			c.add("is a %v and does not export %s %v", k, ofKind[k].name, ofKind[k].signature)
		case !slices.Contains(info.Kinds, k):
			info.Kinds = append(info.Kinds, k)
		}
	}
}

func (c *check) known(what string, names, known []string) {
	for _, name := range names {
		if !slices.Contains(known, name) {
			c.add("needs the %s %q, which this gateway does not have: a newer one may", what, name)
		}
	}
}

func signatureOf(f api.FunctionDefinition) signature {
	return signature{f.ParamTypes(), f.ResultTypes()}
}

func (s signature) equal(t signature) bool {
	return bytes.Equal(s.params, t.params) && bytes.Equal(s.results, t.results)
}

// String returns the form that ABI.md uses: "(i32, i32) → i64".
func (s signature) String() string {
	out := "(" + typeNames(s.params) + ")"
	if len(s.results) > 0 {
		out += " → " + typeNames(s.results)
	}
	return out
}

func typeNames(types []api.ValueType) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = api.ValueTypeName(t)
	}
	return strings.Join(names, ", ")
}
