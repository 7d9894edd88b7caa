//go:build unix

package file_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink"
	"github.com/headgate/headgate/gateway/sink/file"
)

// sample returns a delivery whose event has the given id.
func sample(id string) delivery.Delivery {
	return delivery.Delivery{Event: event.Event{ID: id, Source: "s", Type: "t", Data: []byte(`{"a":[1,2]}`)}}
}

// send sends an event with each id, as one batch, and demands their outcome.
func send(t testing.TB, s *file.Sink, want delivery.Blame, ids ...string) delivery.Outcome {
	t.Helper()
	batch := make([]delivery.Delivery, len(ids))
	for i, id := range ids {
		batch[i] = sample(id)
	}
	outcomes := s.Send(t.Context(), batch)
	for i, out := range outcomes {
		if out.Blame != want {
			t.Fatalf("outcome %d = %v (%s), want %v", i, out.Blame, out.Reason(), want)
		}
	}
	return outcomes[0]
}

func content(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	check(t, err)
	return string(b)
}

func TestFormat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.ndjson")
	s := open(t, path)
	d := sample("1")
	d.Event.Data = []byte("{\n\t\"a\": \"\\n\",\r\n\"b\": 1.0}\n")
	s.Send(t.Context(), []delivery.Delivery{d, sample("2")})
	want := `{"specversion":"1.0","id":"1","source":"s","type":"t","data":{ ` + "\t" + `"a": "\n",  "b": 1.0} }` + "\n" +
		`{"specversion":"1.0","id":"2","source":"s","type":"t","data":{"a":[1,2]}}` + "\n"
	if got := content(t, path); got != want {
		t.Errorf("file holds\n%q, want\n%q", got, want)
	}
}

// TestMend opens files that do not end with a line break.
func TestMend(t *testing.T) {
	whole := `{"specversion":"1.0","id":"0","source":"s","type":"t"}`
	long := `{"specversion":"1.0","id":"0","data":"` + strings.Repeat("x", 200_000)
	tests := []struct{ name, before, kept string }{
		{"empty", "", ""},
		{"whole", whole + "\n", whole + "\n"},
		{"torn", whole + "\n" + whole[:30], whole + "\n"},
		{"torn after one byte", whole + "\n{", whole + "\n"},
		{"torn before its last byte", whole[:len(whole)-1], ""},
		{"torn and long", whole + "\n" + long, whole + "\n"},
		{"torn and first", long, ""},
		{"torn and filled with zeros", whole + "\n" + whole[:30] + "\x00\x00\x00", whole + "\n"},
		{"zeros", whole + "\n" + strings.Repeat("\x00", 5000), whole + "\n"},
		{"whole but for the line break", whole, whole + "\n"},
		{"somebody else's", "# notes\nlast words", "# notes\nlast words\n"},
		{"somebody else's JSON", `{"torn":`, `{"torn":` + "\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.ndjson")
			check(t, os.WriteFile(path, []byte(tt.before), 0o600))
			s := open(t, path)
			if got := content(t, path); got != tt.before {
				t.Errorf("New changed the file to %q", got)
			}
			send(t, s, delivery.None, "1")
			kept, added, _ := strings.Cut(content(t, path), `{"specversion":"1.0","id":"1"`)
			if kept != tt.kept || added != `,"source":"s","type":"t","data":{"a":[1,2]}}`+"\n" {
				t.Errorf("file holds %.200q and %q, want %.200q and the event", kept, added, tt.kept)
			}
		})
	}
}

// TestRotation moves, removes and truncates the file between batches.
func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.ndjson")
	s := open(t, path)
	send(t, s, delivery.None, "1", "2")
	check(t, os.Rename(path, path+".1"))
	send(t, s, delivery.None, "3")
	check(t, os.Rename(path, path+".2"))
	check(t, os.WriteFile(path, nil, 0o600)) // as "create" in logrotate does
	send(t, s, delivery.None, "4")
	check(t, os.Truncate(path, 0)) // as "copytruncate" does
	send(t, s, delivery.None, "5")
	check(t, os.Remove(path))
	send(t, s, delivery.None, "6")
	for path, want := range map[string]string{path + ".1": "1 2", path + ".2": "3", path: "6"} {
		var ids []string
		for _, e := range read(t, path) {
			ids = append(ids, e.ID)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s holds %s, want %s", filepath.Base(path), got, want)
		}
	}
}

