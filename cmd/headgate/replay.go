package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/catalog"
)

func replayCommand(a *app) *cobra.Command {
	var (
		from    string
		connect connection
	)
	cmd := &cobra.Command{
		Use:   "replay ENDPOINT --from (POSITION | TIME)",
		Short: "Deliver an endpoint the events of the past once more",
		Long: `Deliver an endpoint everything from an event on once more: what the journal keeps of it,
made anew by the routes now in force, in the order of each key, and then what comes new.`,
		Example: "  headgate replay desk --from 42-0\n  headgate replay desk --from 2024-05-01T12:00:00Z",
		Args:    wants(1, 1, "the name of the endpoint"),
	}
	cmd.Flags().StringVar(&from, "from", "", "the first event: its `POSITION`, as events and dead letters show it, or a time (RFC 3339)")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		bound, err := catalog.ParseBound(from)
		if err != nil {
			return usageError("--from: " + err.Error())
		}
		if bound.IsZero() {
			return usageError("say where to begin: --from 42-0, or --from 2024-05-01T12:00:00Z")
		}
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		begun, err := c.Replay(cmd.Context(), args[0], bound)
		if err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		if connect.json {
			return printJSON(a.out, begun)
		}
		fmt.Fprintf(a.out, "endpoint %s is delivered everything from event %s on once more, accepted %s\n", begun.Endpoint, begun.From, a.when(begun.AcceptedAt, toSecond))
		if begun.Truncated {
			fmt.Fprintln(a.out, "what was before is not kept any more")
		}
		return nil
	}
	return cmd
}
