package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/client"
	"github.com/headgate/headgate/gateway/event"
)

const twinHelp = `Show the events of one digital twin, the latest first, with what became of them, and the
latest values of its numeric properties. A twin is named by its id: for telemetry that is the
end of the event's source, else its subject up to /relationships/.

The journal is looked through from its end back, until N events were found or all of it
was looked at. With --json one page is printed, as the API has it.`

func twinCommand(a *app) *cobra.Command {
	var (
		q        catalog.TwinQuery
		from, to string
		connect  connection
	)
	cmd := &cobra.Command{
		Use: "twin KEY", Short: "Show one twin's events and numbers over time", Long: twinHelp,
		Example: "  headgate twin room-101\n  headgate twin room-101 --limit 1000 --json | jq '.series[] | {path, last: .points[-1]}'",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().IntVar(&q.Limit, "limit", 20, "show at most `N` events, up to 1000")
	cmd.Flags().StringVar(&from, "from", "", "end at a `TIME` (RFC 3339) or a position")
	cmd.Flags().StringVar(&to, "to", "", "begin at a `TIME` (RFC 3339) or a position")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		q.Key = args[0]
		if q.From, err = catalog.ParseBound(from); err != nil {
			return usageError("--from: " + err.Error())
		}
		if q.To, err = catalog.ParseBound(to); err != nil {
			return usageError("--to: " + err.Error())
		}
		if q.Limit < 1 || q.Limit > 1000 {
			return usageError("--limit must be from 1 to 1000")
		}
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		if connect.json {
			page, err := c.Twin(cmd.Context(), q)
			if err != nil {
				return fmt.Errorf("twin %s: %w", q.Key, err)
			}
			return printJSON(a.out, page)
		}
		return a.showTwin(cmd.Context(), c, q)
	}
	return cmd
}

// showTwin looks through the journal window by window until there is enough.
func (a *app) showTwin(ctx context.Context, c *client.Client, q catalog.TwinQuery) error {
	p := a.progress()
	defer p.done()
	latest := map[string]catalog.TwinPoint{}
	counts := map[string]int{}
	var paths []string
	shown, looked := 0, 0
	want := q.Limit
	more := true
	for more && shown < want {
		q.Limit = want - shown
		page, err := c.Twin(ctx, q)
		if err != nil {
			return fmt.Errorf("twin %s: %w", q.Key, err)
		}
		p.done()
		for i := range page.Items {
			item := &page.Items[i]
			fmt.Fprintln(a.out, a.twinLine(item))
			for k := range item.Deliveries {
				fmt.Fprintln(a.out, "  "+a.deliveryLine(&item.Deliveries[k]))
			}
		}
		for _, s := range page.Series {
			if counts[s.Path] += len(s.Points); latest[s.Path] == (catalog.TwinPoint{}) {
				latest[s.Path] = s.Points[len(s.Points)-1]
				paths = append(paths, s.Path)
			}
		}
		shown += len(page.Items)
		looked += page.Covered.Events
		if more = page.Next != ""; more {
			if q.After, err = event.ParsePosition(page.Next); err != nil {
				return fmt.Errorf("twin %s: next: %w", q.Key, err)
			}
			p.say("%d events looked at", looked)
		}
	}
	p.done()
	var rows [][]string
	for _, path := range paths {
		rows = append(rows, []string{oneLine(path, 80), strconv.FormatFloat(latest[path][1], 'g', -1, 64), strconv.Itoa(counts[path])})
	}
	if len(rows) > 0 {
		fmt.Fprintln(a.out)
		printTable(a.out, "PROPERTY LATEST VALUES", rows)
		fmt.Fprintln(a.out)
	}
	left := "all that is kept"
	if more {
		left = "there is more: raise --limit"
	}
	fmt.Fprintf(a.out, "%s of %s among %d looked at; %s.\n", count(shown, "event"), oneLine(q.Key, 80), looked, left)
	return nil
}

func (a *app) twinLine(t *catalog.TwinEvent) string {
	e := &t.Event.Event
	return fmt.Sprintf("%s  %-9s %-19s %s", a.when(t.Time, toSecond), t.ID, oneLine(shortType(e.Type), 60), oneLine(dataText(e), 100))
}
