package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/workbench"
)

const inspectHelp = `Show what a module is, what it needs, and what is wrong with it or could be better,
without a server. The exit status is 1 when a gateway would refuse it.`

func inspectCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "inspect MODULE", Short: "Show what a module is and what is wrong with it",
		Long: inspectHelp, Example: "  headgate plugin inspect warm.wasm", Args: wants(1, 1, "the file of the module; - is standard input"),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		bench, err := workbench.Open(cmd.Context())
		if err != nil {
			return err
		}
		defer bench.Close()
		wasm, err := a.module(cmd.Context(), args[0])
		if err != nil {
			return fmt.Errorf("inspect: %w", err)
		}
		r, err := bench.Inspect(cmd.Context(), wasm)
		if err != nil {
			return fmt.Errorf("inspect: %w", err)
		}
		if asJSON {
			if err := printJSON(a.out, r); err != nil {
				return err
			}
		} else {
			a.printReport(r)
		}
		if len(r.Refused) > 0 {
			return errors.New("a gateway refuses this module")
		}
		return nil
	}
	return cmd
}

func (a *app) printReport(r *workbench.Report) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(a.out, "%-13s %s\n", name, oneLine(fmt.Sprintf(format, args...), 500))
	}
	if len(r.Refused) == 0 {
		line("name", "%s", r.Name)
		if r.Description != "" {
			line("description", "%s", r.Description)
		}
		line("kinds", "%s", strings.Join(r.Kinds, ", "))
	}
	line("digest", "%s", r.Digest)
	line("size", "%s, %s", size(int64(r.Size)), count(r.Functions, "function"))
	memory := "no bound of its own"
	if r.MaxMemory > 0 {
		memory = "at most " + size(int64(r.MaxMemory))
	}
	line("memory", "%s at the start, %s", size(int64(r.MinMemory)), memory)
	if len(r.Refused) == 0 {
		line("compiled", "in %s; from the cache in %s", round(r.Compile), round(r.Start))
		wants := "nothing"
		if len(r.Capabilities) > 0 {
			wants = strings.Join(r.Capabilities, ", ")
		}
		line("wants", "%s beyond the sandbox", wants)
		schema := "none"
		if r.Config != nil {
			schema = string(r.Config)
		}
		line("configuration", "%s", schema)
	}
	list := func(name string, items []string) {
		fmt.Fprintf(a.out, "%s\n", name)
		for _, item := range items {
			fmt.Fprintf(a.out, "  %s\n", oneLine(item, 200))
		}
	}
	list("imports", r.Imports)
	list("exports", r.Exports)
	for _, problem := range r.Refused {
		fmt.Fprintf(a.out, "✗ %s\n", oneLine(problem, 500))
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(a.out, "! %s\n    %s\n", oneLine(w.Text, 500), oneLine(w.Hint, 500))
	}
}

func round(d time.Duration) time.Duration {
	if d > time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}
