package file_test

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink/file"
	"github.com/headgate/headgate/gateway/sink/sinktest"
)

func TestConforms(t *testing.T) {
	f := sinktest.Features{Faults: []sinktest.Fault{sinktest.Refuse}, LooseJSON: true}
	sinktest.Run(t, f, func(t *testing.T) (sinktest.Sink, sinktest.Endpoint) {
		e := &endpoint{t: t, path: filepath.Join(t.TempDir(), "out", "events.ndjson")}
		return open(t, e.path), e
	})
}

// endpoint is a file that refuses everything when its directory has become
// something else.
type endpoint struct {
	t      *testing.T
	path   string
	failed atomic.Bool
}

func (e *endpoint) Received() []event.Event { return read(e.t, e.path) }

func (e *endpoint) Tries() int { return -1 }

func (e *endpoint) Fail(fault sinktest.Fault, _ ...string) {
	e.t.Helper()
	dir := filepath.Dir(e.path)
	if fail := fault == sinktest.Refuse; fail == e.failed.Swap(fail) {
		return
	} else if fail {
		check(e.t, cmp.Or(os.MkdirAll(dir, 0o700), os.Rename(dir, dir+".away"), os.WriteFile(dir, nil, 0o600)))
	} else {
		check(e.t, cmp.Or(os.Remove(dir), os.Rename(dir+".away", dir)))
	}
}

// open returns a sink that is closed with t.
func open(t testing.TB, path string) *file.Sink {
	t.Helper()
	settings, err := json.Marshal(map[string]string{"path": path})
	check(t, err)
	s, err := file.New(settings)
	check(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// read decodes the lines of a file, each of which must be whole.
func read(t testing.TB, path string) []event.Event {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var events []event.Event
	for line := range bytes.Lines(content) {
		if !bytes.HasSuffix(line, []byte("\n")) || bytes.ContainsRune(line, '\r') {
			t.Fatalf("line %d is not whole: %.100q", len(events)+1, line)
		}
		events = append(events, decode(t, line))
	}
	return events
}

// decode reads a structured CloudEvent by means of its own.
func decode(t testing.TB, line []byte) event.Event {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(line, &members); err != nil {
		t.Fatalf("line %.100q: %v", line, err)
	}
	var e event.Event
	fields := map[string]*string{
		"id": &e.ID, "source": &e.Source, "type": &e.Type, "subject": &e.Subject, "time": &e.Time,
		"dataschema": &e.DataSchema, "datacontenttype": &e.DataContentType,
	}
	for name, raw := range members {
		value, kind := string(raw), event.Integer
		switch {
		case strings.HasPrefix(value, `"`):
			kind = event.String
			check(t, json.Unmarshal(raw, &value))
		case value == "true" || value == "false":
			kind = event.Boolean
		}
		switch field := fields[name]; {
		case field != nil:
			*field = value
		case name == "specversion" || name == "data":
		case name == "data_base64":
			data, err := base64.StdEncoding.DecodeString(value)
			check(t, err)
			e.Data = data
		default:
			e.Extensions = append(e.Extensions, event.Extension{Name: name, Value: value, Kind: kind})
		}
	}
	if raw, ok := members["data"]; ok {
		e.Data = raw
		if !event.IsJSON(e.DataContentType) {
			var text string
			check(t, json.Unmarshal(raw, &text))
			e.Data = []byte(text)
		}
	}
	slices.SortFunc(e.Extensions, func(a, b event.Extension) int { return cmp.Compare(a.Name, b.Name) })
	return e
}
