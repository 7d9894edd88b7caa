package main

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/client"
	"github.com/headgate/headgate/gateway/event"
)

func endpointsCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "endpoints",
		Aliases: []string{"endpoint"},
		Short:   "Try endpoints out, pause and resume them, see to what holds them up",
		Args:    cobra.NoArgs,
		RunE:    needsSubcommand,
	}
	cmd.AddCommand(testEndpointCommand(a), blockedCommand(a), retryCommand(a), skipCommand(a),
		pauseCommand(a, "pause", true, "Send an endpoint nothing: what it is owed waits", `Send an endpoint nothing until it is resumed. What it is owed waits, in its order, and does
not grow too old. The journal keeps those events, so that it may grow to its limit of
size; once it is full no more events are accepted.`),
		pauseCommand(a, "resume", false, "Send a paused endpoint what it is owed", "Send a paused endpoint what it is owed, in its order, and what comes new."))
	return cmd
}

func blockedCommand(a *app) *cobra.Command {
	var (
		limit   int
		connect connection
	)
	cmd := &cobra.Command{
		Use: "blocked NAME", Short: "Show what holds up the deliveries to an endpoint",
		Long: `Show the keys whose first delivery failed, or waits for a plugin, those first that hold up
the most: what came behind it waits, so that the order of the key is kept. "skip" gives
such a delivery up, "retry" tries all of them at once.`,
		Example: "  headgate endpoints blocked hub",
		Args:    wants(1, 1, "the name of the endpoint"),
	}
	cmd.Flags().IntVar(&limit, "limit", 20, "show `N` keys, up to 1000")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if limit < 1 || limit > 1000 {
			return usageError("--limit must be from 1 to 1000")
		}
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		keys, err := c.BlockedKeys(cmd.Context(), args[0], limit)
		if err != nil {
			return fmt.Errorf("blocked keys of %s: %w", args[0], err)
		}
		if connect.json {
			return printJSON(a.out, keys)
		}
		if keys.Keys == 0 {
			fmt.Fprintf(a.out, "Nothing holds up endpoint %s.\n", args[0])
			return nil
		}
		var rows [][]string
		for _, k := range keys.Items {
			next := a.when(k.Next, toSecond)
			if k.UnderWay {
				next = "now"
			}
			rows = append(rows, []string{
				cmp.Or(oneLine(k.Key, 40), "-"), strconv.Itoa(k.Behind), k.Position.String(), oneLine(k.Route, 30), strconv.Itoa(k.Output),
				strconv.Itoa(k.Tries), next, cmp.Or(oneLine(k.Error, 100), k.Note),
			})
		}
		printTable(a.out, "KEY BEHIND EVENT ROUTE OUTPUT TRIES NEXT WHY", rows)
		if more := keys.Keys - len(keys.Items); more > 0 {
			fmt.Fprintf(a.out, "and %s\n", count(more, "more key"))
		}
		return nil
	}
	return cmd
}

func retryCommand(a *app) *cobra.Command {
	var connect connection
	cmd := &cobra.Command{
		Use: "retry NAME", Short: "Try at once what failed",
		Long: `Try at once what failed and would rest until its next try, also at an endpoint that refuses
everything and is left alone for a while. A try counts as any other.`,
		Args: wants(1, 1, "the name of the endpoint"),
	}
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		retried, err := c.RetryEndpoint(cmd.Context(), args[0])
		if err != nil {
			return fmt.Errorf("retry %s: %w", args[0], err)
		}
		if connect.json {
			return printJSON(a.out, retried)
		}
		if retried.Retrying == 0 {
			fmt.Fprintf(a.out, "nothing failed at endpoint %s that is not done with\n", retried.Endpoint)
			return nil
		}
		fmt.Fprintf(a.out, "endpoint %s is tried again: %s\n", retried.Endpoint, waitingWords(retried.Retrying))
		return nil
	}
	return cmd
}

func waitingWords(n int) string {
	if n == 1 {
		return "1 delivery waits"
	}
	return fmt.Sprintf("%d deliveries wait", n)
}

func skipCommand(a *app) *cobra.Command {
	var (
		name    catalog.DeliveryName
		connect connection
	)
	cmd := &cobra.Command{
		Use: "skip NAME EVENT --route ID", Short: "Give up a delivery that holds up its key",
		Long: `Give up a delivery that holds up its key, as "blocked" shows it. It becomes a dead letter,
which a redrive sends later, and what waits behind it goes on.`,
		Example: "  headgate endpoints skip hub 42-0 --route hot-pumps",
		Args:    wants(2, 2, "the name of the endpoint and the position of the event, such as 42-0"),
	}
	cmd.Flags().StringVar(&name.Route, "route", "", "the `ID` of the route that made the delivery")
	cmd.Flags().IntVar(&name.Output, "output", 0, "the `N`th that the route made of the event, counted from 0")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var err error
		if name.Position, err = event.ParsePosition(args[1]); err != nil {
			return usageError(err.Error())
		}
		if name.Route == "" {
			return usageError("say which route made the delivery: --route ID")
		}
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		skipped, err := c.SkipDelivery(cmd.Context(), args[0], name)
		if err != nil {
			return fmt.Errorf("skip: %w", err)
		}
		if connect.json {
			return printJSON(a.out, skipped)
		}
		fmt.Fprintf(a.out, "%s becomes a dead letter: %s\n", skipped.DeliveryName, oneLine(skipped.Reason, 500))
		return nil
	}
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
	var send bool
	cmd := a.testCommand("endpoint", `Connect to an endpoint, sign in, and ask for the right to send, without delivering
anything: what consumes from it notices nothing. With --send it is sent one event
instead, of the type Headgate.Probe, which its consumers get: that tells what a service
has against a message too. The exit status is 1 when a delivery would fail.`, "Try an endpoint, without delivering anything or with one event", "  headgate endpoints test hub\n  headgate endpoints test hub --send",
		func(c *client.Client, ctx context.Context, name string) (catalog.Probed, error) {
			return c.TestEndpoint(ctx, name, send)
		}, "a delivery to %s would fail")
	cmd.Flags().BoolVar(&send, "send", false, "send one event, which the endpoint's consumers get")
	return cmd
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
