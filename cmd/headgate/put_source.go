package main

import (
	"context"
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/client"
)

const putSourceExample = `  headgate put source orders --kind serviceBus --set entityPath=orders --set "connectionString=Endpoint=sb://..."
  headgate put source twins --kind eventHub --set endpointUri=sb://hub.example --set entityPath=twins --set start=latest
  headgate put source twins --kind eventHub --set endpointUri=sb://hub.example --set entityPath=twins --disabled
  headgate put source -f sources.yaml`

func putSourceCommand(a *app) *cobra.Command {
	var (
		file, kind string
		settings   []string
		disabled   bool
		connect    connection
	)
	cmd := &cobra.Command{
		Use:     "source [NAME]",
		Aliases: []string{"sources"},
		Short:   "Create or replace a source of events, or those of a file",
		Long: `Create or replace a source of events, or those of a file. The command does not wait
until the source is connected: "headgate get sources" tells how it fares.`,
		Example: putSourceExample,
		Args:    wants(0, 1, "at most one name"),
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "`FILE` of sources; - is standard input")
	cmd.Flags().StringVar(&kind, "kind", "", "`KIND` of source: eventHub or serviceBus")
	cmd.Flags().StringArrayVar(&settings, "set", nil, "a setting of the kind, `NAME=VALUE`; may be repeated")
	cmd.Flags().BoolVar(&disabled, "disabled", false, "keep the source but let it fetch nothing")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		build := func() (any, error) {
			if kind == "" {
				return nil, usageError("say what kind of source it is with --kind, or give a file with -f")
			}
			set, err := members("set", settings)
			if err != nil {
				return nil, err
			}
			return map[string]any{"kind": kind, "settings": set, "enabled": !disabled}, nil
		}
		return a.put(cmd, connect, sourceResource(), args, file, build)
	}
	return cmd
}

func sourceResource() resource {
	return resource{"source", "name", func(ctx context.Context, c *client.Client, name string, doc json.RawMessage) (any, bool, error) {
		return c.PutSourceJSON(ctx, name, doc, catalog.Precondition{})
	}}
}
