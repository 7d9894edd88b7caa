package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/catalog"
)

func deadLettersCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "dead-letters",
		Aliases: []string{"dead-letter"},
		Short:   "List dead letters, and send them again",
		Long: `List the deliveries that were given up, and send them again or purge them. A letter leaves
the list when its redrive is delivered, and returns with its attempts added if that fails.`,
		Args: cobra.NoArgs,
		RunE: needsSubcommand,
	}
	cmd.AddCommand(letterGroupsCommand(a), listLettersCommand(a), previewCommand(a), redriveCommand(a), redrivesCommand(a), purgeCommand(a))
	return cmd
}

func listLettersCommand(a *app) *cobra.Command {
	var (
		endpoint, route, group string
		limit                  int
		connect                connection
	)
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "Show dead letters, the oldest first",
		Example: "  headgate dead-letters list --endpoint desk\n  headgate dead-letters list --json | jq '.items[].reason'",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVar(&endpoint, "endpoint", "", "only those of endpoint `NAME`")
	cmd.Flags().StringVar(&route, "route", "", "only those of route `ID`")
	cmd.Flags().StringVar(&group, "group", "", "only those of group `ID`, as \"headgate dead-letters groups\" shows it")
	cmd.Flags().IntVar(&limit, "limit", 100, "show at most `N`; 0 sets no limit")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if group != "" && (endpoint != "" || route != "") {
			return usageError("a group is of one endpoint and one cause: give --group alone")
		}
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		all := c.DeadLetters(cmd.Context(), endpoint, route)
		if group != "" {
			all = c.LettersOfGroup(cmd.Context(), group)
		}
		letters, more := []catalog.DeadLetter{}, false
		for l, err := range all {
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
