// Package twin reads what an event says of its digital twin: the numbers that
// its properties became, and those that it measured.
package twin

import (
	"iter"
	"strings"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/sdk/json"
)

// Bounds of what one event is read for.
const (
	maxNumbers = 500
	maxDepth   = 16
	maxPath    = 512 // bytes; longer ones are left out
)

// Numbers yields what e says of numeric properties, each with its JSON Pointer
// in the twin: what a patch adds or replaces, also within objects, all of a twin
// that was created, and below "/telemetry" what was measured. What concerns a
// relationship is below "/relationships/" and its id. Of an event that is not of
// Azure Digital Twins, all numbers in its data are taken. Names that begin with
// "$" are not the twin's own, and left out.
func Numbers(e *event.Event) iter.Seq2[string, float64] {
	return func(yield func(string, float64) bool) {
		data, err := json.Parse(e.Data)
		if err != nil || len(e.Data) == 0 {
			return
		}
		w := walk{yield: yield, left: maxNumbers}
		root := root(e)
		switch e.Type {
		case event.TwinDelete, event.RelationshipDelete: // what was, is no news
		case event.TwinUpdate, event.RelationshipUpdate:
			w.patch(root, data.At("patch"))
		default:
			w.value(root, data, 0)
		}
	}
}

// root is the pointer beneath which the properties lie that e is about.
func root(e *event.Event) string {
	if e.Type == event.Telemetry {
		if e.Subject != "" {
			return "/telemetry/" + escape(e.Subject) // a component
		}
		return "/telemetry"
	}
	if _, id, ok := strings.Cut(e.Subject, "/relationships/"); ok {
		return "/relationships/" + escape(id)
	}
	return ""
}

// walk yields numbers until there are too many, or nobody wants more.
type walk struct {
	yield func(string, float64) bool
	left  int
}

func (w *walk) patch(root string, patch json.Value) {
	for _, element := range patch.Elements() {
		op, _ := element.At("op").String()
		path, ok := element.At("path").String()
		if (op == "add" || op == "replace") && ok && (path == "" || path[0] == '/') && !strings.Contains(path, "/$") {
			w.value(root+path, element.At("value"), 0)
		}
		if w.left <= 0 {
			return
		}
	}
}

func (w *walk) value(path string, v json.Value, depth int) {
	if w.left <= 0 || depth > maxDepth || len(path) > maxPath {
		return
	}
	switch v.Kind() {
	case json.Number:
		if f, ok := v.Float(); ok {
			if w.left--; !w.yield(path, f) {
				w.left = 0
			}
		}
	case json.Object:
		for key, member := range v.Members() {
			if name := key.String(); !strings.HasPrefix(name, "$") {
				w.value(path+"/"+escape(name), member, depth+1)
			}
			if w.left <= 0 {
				return
			}
		}
	}
}

// escape makes a name a part of a JSON Pointer.
func escape(name string) string {
	if !strings.ContainsAny(name, "~/") {
		return name
	}
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