// TestTwoSinks has two endpoints write to one path: every line is whole, and
// the events of each are in order.
func TestTwoSinks(t *testing.T) {
	const batches, size = 40, 20
	path := filepath.Join(t.TempDir(), "x.ndjson")
	var running sync.WaitGroup
	for _, name := range []string{"a", "b", "c"} {
		s := open(t, path)
		running.Go(func() {
			batch := make([]delivery.Delivery, size)
			for range batches {
				for i := range batch {
					batch[i] = sample(name)
				}
				for _, out := range s.Send(t.Context(), batch) {
					if out.Blame != delivery.None {
						t.Errorf("sink %s: %s", name, out.Reason())
					}
				}
			}
		})
	}
	running.Wait()
	counts := map[string]int{}
	last, run := "", 0
	for _, e := range read(t, path) {
		counts[e.ID]++
		if e.ID != last && run%size != 0 {
			t.Errorf("a batch of %s was interrupted after %d lines", last, run)
		}
		if e.ID != last {
			run = 0
		}
		last, run = e.ID, run+1
	}
	for _, name := range []string{"a", "b", "c"} {
		if counts[name] != batches*size {
			t.Errorf("file holds %d events of %s, want %d", counts[name], name, batches*size)
		}
	}
}

func TestBlame(t *testing.T) {
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	check(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	check(t, os.Symlink("loop", filepath.Join(dir, "loop")))
	tests := []struct{ name, path, words string }{
		{"two directories missing", "a/b/x", "no such file or directory"},
		{"a file for a directory", "file/x", "not a directory"},
		{"a directory", ".", "not a regular file"},
		{"a pipe", "pipe", "not a regular file"},
		{"links in a circle", "loop", "too many levels of symbolic links"},
		{"a name too long", strings.Repeat("x", 300), "file name too long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(dir, tt.path)
			out := send(t, open(t, path), delivery.Endpoint, "1")
			if !strings.Contains(out.Reason(), tt.words) || !strings.Contains(out.Reason(), dir) {
				t.Errorf("outcome says %q, want the path and %q", out.Reason(), tt.words)
			}
		})
	}
}

func TestClosed(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "x"))
	check(t, s.Close())
	send(t, s, delivery.Nobody, "1")
}

func TestSettings(t *testing.T) {
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	tests := []struct {
		name, path string
		atNew      string // what New and Validate say; "" when New takes it
		atValidate string // what Validate alone says
	}{
		{"a new file", "x", "", ""},
		{"a file that exists", "file", "", ""},
		{"a new directory", "new/x", "", ""},
		{"two new directories", "new/newer/x", "", "lies in a directory that does not exist; create " + dir + "/new"},
		{"a directory", ".", "", "names something that is not a regular file"},
		{"a path through a file", "file/x", "", "cannot be used"},
		{"a directory by its slash", "x/", "names a directory", ""},
		{"a NUL byte", "a\x00b", "holds a NUL byte", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			settings, err := json.Marshal(map[string]string{"path": dir + "/" + tt.path})
			check(t, err)
			_, err = file.New(settings)
			requireFault(t, err, tt.atNew)
			requireFault(t, file.Kind().Validate(settings), tt.atNew+tt.atValidate)
		})
	}
	_, err := file.New(json.RawMessage(`{"path":"x","mode":"y"}`))
	var fault *sink.SettingError
	if !errors.As(err, &fault) || fault.Field != "mode" {
		t.Errorf("New = %v, want mode to be unknown", err)
	}
}

func requireFault(t *testing.T, err error, reason string) {
	t.Helper()
	if reason == "" {
		check(t, err)
		return
	}
	var fault *sink.SettingError
	if !errors.As(err, &fault) || fault.Field != "path" || !strings.Contains(fault.Reason, reason) {
		t.Errorf("error = %v, want path: …%s…", err, reason)
	}
}
