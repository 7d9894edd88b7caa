package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// parse returns the documents of a file: JSON when it says that it is, or looks
// like it and is, and else YAML.
func parse(name string, b []byte) ([]*node, error) {
	if !utf8.Valid(b) {
		line, column := placeOf(b, firstInvalid(b))
		return nil, &Error{Line: line, Column: column, Reason: "is not UTF-8 here; save the file as UTF-8"}
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	begin := bytes.TrimLeft(b, " \t\r\n")
	if strings.HasSuffix(name, ".json") {
		return parseJSON(b)
	}
	if len(begin) > 0 && (begin[0] == '{' || begin[0] == '[') {
		if roots, err := parseJSON(b); err == nil {
			return roots, nil
		}
	}
	return parseYAML(b)
}

func firstInvalid(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(b)
}

// placeOf is the line and the column of an offset.
func placeOf(b []byte, offset int) (line, column int) {
	before := b[:min(max(offset, 0), len(b))]
	line = 1 + bytes.Count(before, []byte("\n"))
	return line, 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
}

// maxDocumentBytes bounds one document: the API takes no larger resource.
const maxDocumentBytes = 1 << 20

// parseYAML parses document by document, so that a fault of one does not hide
// those of the others.
func parseYAML(b []byte) ([]*node, error) {
	var roots []*node
	var errs Errors
	for begin, lines := 0, 0; begin < len(b); {
		end := begin + documentEnd(b[begin:])
		root, err := parseDocument(b[begin:end], lines)
		if fault := (*Error)(nil); errors.As(err, &fault) {
			fault.Line += lines
			errs = append(errs, fault)
		} else if root != nil {
			roots = append(roots, root)
		}
		lines += bytes.Count(b[begin:end], []byte("\n"))
		begin = end
	}
	if len(errs) > 0 {
		return roots, errs
	}
	return roots, nil
}

// documentEnd returns where the document ends with which b begins: before the
// next line of three hyphens, which nothing within a document can be.
func documentEnd(b []byte) int {
	at := 0
	for i, line := 0, []byte(nil); at < len(b); i++ {
		line, _, _ = bytes.Cut(b[at:], []byte("\n"))
		rest, marks := bytes.CutPrefix(bytes.TrimSuffix(line, []byte("\r")), []byte("---"))
		if i > 0 && marks && (len(rest) == 0 || rest[0] == ' ' || rest[0] == '\t') {
			return at
		}
		at = min(at+len(line)+1, len(b))
	}
	return at
}

// parseDocument parses the document that begins behind so many lines; nil is an
// empty one.
func parseDocument(b []byte, lines int) (root *node, err error) {
	if len(b) > maxDocumentBytes {
		return nil, place{1, 1}.refuse("this document is larger than %d MiB", maxDocumentBytes>>20)
	}
	if err := checkNesting(b); err != nil {
		return nil, err
	}
	defer func() {
		if r := recover(); r != nil {
			root, err = nil, place{1, 1}.refuse("this document cannot be read as YAML: %v", r)
		}
	}()
	file, err := parser.ParseBytes(b, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntaxError(err)
	}
	for _, doc := range file.Docs {
		switch doc.Body.(type) {
		case nil, *ast.CommentGroupNode, *ast.NullNode:
			continue
		}
		if root != nil {
			return nil, placeIn(doc.Body).refuse("another document begins here; divide them by a line ---")
		}
		t := tree{anchors: map[string]*node{}}
		if root, err = t.node(doc.Body, 0); err != nil {
			return nil, err
		}
		root.move(lines, map[*node]bool{})
	}
	return root, nil
}

// move puts a node so many lines further down, with all that it holds.
func (n *node) move(lines int, done map[*node]bool) {
	if done[n] {
		return // an anchor's
	}
	done[n] = true
	n.line += lines
	for i := range n.members {
		n.members[i].line += lines
		n.members[i].value.move(lines, done)
	}
	for _, item := range n.items {
		item.move(lines, done)
	}
}

// checkNesting refuses what would take the parser too deep: it goes down once
// for each level, and there is no way back from the end of the stack. Brackets
// within texts count too, so their bound is far from what anyone writes.
func checkNesting(b []byte) error {
	const mostOpen = 1000
	open, number := 0, 0
	for line := range bytes.Lines(b) {
		number++
		begun := 0
		for word := range bytes.FieldsSeq(line) {
			if c := word[0]; c != '!' && c != '&' && string(word) != "-" && string(word) != "?" {
				break
			}
			if begun++; begun > maxDepth {
				return place{number, 1}.refuse("is nested deeper than %d levels", maxDepth)
			}
		}
		for i, c := range line {
			switch c {
			case '[', '{':
				open++
			case ']', '}':
				open = max(0, open-1)
			}
			if open > mostOpen {
				return place{number, i + 1}.refuse("is nested deeper than %d levels", maxDepth)
			}
		}
		if indent := len(line) - len(bytes.TrimLeft(line, " ")); indent > 16*maxDepth {
			return place{number, indent}.refuse("is indented by %d blanks; nothing is nested deeper than %d levels", indent, maxDepth)
		}
	}
	return nil
}

func syntaxError(err error) error {
	var syntax yaml.Error
	if !errors.As(err, &syntax) || syntax.GetToken() == nil || syntax.GetToken().Position == nil {
		return place{1, 1}.refuse("%v", err)
	}
	at := syntax.GetToken().Position
	return place{at.Line, at.Column}.refuse("%s", syntax.GetMessage())
}

// tree makes nodes of what the parser made.
type tree struct {
	anchors map[string]*node // those that are complete
}

func (t *tree) node(n ast.Node, depth int) (*node, error) {
	at := placeIn(n)
	if depth > maxDepth {
		return nil, at.refuse("is nested deeper than %d levels", maxDepth)
	}
	switch n := n.(type) {
	case nil, *ast.NullNode:
		return &node{place: at, text: "null"}, nil
	case *ast.BoolNode:
		return &node{place: at, text: strconv.FormatBool(n.Value)}, nil
	case *ast.IntegerNode:
		return &node{place: at, text: fmt.Sprint(n.Value)}, nil
	case *ast.FloatNode:
		return number(at, n)
	case *ast.StringNode:
		if n.Token.Type == token.StringType && isNumber(n.Value) {
			return &node{place: at, text: n.Value}, nil // 1e3, which the parser takes for a text
		}
		return &node{place: at, kind: text, text: n.Value}, nil
	case *ast.InfinityNode, *ast.NanNode:
		return nil, at.refuse("%s is no number that JSON has", n.GetToken().Value)
	case *ast.LiteralNode:
		return &node{place: at, kind: text, text: n.Value.Value}, nil
	case *ast.MappingNode:
		return t.mapping(at, n.Values, depth)
	case *ast.MappingValueNode:
		return t.mapping(at, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		out := &node{place: at, kind: array}
		for _, v := range n.Values {
			item, err := t.node(v, depth+1)
			if err != nil {
				return nil, err
			}
			out.items = append(out.items, item)
		}
		return out, nil
	case *ast.AnchorNode:
		value, err := t.node(n.Value, depth+1)
		if err != nil {
			return nil, err
		}
		t.anchors[n.Name.GetToken().Value] = value
		return value, nil
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		if value := t.anchors[name]; value != nil {
			return value, nil
		}
		return nil, at.refuse("*%s names no anchor that is complete here", clip(name))
	case *ast.TagNode:
		return t.tagged(at, n, depth)
	}
	return nil, at.refuse("want a mapping, a list, a text, a number, true, false or null, have %s", strings.ToLower(n.Type().String()))
}

// number keeps the digits of a float, where they are JSON's.
func number(at place, n *ast.FloatNode) (*node, error) {
	if written := n.Token.Value; isNumber(written) {
		return &node{place: at, text: written}, nil
	}
	if math.IsInf(n.Value, 0) {
		return nil, at.refuse("%s is no number that JSON has", clip(n.Token.Value))
	}
	return &node{place: at, text: strconv.FormatFloat(n.Value, 'g', -1, 64)}, nil
}

// isNumber reports whether s is a number as JSON writes it.
func isNumber(s string) bool {
	return s != "" && (s[0] == '-' || '0' <= s[0] && s[0] <= '9') && json.Valid([]byte(s))
}

// tagged reads the tags that change nothing but that a scalar is a text.
func (t *tree) tagged(at place, n *ast.TagNode, depth int) (*node, error) {
	tag := n.Start.Value
	value, err := t.node(n.Value, depth+1)
	if err != nil {
		return nil, err
	}
	switch tag {
	case "!!str":
		if value.kind == scalar {
			return &node{place: value.place, kind: text, text: n.Value.GetToken().Value}, nil
		}
		if value.kind == text {
			return value, nil
		}
	case "!!map", "!!seq", "!!int", "!!float", "!!bool", "!!null":
		return value, nil
	}
	return nil, at.refuse("the tag %s is not read here; write the value without it", clip(tag))
}

func (t *tree) mapping(at place, pairs []*ast.MappingValueNode, depth int) (*node, error) {
	out := &node{place: at, kind: object}
	names := map[string]bool{}
	var merged []*node
	for i, pair := range pairs {
		key := placeIn(pair.Key)
		if i == 0 {
			out.place = key
		}
		value, err := t.node(pair.Value, depth+1)
		if err != nil {
			return nil, err
		}
		if _, ok := pair.Key.(*ast.MergeKeyNode); ok {
			if merged, err = merge(key, merged, value); err != nil {
				return nil, err
			}
			continue
		}
		name, err := keyName(key, pair.Key)
		if err != nil {
			return nil, err
		}
		if names[name] {
			return nil, key.refuse("%q is given twice", name)
		}
		names[name] = true
		out.members = append(out.members, member{key, name, value})
	}
	for _, from := range merged {
		for _, m := range from.members {
			if !names[m.name] {
				names[m.name] = true
				out.members = append(out.members, m)
			}
		}
	}
	return out, nil
}

// merge reads what << names: a mapping, or a list of some.
func merge(at place, merged []*node, value *node) ([]*node, error) {
	switch value.kind {
	case object:
		return append(merged, value), nil
	case array:
		for _, item := range value.items {
			if item.kind != object {
				return nil, at.refuse("<< wants mappings")
			}
			merged = append(merged, item)
		}
		return merged, nil
	}
	return nil, at.refuse("<< wants a mapping")
}

func keyName(at place, key ast.MapKeyNode) (string, error) {
	switch k := key.(type) {
	case *ast.StringNode:
		return k.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return k.GetToken().Value, nil
	}
	return "", at.refuse("want a plain name before the colon")
}

func placeIn(n ast.Node) place {
	if n == nil {
		return place{1, 1}
	}
	tok := n.GetToken()
	if tok == nil || tok.Position == nil {
		return place{1, 1}
	}
	return place{tok.Position.Line, tok.Position.Column}
}

func (p place) refuse(format string, args ...any) error {
	return &Error{Line: p.line, Column: p.column, Reason: fmt.Sprintf(format, args...)}
}
