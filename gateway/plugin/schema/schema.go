// Package schema checks the configuration of a plugin against the JSON Schema
// that the plugin carries.
//
// A schema comes from whoever wrote the module, so it is taken for hostile:
// it refers to nothing outside itself, and its work is bounded before it runs.
package schema

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Schema is a JSON Schema, draft 2020-12 unless it names another. It is safe
// for use by many goroutines.
type Schema struct{ compiled *jsonschema.Schema }

// Error says what is wrong with one member of a configuration.
type Error struct {
	// Field is the member's path, such as "keys[2].name"; empty for the whole.
	Field  string
	Reason string
}

// Error returns the path and the reason.
func (e *Error) Error() string {
	if e.Field == "" {
		return e.Reason
	}
	return e.Field + ": " + e.Reason
}

// Parse reads a schema. The error is a sentence about it.
func Parse(text []byte) (*Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	if err := bound(doc); err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(nothing{})
	const name = "urn:headgate:config"
	if err := c.AddResource(name, doc); err != nil {
		return nil, plain(err)
	}
	compiled, err := c.Compile(name)
	if err != nil {
		return nil, plain(err)
	}
	return &Schema{compiled}, nil
}

// nothing loads no other schema.
type nothing struct{}

func (nothing) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s is outside of it; a plugin's schema holds all that it needs", url)
}

// plain takes the library's wrapping off an error.
func plain(err error) error {
	var invalid *jsonschema.SchemaValidationError
	if errors.As(err, &invalid) {
		var why *jsonschema.ValidationError
		if errors.As(invalid.Err, &why) {
			e := first(why)
			return fmt.Errorf("it is not a JSON Schema: %w", e)
		}
	}
	return err
}

// Check returns an [*Error] when config, JSON, is not what the schema describes.
func (s *Schema) Check(config []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(config))
	if err != nil {
		return &Error{Reason: "it is not JSON: " + err.Error()}
	}
	err = s.compiled.Validate(doc)
	if why := (*jsonschema.ValidationError)(nil); errors.As(err, &why) {
		return first(why)
	}
	return err
}

var english = message.NewPrinter(language.English)

// first is the deepest cause that comes first: what a person would mend first.
func first(e *jsonschema.ValidationError) *Error {
	at := e
	for len(at.Causes) > 0 {
		switch at.ErrorKind.(type) {
		case *kind.AnyOf, *kind.OneOf:
			// Of several forms, none of which fits, the nearest is where the
			// others fail later: the one whose first fault lies deepest.
			deepest := at.Causes[0]
			for _, cause := range at.Causes[1:] {
				if depth(cause) > depth(deepest) {
					deepest = cause
				}
			}
			at = deepest
		default:
			at = at.Causes[0]
		}
	}
	return &Error{Field: field(at.InstanceLocation), Reason: at.ErrorKind.LocalizedString(english)}
}

func depth(e *jsonschema.ValidationError) int {
	for len(e.Causes) > 0 {
		e = e.Causes[0]
	}
	return len(e.InstanceLocation)
}

// field writes a location as errors of the API do.
func field(location []string) string {
	var b strings.Builder
	for _, part := range location {
		if _, err := strconv.ParseUint(part, 10, 32); err == nil {
			b.WriteString("[" + part + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(part)
	}
	return b.String()
}
