package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// parseJSON returns the values of a file, one after the other, with their
// places. An array is what it holds.
func parseJSON(b []byte) ([]*node, error) {
	p := &jsonParser{text: b, dec: json.NewDecoder(bytes.NewReader(b))}
	p.dec.UseNumber()
	var roots []*node
	for {
		n, err := p.value(0)
		if errors.Is(err, io.EOF) && n == nil && p.depth == 0 {
			return roots, nil
		}
		if err != nil {
			return nil, p.explain(err)
		}
		if n.kind == array {
			roots = append(roots, n.items...)
			continue
		}
		roots = append(roots, n)
	}
}

type jsonParser struct {
	text  []byte
	dec   *json.Decoder
	depth int // of the value at hand
	// line and column, counted from 0, are those of offset.
	offset, line, column int
}

// next returns the place of the token that comes next.
func (p *jsonParser) next() place {
	at := int(p.dec.InputOffset())
	for at < len(p.text) && bytes.IndexByte([]byte(" \t\r\n,:"), p.text[at]) >= 0 {
		at++
	}
	for ; p.offset < at; p.offset++ {
		switch c := p.text[p.offset]; {
		case c == '\n':
			p.line, p.column = p.line+1, 0
		case c < utf8.RuneSelf, c >= 0xc0: // where a character begins
			p.column++
		}
	}
	return place{p.line + 1, p.column + 1}
}

func (p *jsonParser) value(depth int) (*node, error) {
	p.depth = depth
	at := p.next()
	if depth > maxDepth {
		return nil, at.refuse("is nested deeper than %d levels", maxDepth)
	}
	tok, err := p.dec.Token()
	if err != nil {
		return nil, err
	}
	switch tok := tok.(type) {
	case json.Delim:
		if tok == '{' {
			return p.object(at, depth)
		}
		return p.array(at, depth)
	case string:
		return &node{place: at, kind: text, text: tok}, nil
	case json.Number:
		return &node{place: at, text: tok.String()}, nil
	case bool:
		if tok {
			return &node{place: at, text: "true"}, nil
		}
		return &node{place: at, text: "false"}, nil
	}
	return &node{place: at, text: "null"}, nil
}

func (p *jsonParser) object(at place, depth int) (*node, error) {
	out := &node{place: at, kind: object}
	names := map[string]bool{}
	for p.dec.More() {
		key := p.next()
		tok, err := p.dec.Token()
		if err != nil {
			return nil, early(err)
		}
		name, _ := tok.(string) // the decoder allows nothing else here
		if names[name] {
			return nil, key.refuse("%q is given twice", name)
		}
		names[name] = true
		value, err := p.value(depth + 1)
		if err != nil {
			return nil, early(err)
		}
		out.members = append(out.members, member{key, name, value})
	}
	_, err := p.dec.Token()
	return out, early(err)
}

func (p *jsonParser) array(at place, depth int) (*node, error) {
	out := &node{place: at, kind: array}
	for p.dec.More() {
		item, err := p.value(depth + 1)
		if err != nil {
			return nil, early(err)
		}
		out.items = append(out.items, item)
	}
	_, err := p.dec.Token()
	return out, early(err)
}

// early is err, where the end of the text is no good end.
func early(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (p *jsonParser) explain(err error) error {
	var fault *Error
	if errors.As(err, &fault) {
		return err
	}
	offset, reason := int(p.dec.InputOffset()), "the JSON is malformed: "+err.Error()
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		offset = int(syntax.Offset) - 1
	case errors.Is(err, io.ErrUnexpectedEOF):
		offset, reason = len(p.text), "the JSON ends too early"
	}
	line, column := placeOf(p.text, offset)
	return &Error{Line: line, Column: column, Reason: reason}
}
