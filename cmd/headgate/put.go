package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/client"
)

const putHelp = `Create or replace endpoints, sources and routes, each from flags, or from a file of YAML or
JSON that holds one or many; "-" reads standard input. What "get --json" writes can be
put back: a secret that was masked as *** keeps its stored value.

When the command returns, every event accepted from then on is under the change.`

func putCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "put",
		Short: "Create or replace endpoints, sources and routes",
		Long:  putHelp,
		Args:  cobra.NoArgs,
		RunE:  needsSubcommand,
	}
	cmd.AddCommand(putEndpointCommand(a), putSourceCommand(a), putRouteCommand(a))
	return cmd
}

const putEndpointExample = `  headgate put endpoint readings --kind file --set path=readings.ndjson
  headgate put endpoint desk --kind webhook --set url=https://desk.example/in --set mode=structured
  headgate put endpoint -f endpoints.yaml`

func putEndpointCommand(a *app) *cobra.Command {
	var (
		file, kind string
		settings   []string
		delivery   []string
		paused     bool
		connect    connection
	)
	cmd := &cobra.Command{
		Use:     "endpoint [NAME]",
		Aliases: []string{"endpoints"},
		Short:   "Create or replace an endpoint, or those of a file",
		Example: putEndpointExample,
		Args:    wants(0, 1, "at most one name"),
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "`FILE` of endpoints; - is standard input")
	cmd.Flags().StringVar(&kind, "kind", "", "`KIND` of endpoint: webhook, file, serviceBus, eventHub, eventGrid or blob")
	cmd.Flags().StringArrayVar(&settings, "set", nil, "a setting of the kind, `NAME=VALUE`; may be repeated")
	cmd.Flags().BoolVar(&paused, "paused", false, "send it nothing yet: what it is owed waits")
	cmd.Flags().StringArrayVar(&delivery, "delivery", nil, "how deliveries are tried, `NAME=VALUE`, such as maxAge=24h; may be repeated")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		build := func() (any, error) {
			if kind == "" {
				return nil, usageError("say what kind of endpoint it is with --kind, or give a file with -f")
			}
			set, err := members("set", settings)
			if err != nil {
				return nil, err
			}
			how, err := members("delivery", delivery)
			if err != nil {
				return nil, err
			}
			body := map[string]any{"kind": kind, "settings": set}
			if len(how) > 0 {
				body["delivery"] = how
			}
			if paused {
				body["paused"] = true
			}
			return body, nil
		}
		return a.put(cmd, connect, endpointResource(), args, file, build)
	}
	return cmd
}

const putRouteExample = `  headgate put route tsi --endpoint readings --transform tsi \
      --filter "type = 'Microsoft.DigitalTwins.Twin.Update'"
  headgate put route hot --endpoint desk --filter-plugin 'threshold={"path":"/temperature","min":26}'
  headgate put route old --endpoint desk --disabled
  headgate get routes --json | headgate put route -f -`

func putRouteCommand(a *app) *cobra.Command {
	var (
		file, endpoint, filter string
		filters, transforms    []string
		disabled               bool
		connect                connection
	)
	cmd := &cobra.Command{
		Use:     "route [ID]",
		Aliases: []string{"routes"},
		Short:   "Create or replace a route, or those of a file",
		Example: putRouteExample,
		Args:    wants(0, 1, "at most one id"),
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "`FILE` of routes; - is standard input")
	cmd.Flags().StringVar(&endpoint, "endpoint", "", "`NAME` of the endpoint that it delivers to")
	cmd.Flags().StringVar(&filter, "filter", "true", "`TEXT` of the condition that an event must meet")
	cmd.Flags().StringArrayVar(&filters, "filter-plugin", nil, "plugin that must pass the event too, `PLUGIN[=CONFIG]`; may be repeated")
	cmd.Flags().StringArrayVar(&transforms, "transform", nil, "plugin that changes the event, `PLUGIN[=CONFIG]`; may be repeated, in order")
	cmd.Flags().BoolVar(&disabled, "disabled", false, "keep the route but let it take no events")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		build := func() (any, error) {
			if endpoint == "" {
				return nil, usageError("name the endpoint with --endpoint, or give a file with -f")
			}
			pass, err := pluginRefs("filter-plugin", filters)
			if err != nil {
				return nil, err
			}
			change, err := pluginRefs("transform", transforms)
			if err != nil {
				return nil, err
			}
			return map[string]any{
				"endpointName": endpoint, "filter": filter, "filters": pass, "transforms": change, "enabled": !disabled,
			}, nil
		}
		return a.put(cmd, connect, routeResource(), args, file, build)
	}
	return cmd
}

// resource is a kind of thing that has a path of its own in the API.
type resource struct {
	kind string // as it is called
	key  string // the member that holds its name
	put  func(ctx context.Context, c *client.Client, name string, doc json.RawMessage) (stored any, created bool, err error)
}

