package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/client"
	"github.com/headgate/headgate/gateway/manifest"
	"github.com/headgate/headgate/gateway/migration"
)

const exportHelp = `Write what a server has as documents that "headgate apply" takes: to standard output, or
with -o one file for each resource, and the modules of plugins, into a directory.

The server tells no secret. Where one is, the document refers to a variable of the
environment, and a comment says which to set; a secret that is to stay as the server has
it can be written *** instead. Plugins are left out that every server brings along.`

const exportExample = `  headgate export -o routes
  headgate export > all.yaml
  headgate export --json`

func exportCommand(a *app) *cobra.Command {
	var (
		dir     string
		connect connection
	)
	cmd := &cobra.Command{
		Use: "export [-o DIRECTORY]", Short: "Write endpoints, routes, sources and plugins as documents",
		Long: exportHelp, Example: exportExample, Args: wants(0, 0, "no arguments"),
	}
	cmd.Flags().StringVarP(&dir, "output", "o", "", "`DIRECTORY` to write a file for each resource to, which is made when it is missing")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		docs, revision, err := c.Documents(cmd.Context())
		if err != nil {
			return fmt.Errorf("export: %w", err)
		}
		switch {
		case connect.json && dir != "":
			return usageError("--json writes to standard output; leave out -o")
		case connect.json:
			return printJSON(a.out, struct {
				Documents []catalog.Document `json:"documents"`
				Revision  uint64             `json:"revision"`
			}{docs, revision})
		case dir != "":
			return a.exportTo(cmd.Context(), c, dir, docs)
		}
		return a.exportAll(docs)
	}
	return cmd
}

// exportAll writes all documents one after the other.
func (a *app) exportAll(docs []catalog.Document) error {
	for i, doc := range docs {
		text, err := manifest.Format(doc, modulePath(doc))
		if err != nil {
			return fmt.Errorf("export: %s %s: %w", doc.Kind, doc.Name, err)
		}
		if i > 0 {
			fmt.Fprintln(a.out, "---")
		}
		if _, err := a.out.Write(text); err != nil {
			return err
		}
	}
	return nil
}

// modulePath is where a plugin's module is to lie, beside its document.
func modulePath(doc catalog.Document) string {
	if doc.Kind != catalog.KindPlugin {
		return ""
	}
	return doc.Name + ".wasm"
}

// exportTo writes a file for each document, and tells which others are there.
func (a *app) exportTo(ctx context.Context, c *client.Client, dir string, docs []catalog.Document) error {
	taken, written := map[string]bool{}, map[string]bool{}
	for _, doc := range docs {
		text, err := manifest.Format(doc, modulePath(doc))
		if err != nil {
			return fmt.Errorf("export: %s %s: %w", doc.Kind, doc.Name, err)
		}
		name := path.Join(folder(doc.Kind), fileName(migration.Document{Kind: doc.Kind, Name: doc.Name}, taken))
		if err := writeFile(dir, name, text); err != nil {
			return err
		}
		written[name] = true
		fmt.Fprintln(a.out, filepath.Join(dir, filepath.FromSlash(name)))
		if doc.Kind != catalog.KindPlugin {
			continue
		}
		module, err := activeModule(ctx, c, doc.Name)
		if err != nil {
			return fmt.Errorf("export: plugin %s: %w", doc.Name, err)
		}
		if err := writeFile(dir, path.Join(folder(doc.Kind), modulePath(doc)), module); err != nil {
			return err
		}
	}
	fmt.Fprintf(a.out, "%d documents written\n", len(docs))
	return a.tellOthers(dir, written)
}

// tellOthers says which files of documents an export has left as they were: those
// of what was deleted, which nobody would see and "headgate apply" would make again.
func (a *app) tellOthers(dir string, written map[string]bool) error {
	for _, kind := range catalog.DocumentKinds() {
		files, err := os.ReadDir(filepath.Join(dir, folder(kind)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("export: look for other files: %w", err)
		}
		for _, f := range files {
			name := path.Join(folder(kind), f.Name())
			if f.IsDir() || path.Ext(name) != ".yaml" || strings.HasPrefix(f.Name(), ".") || written[name] {
				continue
			}
			fmt.Fprintf(a.err, "%s: the server has no such %s to export; delete the file, or apply would make it again\n",
				filepath.Join(dir, filepath.FromSlash(name)), strings.ToLower(kind))
		}
	}
	return nil
}

func activeModule(ctx context.Context, c *client.Client, name string) ([]byte, error) {
	p, err := c.Plugin(ctx, name)
	if err != nil {
		return nil, err
	}
	return c.Module(ctx, name, p.Active)
}

func folder(kind string) string { return strings.ToLower(kind) + "s" }

// writeFile writes a file beneath dir whole, or leaves the one that is there.
func writeFile(dir, name string, text []byte) error {
	to := filepath.Join(dir, filepath.FromSlash(name))
	if have, err := os.ReadFile(to); err == nil && bytes.Equal(have, text) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(to), ".export-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), to)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func schemaCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of documents, for editors",
		Long: `Print the JSON Schema of the documents that "headgate apply" takes. A server has it at
/api/v1/schema.json too. An editor that speaks YAML's language server uses it for a file
that begins with

  # yaml-language-server: $schema=headgate.schema.json`,
		Example: `  headgate schema > headgate.schema.json`, Args: wants(0, 0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			var buf bytes.Buffer
			if err := json.Indent(&buf, manifest.Schema(), "", "  "); err != nil {
				return err
			}
			_, err := io.Copy(a.out, &buf)
			return err
		},
	}
}
