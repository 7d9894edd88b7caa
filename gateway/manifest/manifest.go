// Package manifest reads the documents in which resources are kept in Git: YAML
// or JSON, many to a file, with references to what must not be kept there.
//
// Reading is strict and complete: every fault of every document is reported, at
// its file, line and column. What a reference stands for is in the documents
// alone, and in no error.
package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/filter"
)

// Bounds of what is read.
const (
	// MaxFileBytes bounds a file of documents.
	MaxFileBytes = 16 << 20
	// MaxModuleBytes bounds a plugin's module.
	MaxModuleBytes = 64 << 20
)

// Options are what [Read] can do without.
type Options struct {
	// Stdin is read for the path "-"; nil is empty.
	Stdin io.Reader
	// Env looks up what ${NAME} stands for; nil knows no name.
	Env func(name string) (string, bool)
}

// Document is a resource as a file holds it.
type Document struct {
	catalog.Wanted
	// JSON is the whole of it, with what its references stand for.
	JSON json.RawMessage
	// Module is the path of a plugin's module; empty when the document names none.
	Module string

	file string
	root *node
	refs []reference
}

// File is the file that holds the document.
func (d *Document) File() string { return d.file }

// Set is all that was read.
type Set struct {
	Documents []Document
}

// Read reads the documents in files and directories, of which it takes the
// files *.yaml, *.yml and *.json but *.schema.json, whatever their depth, in the
// order of their names. Faults are [Errors].
func Read(paths []string, o Options) (*Set, error) {
	var errs Errors
	r := &reader{env: o.Env, stdin: o.Stdin}
	if r.env == nil {
		r.env = func(string) (string, bool) { return "", false }
	}
	for _, path := range paths {
		files, err := filesIn(path)
		if err != nil {
			errs = append(errs, &Error{File: path, Reason: reasonOf(err)})
		}
		for _, file := range files {
			if !slices.Contains(r.seen, file) {
				r.seen = append(r.seen, file)
				r.file(file)
			}
		}
	}
	errs = append(errs, r.errs...)
	if len(errs) == 0 && len(r.set.Documents) == 0 {
		errs = append(errs, &Error{File: strings.Join(paths, ", "), Reason: "holds no document"})
	}
	errs = append(errs, r.set.claims()...)
	if len(errs) > 0 {
		return nil, errs
	}
	return &r.set, nil
}

// filesIn returns path, or the files of documents in it.
func filesIn(path string) ([]string, error) {
	if path == "-" {
		return []string{path}, nil
	}
	path = filepath.Clean(path)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	var files []string
	// The slash has a link followed to the directory that it names.
	err = filepath.WalkDir(path+string(filepath.Separator), func(name string, d fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(d.Name(), ".") && filepath.Clean(name) != path
		switch {
		case err != nil:
			return err
		case d.IsDir() && hidden:
			return filepath.SkipDir
		case d.IsDir(), hidden, strings.HasSuffix(name, ".schema.json"):
			return nil
		}
		switch filepath.Ext(name) {
		case ".yaml", ".yml", ".json":
			files = append(files, filepath.Clean(name))
		}
		return nil
	})
	if err == nil && len(files) == 0 {
		err = errors.New("holds no file *.yaml, *.yml or *.json")
	}
	return files, err
}

// reader reads one file after the other.
type reader struct {
	env   func(string) (string, bool)
	stdin io.Reader
	seen  []string
	set   Set
	errs  Errors
}

func (r *reader) file(name string) {
	text, err := r.text(name)
	if err != nil {
		r.errs = append(r.errs, &Error{File: name, Reason: reasonOf(err)})
		return
	}
	roots, err := parse(name, text)
	for _, fault := range faultsOf(err) {
		r.errs = append(r.errs, inFile(name, fault))
	}
	for _, root := range roots {
		r.document(name, root)
	}
}

func (r *reader) text(name string) ([]byte, error) {
	if name != "-" {
		return readFile(name, MaxFileBytes)
	}
	if r.stdin == nil {
		return nil, nil
	}
	return atMost(r.stdin, MaxFileBytes)
}

// document decodes one document. Its references are resolved first, so that
// what they stand for is checked like all else.
func (r *reader) document(file string, root *node) {
	d := Document{file: file, root: root}
	if root.kind != object {
		r.errs = append(r.errs, d.Fault("", fmt.Sprintf("want a document, which is a mapping with kind, name and spec; have %v", root.kind)))
		return
	}
	w := writer{dir: dirOf(file), env: r.env, room: maxExpanded}
	d.JSON = w.value(root, "", 0)
	d.refs = w.refs
	if len(w.errs) > 0 {
		for _, err := range w.errs {
			r.errs = append(r.errs, inFile(file, err))
		}
		return
	}
	if found := d.decode(); len(found) > 0 {
		for _, fault := range found {
			r.errs = append(r.errs, d.Fault(fault.Field, fault.Reason))
		}
		return
	}
	if d.Plugin != nil && d.Plugin.File != "" {
		d.Module = filepath.FromSlash(d.Plugin.File)
		if !filepath.IsAbs(d.Module) {
			d.Module = filepath.Join(dirOf(file), d.Module)
		}
	}
	r.set.Documents = append(r.set.Documents, d)
}

// decode reads d.JSON, and the text of a route's filter, in which most faults
// are: a server would tell them only when there is no other one.
func (d *Document) decode() catalog.FieldErrors {
	const field = "spec.filter"
	var err error
	d.Wanted, err = catalog.DecodeDocument(d.JSON)
	found := catalog.FieldErrors{}.Add(err)
	if d.Route == nil || slices.ContainsFunc(found, func(f *catalog.FieldError) bool { return f.Field == field }) {
		return found
	}
	if _, err := filter.Parse(d.Route.Filter); err != nil {
		found = found.Add(catalog.In(field, err))
	}
	return found
}

func dirOf(file string) string {
	if file == "-" {
		return "."
	}
	return filepath.Dir(file)
}

// claims finds documents that claim a name that another one has.
func (s *Set) claims() Errors {
	type claim struct{ kind, name string }
	first := map[claim]*Document{}
	var errs Errors
	for i := range s.Documents {
		d := &s.Documents[i]
		c := claim{d.Kind, d.Name}
		if have := first[c]; have != nil {
			at := have.Fault("name", "")
			errs = append(errs, d.Fault("name", fmt.Sprintf("the %s %q is claimed at %s too; keep one of them",
				strings.ToLower(d.Kind), d.Name, at.Place())))
			continue
		}
		first[c] = d
	}
	return errs
}

// ReadModule returns the module that a plugin's document names, after it was
// found to be the one with the document's digest.
func (d *Document) ReadModule() ([]byte, error) {
	module, err := readFile(d.Module, MaxModuleBytes)
	if err != nil {
		return nil, d.Fault("spec.file", d.Module+": "+reasonOf(err))
	}
	if have := catalog.Digest(module); have != d.Plugin.Digest() {
		return nil, d.Fault("spec.sha256", fmt.Sprintf("%s has the SHA-256 %s; build it again, or write that here",
			d.Module, strings.TrimPrefix(have, "sha256:")))
	}
	return module, nil
}

func readFile(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errors.New("is a directory")
	}
	return atMost(f, most)
}

func atMost(r io.Reader, most int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > most {
		return nil, fmt.Errorf("is larger than %d MiB", most>>20)
	}
	return text, nil
}

// reasonOf is an error of the file system without the path, which is said
// beside it.
func reasonOf(err error) string {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err.Error()
	}
	return err.Error()
}
