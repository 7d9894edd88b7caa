package main

import (
	"cmp"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/workbench"
)

const newHelp = `Start a plugin in Go, in a directory of its own: its source, a golden test, and a copy
of the SDK, so that it compiles on any machine with Go, without a network. It works
as it is: it builds, and its test passes.

A filter says which events pass; a transform says what becomes of them.`

const newExample = `  headgate plugin new warm --kind filter
  headgate plugin test warm
  headgate plugin push warm --file warm`

func newPluginCommand(a *app) *cobra.Command {
	var kind, dir string
	cmd := &cobra.Command{
		Use: "new NAME --kind KIND", Short: "Start a plugin in a new directory",
		Long: newHelp, Example: newExample, Args: wants(1, 1, "the name of the plugin"),
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&kind, "kind", "", "`KIND` of the plugin: filter or transform")
	cmd.Flags().StringVar(&dir, "dir", "", "`DIR` to make (default: one called NAME)")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if kind == "" {
			return usageError("say with --kind whether it is a filter or a transform")
		}
		k, err := workbench.ParseKind(kind)
		if err != nil {
			return usageError("--kind: " + err.Error())
		}
		dir := cmp.Or(dir, args[0])
		files, err := workbench.New(dir, args[0], k)
		if err != nil {
			return fmt.Errorf("new plugin: %w", err)
		}
		fmt.Fprintf(a.out, "%s %s is in %s\n", k, args[0], dir)
		for _, f := range files {
			fmt.Fprintf(a.out, "  %s\n", filepath.FromSlash(f))
		}
		fmt.Fprintf(a.out, "Test it with:  headgate plugin test %[1]s\nUpload it with: headgate plugin push %[2]s --file %[1]s\n", dir, args[0])
		return nil
	}
	return cmd
}
