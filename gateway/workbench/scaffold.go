package workbench

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/plugin"
	"github.com/headgate/headgate/sdk"
)

// sdkDir is where a plugin keeps its copy of the SDK: a module of its own, so
// that patterns such as ./... leave it out.
const sdkDir = ".headgate"

// goVersion is what the SDK needs.
const goVersion = "1.26"

//go:embed all:template
var templates embed.FS

// New writes a plugin called name into dir, which must be empty or not exist:
// its source, a golden test and a copy of the SDK, so that it compiles anywhere
// and offline, and passes its test. It returns the files that the author is to
// look at.
func New(dir, name string, kind plugin.Kind) ([]string, error) {
	if err := catalog.CheckName("", name); err != nil {
		return nil, fmt.Errorf("name %q: %w", name, err)
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("%s exists already and is not empty", dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	files, err := render(name, kind)
	if err != nil {
		return nil, err
	}
	shown := slices.Sorted(maps.Keys(files))
	maps.Copy(files, sdkFiles())
	for name, text := range files {
		if err := write(filepath.Join(dir, filepath.FromSlash(name)), text); err != nil {
			return nil, err
		}
	}
	return shown, nil
}

// sdkFiles is the copy of the SDK, by path in the plugin's directory.
func sdkFiles() map[string][]byte {
	files := map[string][]byte{
		sdkDir + "/go.mod":    []byte("module github.com/headgate/headgate\n\ngo " + goVersion + "\n"),
		sdkDir + "/README.md": []byte("A copy of Headgate's SDK, written by `headgate plugin new`. Keep it with the plugin: go.mod points here.\n"),
	}
	for name, text := range sdk.Source() {
		files[sdkDir+"/sdk/"+name] = text
	}
	return files
}

// render fills the templates: those of every plugin, and those of its kind.
func render(name string, kind plugin.Kind) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, root := range []string{"template/any", "template/" + kind.String()} {
		err := fs.WalkDir(templates, root, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			t, err := template.ParseFS(templates, file)
			if err != nil {
				return err
			}
			var b bytes.Buffer
			values := map[string]string{
				"Name": name, "Kind": kind.String(), "SDK": sdkDir, "Go": goVersion,
				"Module": "plugins/" + strings.TrimRight(name, "."), // no element of a path ends in a dot
			}
			if err := t.Execute(&b, values); err != nil {
				return err
			}
			rel := strings.TrimPrefix(file, root+"/")
			files[path.Join(path.Dir(rel), strings.TrimSuffix(path.Base(rel), ".tmpl"))] = b.Bytes()
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

func write(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}
