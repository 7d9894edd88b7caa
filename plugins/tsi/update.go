package main

import (
	"errors"
	"strconv"

	"github.com/headgate/headgate/sdk/json"
)

// update gathers what the operations add and replace of the JSON Patch in data
// set. Other operations set nothing. Updates are most of what a twin sends, so
// they are read in one pass.
func (s *shaper) update(data []byte) error {
	if data == nil {
		return errors.New("the event has no data")
	}
	r := json.NewReader(data)
	var patched bool
	var fault error
	if r.Object() {
		for r.Member() {
			if r.Is("patch") {
				// Of several members of one name the last counts.
				s.properties.reset()
				patched, fault = s.patch(&r)
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

// patch reads the patch that comes next, and reports whether it is an array,
// and the first fault of its operations.
func (s *shaper) patch(r *json.Reader) (ok bool, fault error) {
	if !r.Array() {
		return false, nil
	}
	for i := 0; r.Element(); i++ {
		if err := s.operation(r); err != nil && fault == nil {
			fault = errors.New("patch operation " + strconv.Itoa(i) + ": " + err.Error())
		}
	}
	return true, fault
}

func (s *shaper) operation(r *json.Reader) error {
	if !r.Object() {
		return errors.New("it is not an object")
	}
	var op, path, value json.Value
	for r.Member() {
		switch {
		case r.Is("value"):
			value = r.Value()
		case r.Is("path"):
			path = r.Value()
		case r.Is("op"):
			op = r.Value()
		}
	}
	if !op.Is("replace") && !op.Is("add") {
		return nil
	}
	if value == nil {
		return errors.New("it has no value")
	}
	return s.properties.setPath(path, value)
}
