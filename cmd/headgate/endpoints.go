package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/client"
)

func endpointsCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "endpoints",
		Aliases: []string{"endpoint"},
		Short:   "Try endpoints out, pause and resume them",
		Args:    cobra.NoArgs,
		RunE:    needsSubcommand,
	}
	cmd.AddCommand(testEndpointCommand(a),
		pauseCommand(a, "pause", true, "Send an endpoint nothing: what it is owed waits", `Send an endpoint nothing until it is resumed. What it is owed waits, in its order, and does
not grow too old. The journal keeps those events, so that it may grow to its limit of
size; once it is full no more events are accepted.`),
		pauseCommand(a, "resume", false, "Send a paused endpoint what it is owed", "Send a paused endpoint what it is owed, in its order, and what comes new."))
	return cmd
}

func pauseCommand(a *app, use string, paused bool, short, long string) *cobra.Command {
	var connect connection
	cmd := &cobra.Command{
		Use: use + " NAME", Short: short, Long: long, Args: wants(1, 1, "the name of the endpoint"),
	}
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		e, err := c.Endpoint(cmd.Context(), args[0])
		if err != nil {
			return fmt.Errorf("%s %s: %w", use, args[0], err)
		}
		e.Paused = paused
		// Its secrets are masked, which keeps them.
		if e, _, err = c.PutEndpoint(cmd.Context(), e, catalog.Precondition{Revisions: []uint64{e.Revision}}); err != nil {
			return fmt.Errorf("%s %s: %w", use, args[0], err)
		}
		if connect.json {
			return printJSON(a.out, e)
		}
		fmt.Fprintf(a.out, "endpoint %s is %sd\n", e.Name, use)
		return nil
	}
	return cmd
}

func testEndpointCommand(a *app) *cobra.Command {
	return a.testCommand("endpoint", `Connect to an endpoint, sign in, and ask for the right to send, without delivering
anything. What consumes from it notices nothing. The exit status is 1 when a delivery
would fail.`, "Try an endpoint without delivering anything", "  headgate endpoints test hub", (*client.Client).TestEndpoint, "a delivery to %s would fail")
}

func sourcesCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "sources",
		Aliases: []string{"source"},
		Short:   "Try sources out",
		Args:    cobra.NoArgs,
		RunE:    needsSubcommand,
	}
	cmd.AddCommand(a.testCommand("source", `Connect to a source, sign in, and ask for the right to receive, without taking
anything: no message is locked, and no checkpoint moves. The exit status is 1 when the
source would fail.`, "Try a source without taking anything", "  headgate sources test orders", (*client.Client).TestSource, "the source %s would fail"))
	return cmd
}

// testCommand is the command that has the server try something, by try.
func (a *app) testCommand(what, long, short, example string, try func(*client.Client, context.Context, string) (catalog.Probed, error), fails string) *cobra.Command {
	var connect connection
	cmd := &cobra.Command{
		Use: "test NAME", Short: short, Long: long, Example: example, Args: wants(1, 1, "the name of the "+what),
	}
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		probed, err := try(c, cmd.Context(), args[0])
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
			return fmt.Errorf(fails, args[0])
		}
		return nil
	}
	return cmd
}
