package gateway

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/filter"
	"github.com/headgate/headgate/gateway/journal"
	"github.com/headgate/headgate/sdk/json"
)

// Bounds of what is gathered from recent events.
const (
	seenFor       = 10 * time.Second // how long an answer is good for
	seenChunks    = 500
	seenEvents    = 2000
	seenDataBytes = 8 << 20
	seenFields    = 1000
	seenTexts     = 32  // values of one field that are told apart
	seenShown     = 5   // of them, the most frequent; all of types
	seenLength    = 120 // of a name, a path or a value; longer ones are left out
	seenDepth     = 8   // of names within names
)

// seen is what recent events hold, gathered when it is asked for.
type seen struct {
	mu    sync.Mutex // guards what follows
	at    time.Time
	last  uint64 // of the journal then
	found filter.Known
}

// chunks is the journal, as far as it is looked at here.
type chunks interface {
	First() uint64
	Last() uint64
	Chunk(ctx context.Context, seq uint64) (event.Chunk, error)
}

// known returns what the latest events hold.
func (s *seen) known(ctx context.Context, j chunks) (filter.Known, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := j.Last()
	if !s.at.IsZero() && (last == s.last || time.Since(s.at) < seenFor) {
		return s.found, nil
	}
	var t sightings
	first, size := max(j.First(), 1), 0
	for seq := last; seq >= first && last-seq < seenChunks && t.events < seenEvents && size < seenDataBytes; seq-- {
		chunk, err := j.Chunk(ctx, seq)
		if errors.Is(err, journal.ErrNotFound) {
			break // it was discarded a moment ago
		}
		if err != nil {
			return filter.Known{}, err
		}
		for i := len(chunk.Events) - 1; i >= 0 && t.events < seenEvents && size < seenDataBytes; i-- {
			size += chunk.Events[i].Size()
			t.add(&chunk.Events[i])
		}
	}
	s.at, s.last, s.found = time.Now(), last, t.known()
	return s.found, nil
}

// sightings counts what events hold.
type sightings struct {
	events int
	fields map[filter.Field]*sighting
	once   map[filter.Field]int // the number of the event that had it last
}

type sighting struct {
	events int
	values map[filter.Value]int
}

func (t *sightings) add(e *event.Event) {
	if t.fields == nil {
		t.fields, t.once = map[filter.Field]*sighting{}, map[filter.Field]int{}
	}
	t.events++
	for name, value := range map[string]string{
		"id": e.ID, "source": e.Source, "type": e.Type, "subject": e.Subject, "time": e.Time,
		"datacontenttype": e.DataContentType, "dataschema": e.DataSchema, "specversion": event.SpecVersion,
	} {
		t.text(name, value)
	}
	for _, x := range e.Extensions {
		t.text(x.Name, x.Value)
	}
	body, err := json.Parse(e.Data)
	if len(e.Data) == 0 || err != nil {
		return
	}
	t.walk(filter.Body, "", body, 0)
	for _, op := range body.At("patch").Elements() {
		if path, ok := op.At("path").String(); ok && strings.HasPrefix(path, "/") && !op.At("op").Is("remove") {
			t.walk(filter.Patch, path, op.At("value"), 0)
		} else if ok && strings.HasPrefix(path, "/") {
			t.note(filter.Field{From: filter.Patch, Path: path}, filter.Value{Kind: filter.Undefined})
		}
	}
}

func (t *sightings) text(name, value string) {
	if value != "" {
		t.note(filter.Field{From: filter.Attribute, Path: name}, filter.Value{Kind: filter.String, String: value})
	}
}

// walk notes v, which stands at path, and what is in it.
func (t *sightings) walk(from filter.Source, path string, v json.Value, depth int) {
	value := filter.Value{Kind: filter.Undefined}
	switch v.Kind() {
	case json.Array, json.Invalid:
		return // arrays cannot be filtered
	case json.Object:
		value.Kind = filter.Object
	case json.String:
		value.Kind = filter.String
		value.String, _ = v.String()
	case json.Number:
		if n, ok := v.Float(); ok {
			value = filter.Value{Kind: filter.Number, Number: n}
		}
	case json.Bool:
		value.Kind = filter.False
		if on, _ := v.Bool(); on {
			value.Kind = filter.True
		}
	case json.Null:
		value.Kind = filter.Null
	}
	if path != "" {
		t.note(filter.Field{From: from, Path: path}, value)
	}
	if value.Kind != filter.Object || depth == seenDepth {
		return
	}
	for key, member := range v.Members() {
		name := key.String()
		switch {
		case from == filter.Patch:
			t.walk(from, path+"/"+escapePointer.Replace(name), member, depth+1)
		case strings.ContainsAny(name, ".[") || name == "":
			// A filter cannot name it.
		case path == "":
			t.walk(from, name, member, depth+1)
		default:
			t.walk(from, path+"."+name, member, depth+1)
		}
	}
}

var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

// note counts a value of f, once for each event.
func (t *sightings) note(f filter.Field, v filter.Value) {
	if len(f.Path) > seenLength || !utf8.ValidString(f.Path) {
		return
	}
	s := t.fields[f]
	if s == nil {
		if len(t.fields) == seenFields {
			return
		}
		s = &sighting{values: map[filter.Value]int{}}
		t.fields[f] = s
	}
	if t.once[f] != t.events {
		t.once[f] = t.events
		s.events++
	}
	if v.Kind == filter.Undefined || v.Kind == filter.Object || len(v.String) > seenLength || !utf8.ValidString(v.String) {
		return
	}
	if _, ok := s.values[v]; ok || len(s.values) < seenTexts {
		s.values[v]++
	}
}

// known returns what was seen, the most frequent first.
func (t *sightings) known() filter.Known {
	out := filter.Known{Events: t.events}
	for field, s := range t.fields {
		seen := filter.Seen{Field: field, Events: s.events}
		for _, v := range slices.Collect(maps.Keys(s.values)) {
			seen.Values = append(seen.Values, filter.SeenValue{Value: v, Events: s.values[v]})
		}
		slices.SortFunc(seen.Values, func(a, b filter.SeenValue) int {
			return cmp.Or(cmp.Compare(b.Events, a.Events), cmp.Compare(a.Value.Text(), b.Value.Text()))
		})
		if field != (filter.Field{From: filter.Attribute, Path: "type"}) {
			seen.Values = seen.Values[:min(len(seen.Values), seenShown)]
		}
		out.Seen = append(out.Seen, seen)
	}
	slices.SortFunc(out.Seen, func(a, b filter.Seen) int {
		return cmp.Or(cmp.Compare(b.Events, a.Events), cmp.Compare(a.Field.String(), b.Field.String()))
	})
	return out
}
