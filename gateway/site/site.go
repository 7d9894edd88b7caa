// Package site serves the static files of the web UI.
//
// A [Site] answers what a browser asks for outside of the API: the files, and
// for the path of any of the UI's screens the page that holds them all. It asks
// for no token, and has nothing to tell that would need one.
package site

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
)

// policy is the content security policy of every page: nothing comes from
// elsewhere, and no script but from a file. Fluent UI inserts its styles as
// elements, so that styles may be inline.
const policy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
	"font-src 'self' data:; connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// indexFile is the page that holds all screens, assets the folder of the files
// whose names change with their content.
const (
	indexFile = "index.html"
	assets    = "assets/"
)

// absent is what a build without the UI answers.
const absent = `This build of Headgate holds no web UI.

Build it with:  go tool task build
The API is under /api/v1, and describes itself at /api/v1/openapi.json.
`

// taken are the first segments of paths that are not the UI's, in lower case; a
// position behind "events" is the page of one event.
var taken = []string{"api", "events", "webhooks", "eventroutes", "subscriptions", "metrics", "healthz", "readyz"}

// Site is the UI's files, ready to be served. It is immutable.
type Site struct {
	files map[string]*file
}

// file is one file in the forms in which it may be sent.
type file struct {
	name  string
	plain form
	br    form // empty where there is none
	gzip  form
}

// form is a file as it is sent.
type form struct {
	content []byte
	tag     string
}

// New returns a site of the files, which are read here and now. Beside a file,
// one of the same name with .br or .gz behind it is its compressed form. Nil, or
// files without an index.html, are a build without the UI.
func New(files fs.FS) (*Site, error) {
	s := &Site{files: map[string]*file{}}
	if files == nil {
		return s, nil
	}
	if _, err := fs.Stat(files, indexFile); err != nil {
		return s, nil // not built
	}
	forms := map[string]form{}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		sum := sha256.Sum256(content)
		forms[name] = form{content, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
		return err
	})
	if err != nil {
		return nil, err
	}
	for name, plain := range forms {
		if base, ok := strings.CutSuffix(name, ".br"); ok && forms[base].tag != "" {
			continue
		}
		if base, ok := strings.CutSuffix(name, ".gz"); ok && forms[base].tag != "" {
			continue
		}
		s.files[name] = &file{name: name, plain: plain, br: forms[name+".br"], gzip: forms[name+".gz"]}
	}
	return s, nil
}

// Wrap returns a handler that serves the site, and passes on to next what the
// site does not answer.
func (s *Site) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := s.find(r)
		switch {
		case !ok:
			next.ServeHTTP(w, r)
		case f == nil:
			tellAbsent(w, r)
		default:
			f.serve(w, r)
		}
	})
}

// find returns what answers r: a file, or nil where there would be a page if it
// had been built. It reports false for what is not the site's, or nowhere.
func (s *Site) find(r *http.Request) (*file, bool) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return nil, false
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if first, rest, _ := strings.Cut(name, "/"); slices.Contains(taken, strings.ToLower(first)) {
		if first != "events" || !isPosition(rest) {
			return nil, false
		}
	}
	if f := s.files[name]; f != nil {
		return f, true
	}
	page := name == "" || !strings.HasPrefix(name, assets) && acceptsPage(r)
	return s.files[indexFile], page // which knows its screens
}

// isPosition reports whether s has the form of a place in the journal, 42-0.
func isPosition(s string) bool {
	seq, index, _ := strings.Cut(s, "-")
	return seq != "" && index != "" && strings.Trim(seq+index, "0123456789") == ""
}

// acceptsPage reports whether r comes from somebody who looks for a page.
func acceptsPage(r *http.Request) bool {
	return strings.Contains(strings.Join(r.Header.Values("Accept"), ","), "text/html")
}

// secure sets the headers that every answer has.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

func tellAbsent(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusNotFound)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(absent)) // the client may be gone
	}
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	secure(h)
	h.Set("Content-Type", mediaType(f.name))
	h.Set("Cache-Control", "no-cache") // which is: ask whether it changed
	if strings.HasPrefix(f.name, assets) {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	chosen := f.plain
	if f.br.tag != "" || f.gzip.tag != "" {
		h.Set("Vary", "Accept-Encoding")
		br, gzip := accepted(r.Header)
		switch {
		case br && f.br.tag != "":
			chosen = f.br
			h.Set("Content-Encoding", "br")
		case gzip && f.gzip.tag != "":
			chosen = f.gzip
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("ETag", chosen.tag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(chosen.content))
}
