package plugintest_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/abi"
	"github.com/headgate/headgate/sdk/json"
	"github.com/headgate/headgate/sdk/plugintest"
)

func TestParseEvents(t *testing.T) {
	const text = `[
		{"specversion":"1.0","id":"1","source":"s","type":"t","subject":"sub","time":"2024-01-01T00:00:00Z","datacontenttype":"application/json",
		 "dataschema":"d","zone":"z","level":7,"live":true,"data":{"a": 1}},
		{"specversion":"1.0","id":"2","source":"s","type":"t","data_base64":"aGk="},
		{"specversion":"1.0","id":"3","source":"s","type":"t"}
	]`
	want := []plugintest.Event{
		{
			ID: "1", Source: "s", Type: "t", Subject: "sub", Time: "2024-01-01T00:00:00Z", DataContentType: "application/json", DataSchema: "d",
			Extensions: []plugintest.Pair{{Name: "level", Value: "7", Kind: abi.Integer}, {Name: "live", Value: "true", Kind: abi.Boolean}, {Name: "zone", Value: "z"}},
			Data:       []byte(`{"a": 1}`),
		},
		{ID: "2", Source: "s", Type: "t", Data: []byte("hi")},
		{ID: "3", Source: "s", Type: "t"},
	}
	if diff := cmp.Diff(want, plugintest.ParseEvents(t, text)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// fake is a test whose failures are written down.
type fake struct {
	testing.TB
	errors []string
}

func (f *fake) Helper() {}
func (f *fake) Errorf(format string, args ...any) {
	f.errors = append(f.errors, fmt.Sprintf(format, args...))
}

func TestStateIsFound(t *testing.T) {
	seen := 0
	counting := sdk.Plugin{Name: "counting", Filter: func(json.Value) (sdk.FilterFunc, error) {
		seen = 0
		return func(*sdk.Event) (bool, error) {
			seen++
			return seen == 1, nil
		}, nil
	}}
	f := &fake{TB: t}
	event := plugintest.Event{ID: "1", Source: "s", Type: "t"}
	got := plugintest.New(f, counting).Filter(`{}`, event, event)
	if !got[0].Pass || got[1].Pass {
		t.Errorf("verdicts %+v", got)
	}
	want := []string{"plugintest: event 1: {Pass:true Err:} alone, {Pass:false Err:} in a batch; a plugin keeps no state"}
	if diff := cmp.Diff(want, f.errors); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestNoEvents(t *testing.T) {
	pass := sdk.Plugin{Name: "p", Filter: func(json.Value) (sdk.FilterFunc, error) {
		return func(*sdk.Event) (bool, error) { return true, nil }, nil
	}}
	if got := plugintest.New(t, pass).Filter(`{}`); len(got) != 0 {
		t.Errorf("verdicts %+v for no events", got)
	}
}

// TestBuild builds the tutorial's plugin, twice from different places: a
// module's digest names it, so its bytes depend on its source alone.
func TestBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles the runtime for WebAssembly")
	}
	dir, err := filepath.Abs("../../examples/threshold")
	if err != nil {
		t.Fatal(err)
	}
	first := plugintest.Build(t, dir)
	if !bytes.HasPrefix(first, []byte("\x00asm\x01\x00\x00\x00")) {
		t.Fatalf("not a module: % x", first[:8])
	}
	for _, path := range []string{dir, filepath.Dir(dir)} {
		if len(path) > 1 && bytes.Contains(first, []byte(path+"/")) {
			t.Errorf("the module holds the path %s", path)
		}
	}
	if !bytes.Equal(first, plugintest.Build(t, "../../examples/threshold")) {
		t.Error("a second build has other bytes")
	}
}
