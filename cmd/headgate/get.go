package main

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/client"
)

func getCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "get",
		Short: "Show endpoints, sources, routes and plugins",
		Long: `Show endpoints, sources, routes and plugins: all of them, or those that are named. Secrets are
shown as ***. What --json writes can be put back.`,
		Example: `  headgate get routes
  headgate get endpoint readings
  headgate get routes --json > routes.json`,
		Args: cobra.NoArgs,
		RunE: needsSubcommand,
	}
	cmd.AddCommand(
		getOne(a, "endpoints", "endpoint", "NAME", (*client.Client).Endpoints, (*client.Client).Endpoint, printEndpoints),
		getOne(a, "sources", "source", "NAME", (*client.Client).Sources, (*client.Client).Source, printSources),
		getOne(a, "routes", "route", "ID", (*client.Client).Routes, (*client.Client).Route, printRoutes),
		getOne(a, "plugins", "plugin", "NAME", (*client.Client).Plugins, (*client.Client).Plugin, printPlugins),
	)
	return cmd
}

// getOne is the command that shows all resources of a kind, or those that are
// named.
func getOne[T any](a *app, plural, singular, name string,
	list func(*client.Client, context.Context) iter.Seq2[T, error], get func(*client.Client, context.Context, string) (T, error),
	show func(*app, []T),
) *cobra.Command {
	var connect connection
	cmd := &cobra.Command{
		Use:     fmt.Sprintf("%s [%s ...]", plural, name),
		Aliases: []string{singular},
		Short:   fmt.Sprintf("Show all %s, or those that are named", plural),
		Args:    cobra.ArbitraryArgs,
	}
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		var items []T
		if len(args) == 0 {
			for item, err := range list(c, cmd.Context()) {
				if err != nil {
					return fmt.Errorf("get %s: %w", plural, err)
				}
				items = append(items, item)
			}
		}
		for _, arg := range args {
			item, err := get(c, cmd.Context(), arg)
			if err != nil {
				return fmt.Errorf("get %s %s: %w", singular, arg, err)
			}
			items = append(items, item)
		}
		if !connect.json {
			show(a, items)
			return nil
		}
		if len(args) == 1 {
			return printJSON(a.out, items[0])
		}
		if items == nil {
			items = []T{}
		}
		return printJSON(a.out, map[string]any{"items": items})
	}
	return cmd
}

func printEndpoints(a *app, endpoints []catalog.Endpoint) {
	if len(endpoints) == 0 {
		fmt.Fprintln(a.out, "There are no endpoints. Create one: headgate put endpoint NAME --kind file --set path=events.ndjson")
		return
	}
	var rows [][]string
	for _, e := range endpoints {
		rows = append(rows, []string{e.Name, e.Kind, e.Delivery.OrderBy, e.Delivery.MaxAge.String(), oneLine(string(e.Settings), 80)})
	}
	printTable(a.out, "NAME KIND ORDER-BY MAX-AGE SETTINGS", rows)
}

func printSources(a *app, sources []catalog.SourceView) {
	if len(sources) == 0 {
		fmt.Fprintln(a.out, "There are no sources. Create one: headgate put source NAME --kind serviceBus --set connectionString=... --set entityPath=QUEUE")
		return
	}
	var rows [][]string
	for _, s := range sources {
		state, received, reason := "-", "-", ""
		if s.Status != nil {
			state, received, reason = string(s.Status.State), strconv.FormatUint(s.Status.Received, 10), s.Status.Reason
		}
		rows = append(rows, []string{s.Name, s.Kind, state, received, oneLine(reason, 120)})
	}
	printTable(a.out, "NAME KIND STATE RECEIVED REASON", rows)
}

func printRoutes(a *app, routes []catalog.Route) {
	if len(routes) == 0 {
		fmt.Fprintln(a.out, "There are no routes. Create one: headgate put route ID --endpoint NAME")
		return
	}
	var rows [][]string
	for _, r := range routes {
		enabled := "yes"
		if !r.Enabled {
			enabled = "no"
		}
		rows = append(rows, []string{r.ID, r.EndpointName, enabled, refNames(r.Filters), refNames(r.Transforms), oneLine(r.Filter, 80)})
	}
	printTable(a.out, "ID ENDPOINT ENABLED FILTERS TRANSFORMS FILTER", rows)
}

// refNames lists the plugins of a route, "-" for none.
func refNames(refs []catalog.PluginRef) string {
	if len(refs) == 0 {
		return "-"
	}
	var names []string
	for _, r := range refs {
		name := r.Plugin.String()
		if r.Plugin.Digest != "" {
			name = r.Plugin.Name + "@" + shortDigest(r.Plugin.Digest)
		}
		names = append(names, name)
	}
	return strings.Join(names, ",")
}

func printPlugins(a *app, plugins []catalog.Plugin) {
	if len(plugins) == 0 {
		fmt.Fprintln(a.out, "There are no plugins. Upload one: headgate plugin push NAME --file plugin.wasm")
		return
	}
	var rows [][]string
	for _, p := range plugins {
		for _, v := range slices.Backward(p.Versions) {
			active := ""
			if v.Version == p.Active {
				active = "active"
			}
			rows = append(rows, []string{p.Name, strconv.Itoa(v.Version), active, strings.Join(v.Kinds, ","),
				shortDigest(v.Digest), size(v.Size), a.when(v.CreatedAt, toMinute)})
		}
	}
	printTable(a.out, "NAME VERSION ACTIVE KINDS DIGEST SIZE UPLOADED", rows)
}

// shortDigest is enough of a digest to recognise it by.
func shortDigest(d string) string { return d[:min(len(d), len("sha256:")+12)] }

// size writes bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}
