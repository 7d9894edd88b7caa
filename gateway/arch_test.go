package gateway_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/headgate/headgate"

// room is what one package may know besides the standard library.
type room struct {
	// imports are packages of this module, relative to its root; "*" is any.
	imports []string
	// libs are the third-party modules that are allowed here and hence nowhere
	// else that does not name them too.
	libs []string
	// never are packages of the standard library that must stay out.
	never []string
}

const (
	azure      = "github.com/Azure/azure-sdk-for-go/sdk"
	bbolt      = "go.etcd.io/bbolt"
	cobra      = "github.com/spf13/cobra"
	echo       = "github.com/labstack/echo/v4"
	goamqp     = "github.com/Azure/go-amqp"
	gocmp      = "github.com/google/go-cmp"
	nats       = "github.com/nats-io"
	pflag      = "github.com/spf13/pflag"
	prometheus = "github.com/prometheus/client_golang"
	wazero     = "github.com/tetratelabs/wazero"
	websocket  = "github.com/coder/websocket"
	jsonschema = "github.com/santhosh-tekuri/jsonschema/v6"
	xsync      = "golang.org/x/sync"
	xtext      = "golang.org/x/text"
	xsys       = "golang.org/x/sys"
	yaml       = "github.com/goccy/go-yaml"
)

// guestNever keeps guests small and fit for TinyGo: no reflection.
var guestNever = []string{"encoding/json", "fmt", "reflect"}

