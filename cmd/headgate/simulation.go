package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/client"
)

func simulationCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "simulation", Short: "Let simulated twins send events to a server",
		Long: `Let the twins of a simulated factory send events to a server, as Azure Digital Twins
writes them, to try routes on. Their events are accepted like those of a sender.`,
		Args: cobra.NoArgs,
		RunE: needsSubcommand,
	}
	cmd.AddCommand(startSimulationCommand(a),
		simulationOne(a, "show", "Show whether simulated twins send events, and how many they sent", (*client.Client).Simulation),
		simulationOne(a, "stop", "End the simulated twins", (*client.Client).StopSimulation))
	return cmd
}

func startSimulationCommand(a *app) *cobra.Command {
	var connect connection
	req := catalog.UsualSimulation()
	cmd := &cobra.Command{
		Use: "start", Short: "Start simulated twins, in place of those that run",
		Example: "  headgate simulation start\n  headgate simulation start --rate 100 --for 1h",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().IntVar(&req.Rate, "rate", req.Rate, "send `N` events a second, up to 1000")
	cmd.Flags().Var(durationFlag{(*time.Duration)(&req.For)}, "for", "end by themselves after this time, up to 24h")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		s, err := c.Simulate(cmd.Context(), req)
		if err != nil {
			return fmt.Errorf("simulation: %w", err)
		}
		return a.printSimulation(&s, connect.json)
	}
	return cmd
}

func simulationOne(a *app, use, short string, ask func(*client.Client, context.Context) (catalog.Simulation, error)) *cobra.Command {
	var connect connection
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs}
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		s, err := ask(c, cmd.Context())
		if err != nil {
			return fmt.Errorf("simulation: %w", err)
		}
		return a.printSimulation(&s, connect.json)
	}
	return cmd
}

func (a *app) printSimulation(s *catalog.Simulation, asJSON bool) error {
	switch {
	case asJSON:
		return printJSON(a.out, s)
	case s.Running:
		fmt.Fprintf(a.out, "simulated twins send %s a second until %s; %s so far\n", count(s.Rate, "event"), a.when(s.EndsAt, toSecond), count(s.Sent, "event"))
	case s.StartedAt.IsZero():
		fmt.Fprintln(a.out, "no simulated twins send events")
	default:
		fmt.Fprintf(a.out, "the simulated twins ended %s, after %s\n", a.when(s.EndsAt, toSecond), count(s.Sent, "event"))
	}
	if s.Error != "" {
		fmt.Fprintf(a.out, "they ended early: %s\n", oneLine(s.Error, 200))
	}
	return nil
}
