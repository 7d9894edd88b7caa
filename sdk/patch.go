package sdk

import (
	"strconv"
	"strings"

	"github.com/headgate/headgate/sdk/json"
)

// Operation is an operation of a JSON Patch: what it does, and to which
// property. Its Path is a JSON Pointer in a string, such as "/Front/Temperature".
type Operation = json.Operation

// What an operation does, by the name in its member op.
const (
	OpAdd     = json.OpAdd
	OpReplace = json.OpReplace
	OpRemove  = json.OpRemove
	OpOther   = json.OpOther // none of those that Azure Digital Twins sends
)

// Patch goes through the operations by which an update of a twin or of a
// relationship changes it, in one pass over the data, which it checks as it goes:
//
//	patch := e.Patch()
//	for patch.Next() {
//		if patch.Sets() {
//			use(patch.Path, patch.Value)
//		}
//	}
//	if err := patch.Err(); err != nil {
//		return err
//	}
//
// Only with Err is it known that what was read belongs to a sound update.
type Patch struct {
	// Operation is the one that Next went to. An add, a replace and a remove
	// have a path that starts with a slash, the first two have a value.
	Operation

	reader json.Reader
	model  json.Value
	count  int // of the operations that were read
	state  patchState
	absent bool // there is no data
	err    error
}

type patchState uint8

const (
	beforePatch patchState = iota
	inPatch
	afterPatch
)

// Patch returns the operations of the event's JSON Patch: what {"patch": […]} in
// the data of an update holds. It is good until the next call.
func (e *Event) Patch() *Patch {
	p := &e.patch
	data := e.Data()
	p.reader.Reset(data)
	p.reader.Object()
	p.model, p.count, p.state, p.absent, p.err = nil, 0, beforePatch, data == nil, nil
	return p
}

// Next goes to the next operation, and reports whether there is one.
func (p *Patch) Next() bool {
	if p.state != inPatch && !p.enter() {
		return false
	}
	if !p.reader.Operation(&p.Operation) {
		p.state = afterPatch
		p.enter() // and reads what is left
		return false
	}
	p.count++
	if p.Op == OpOther || (p.Op == OpRemove || p.Sets() && p.Value != nil) && isPath(p.Path) {
		return true
	}
	p.err = p.Fault(p.fault())
	p.end()
	return false
}

// isPath reports whether a value is a string that starts with a slash.
func isPath(v json.Value) bool {
	return len(v) > 2 && v[0] == '"' && v[1] == '/' || isEscapedPath(v)
}

func isEscapedPath(v json.Value) bool {
	s, _ := v.String()
	return strings.HasPrefix(s, "/")
}

// fault is what is wrong with the operation.
func (p *Patch) fault() error {
	switch {
	case p.Op == json.NoOp:
		return errOperation
	case p.Sets() && p.Value == nil:
		return errNoValue
	}
	return errPath
}

// Fault returns err as one that names the operation, by its number.
func (p *Patch) Fault(err error) error {
	return wrap("patch operation "+strconv.Itoa(p.count-1), err)
}

// enter goes to the patch, or to the end of the data, and reports whether it
// found a patch.
func (p *Patch) enter() bool {
	for p.err == nil && p.reader.Member() {
		switch {
		case p.reader.Is("modelId"):
			p.model = p.reader.Value()
		case !p.reader.Is("patch"):
		case p.state == afterPatch:
			p.err = errPatches
		case p.reader.Array():
			p.state = inPatch
			return true
		default:
			p.err = errNoPatch
		}
	}
	p.end()
	return false
}

// end reads what is left of the data. A fault of the text comes before others.
func (p *Patch) end() {
	switch err := p.reader.End(); {
	case p.absent:
		p.err = errNoData
	case err != nil:
		p.err = wrap("data is not JSON", err)
	case p.err == nil && p.state == beforePatch:
		p.err = errNoPatch
	}
	p.state = afterPatch
}

// Err is what is wrong with the data, in words that are fit to be returned. It
// is to be asked once Next has returned false.
func (p *Patch) Err() error { return p.err }

// ModelID is the model that the update names, the zero Value for none. It is
// known once Next has returned false.
func (p *Patch) ModelID() json.Value { return p.model }

// Patched is the value that the event's JSON Patch leaves at path, such as
// "/Temperature" or "/Front/Temperature"; the zero Value when it sets none, or
// when the event has no patch, or one with a fault. It looks through operations
// on an ancestor, as when "/Front" is replaced whole; the last operation that
// matters wins.
//
// It goes through the patch, as [Event.Patch] does, and needs no call of JSON.
func (e *Event) Patched(path string) json.Value {
	var found json.Value
	patch := e.Patch()
	for patch.Next() {
		rest, ok := below(patch.Path, path)
		switch {
		case !ok:
		case patch.Sets():
			found = resolve(patch.Value, rest)
		case patch.Op == OpRemove:
			found = nil
		}
	}
	if patch.Err() != nil {
		return nil
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
