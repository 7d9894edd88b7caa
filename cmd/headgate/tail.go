package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/client"
)

const tailHelp = `Show events as they are accepted, a line each, until interrupted. With --deliveries, show
every attempt to deliver them too. A terminal that is too slow is told how many it missed;
with --sample, how many were left out.`

const tailExample = `  headgate tail
  headgate tail --deliveries --subject room-101
  headgate tail --filter "PATCH('/Temperature') > 20" --sample 5
  headgate tail --json | jq .event.data`

func tailCommand(a *app) *cobra.Command {
	var (
		count   int
		query   catalog.TailQuery
		connect connection
	)
	cmd := &cobra.Command{
		Use: "tail", Short: "Show events live, and what becomes of them",
		Long: tailHelp, Example: tailExample, Args: cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.BoolVar(&query.Deliveries, "deliveries", false, "show attempts to deliver too")
	flags.IntVarP(&count, "count", "n", 0, "stop after `N` lines; 0 sets no limit")
	flags.StringVar(&query.Type, "type", "", "only events of `TYPE`")
	flags.StringVar(&query.Subject, "subject", "", "only events with `SUBJECT`")
	flags.StringVar(&query.Source, "source", "", "only events from `SOURCE`")
	flags.StringVar(&query.Filter, "filter", "", "only events that `TEXT`, in the filter language, matches")
	flags.IntVar(&query.Sample, "sample", 0, "at most `N` events a second, evenly picked; 0 sets no limit")
	connect.flags(flags)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		ctx := cmd.Context()
		follow, err := c.FollowTail(ctx, query)
		if err != nil {
			return fmt.Errorf("tail: %w", err)
		}
		shown := 0
		for item, err := range follow {
			if ctx.Err() != nil {
				return nil // interrupted, which is how this ends
			}
			if errors.Is(err, client.ErrStreamEnded) {
				return fmt.Errorf("tail: the server stopped")
			}
			if err != nil {
				return fmt.Errorf("tail: %w", err)
			}
			if err := a.printTailed(item, connect.json); err != nil {
				return err
			}
			if item.Accepted == nil && item.Delivery == nil {
				continue
			}
			if shown++; shown == count {
				return nil
			}
		}
		return nil
	}
	return cmd
}

// printTailed writes one line for what happened.
func (a *app) printTailed(item client.Tailed, asJSON bool) error {
	switch {
	case item.Accepted == nil && item.Delivery == nil:
		return a.printLeftOut(item)
	case asJSON && item.Accepted != nil:
		return printLine(a.out, item.Accepted)
	case asJSON:
		return printLine(a.out, item.Delivery)
	case item.Accepted != nil:
		_, err := fmt.Fprintln(a.out, a.acceptedLine(item.Accepted))
		return err
	}
	_, err := fmt.Fprintln(a.out, a.deliveryLine(item.Delivery))
	return err
}

// printLeftOut says what was not shown; what a filter does not match is no news.
func (a *app) printLeftOut(item client.Tailed) error {
	if item.Dropped > 0 {
		if _, err := fmt.Fprintf(a.err, "headgate: %d not shown: this end is too slow\n", item.Dropped); err != nil {
			return err
		}
	}
	if item.Sampled > 0 {
		if _, err := fmt.Fprintf(a.err, "headgate: %d more, beyond the sample\n", item.Sampled); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) acceptedLine(s *catalog.StoredEvent) string {
	e := &s.Event.Event
	return fmt.Sprintf("%s  %-9s %-20s  %-19s %s", a.when(s.AcceptedAt, timeOfDay), s.ID,
		oneLine(e.TwinKey(), 40), oneLine(shortType(e.Type), 60), oneLine(dataText(e), 100))
}

func (a *app) deliveryLine(d *catalog.DeliveryReport) string {
	line := fmt.Sprintf("%s  %-9s   → %s → %s  %s", a.when(d.At, timeOfDay), d.ID, oneLine(d.Route, 60), oneLine(d.Endpoint, 60), d.Outcome)
	if d.Outcome != "delivered" {
		line += " (attempt " + fmt.Sprint(d.Attempt) + "): " + oneLine(d.Error, 120)
	}
	if d.Dead {
		line += "; now a dead letter"
	}
	return line + fmt.Sprintf("  %s", took(d.Took))
}
