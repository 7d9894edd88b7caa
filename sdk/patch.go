package sdk

import (
	"strings"

	"github.com/headgate/headgate/sdk/json"
)

// Patched is the value that the event's JSON Patch leaves at path, such as
// "/Temperature" or "/Front/Temperature"; the zero Value when it sets none, or
// when the event has no patch. It looks through operations on an ancestor, as
// when "/Front" is replaced whole; the last operation that matters wins.
//
// It reads the data in one pass of its own, and needs no call of JSON before.
func (e *Event) Patched(path string) json.Value {
	var found json.Value
	r := json.NewReader(e.Data())
	if r.Object() {
		for r.Member() {
			if r.Is("patch") {
				found = patched(&r, path)
			}
		}
	}
	if r.End() != nil {
		return nil
	}
	return found
}

// patched reads the patch that comes next.
func patched(r *json.Reader, path string) (found json.Value) {
	if !r.Array() {
		return nil
	}
	for r.Element() {
		if !r.Object() {
			continue
		}
		var op, at, value json.Value
		for r.Member() {
			switch {
			case r.Is("value"):
				value = r.Value()
			case r.Is("path"):
				at = r.Value()
			case r.Is("op"):
				op = r.Value()
			}
		}
		rest, ok := below(at, path)
		switch {
		case !ok:
		case op.Is("add"), op.Is("replace"):
			found = resolve(value, rest)
		case op.Is("remove"):
			found = nil
		}
	}
	return found
}

// below returns what remains of path under the JSON Pointer that the string at
// holds, and whether it is that path or beneath it.
func below(at json.Value, path string) (rest string, ok bool) {
	if at.Is(path) {
		return "", true
	}
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' && at.Is(path[:i]) {
			return path[i:], true
		}
	}
	return "", false
}

// resolve returns the member of v that the JSON Pointer path leads to, nil
// when there is none.
func resolve(v json.Value, path string) json.Value {
	for path != "" {
		var name string
		name, path, _ = strings.Cut(path[1:], "/")
		if path != "" {
			path = "/" + path
		}
		v = v.At(unescape(name))
	}
	return v
}

// unescape decodes a JSON Pointer's token.
func unescape(token string) string {
	if strings.IndexByte(token, '~') < 0 {
		return token
	}
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}