// plan is the map of the house. Data moves forward through it: an edge
// (ingress, sink, admin) never imports the engine or another edge, the engine
// never imports an edge, and an interface lives at its consumer. A key that
// ends in "/*" stands for every package directly beneath it that has no row.
var plan = map[string]room{
	"cmd/headgate": {
		imports: []string{"gateway", "gateway/catalog", "gateway/client", "gateway/config", "gateway/demo", "gateway/emulator", "gateway/event", "gateway/manifest", "gateway/migration", "gateway/plugin/admission", "gateway/telemetry", "gateway/workbench"},
		libs:    []string{cobra, pflag, yaml},
	},
	"cmd/bench": {},

	"gateway":                       {imports: []string{"*"}, libs: []string{echo, xsync}},
	"gateway/event":                 {imports: []string{"sdk/json"}},
	"gateway/delivery":              {imports: []string{"gateway/event"}},
	"gateway/filter":                {},
	"gateway/pipeline":              {imports: []string{"gateway/event", "gateway/delivery"}},
	"gateway/route":                 {imports: []string{"gateway/event", "gateway/filter", "gateway/pipeline"}},
	"gateway/plugin":                {imports: []string{"gateway/event", "gateway/delivery", "gateway/filter", "gateway/pipeline", "gateway/plugin/meter", "sdk/abi"}, libs: []string{wazero}},
	"gateway/plugin/matcher":        {imports: []string{"gateway/event", "gateway/filter", "sdk/json"}, libs: []string{wazero, xsync}},
	"gateway/plugin/meter":          {},
	"gateway/plugin/schema":         {libs: []string{jsonschema, xtext}},
	"gateway/plugin/admission":      {imports: []string{"gateway/event", "gateway/delivery", "gateway/pipeline", "gateway/plugin", "gateway/plugin/schema", "sdk/abi"}},
	"gateway/journal":               {imports: []string{"gateway/event", "gateway/delivery"}, libs: []string{nats, xsync, xsys}},
	"gateway/dispatch":              {imports: []string{"gateway/event", "gateway/delivery", "gateway/route", "gateway/pipeline", "sdk/json"}, libs: []string{xsync}},
	"gateway/sink":                  {imports: []string{"gateway/event", "gateway/delivery"}},
	"gateway/sink/webhook":          {imports: []string{"gateway/event", "gateway/delivery", "gateway/sink"}},
	"gateway/sink/file":             {imports: []string{"gateway/event", "gateway/delivery", "gateway/sink"}},
	"gateway/sink/sinktest":         {imports: []string{"gateway/event", "gateway/delivery", "gateway/sink"}},
	"gateway/namespace":             {libs: []string{websocket}},
	"gateway/npmtest":               {}, // for tests
	"gateway/problem":               {},
	"gateway/rates":                 {},
	"gateway/logbook":               {imports: []string{"gateway/event"}},
	"gateway/twin":                  {imports: []string{"gateway/event", "sdk/json"}},
	"gateway/causes":                {imports: []string{"gateway/delivery"}},
	"gateway/site":                  {},
	"gateway/ingress":               {imports: []string{"gateway/event", "gateway/problem", "sdk/json"}, libs: []string{echo}},
	"gateway/ingress/pull":          {imports: []string{"gateway/event", "gateway/namespace", "sdk/json"}, libs: []string{azure + "/azcore", azure + "/azidentity", goamqp}},
	"gateway/ingress/pull/pulltest": {imports: []string{"gateway/event", "gateway/ingress/pull"}}, // a test's half
	"gateway/ingress/eventhubs": {
		imports: []string{"gateway/event", "gateway/ingress/pull"},
		libs:    []string{azure + "/messaging/azeventhubs/v2", azure + "/storage/azblob", goamqp, xsync},
	},
	"gateway/ingress/servicebus": {
		imports: []string{"gateway/event", "gateway/ingress/pull"},
		libs:    []string{azure + "/messaging/azservicebus", goamqp, xsync},
	},
	"gateway/auth":      {imports: []string{"gateway/problem"}},
	"gateway/catalog":   {imports: []string{"gateway/event", "gateway/delivery"}},
	"gateway/manifest":  {imports: []string{"gateway/catalog", "gateway/filter"}, libs: []string{yaml}},
	"gateway/store":     {imports: []string{"gateway/catalog", "gateway/event", "gateway/delivery"}, libs: []string{bbolt}},
	"gateway/admin":     {imports: []string{"gateway/catalog", "gateway/event", "gateway/delivery", "gateway/problem"}, libs: []string{echo}},
	"gateway/migration": {imports: []string{"gateway/catalog", "gateway/filter"}},
	"gateway/adt":       {imports: []string{"gateway/catalog"}},
	"gateway/client":    {imports: []string{"gateway/catalog", "gateway/event", "gateway/delivery"}},
	"gateway/config":    {imports: []string{"gateway/auth"}, libs: []string{yaml}},
	"gateway/trail":     {imports: []string{"gateway/event", "gateway/delivery"}},
	"gateway/telemetry": {imports: []string{"gateway/delivery"}, libs: []string{prometheus}},
	"gateway/demo":      {imports: []string{"gateway/event"}},
	"gateway/workbench": {imports: []string{"gateway/catalog", "gateway/demo", "gateway/event", "gateway/pipeline", "gateway/plugin", "gateway/plugin/admission", "sdk", "sdk/abi"}},

	"gateway/emulator/eventhubs":         {imports: []string{"gateway/emulator/amqp"}},
	"gateway/emulator/amqp":              {},
	"gateway/emulator/servicebus":        {imports: []string{"gateway/emulator/amqp", "gateway/emulator/servicebus/broker"}},
	"gateway/emulator/servicebus/broker": {},

	"gateway/emulator": {
		imports: []string{"gateway/emulator/amqp", "gateway/emulator/certificate", "gateway/emulator/eventgrid", "gateway/emulator/eventhubs", "gateway/emulator/identity", "gateway/emulator/servicebus", "gateway/emulator/servicebus/broker", "gateway/problem"},
		libs:    []string{websocket, yaml},
	},
	"gateway/emulator/certificate":           {},
	"gateway/emulator/identity":              {},
	"gateway/emulator/identity/identitytest": {libs: []string{azure + "/azcore"}}, // a test's half
	"gateway/emulator/eventgrid":             {imports: []string{"gateway/emulator/certificate", "gateway/emulator/identity"}},
	"gateway/sink/azure":                     {imports: []string{"gateway/delivery", "gateway/namespace", "gateway/sink"}, libs: []string{azure + "/azcore", azure + "/azidentity"}},
	"gateway/sink/blob":                      {imports: []string{"gateway/event", "gateway/delivery", "gateway/namespace", "gateway/sink", "gateway/sink/azure"}, libs: []string{azure + "/azcore", azure + "/storage/azblob"}},
	"gateway/sink/blob/azurite":              {imports: []string{"gateway/emulator/certificate"}, libs: []string{azure + "/storage/azblob"}}, // for tests
	"gateway/sink/eventgrid":                 {imports: []string{"gateway/event", "gateway/delivery", "gateway/namespace", "gateway/sink", "gateway/sink/azure", "sdk/json"}, libs: []string{azure + "/azcore"}},
	"gateway/sink/messaging":                 {imports: []string{"gateway/event", "gateway/delivery", "gateway/namespace", "gateway/sink"}, libs: []string{azure + "/azcore", azure + "/azidentity", goamqp}},
	"gateway/sink/messaging/brokertest":      {imports: []string{"gateway/emulator/amqp", "gateway/delivery", "gateway/event", "gateway/sink/sinktest"}}, // a test's half
	"gateway/sink/servicebus":                {imports: []string{"gateway/delivery", "gateway/sink", "gateway/sink/messaging"}, libs: []string{azure + "/messaging/azservicebus"}},
	"gateway/sink/eventhubs":                 {imports: []string{"gateway/delivery", "gateway/sink", "gateway/sink/messaging"}, libs: []string{azure + "/messaging/azeventhubs/v2"}},

	"sdk":                  {imports: []string{"sdk/abi", "sdk/json"}, never: guestNever},
	"sdk/abi":              {never: []string{"encoding/json", "reflect"}}, // the host's half words its errors with fmt
	"sdk/json":             {never: guestNever},
	"sdk/plugintest":       {imports: []string{"sdk", "sdk/abi", "sdk/json"}},
	"sdk/tck":              {imports: []string{"sdk/abi", "sdk/plugintest"}},
	"sdk/tck/guest":        {imports: []string{"sdk", "sdk/json"}, never: guestNever},
	"sdk/tck/guest/module": {imports: []string{"sdk", "sdk/tck/guest"}},

	"plugins":   {imports: []string{"sdk"}},
	"plugins/*": {imports: []string{"sdk", "sdk/json"}, never: guestNever},
	"plugins/internal/golden": { // a test's half: it runs a plugin in the real host
		imports: []string{"gateway/event", "gateway/pipeline", "gateway/plugin", "gateway/plugin/schema", "sdk", "sdk/abi", "sdk/json", "sdk/plugintest"},
		libs:    []string{gocmp},
	},
	"web":        {},
	"examples/*": {imports: []string{"sdk", "sdk/json"}, never: guestNever},
}

