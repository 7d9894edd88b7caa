package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/plugin/admission"
)

const setPluginHelp = `Set a plugin's limits, what it is granted, and its breaker: when it is left alone because
it kept trapping (traps, window, pause, maxPause), and what becomes of its events then
(onOpen: deadLetter or wait). What no flag names stays as it is; an empty value goes back
to the server's: --limit eventFuel=, --grant "", --breaker onOpen=.

Its routes run under the new settings when the command returns.`

const setPluginExample = `  headgate plugin set tsi --limit eventFuel=100000000 --limit memoryBytes=134217728
  headgate plugin set sampler --grant random,clock
  headgate plugin set enrich --breaker onOpen=wait --breaker traps=24`

func setPluginCommand(a *app) *cobra.Command {
	var (
		limits  map[string]string
		grants  []string
		breaker map[string]string
		connect connection
	)
	cmd := &cobra.Command{
		Use: "set NAME", Short: "Set a plugin's limits, grants and breaker",
		Long: setPluginHelp, Example: setPluginExample, Args: wants(1, 1, "the name of the plugin"),
	}
	cmd.Flags().StringToStringVar(&limits, "limit", nil, "`LIMIT=VALUE` of its own; docs/plugins.md lists them")
	cmd.Flags().StringSliceVar(&grants, "grant", nil, "`CAPABILITIES` that it has when it wants them: clock, random")
	cmd.Flags().StringToStringVar(&breaker, "breaker", nil, "`NAME=VALUE` of its breaker: onOpen, traps, window, pause, maxPause")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		have, err := c.Plugin(cmd.Context(), args[0])
		if err != nil {
			return fmt.Errorf("set %s: %w", args[0], err)
		}
		s := have.PluginSettings
		s.Limits = withValues(s.Limits, limits)
		if cmd.Flags().Changed("grant") {
			s.Grants = slices.DeleteFunc(grants, func(g string) bool { return g == "" })
		}
		if s.Breaker, err = withBreaker(s.Breaker, breaker); err != nil {
			return usageError(err.Error())
		}
		p, err := c.PutPluginSettings(cmd.Context(), args[0], s, catalog.Precondition{Revisions: []uint64{have.Revision}})
		if err != nil {
			return fmt.Errorf("set %s: %w", args[0], err)
		}
		if connect.json {
			return printJSON(a.out, p)
		}
		a.printSettings(p)
		return nil
	}
	return cmd
}

// withValues returns have with what was given; what has no value is taken away.
func withValues(have map[string]json.RawMessage, given map[string]string) map[string]json.RawMessage {
	out := maps.Clone(have)
	if out == nil {
		out = map[string]json.RawMessage{}
	}
	for name, value := range given {
		if value == "" {
			delete(out, name)
			continue
		}
		out[name] = json.RawMessage(value)
		if _, err := strconv.ParseInt(value, 10, 64); err != nil {
			out[name] = json.RawMessage(strconv.Quote(value))
		}
	}
	return out
}

// withBreaker returns have with what was given; nil when nothing is left.
func withBreaker(have *catalog.Breaker, given map[string]string) (*catalog.Breaker, error) {
	if len(given) == 0 {
		return have, nil
	}
	members := map[string]json.RawMessage{}
	if have != nil {
		b, err := json.Marshal(have)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(b, &members); err != nil {
			return nil, err
		}
	}
	b, err := json.Marshal(map[string]any{"breaker": withValues(members, given)})
	if err != nil {
		return nil, err
	}
	s, err := catalog.DecodePluginSettings("", b)
	if err != nil {
		return nil, err
	}
	if s.Breaker == nil || *s.Breaker == (catalog.Breaker{}) {
		return nil, nil
	}
	return s.Breaker, nil
}