func endpointResource() resource {
	return resource{"endpoint", "name", func(ctx context.Context, c *client.Client, name string, doc json.RawMessage) (any, bool, error) {
		return c.PutEndpointJSON(ctx, name, doc, catalog.Precondition{})
	}}
}

func routeResource() resource {
	return resource{"route", "id", func(ctx context.Context, c *client.Client, name string, doc json.RawMessage) (any, bool, error) {
		return c.PutRouteJSON(ctx, name, doc, catalog.Precondition{})
	}}
}

// put stores what build makes under the name in args, or what the file holds.
func (a *app) put(cmd *cobra.Command, connect connection, res resource, args []string, file string, build func() (any, error)) error {
	type item struct {
		name string
		body json.RawMessage
	}
	var items []item
	if file == "" {
		if len(args) == 0 {
			return usageError("name the " + res.kind + ", or give a file with -f")
		}
		body, err := build()
		if err != nil {
			return err
		}
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		items = append(items, item{args[0], b})
	} else {
		objects, err := a.readResources(file)
		if err != nil {
			return err
		}
		if len(args) == 1 && len(objects) > 1 {
			return usageError(fmt.Sprintf("%s holds %d %ss: leave the name to the file", file, len(objects), res.kind))
		}
		for i, o := range objects {
			name, err := nameIn(o, res.key)
			if err != nil {
				return fmt.Errorf("%s: %s %d: %w", file, res.kind, i+1, err)
			}
			if len(args) == 1 {
				name = args[0]
			}
			if name == "" {
				return fmt.Errorf("%s: %s %d has no %q: add it, or name the %s on the command line", file, res.kind, i+1, res.key, res.kind)
			}
			items = append(items, item{name, o})
		}
	}
	c, err := connect.client(a)
	if err != nil {
		return err
	}
	for _, it := range items {
		stored, created, err := res.put(cmd.Context(), c, it.name, it.body)
		if err != nil {
			return fmt.Errorf("put %s %s: %w", res.kind, it.name, err)
		}
		if connect.json {
			if err := printJSON(a.out, stored); err != nil {
				return err
			}
			continue
		}
		done := "replaced"
		if created {
			done = "created"
		}
		fmt.Fprintf(a.out, "%s %s %s\n", res.kind, it.name, done)
	}
	return nil
}

// nameIn returns the member key of the object o, empty when it has none.
func nameIn(o json.RawMessage, key string) (string, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(o, &members); err != nil {
		return "", err
	}
	raw, ok := members[key]
	if !ok {
		return "", nil
	}
	var name string
	if err := json.Unmarshal(raw, &name); err != nil {
		return "", fmt.Errorf("%q is %s, want a string: quote it", key, raw)
	}
	return name, nil
}

// members reads name=value flags. A value that is JSON is taken as it is,
// another as a string; dots in a name go deeper.
func members(flag string, pairs []string) (map[string]any, error) {
	out := map[string]any{}
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, usageError(fmt.Sprintf("--%s %s: want name=value", flag, pair))
		}
		at, path := out, strings.Split(name, ".")
		for _, part := range path[:len(path)-1] {
			deeper, ok := at[part].(map[string]any)
			if !ok {
				deeper = map[string]any{}
				at[part] = deeper
			}
			at = deeper
		}
		at[path[len(path)-1]] = scalar(value)
	}
	return out, nil
}

// scalar reads what looks like JSON as JSON, and all else as
// text.
func scalar(s string) any {
	if _, err := strconv.ParseFloat(s, 64); err == nil || s == "true" || s == "false" ||
		strings.ContainsAny(s[:min(len(s), 1)], `{["`) {
		if json.Valid([]byte(s)) {
			return json.RawMessage(s)
		}
	}
	return s
}

// pluginRefs reads plugin[=config] flags.
func pluginRefs(flag string, refs []string) ([]map[string]any, error) {
	out := []map[string]any{}
	for _, ref := range refs {
		plugin, config, ok := strings.Cut(ref, "=")
		use := map[string]any{"plugin": plugin}
		if ok {
			if !json.Valid([]byte(config)) {
				return nil, usageError(fmt.Sprintf("--%s %s: the configuration behind = is not JSON", flag, ref))
			}
			use["config"] = json.RawMessage(config)
		}
		out = append(out, use)
	}
	return out, nil
}

// wants checks the number of arguments; what says which are wanted. A max below
// 0 sets no limit.
func wants(min, max int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < min || max >= 0 && len(args) > max {
			return usageError(strings.TrimPrefix(cmd.CommandPath(), "headgate ") + " wants " + what)
		}
		return nil
	}
}

// needsSubcommand is what a command does that only groups others.
func needsSubcommand(cmd *cobra.Command, _ []string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return usageError(strings.TrimPrefix(cmd.CommandPath(), "headgate ") + " needs one of: " + strings.Join(names, ", "))
}
