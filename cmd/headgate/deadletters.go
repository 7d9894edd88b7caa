package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
)

func deadLettersCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "dead-letters",
		Aliases: []string{"dead-letter"},
		Short:   "List dead letters, and send them again",
		Long: `List the deliveries that were given up, and send them again. A letter leaves the list
when its redrive is delivered, and returns with its attempts added if that fails.`,
		Args: cobra.NoArgs,
		RunE: needsSubcommand,
	}
	cmd.AddCommand(listLettersCommand(a), redriveCommand(a))
	return cmd
}

func listLettersCommand(a *app) *cobra.Command {
	var (
		endpoint, route string
		limit           int
		connect         connection
	)
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "Show dead letters, the oldest first",
		Example: "  headgate dead-letters list --endpoint desk\n  headgate dead-letters list --json | jq '.items[].reason'",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVar(&endpoint, "endpoint", "", "only those of endpoint `NAME`")
	cmd.Flags().StringVar(&route, "route", "", "only those of route `ID`")
	cmd.Flags().IntVar(&limit, "limit", 100, "show at most `N`; 0 sets no limit")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		letters, more := []catalog.DeadLetter{}, false
		for l, err := range c.DeadLetters(cmd.Context(), endpoint, route) {
			if err != nil {
				return fmt.Errorf("list dead letters: %w", err)
			}
			if more = limit > 0 && len(letters) == limit; more {
				break
			}
			letters = append(letters, l)
		}
		if connect.json {
			return printJSON(a.out, map[string]any{"items": letters, "more": more})
		}
		if len(letters) == 0 {
			fmt.Fprintln(a.out, "There are no dead letters.")
			return nil
		}
		var rows [][]string
		for _, l := range letters {
			rows = append(rows, []string{l.ID.String(), a.when(l.DeadAt, toSecond), l.Endpoint, l.Route,
				strconv.Itoa(l.Attempts), oneLine(l.Event.ID, 40), oneLine(l.Reason, 100)})
		}
		printTable(a.out, "ID DEAD-SINCE ENDPOINT ROUTE ATTEMPTS EVENT REASON", rows)
		if more {
			fmt.Fprintf(a.out, "There are more; --limit 0 shows all.\n")
		}
		return nil
	}
	return cmd
}

func redriveCommand(a *app) *cobra.Command {
	var (
		s       catalog.Selection
		connect connection
	)
	cmd := &cobra.Command{
		Use: "redrive (--endpoint NAME | --all | ID ...)", Short: "Deliver dead letters again",
		Example: "  headgate dead-letters redrive --endpoint desk\n  headgate dead-letters redrive 7-0 9-0",
	}
	cmd.Flags().StringVar(&s.Endpoint, "endpoint", "", "all those of endpoint `NAME`")
	cmd.Flags().BoolVar(&s.All, "all", false, "all there are")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		for _, arg := range args {
			id, err := event.ParsePosition(arg)
			if err != nil {
				return usageError(err.Error())
			}
			s.IDs = append(s.IDs, id)
		}
		given := 0
		for _, ok := range []bool{s.Endpoint != "", s.All, len(s.IDs) > 0} {
			if ok {
				given++
			}
		}
		if given != 1 {
			return usageError("say which dead letters: by ids, --endpoint NAME or --all")
		}
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		done, err := c.Redrive(cmd.Context(), s)
		if err != nil {
			return fmt.Errorf("redrive: %w", err)
		}
		if connect.json {
			return printJSON(a.out, done)
		}
		n := done.Redriving
		fmt.Fprintf(a.out, "%d dead %s on the way again\n", n, plural(n, "letter", "letters"))
		for _, r := range done.Refused {
			fmt.Fprintf(a.out, "%s stays: %s\n", r.ID, r.Reason)
		}
		return nil
	}
	return cmd
}
