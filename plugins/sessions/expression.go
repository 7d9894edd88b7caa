package main

import (
	"errors"
	"strings"

	"github.com/headgate/headgate/sdk"
)

// expression is where a value comes from.
type expression struct {
	from from
	text string // an extension's name, or the constant
	path int    // beneath data, as body counts them
}

type from uint8

const (
	constant from = iota
	twin
	inBody
	extension
	id
	source
	eventType
	subject
	eventTime
	contentType
	dataSchema
)

var attributes = map[string]from{
	"id": id, "source": source, "type": eventType, "subject": subject, "time": eventTime,
	"datacontenttype": contentType, "dataschema": dataSchema,
}

var errExpression = errors.New(`none of $twin, an attribute's name in lower case, a path such as $body.site.id and a 'constant'`)

func parseExpression(s string, b *body) (expression, error) {
	switch {
	case s == "$twin":
		return expression{from: twin}, nil
	case strings.HasPrefix(s, "$body."):
		path := strings.Split(s[len("$body."):], ".")
		for _, name := range path {
			if name == "" {
				return expression{}, errExpression
			}
		}
		return expression{from: inBody, path: b.add(path)}, nil
	case len(s) > 2 && s[0] == '\'' && s[len(s)-1] == '\'':
		return expression{from: constant, text: s[1 : len(s)-1]}, nil
	case !isName(s):
		return expression{}, errExpression
	}
	if a, ok := attributes[s]; ok {
		return expression{from: a}, nil
	}
	return expression{from: extension, text: s}, nil
}

func isName(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// value is what e says, empty for nothing. b looks at its data.
func (x *expression) value(e *sdk.Event, b *body) string {
	switch x.from {
	case constant:
		return x.text
	case twin:
		return e.TwinID()
	case inBody:
		return b.text(e, x.path)
	case extension:
		v, _ := e.Extension(x.text)
		return v
	case id:
		return e.ID()
	case source:
		return e.Source()
	case eventType:
		return e.Type()
	case subject:
		return e.Subject()
	case eventTime:
		return e.Time()
	case contentType:
		return e.DataContentType()
	default:
		return e.DataSchema()
	}
}
