package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func endpointsCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "endpoints",
		Aliases: []string{"endpoint"},
		Short:   "Try endpoints out",
		Args:    cobra.NoArgs,
		RunE:    needsSubcommand,
	}
	cmd.AddCommand(testEndpointCommand(a))
	return cmd
}

func testEndpointCommand(a *app) *cobra.Command {
	var connect connection
	cmd := &cobra.Command{
		Use: "test NAME", Short: "Try an endpoint without delivering anything",
		Long: `Connect to an endpoint, sign in, and ask for the right to send, without delivering
anything. What consumes from it notices nothing. The exit status is 1 when a delivery
would fail.`,
		Example: "  headgate endpoints test hub", Args: wants(1, 1, "the name of the endpoint"),
	}
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		probed, err := c.TestEndpoint(cmd.Context(), args[0])
		if err != nil {
			return fmt.Errorf("test %s: %w", args[0], err)
		}
		if connect.json {
			if err := printJSON(a.out, probed); err != nil {
				return err
			}
		} else if probed.OK {
			fmt.Fprintf(a.out, "✓ %s (%d ms)\n", oneLine(probed.Said, 500), probed.TookMs)
		} else {
			fmt.Fprintf(a.out, "✗ %s (%d ms)\n", oneLine(probed.Said, 500), probed.TookMs)
		}
		if !probed.OK {
			return errors.New("a delivery to " + args[0] + " would fail")
		}
		return nil
	}
	return cmd
}
