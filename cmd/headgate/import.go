package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/migration"
)

func importCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Write files of resources from what another service exports",
		Args:  cobra.NoArgs,
		RunE:  needsSubcommand,
	}
	cmd.AddCommand(importADTCommand(a))
	return cmd
}

const importADTHelp = `Turn the event routes and endpoints of Azure Digital Twins into files of Headgate, and
report what is left to do: the secrets, which Azure does not show, the roles that the
gateway's identity needs, and what means something else here.

The files are what az dt route list and az dt endpoint list print, or answers of the
two REST APIs, in any mix. No server is asked and nothing is changed. Secrets are not
written: the files refer to variables of the environment.

With --output each resource is a file in DIR, and the report is printed. Without it the
resources are printed as one stream of YAML, and the report goes to standard error.`

const importADTExample = `  az dt route list --dt-name plant > routes.json
  az dt endpoint list --dt-name plant > endpoints.json
  headgate import adt --from routes.json --from endpoints.json -o headgate`

func importADTCommand(a *app) *cobra.Command {
	var (
		from   []string
		output string
		force  bool
	)
	cmd := &cobra.Command{
		Use: "adt --from FILE... [-o DIR]", Short: "Import the event routes and endpoints of Azure Digital Twins",
		Long: importADTHelp, Example: importADTExample,
	}
	cmd.Flags().StringArrayVar(&from, "from", nil, "`FILE` with routes, endpoints or both; - is standard input; may be repeated")
	cmd.Flags().StringVarP(&output, "output", "o", "", "`DIR` for a file of each resource")
	cmd.Flags().BoolVar(&force, "force", false, "replace files in DIR that say something else")
	cmd.RunE = func(_ *cobra.Command, more []string) error {
		if from = append(from, more...); len(from) == 0 {
			return usageError("name the files to import with --from")
		}
		return a.importADT(from, output, force)
	}
	return cmd
}

func (a *app) importADT(from []string, output string, force bool) error {
	var files []migration.File
	for _, name := range from {
		text, err := a.readExport(name)
		if err != nil {
			return err
		}
		if name == "-" {
			name = "standard input"
		}
		files = append(files, migration.File{Name: name, Text: text})
	}
	export, err := migration.Read(files)
	if err != nil {
		return err
	}
	documents, report := export.Import()
	to := a.out
	if output == "" {
		to = a.err
		for _, d := range documents {
			fmt.Fprintf(a.out, "---\n%s", d.YAML())
		}
	} else if err := writeDocuments(output, documents, force); err != nil {
		return err
	}
	fmt.Fprint(to, report.Text())
	if output != "" && len(documents) > 0 {
		fmt.Fprintf(to, "\nThe files are in %s.\n", output)
	}
	if n := len(report.Left); n > 0 {
		return fmt.Errorf("%d of the resources could not be imported; the report says why", n)
	}
	return nil
}

func (a *app) readExport(name string) ([]byte, error) {
	f, err := a.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, migration.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return text, nil
}

// writeDocuments writes a file for each document, in a directory for its kind. It
// writes none if there is one that says something else, unless force is set.
func writeDocuments(dir string, documents []migration.Document, force bool) error {
	names := map[string]bool{}
	paths := make([]string, len(documents))
	var inTheWay []error
	for i, d := range documents {
		paths[i] = filepath.Join(dir, strings.ToLower(d.Kind)+"s", fileName(d, names))
		have, err := os.ReadFile(paths[i])
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case !force && !bytes.Equal(have, d.YAML()):
			inTheWay = append(inTheWay, fmt.Errorf("%s is there and says something else", paths[i]))
		}
	}
	if len(inTheWay) > 0 {
		return errors.Join(append(inTheWay, errors.New("nothing was written; move these files away, or replace them with --force"))...)
	}
	for i, d := range documents {
		if err := os.MkdirAll(filepath.Dir(paths[i]), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(paths[i], d.YAML(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// fileName is a name for the file of d that no other one has, also where file
// systems have no regard for case.
func fileName(d migration.Document, taken map[string]bool) string {
	const most = 100
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, d.Name)
	name = strings.TrimLeft(name[:min(len(name), most)], ".")
	if name == "" {
		name = strings.ToLower(d.Kind)
	}
	out := name
	for n := 2; taken[d.Kind+strings.ToLower(out)]; n++ {
		out = fmt.Sprintf("%s-%d", name, n)
	}
	taken[d.Kind+strings.ToLower(out)] = true
	return out + ".yaml"
}
