package workbench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/headgate/headgate/gateway/event"
)

// The files of a case, beneath its directory.
const (
	inFile      = "in.json" // a CloudEvent, or an array of them
	inLinesFile = "in.ndjson"
	configFile  = "config.json"
	wantFile    = "want.json"
)

// Case is a golden test: a directory with events, the configuration under
// which they are run, and what is wanted to come out.
type Case struct {
	Name   string // of the directory
	Dir    string
	Events []event.Event
	Config json.RawMessage // nil for none
	Want   json.RawMessage // nil while there is none
}

// Cases reads the cases in the directory testdata of dir, sorted by name:
// every directory there that holds events.
func Cases(dir string) ([]Case, error) {
	root := filepath.Join(dir, "testdata")
	entries, err := os.ReadDir(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var cases []Case
	for _, e := range entries {
		c, err := readCase(filepath.Join(root, e.Name()))
		if err != nil {
			return nil, err
		}
		if c != nil {
			cases = append(cases, *c)
		}
	}
	return cases, nil
}

// readCase returns nil for a directory that is no case.
func readCase(dir string) (*Case, error) {
	in := filepath.Join(dir, inFile)
	text, err := os.ReadFile(in)
	if missing(err) {
		in = filepath.Join(dir, inLinesFile)
		text, err = os.ReadFile(in)
	}
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c := Case{Name: filepath.Base(dir), Dir: dir}
	if c.Events, err = DecodeEvents(text); err != nil {
		return nil, fmt.Errorf("%s: %w", in, err)
	}
	for name, to := range map[string]*json.RawMessage{configFile: &c.Config, wantFile: &c.Want} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if missing(err) {
			continue
		}
		if err == nil && !json.Valid(text) {
			err = fmt.Errorf("%s: not JSON: %w", filepath.Join(dir, name), json.Unmarshal(text, new(any)))
		}
		if err != nil {
			return nil, err
		}
		*to = text
	}
	if c.Want != nil {
		if _, err := readWanted(c.Want); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(dir, wantFile), err)
		}
	}
	return &c, nil
}

// missing reports whether there is no such file, nor could there be.
func missing(err error) bool {
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	var path *fs.PathError // a file where a directory was looked for
	if errors.As(err, &path) {
		info, err := os.Stat(filepath.Dir(path.Path))
		return err == nil && !info.IsDir()
	}
	return false
}

// DecodeEvents reads CloudEvents as a gateway does: one after the other, or in
// arrays.
func DecodeEvents(text []byte) ([]event.Event, error) {
	var events []event.Event
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		var v json.RawMessage
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("after event %d: %w", len(events), err)
		}
		list := []json.RawMessage{v}
		if v[0] == '[' {
			if err := json.Unmarshal(v, &list); err != nil {
				return nil, err
			}
		}
		for _, raw := range list {
			e, err := event.DecodeJSON(slices.Clone(raw))
			if err != nil {
				return nil, fmt.Errorf("event %d: %w", len(events)+1, err)
			}
			events = append(events, e)
		}
	}
	if len(events) == 0 {
		return nil, errors.New("it holds no events")
	}
	return events, nil
}
