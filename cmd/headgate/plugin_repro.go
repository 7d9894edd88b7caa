package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/workbench"
)

const reproHelp = `Run the bundle of a trap again: the event, the configuration and the world in which a
plugin failed, alone, on a fresh instance, without a server. The module must be the very
one that trapped, as its digest tells.

--save-test makes a golden test of it, which wants anything but a failure: it passes once
the plugin is mended. The exit status is 1 when the plugin does not fail as it did.`

func reproCommand(a *app) *cobra.Command {
	var (
		module, save string
		asJSON       bool
	)
	cmd := &cobra.Command{
		Use: "repro BUNDLE --module MODULE", Short: "See a plugin fail again as it did on a server",
		Long: reproHelp, Example: "  headgate plugin repro trap.json --module warm.wasm --save-test warm/testdata/trap",
		Args: wants(1, 1, "the file of the bundle; - is standard input"),
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVarP(&module, "module", "m", "", "`FILE` of the module, or directory of its source")
	cmd.Flags().StringVar(&save, "save-test", "", "make a golden test in `DIR`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if module == "" {
			return usageError("name the module that trapped with --module")
		}
		f, err := a.open(args[0])
		if err != nil {
			return fmt.Errorf("repro: %w", err)
		}
		defer f.Close()
		text, err := io.ReadAll(f)
		if err != nil {
			return fmt.Errorf("repro: read %s: %w", args[0], err)
		}
		wasm, err := a.module(cmd.Context(), module)
		if err != nil {
			return fmt.Errorf("repro: %w", err)
		}
		b, r, err := workbench.Reproduce(cmd.Context(), text, wasm)
		if err != nil {
			return fmt.Errorf("repro %s: %w", args[0], err)
		}
		if save != "" {
			if err := workbench.SaveCase(save, b); err != nil {
				return fmt.Errorf("repro: save the test: %w", err)
			}
		}
		if asJSON {
			if err := printJSON(a.out, map[string]any{"same": r.Same, "differs": r.Differs, "then": b.Trap, "saved": save}); err != nil {
				return err
			}
		} else {
			on := "before it saw an event"
			if b.Event != nil {
				on = "on event " + b.Event.Position.String()
			}
			fmt.Fprintf(a.out, "%s failed %s in %s, at %s\n", oneLine(b.Plugin, 200), on, oneLine(b.Trap.Func, 100), a.when(b.Time, toSecond))
			fmt.Fprintf(a.out, "  %s  (%s fuel)\n", oneLine(strings.TrimSuffix(string(b.Trap.Fault)+": "+b.Trap.Text, ": "), 500), grouped(b.Trap.Fuel))
			for line := range strings.Lines(b.Trap.Trace) {
				fmt.Fprintf(a.out, "    %s\n", oneLine(strings.TrimSpace(line), 200))
			}
			for _, l := range r.Logs {
				fmt.Fprintf(a.out, "  log: %s: %s\n", l.Level, oneLine(l.Text, 200))
			}
		}
		if !r.Same {
			return fmt.Errorf("it does not fail as it did: %s", r.Differs)
		}
		if !asJSON {
			fmt.Fprintln(a.out, "It fails here in the same way.")
		}
		if save != "" && !asJSON {
			fmt.Fprintf(a.out, "Mend the plugin, then: headgate plugin test %s --run '^%s$'\n",
				filepath.Dir(filepath.Dir(filepath.Clean(save))), filepath.Base(save))
		}
		return nil
	}
	return cmd
}
