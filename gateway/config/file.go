package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxFileBytes bounds a configuration file; a larger one is some other file.
const maxFileBytes = 64 << 10

// file applies the settings of the YAML file at path. It is strict: an unknown
// or repeated key, or a value that is not a scalar, is an error with its place.
func (l *loader) file(path string) {
	text, err := readAtMost(path, maxFileBytes+1)
	if err != nil {
		l.fileError(path, "cannot be read: "+reason(err))
		return
	}
	if len(text) > maxFileBytes {
		l.fileError(path, "is larger than 64 KiB: give a file of settings such as \"listen: 127.0.0.1:8080\"")
		return
	}
	doc, err := parser.ParseBytes(text, 0)
	if err != nil {
		where, what := yamlError(path, err)
		l.fileError(where, what)
		return
	}
	for i, d := range doc.Docs {
		if i > 0 && d.Body != nil {
			l.fileError(path, "holds several YAML documents: keep one")
			return
		}
		l.body(path, d.Body)
	}
}

// body applies the top-level mapping of a document.
func (l *loader) body(path string, body ast.Node) {
	var pairs []*ast.MappingValueNode
	switch n := body.(type) {
	case nil, *ast.NullNode, *ast.CommentGroupNode:
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		l.fileError(place(path, body), "want settings, one per line, such as \"listen: 127.0.0.1:8080\"")
	}
	for _, pair := range pairs {
		l.pair(path, pair)
	}
}

func (l *loader) pair(path string, pair *ast.MappingValueNode) {
	name := scalarText(pair.Key)
	for _, s := range l.settings {
		if s.Name != name {
			continue
		}
		if s.EnvOnly {
			l.errs = append(l.errs, &FieldError{Field: name, Where: place(path, pair.Key),
				Hint: "does not belong in a file: set " + s.Env + " or token-file"})
			return
		}
		switch pair.Value.(type) {
		case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.LiteralNode, *ast.BoolNode:
			l.apply(s, origin{fromFile, place(path, pair.Value), scalarText(pair.Value)})
		case *ast.NullNode:
			// "listen:" with nothing behind it leaves the default.
		default:
			l.errs = append(l.errs, &FieldError{Field: name, Where: place(path, pair.Value), Hint: "want one value, not a list or a mapping"})
		}
		return
	}
	l.errs = append(l.errs, &FieldError{Field: name, Where: place(path, pair.Key), Hint: l.unknown(name)})
}

// unknown says what to do about a key that is no setting.
func (l *loader) unknown(name string) string {
	tail := "see docs/configuration.md for the settings"
	for _, s := range l.settings {
		if !s.EnvOnly && nearlySame(s.Name, name) {
			tail = fmt.Sprintf("did you mean %q?", s.Name)
			break
		}
	}
	return "is not a setting; " + tail
}

func (l *loader) fileError(where, what string) {
	l.errs = append(l.errs, &FieldError{Field: "config", Where: where, Hint: what})
}

// scalarText is the text of a scalar as written, without its quotes.
func scalarText(n ast.Node) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	}
	return n.GetToken().Value
}

func place(path string, n ast.Node) string {
	at := n.GetToken().Position
	return fmt.Sprintf("%s:%d:%d", path, at.Line, at.Column)
}

// yamlError splits a parser's error into its place and its words.
func yamlError(path string, err error) (where, what string) {
	var syntax yaml.Error
	if !errors.As(err, &syntax) || syntax.GetToken() == nil {
		return path, err.Error()
	}
	at := syntax.GetToken().Position
	return fmt.Sprintf("%s:%d:%d", path, at.Line, at.Column), syntax.GetMessage()
}

// nearlySame reports whether a and b differ in no more than their separators,
// their case and one end: enough to guess what was meant.
func nearlySame(a, b string) bool {
	fold := strings.NewReplacer("_", "", "-", "", " ", "")
	a, b = strings.ToLower(fold.Replace(a)), strings.ToLower(fold.Replace(b))
	return a == b || len(b) >= 3 && (strings.HasPrefix(a, b) || strings.HasSuffix(a, b) || strings.HasPrefix(b, a))
}
