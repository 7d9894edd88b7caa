package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/client"
)

func deleteCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "delete",
		Short: "Delete endpoints, sources and routes",
		Long: `Delete endpoints, sources and routes. An endpoint that a route names cannot be deleted;
delete or change the route first. Deliveries under way are finished, and so is what a
source has in hand; the checkpoints of a source are forgotten.`,
		Example: "  headgate delete route tsi\n  headgate delete endpoint readings",
		Args:    cobra.NoArgs,
		RunE:    needsSubcommand,
	}
	cmd.AddCommand(
		deleteOne(a, "endpoint", "NAME", (*client.Client).DeleteEndpoint),
		deleteOne(a, "source", "NAME", (*client.Client).DeleteSource),
		deleteOne(a, "route", "ID", (*client.Client).DeleteRoute),
	)
	return cmd
}

func deleteOne(a *app, kind, name string, remove func(*client.Client, context.Context, string, catalog.Precondition) error) *cobra.Command {
	var connect connection
	cmd := &cobra.Command{
		Use:     fmt.Sprintf("%s %s ...", kind, name),
		Aliases: []string{kind + "s"},
		Short:   fmt.Sprintf("Delete %ss by name", kind),
		Args:    wants(1, -1, "the name of at least one "+kind),
	}
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		for _, arg := range args {
			if err := remove(c, cmd.Context(), arg, catalog.Precondition{}); err != nil {
				return fmt.Errorf("delete %s %s: %w", kind, arg, err)
			}
			if !connect.json {
				fmt.Fprintf(a.out, "%s %s deleted\n", kind, arg)
			}
		}
		return nil
	}
	return cmd
}
