package schema

import (
	"errors"
	"fmt"
	"strings"
)

// maxWork bounds the subschemas that one value may be held to, with those that
// references repeat.
const maxWork = 20_000

// bound returns an error when checking a configuration against doc could take
// long: when references go in circles, or multiply.
func bound(doc any) error {
	w := walker{doc: doc, known: map[string]int{}}
	_, err := w.work(doc)
	return err
}

// walker counts subschemas. References are followed, each target once.
type walker struct {
	doc   any
	known map[string]int // by pointer; circle while it is being counted
}

const circle = -1

var (
	errCircle = errors.New("its references go in a circle, which no configuration needs")
	errWork   = fmt.Errorf("it holds a value to more than %d subschemas, counting those that references repeat", maxWork)
)

func (w *walker) work(node any) (int, error) {
	total := 1
	add := func(part any) error {
		n, err := w.work(part)
		if total += n; err == nil && total > maxWork {
			err = errWork
		}
		return err
	}
	switch node := node.(type) {
	case []any:
		for _, part := range node {
			if err := add(part); err != nil {
				return 0, err
			}
		}
	case map[string]any:
		for name, part := range node {
			switch name {
			case "$id", "id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef", "$recursiveAnchor", "$vocabulary":
				if _, text := part.(string); text {
					return 0, fmt.Errorf("it has %s; only references of the form {\"$ref\":\"#/$defs/…\"} are followed", name)
				}
			case "$ref":
				if ref, text := part.(string); text {
					n, err := w.follow(ref)
					if total += n; err == nil && total > maxWork {
						err = errWork
					}
					if err != nil {
						return 0, err
					}
					continue
				}
			}
			if err := add(part); err != nil {
				return 0, err
			}
		}
	}
	return total, nil
}

// follow counts the target of a reference.
func (w *walker) follow(ref string) (int, error) {
	pointer, local := strings.CutPrefix(ref, "#")
	if !local || pointer != "" && pointer[0] != '/' {
		return 0, fmt.Errorf("its reference %.80q leads out of it; only those of the form \"#/$defs/…\" are followed", ref)
	}
	switch n, ok := w.known[pointer]; {
	case ok && n == circle:
		return 0, errCircle
	case ok:
		return n, nil
	}
	target, ok := lookup(w.doc, pointer)
	if !ok {
		return 0, fmt.Errorf("its reference %.80q leads nowhere", ref)
	}
	w.known[pointer] = circle
	n, err := w.work(target)
	w.known[pointer] = n
	return n, err
}

// lookup resolves a JSON Pointer to a member of objects.
func lookup(doc any, pointer string) (any, bool) {
	if pointer == "" {
		return doc, true
	}
	for _, token := range strings.Split(pointer[1:], "/") {
		object, ok := doc.(map[string]any)
		if !ok {
			return nil, false
		}
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		if doc, ok = object[token]; !ok {
			return nil, false
		}
	}
	return doc, true
}
