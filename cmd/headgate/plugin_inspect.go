package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/plugin/admission"
	"github.com/headgate/headgate/gateway/workbench"
)

const inspectHelp = `Show what a module is, what it needs, what it makes of events and what that costs,
and what is wrong with it or could be better, without a server. The exit status is 1 when a gateway would refuse it.`

func inspectCommand(a *app) *cobra.Command {
	var (
		asJSON bool
		file   string
	)
	cmd := &cobra.Command{
		Use: "inspect MODULE", Short: "Show what a module is and what is wrong with it",
		Long: inspectHelp, Example: "  headgate plugin inspect warm.wasm", Args: wants(1, 1, "the file of the module; - is standard input"),
	}
	cmd.Flags().StringVar(&file, "events", "", "try it on the events in `FILE`; - is standard input (default: those of a simulated factory)")
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
		var events []event.Event
		if file != "" {
			if events, err = a.decodedEvents(file); err != nil {
				return err
			}
		}
		r, err := bench.Inspect(cmd.Context(), wasm, events)
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

func (a *app) printReport(r *admission.Report) {
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
		line("compiled", "in %s; an instance starts in %s", round(r.Compile), round(r.Start))
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
	for _, t := range r.Trials {
		a.printTrial(t)
	}
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

func (a *app) printTrial(t admission.Trial) {
	name := "as a " + t.Kind
	if t.Route != "" {
		name += " in route " + t.Route
	}
	if t.Refused != "" {
		fmt.Fprintf(a.out, "%s with %s: not tried\n", name, oneLine(string(t.Config), 80))
		return
	}
	fmt.Fprintf(a.out, "%s with %s, on %s\n", name, oneLine(string(t.Config), 80), count(t.Events, "event"))
	again := "the second time it made the same of them"
	if !t.Deterministic {
		again = "the second time it made something else of them"
	}
	fmt.Fprintf(a.out, "  %d passed, %s, %d failed; %s\n", t.Passed, count(t.Outputs, "output"), t.Failed, again)
	fmt.Fprintf(a.out, "  fuel    p50 %-9d p99 %-9d most %d\n", t.Fuel.P50, t.Fuel.P99, t.Fuel.Max)
	fmt.Fprintf(a.out, "  latency p50 %-9s p99 %-9s most %s\n", micros(t.Latency.P50), micros(t.Latency.P99), micros(t.Latency.Max))
	for _, f := range t.Failures {
		fmt.Fprintf(a.out, "  ✗ %s: %s\n", oneLine(f.Event, 60), oneLine(f.Error, 300))
	}
}

func micros(ns int64) string { return time.Duration(ns).Round(100 * time.Nanosecond).String() }

// decodedEvents reads the events of a file as a gateway does.
func (a *app) decodedEvents(name string) ([]event.Event, error) {
	list, err := a.allEvents(name)
	if err != nil {
		return nil, err
	}
	events := make([]event.Event, len(list))
	for i, raw := range list {
		if events[i], err = event.DecodeJSON(raw); err != nil {
			return nil, fmt.Errorf("read %s: event %d: %w", name, i+1, err)
		}
	}
	return events, nil
}
