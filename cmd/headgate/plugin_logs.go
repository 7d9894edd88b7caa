package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
)

func pluginLogsCommand(a *app) *cobra.Command {
	var (
		version, limit int
		level          string
		connect        connection
	)
	cmd := &cobra.Command{
		Use: "logs NAME", Short: "Show what a plugin logged lately",
		Long: `Show the latest lines that a plugin wrote since the server started, and what the server has
to say of it, such as events on which it failed. The oldest lines make room for new ones.`,
		Example: "  headgate plugin logs tsi\n  headgate plugin logs tsi --version 3 --level warn",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().IntVar(&version, "version", 0, "only lines of version `N`")
	cmd.Flags().StringVar(&level, "level", "", "only lines of `LEVEL` (debug, info, warn, error) or above")
	cmd.Flags().IntVar(&limit, "limit", 100, "show at most `N` lines, up to 1000")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if level != "" && !slices.Contains(catalog.LogLevels, level) {
			return usageError("--level must be debug, info, warn or error")
		}
		if limit < 1 || limit > 1000 || version < 0 {
			return usageError("--limit must be from 1 to 1000, and --version the number of a version")
		}
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		logs, err := c.PluginLogs(cmd.Context(), args[0], version, level, limit)
		if err != nil {
			return fmt.Errorf("logs of plugin %s: %w", args[0], err)
		}
		if connect.json {
			return printJSON(a.out, logs)
		}
		if len(logs.Items) == 0 {
			fmt.Fprintf(a.out, "Plugin %s logged nothing since the server started.\n", args[0])
		}
		// The latest line is the last, as in any log.
		for _, l := range slices.Backward(logs.Items) {
			fmt.Fprintf(a.out, "%s  @%d  %-5s  %s%s\n", a.when(l.At, toSecond), l.Version, l.Level, oneLine(l.Text, 300), lineOrigin(&l))
		}
		if logs.Dropped > 0 {
			fmt.Fprintf(a.out, "%d earlier lines made room for these.\n", logs.Dropped)
		}
		return nil
	}
	return cmd
}

// lineOrigin says which event a line is about, and which trap.
func lineOrigin(l *catalog.PluginLogLine) string {
	s := ""
	if l.Position != (event.Position{}) {
		s += "  event " + l.Position.String()
	}
	if l.Trap != "" {
		s += "  " + l.Trap
	}
	return s
}