func (a *app) printSettings(p catalog.Plugin) {
	fmt.Fprintf(a.out, "plugin %s\n", p.Name)
	for _, name := range slices.Sorted(maps.Keys(p.Limits)) {
		fmt.Fprintf(a.out, "  %-14s %s\n", name, strings.Trim(string(p.Limits[name]), `"`))
	}
	if len(p.Grants) > 0 {
		fmt.Fprintf(a.out, "  %-14s %s\n", "granted", strings.Join(p.Grants, ", "))
	}
	if b := p.Breaker; b != nil {
		for _, one := range []struct {
			name  string
			value any
			set   bool
		}{
			{"on open", b.OnOpen, b.OnOpen != ""},
			{"traps", b.Traps, b.Traps != 0},
			{"window", b.Window, b.Window != 0},
			{"pause", b.Pause, b.Pause != 0},
			{"longest pause", b.MaxPause, b.MaxPause != 0},
		} {
			if one.set {
				fmt.Fprintf(a.out, "  %-14s %v\n", one.name, one.value)
			}
		}
	}
	if len(p.Limits) == 0 && len(p.Grants) == 0 && p.Breaker == nil {
		fmt.Fprintln(a.out, "  has the server's limits, and no grants")
	}
}

// printDryRun shows what an upload would be.
func (a *app) printDryRun(v catalog.Admitted, asJSON bool) error {
	if asJSON {
		return printJSON(a.out, v)
	}
	var r admission.Report
	if err := json.Unmarshal(v.Report, &r); err != nil {
		return fmt.Errorf("the server's report: %w", err)
	}
	a.printReport(&r)
	if v.Version.Version > 0 {
		fmt.Fprintf(a.out, "%s has it already, as version %d\n", v.Name, v.Version.Version)
	} else {
		fmt.Fprintln(a.out, "nothing was stored")
	}
	return nil
}

// printWarnings shows what the server found at an upload.
func (a *app) printWarnings(v catalog.Admitted) {
	var r admission.Report
	if json.Unmarshal(v.Report, &r) != nil {
		return // of a server that reports otherwise
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(a.out, "! %s\n    %s\n", oneLine(w.Text, 500), oneLine(w.Hint, 500))
	}
}

const trapsHelp = `List the events on which plugins trapped, the latest first. With an ID, write the bundle
of that trap, by which it can be seen again: headgate plugin repro.`

const trapsExample = `  headgate plugin traps --plugin enrich
  headgate plugin traps trap-20260301T120000.000000000-0123456789ab.json > trap.json`

func trapsCommand(a *app) *cobra.Command {
	var (
		name    string
		connect connection
	)
	cmd := &cobra.Command{
		Use: "traps [ID]", Short: "List the traps of plugins, or get one to reproduce it",
		Long: trapsHelp, Example: trapsExample, Args: wants(0, 1, "at most one id"),
	}
	cmd.Flags().StringVar(&name, "plugin", "", "only those of plugin `NAME`")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		if len(args) == 1 {
			bundle, err := c.Trap(cmd.Context(), args[0])
			if err != nil {
				return fmt.Errorf("traps: %w", err)
			}
			fmt.Fprintf(a.out, "%s\n", strings.TrimSpace(string(bundle)))
			return nil
		}
		list, err := c.Traps(cmd.Context(), name)
		if err != nil {
			return fmt.Errorf("traps: %w", err)
		}
		if connect.json {
			return printJSON(a.out, map[string]any{"items": append([]catalog.Trap{}, list...)})
		}
		if len(list) == 0 {
			fmt.Fprintln(a.out, "No trap is kept.")
			return nil
		}
		var rows [][]string
		for _, t := range list {
			position := ""
			if t.Position.Seq > 0 {
				position = t.Position.String()
			}
			fault := t.Fault
			if t.Text != "" {
				fault += ": " + t.Text
			}
			rows = append(rows, []string{t.ID, a.when(t.Time, toSecond), t.Plugin, position, oneLine(fault, 80)})
		}
		printTable(a.out, "ID TIME PLUGIN EVENT FAULT", rows)
		return nil
	}
	return cmd
}
