package main

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/headgate/headgate/sdk/json"
)

// update is what an update says, in the order of its patch.
type update struct {
	model      json.Value
	operations []operation
	paths      []byte // of all operations, JSON Pointers
	metadata   bool   // some of them are of metadata
	want       []byte // memory of sourceTime
}

// operation is an add, a replace or a remove.
type operation struct {
	value      json.Value
	start, end int // the path, in paths
	removes    bool
	hidden     bool // it is of metadata, and not of a property
}

// read reads the data of an update in one pass.
func (u *update) read(data []byte) error {
	u.model = nil
	u.forget()
	if data == nil {
		return errors.New("the event has no data")
	}
	r := json.NewReader(data)
	var patched bool
	var fault error
	if r.Object() {
		for r.Member() {
			switch {
			case r.Is("modelId"):
				u.model = r.Value()
			case r.Is("patch"): // of several members of one name the last counts
				u.forget()
				patched, fault = u.patch(&r)
			}
		}
	}
	if err := r.End(); err != nil {
		return errors.New("data is not JSON: " + err.Error())
	}
	if !patched {
		return errors.New(`data has no array "patch"`)
	}
	return fault
}

// forget drops all operations, and keeps their memory.
func (u *update) forget() { u.operations, u.paths, u.metadata = u.operations[:0], u.paths[:0], false }

// patch reads the patch that comes next, and reports whether it is an array,
// and the first fault of its operations.
func (u *update) patch(r *json.Reader) (ok bool, fault error) {
	if !r.Array() {
		return false, nil
	}
	for i := 0; r.Element(); i++ {
		if err := u.operation(r); err != nil && fault == nil {
			fault = errors.New("patch operation " + strconv.Itoa(i) + ": " + err.Error())
		}
	}
	return true, fault
}

func (u *update) operation(r *json.Reader) error {
	if !r.Object() {
		return errors.New("it is not an object")
	}
	var op, path json.Value
	o := operation{start: len(u.paths)}
	for r.Member() {
		switch {
		case r.Is("value"):
			o.value = r.Value()
		case r.Is("path"):
			path = r.Value()
		case r.Is("op"):
			op = r.Value()
		}
	}
	switch {
	case op.Is("remove"):
		o.removes = true
	case !op.Is("add") && !op.Is("replace"):
		return nil
	case o.value == nil:
		return errors.New("it has no value")
	}
	u.paths, _ = path.AppendString(u.paths)
	o.end = len(u.paths)
	if o.start == o.end || u.paths[o.start] != '/' {
		return errors.New("its path is not a string that starts with a slash")
	}
	o.hidden = bytes.Contains(u.path(&o), []byte("/$"))
	u.metadata = u.metadata || o.hidden
	u.operations = append(u.operations, o)
	return nil
}

func (u *update) path(o *operation) []byte { return u.paths[o.start:o.end] }

// sourceTime is the time, in the metadata of the same patch, at which the
// property was observed; the zero Value for none. Metadata lies beside the
// property: that of /Front/Temperature in /Front/$metadata/Temperature.
func (u *update) sourceTime(of *operation) (found json.Value) {
	if !u.metadata {
		return nil
	}
	path := u.path(of)
	name := bytes.LastIndexByte(path, '/')
	u.want = append(append(u.want[:0], path[:name]...), "/$metadata"...)
	u.want = append(append(u.want, path[name:]...), "/sourceTime"...)
	for i := range u.operations {
		o := &u.operations[i]
		if o.hidden && !o.removes && o.value.Kind() == json.String && bytes.Equal(u.path(o), u.want) {
			found = o.value
		}
	}
	return found
}

// appendKey appends the name of the property: its path, the parts joined by
// separator, their escapes decoded.
func (u *update) appendKey(dst []byte, of *operation, separator byte) []byte {
	path := u.path(of)[1:]
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch {
		case c == '/':
			c = separator
		case c == '~' && i+1 < len(path) && path[i+1]-'0' <= 1:
			i++
			c = "~/"[path[i]-'0']
		}
		dst = append(dst, c)
	}
	return dst
}
