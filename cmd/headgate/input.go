package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
)

// maxInputBytes bounds a file of resources.
const maxInputBytes = 16 << 20

// open returns the file called name, or standard input for "-".
func (a *app) open(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(a.in), nil
	}
	return os.Open(name)
}

// readResources reads the JSON objects in the file name ("-" is standard
// input): YAML documents or JSON values, each one object, a list of them, or a
// list as the API answers it, {"items": […]}.
func (a *app) readResources(name string) ([]json.RawMessage, error) {
	f, err := a.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxInputBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(text) > maxInputBytes {
		return nil, fmt.Errorf("read %s: it is larger than 16 MiB", name)
	}
	values, err := documents(text)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	var out []json.RawMessage
	for _, v := range values {
		objects, err := flatten(v)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		out = append(out, objects...)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("read %s: it holds nothing", name)
	}
	return out, nil
}

// documents splits text into JSON values. JSON is taken as it is, so that no
// number changes its digits; everything else is read as YAML.
func documents(text []byte) ([]json.RawMessage, error) {
	var out []json.RawMessage
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		var v json.RawMessage
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			break
		}
		out = append(out, v)
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, errors.New(yaml.FormatError(err, false, true))
	}
	out = nil
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		var v any
		if err := yaml.NodeToValue(doc.Body, &v); err != nil {
			return nil, errors.New(yaml.FormatError(err, false, true))
		}
		b, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// flatten returns the objects that v is or lists.
func flatten(v json.RawMessage) ([]json.RawMessage, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(v, &list); err == nil {
		return flattenAll(list)
	}
	var page struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(v, &page); err != nil {
		return nil, fmt.Errorf("want objects, have %.40s", v)
	}
	if page.Items != nil {
		return flattenAll(page.Items)
	}
	return []json.RawMessage{v}, nil
}

func flattenAll(list []json.RawMessage) ([]json.RawMessage, error) {
	var out []json.RawMessage
	for _, item := range list {
		objects, err := flatten(item)
		if err != nil {
			return nil, err
		}
		out = append(out, objects...)
	}
	return out, nil
}
