package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
)

const explainHelp = `Show why an event matches the routes in force or not, what they make of it, and where
its deliveries are now. The event is one that the server accepted, by its position, or
those in a file of CloudEvents, which are tried and neither stored nor delivered.

With --route and without --event, count why the events of the journal match that route
or not: per condition, how often it was the first that is not true, and what the events
held.`

const explainExample = `  headgate explain --event 42-0
  headgate explain --event event.json --route hot
  headgate explain --route hot --since 1h`

// explaining is what the flags of the command say.
type explaining struct {
	event, route, from, to string
	since                  time.Duration
	limit                  int
	connect                connection
}

func explainCommand(a *app) *cobra.Command {
	var x explaining
	cmd := &cobra.Command{
		Use:   "explain (--event (POSITION | FILE) [--route ROUTE] | --route ROUTE [--since DURATION])",
		Short: "Show why events match routes or not, and where they are now",
		Long:  explainHelp, Example: explainExample, Args: cobra.NoArgs,
	}
	cmd.Flags().StringVar(&x.event, "event", "", "the event: its `POSITION`, as tail and dead letters show it, or a file of CloudEvents; - is standard input")
	cmd.Flags().StringVar(&x.route, "route", "", "only this `ROUTE`")
	cmd.Flags().Var(durationFlag{&x.since}, "since", "count the events accepted in the last `DURATION`, such as 1h or 7d")
	cmd.Flags().StringVar(&x.from, "from", "", "count the events from this `POSITION` or time (RFC 3339) on")
	cmd.Flags().StringVar(&x.to, "to", "", "count the events up to this `POSITION` or time (RFC 3339)")
	cmd.Flags().IntVar(&x.limit, "limit", catalog.DefaultExplainEvents, "count at most so many events")
	x.connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		counts := x.since != 0 || x.from != "" || x.to != "" || cmd.Flags().Changed("limit")
		switch {
		case x.event == "" && x.route == "":
			return usageError("name an event with --event, or a route with --route")
		case x.event != "" && counts:
			return usageError("--since, --from, --to and --limit count the events of a route, and go without --event")
		case x.since != 0 && x.from != "":
			return usageError("say where to begin with --since or --from, not both")
		case x.since < 0:
			return usageError("--since must not be negative")
		case x.limit < 1 || x.limit > catalog.MaxExplainEvents:
			return usageError(fmt.Sprintf("--limit must be from 1 to %d", catalog.MaxExplainEvents))
		case x.event == "":
			return a.explainRoute(cmd, &x)
		}
		if id, err := event.ParsePosition(x.event); err == nil {
			return a.explainStored(cmd, &x, id)
		}
		return a.explainFile(cmd, &x)
	}
	return cmd
}

// explainStored explains an event that the server accepted.
func (a *app) explainStored(cmd *cobra.Command, x *explaining, id event.Position) error {
	c, err := x.connect.client(a)
	if err != nil {
		return err
	}
	q := catalog.EventExplainQuery{ID: id, Route: x.route}
	whole := catalog.EventExplanation{Routes: []catalog.RouteVerdict{}}
	for {
		page, err := c.ExplainEvent(cmd.Context(), q)
		if err != nil {
			return fmt.Errorf("explain event %s: %w", id, err)
		}
		routes := append(whole.Routes, page.Routes...)
		whole = page
		whole.Routes = routes
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if x.connect.json {
		return printJSON(a.out, whole)
	}
	fmt.Fprintf(a.out, "event %s, accepted %s\n%s\n\n", whole.ID, a.when(whole.AcceptedAt, toSecond), describeEvent(&whole.Event.Event))
	a.printVerdicts(whole.Routes, true)
	return nil
}

// explainFile explains the events of a file.
func (a *app) explainFile(cmd *cobra.Command, x *explaining) error {
	events, err := a.allEvents(x.event)
	if errors.Is(err, fs.ErrNotExist) && x.event != "-" {
		return usageError(fmt.Sprintf("--event: %q is neither a position such as 42-0 nor a file", x.event))
	}
	if err != nil {
		return err
	}
	c, err := x.connect.client(a)
	if err != nil {
		return err
	}
	var results []catalog.Explained
	for from := 0; from < len(events); from += maxExplainFile {
		part, err := c.ExplainEvents(cmd.Context(), x.route, events[from:min(from+maxExplainFile, len(events))])
		if err != nil {
			return fmt.Errorf("explain events: %w", err)
		}
		results = append(results, part...)
	}
	if x.connect.json {
		return printJSON(a.out, map[string]any{"results": results})
	}
	for i, r := range results[:min(len(results), len(events))] {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		fmt.Fprintf(a.out, "event %d\n%s\n\n", i+1, describe(events[i]))
		a.printVerdicts(r.Routes, false)
	}
	return nil
}

// maxExplainFile is how many events of a file go in one request.
const maxExplainFile = 50

// describeEvent is describe for an event that is decoded.
func describeEvent(e *event.Event) string {
	b, err := json.Marshal(catalog.CloudEvent{Event: *e})
	if err != nil {
		return oneLine(e.ID, 100)
	}
	return describe(b)
}

// explainRoute counts why events match a route or not.
func (a *app) explainRoute(cmd *cobra.Command, x *explaining) error {
	q := catalog.ExplainQuery{Route: x.route, Limit: x.limit}
	var err error
	if q.From, err = catalog.ParseBound(x.from); err != nil {
		return usageError("--from: " + err.Error())
	}
	if q.To, err = catalog.ParseBound(x.to); err != nil {
		return usageError("--to: " + err.Error())
	}
	if x.since > 0 {
		q.From.Time = time.Now().Add(-x.since)
	}
	c, err := x.connect.client(a)
	if err != nil {
		return err
	}
	h, err := c.ExplainRoute(cmd.Context(), q)
	if err != nil {
		return fmt.Errorf("explain route %s: %w", x.route, err)
	}
	if x.connect.json {
		return printJSON(a.out, h)
	}
	a.printHistogram(&h)
	return nil
}
