package main

import (
	"bytes"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

// update is what an update sets and removes, in the order of its patch.
type update struct {
	operations []operation
	paths      []byte // of all operations, JSON Pointers
	metadata   bool   // some of them are of metadata
	want       []byte // memory of sourceTime
}

// operation is an add, a replace or a remove.
type operation struct {
	sdk.Operation

	start, end int  // the path, in paths
	hidden     bool // it is of metadata, and not of a property
}

// read reads an update.
func (u *update) read(patch *sdk.Patch) error {
	u.operations, u.paths, u.metadata = u.operations[:0], u.paths[:0], false
	for patch.Next() {
		if patch.Op == sdk.OpOther {
			continue
		}
		o := operation{Operation: patch.Operation, start: len(u.paths)}
		u.paths, _ = patch.Path.AppendString(u.paths)
		o.end = len(u.paths)
		o.hidden = bytes.Contains(u.path(&o), []byte("/$"))
		u.metadata = u.metadata || o.hidden
		u.operations = append(u.operations, o)
	}
	return patch.Err()
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
		if o.hidden && o.Sets() && o.Value.Kind() == json.String && bytes.Equal(u.path(o), u.want) {
			found = o.Value
		}
	}
	return found
}
