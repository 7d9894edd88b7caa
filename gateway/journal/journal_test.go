package journal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/journal"
)

// open opens a journal that is checked and closed when the test ends.
func open(t testing.TB, dir string, opt journal.Options) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, j) })
	return j
}

// shut checks and closes j, unless it is closed already.
func shut(t testing.TB, j *journal.Journal) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := j.Check(ctx); err != nil && !errors.Is(err, journal.ErrClosed) {
		t.Errorf("Check: %v", err)
	}
	if err := j.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// numbered returns n events whose ids count up from first.
func numbered(first, n, dataBytes int) []event.Event {
	events := make([]event.Event, n)
	for i := range events {
		events[i] = event.Event{
			ID:              fmt.Sprint(first + i),
			Source:          "https://plant.example/digitaltwins",
			Type:            event.TwinUpdate,
			Subject:         "room-" + fmt.Sprint((first+i)%64),
			Time:            "2026-03-01T12:00:00.5Z",
			DataContentType: "application/json",
			Extensions:      []event.Extension{{Name: "traceparent", Value: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}},
			Data:            []byte(`{"v":"` + strings.Repeat("x", dataBytes) + `"}`),
		}
	}
	return events
}

// readUntil reads the chunks from a sequence to another.
func readUntil(t testing.TB, j *journal.Journal, from, to uint64) []event.Chunk {
	t.Helper()
	var chunks []event.Chunk
	if to < from {
		return nil
	}
	for c, err := range j.Read(t.Context(), from) {
		if err != nil {
			t.Fatalf("Read: %v", err)
		}
		if chunks = append(chunks, c); c.Seq >= to {
			break
		}
	}
	return chunks
}

func flatten(chunks []event.Chunk) []event.Event {
	var events []event.Event
	for _, c := range chunks {
		events = append(events, c.Events...)
	}
	return events
}

func TestAppendAndReadBack(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	if j.First() != 0 || j.Last() != 0 {
		t.Fatalf("an empty journal spans %d to %d, want 0 to 0", j.First(), j.Last())
	}
	want := append(numbered(0, 700, 100), numbered(700, 1, 900<<10)...)
	want = append(want, event.Event{ID: "empty", Source: "s", Type: "t", Data: []byte{}}, event.Event{ID: "none", Source: "s", Type: "t"})
	p, err := j.Append(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	if p != (event.Position{Seq: 1}) {
		t.Errorf("Append = %v, want 1-0", p)
	}
	chunks := readUntil(t, j, 1, j.Last())
	if diff := cmp.Diff(want, flatten(chunks)); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	for _, c := range chunks {
		if n := len(c.Events); n > 256 {
			t.Errorf("chunk %d has %d events, want at most 256", c.Seq, n)
		}
	}
	shut(t, j)

	j = open(t, dir, journal.Options{})
	if diff := cmp.Diff(chunks, readUntil(t, j, 0, j.Last())); diff != "" {
		t.Errorf("read after reopening (-want +got):\n%s", diff)
	}
	c, err := j.Chunk(t.Context(), 2)
	if diff := cmp.Diff(chunks[1], c); err != nil || diff != "" {
		t.Errorf("Chunk(2) = %v (-want +got):\n%s", err, diff)
	}
	if p, err = j.Append(t.Context(), numbered(0, 1, 0)); err != nil || p.Seq != chunks[len(chunks)-1].Seq+1 {
		t.Errorf("Append after reopening = %v, %v", p, err)
	}
	for _, seq := range []uint64{0, p.Seq + 1} {
		if _, err := j.Chunk(t.Context(), seq); !errors.Is(err, journal.ErrNotFound) {
			t.Errorf("Chunk(%d) = %v, want ErrNotFound", seq, err)
		}
	}
}

func TestAppendRefusesTooLarge(t *testing.T) {
	j := open(t, t.TempDir(), journal.Options{})
	many := event.Event{ID: "1", Source: "s", Type: "t"}
	for i := range 300_000 {
		many.Extensions = append(many.Extensions, event.Extension{Name: fmt.Sprintf("x%06d", i)})
	}
	for name, e := range map[string]event.Event{"data": numbered(0, 1, 3<<20)[0], "extensions": many} {
		if _, err := j.Append(t.Context(), []event.Event{numbered(0, 1, 0)[0], e}); !errors.Is(err, journal.ErrTooLarge) {
			t.Errorf("Append of too much %s = %v, want ErrTooLarge", name, err)
		}
	}
	if j.Last() != 0 {
		t.Errorf("Last = %d after refusals, want 0", j.Last())
	}
}

func TestDirectoryRefused(t *testing.T) {
	tests := []struct {
		name, file, content, want string
	}{
		{"foreign", "notes.txt", "hello", "move what is in it away"},
		{"other format", "FORMAT", "PNG", "restore the directory from a backup"},
		{"newer format", "FORMAT", "headgate journal 9 ready\n", "does not read"},
		{"streams gone", "FORMAT", "headgate journal 1 ready\n", "restore the directory from a backup"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, tt.file)
			if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			j, err := journal.Open(t.Context(), dir, journal.Options{})
			if err == nil {
				shut(t, j)
				t.Fatal("Open succeeded")
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("Open = %v, want it to name the directory and say %q", err, tt.want)
			}
			if b, _ := os.ReadFile(path); string(b) != tt.content {
				t.Errorf("%s now holds %q", tt.file, b)
			}
			entries, _ := os.ReadDir(dir)
			if tt.name != "streams gone" && len(entries) != 1 {
				t.Errorf("%d files are in the directory, want 1", len(entries))
			}
		})
	}
}

func TestDirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, journal.Options{})
	_, err := journal.Open(t.Context(), dir, journal.Options{})
	want := fmt.Sprintf("data directory %s is in use by another headgate (pid %d)", dir, os.Getpid())
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Open = %v, want %q", err, want)
	}
}
