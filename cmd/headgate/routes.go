package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/catalog"
)

func routesCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "routes",
		Short: "Try routes out",
		Args:  cobra.NoArgs,
		RunE:  needsSubcommand,
	}
	cmd.AddCommand(testRouteCommand(a))
	return cmd
}

const testHelp = `Show what a route would do to events: which it takes, why not the others, and what
comes out. Nothing is stored and nothing is delivered. The route needs neither an id
nor an endpoint that exists; its plugins are those of the server.

The events are CloudEvents in JSON: one, one on each line, or an array.`

const testExample = `  headgate routes test --filter "CHANGED('/temperature')" --events event.json
  headgate routes test -f route.yaml --events events.ndjson
  headgate get route tsi --json | headgate routes test -f - --events event.json`

// maxTestEvents is as many as the server takes in one request.
const maxTestEvents = catalog.MaxTestEvents

func testRouteCommand(a *app) *cobra.Command {
	var (
		file, events, filter string
		filters, transforms  []string
		connect              connection
	)
	cmd := &cobra.Command{
		Use: "test (-f ROUTE | --filter TEXT) --events EVENTS", Short: "Show what a route would do to events",
		Long: testHelp, Example: testExample, Args: cobra.NoArgs,
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "`FILE` with the route, YAML or JSON; - is standard input")
	cmd.Flags().StringVar(&events, "events", "", "`FILE` with the events; - is standard input")
	cmd.Flags().StringVar(&filter, "filter", "true", "`TEXT` of the condition that an event must meet")
	cmd.Flags().StringArrayVar(&filters, "filter-plugin", nil, "plugin that must pass the event too, `PLUGIN[=CONFIG]`; may be repeated")
	cmd.Flags().StringArrayVar(&transforms, "transform", nil, "plugin that changes the event, `PLUGIN[=CONFIG]`; may be repeated, in order")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		flagged := cmd.Flags().Changed("filter") || len(filters)+len(transforms) > 0
		switch {
		case events == "":
			return usageError("name the file of events with --events")
		case file == "" && !flagged:
			return usageError("give the route with -f, or by --filter, --filter-plugin and --transform")
		case file != "" && flagged:
			return usageError("give the route by a file or by flags, not both")
		case file == "-" && events == "-":
			return usageError("only one of route and events can come from standard input")
		}
		route, err := a.draft(file, filter, filters, transforms)
		if err != nil {
			return err
		}
		list, err := a.allEvents(events)
		if err != nil {
			return err
		}
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		var results []catalog.TestResult
		for from := 0; from < len(list); from += maxTestEvents {
			part, err := c.TestRoute(cmd.Context(), route, list[from:min(from+maxTestEvents, len(list))])
			if err != nil {
				return fmt.Errorf("test route: %w", err)
			}
			results = append(results, part...)
		}
		if connect.json {
			return printJSON(a.out, map[string]any{"results": results})
		}
		a.printTest(list, results)
		return nil
	}
	return cmd
}

// draft returns the route in the file, or the one that the flags describe.
func (a *app) draft(file, filter string, filters, transforms []string) (json.RawMessage, error) {
	if file != "" {
		objects, err := a.readResources(file)
		if err != nil {
			return nil, err
		}
		if len(objects) != 1 {
			return nil, fmt.Errorf("read %s: it holds %d routes, want one", file, len(objects))
		}
		return objects[0], nil
	}
	pass, err := pluginRefs("filter-plugin", filters)
	if err != nil {
		return nil, err
	}
	change, err := pluginRefs("transform", transforms)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"filter": filter, "filters": pass, "transforms": change})
}

// allEvents reads the events of a file.
func (a *app) allEvents(name string) ([]json.RawMessage, error) {
	f, err := a.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []json.RawMessage
	for e, err := range readEvents(f) {
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		list = append(list, e)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("read %s: it holds no events", name)
	}
	return list, nil
}

// printTest writes a line for each event, and what came of it beneath.
func (a *app) printTest(events []json.RawMessage, results []catalog.TestResult) {
	matched := 0
	for i, r := range results[:min(len(results), len(events))] {
		mark := "-"
		if r.Matched {
			mark = "✓"
			matched++
		}
		if r.Error != "" {
			mark = "!"
		}
		fmt.Fprintf(a.out, "%s %d  %s\n", mark, i+1, describe(events[i]))
		if r.Error != "" {
			fmt.Fprintf(a.out, "      failed: %s\n", oneLine(r.Error, 200))
		} else if !r.Matched || len(r.Outputs) == 0 {
			fmt.Fprintf(a.out, "      %s\n", oneLine(r.Why, 200))
		}
		for _, log := range r.Logs {
			fmt.Fprintf(a.out, "      log: %s\n", oneLine(log, 200))
		}
		for _, out := range r.Outputs {
			fmt.Fprintf(a.out, "      → %s\n", oneLine(dataText(&out.Event.Event), 200))
		}
	}
	fmt.Fprintf(a.out, "%d of %d events match\n", matched, len(results))
}

// describe names an event that the server has judged already.
func describe(raw json.RawMessage) string {
	var e catalog.CloudEvent
	if err := json.Unmarshal(raw, &e); err != nil {
		return oneLine(string(raw), 100)
	}
	return fmt.Sprintf("%s %s  %s", oneLine(e.TwinKey(), 40), oneLine(shortType(e.Type), 60), oneLine(dataText(&e.Event), 100))
}