// TestImports holds every package to its row of the plan. Test files are free:
// they may bring an oracle.
func TestImports(t *testing.T) {
	found := packages(t)
	if len(found) == 0 {
		t.Fatal("found no package: the test looks in the wrong place")
	}
	used := map[string]bool{}
	for _, dir := range slices.Sorted(maps.Keys(found)) {
		row, ok := rowOf(dir)
		if !ok {
			t.Errorf("%s is not in the plan: give it a row that says what it may import", dir)
			continue
		}
		used[row] = true
		for imported, file := range found[dir].imports {
			if reason := plan[row].refuses(imported); reason != "" {
				t.Errorf("%s: %s must not import %q: %s", file, dir, imported, reason)
			}
		}
	}
	for row := range plan {
		if !used[row] {
			t.Errorf("%s is in the plan but not in the tree: remove its row", row)
		}
	}
}

// TestPackageComments demands the first sentence by which a reader finds a room.
func TestPackageComments(t *testing.T) {
	for dir, p := range packages(t) {
		want := "Package " + p.name + " "
		if p.name == "main" {
			want = "Command " + path.Base(dir) + " "
		}
		if len(p.comments) != 1 {
			t.Errorf("%s has %d package comments, want one, in one file", dir, len(p.comments))
		} else if !strings.HasPrefix(p.comments[0], want) {
			first, _, _ := strings.Cut(p.comments[0], "\n")
			t.Errorf("%s: package comment begins %q, want %q", dir, first, want+"…")
		}
	}
}

// refuses says why a package with row r may not import imported, or "".
func (r room) refuses(imported string) string {
	if rel, ok := strings.CutPrefix(imported, module+"/"); ok {
		if slices.Contains(r.imports, rel) || slices.Contains(r.imports, "*") {
			return ""
		}
		return "its row does not allow that room"
	}
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		if slices.Contains(r.never, imported) {
			return "its row keeps that out"
		}
		return ""
	}
	for _, lib := range r.libs {
		if imported == lib || strings.HasPrefix(imported, lib+"/") {
			return ""
		}
	}
	return "its row does not allow that library"
}

// rowOf finds the row for a directory: its own, or its parent's "/*".
func rowOf(dir string) (string, bool) {
	for _, row := range []string{dir, path.Dir(dir) + "/*"} {
		if _, ok := plan[row]; ok {
			return row, true
		}
	}
	return "", false
}

// pkg is what the tests need to know of one directory of Go files.
type pkg struct {
	name     string
	imports  map[string]string // path → a file that imports it
	comments []string
}

// packages parses the non-test files of every package of the module, whatever
// platform they are for.
func packages(t *testing.T) map[string]*pkg {
	t.Helper()
	const root = ".."
	found := map[string]*pkg{}
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); file != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" || isModule(file)) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		return addFile(found, root, file)
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// isModule says whether dir is a module of its own, which chooses its imports
// by itself.
func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func addFile(found map[string]*pkg, root, file string) error {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(root, file)
	if err != nil {
		return err
	}
	rel = filepath.ToSlash(rel)
	p := found[path.Dir(rel)]
	if p == nil {
		p = &pkg{imports: map[string]string{}}
		found[path.Dir(rel)] = p
	}
	p.name = f.Name.Name
	for _, spec := range f.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		p.imports[imported] = rel
	}
	if text := docText(f); text != "" {
		p.comments = append(p.comments, text)
	}
	return nil
}

// docText is the package comment of f, or "".
func docText(f *ast.File) string {
	if f.Doc == nil {
		return ""
	}
	return f.Doc.Text()
}
