package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/catalog"
)

func statusCommand(a *app) *cobra.Command {
	var connect connection
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how a gateway and its endpoints are doing",
		Args:  cobra.NoArgs,
	}
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		s, err := c.Status(cmd.Context())
		if err != nil {
			return fmt.Errorf("status: %w", err)
		}
		if connect.json {
			return printJSON(a.out, s)
		}
		a.printStatus(s, time.Now())
		return nil
	}
	return cmd
}

func (a *app) printStatus(s catalog.Status, now time.Time) {
	fmt.Fprintf(a.out, "%s: %s\n", s.State, s.Reason)
	fmt.Fprintf(a.out, "version %s, up %s, %d %s, %d %s, revision %d\n",
		s.Version, age(now.Sub(s.StartedAt)), s.Routes, plural(s.Routes, "route", "routes"), s.Plugins, plural(s.Plugins, "plugin", "plugins"), s.Revision)
	limit := ""
	if s.Journal.LimitBytes > 0 {
		limit = " of " + size(int64(s.Journal.LimitBytes))
	}
	chunks := "empty"
	if s.Journal.Last > 0 {
		chunks = fmt.Sprintf("chunks %d to %d", s.Journal.First, s.Journal.Last)
	}
	fmt.Fprintf(a.out, "journal %s%s, %s\n", size(int64(s.Journal.Bytes)), limit, chunks)
	if s.Journal.Full {
		fmt.Fprintf(a.out, "journal FULL, senders are answered 503: %s\n", s.Journal.Reason)
	}
	if len(s.Endpoints) > 0 {
		a.printEndpointStatus(s.Endpoints)
	}
	if len(s.Sources) > 0 {
		a.printSourceStatus(s.Sources)
	}
}

func (a *app) printEndpointStatus(endpoints []catalog.EndpointStatus) {
	var rows [][]string
	for _, e := range endpoints {
		rows = append(rows, []string{e.Name, e.Kind, string(e.State), strconv.FormatUint(e.Backlog, 10), strconv.Itoa(e.Waiting), strconv.Itoa(e.Retrying),
			strconv.Itoa(e.DeadLetters), strconv.FormatUint(e.Delivered, 10), strconv.FormatUint(e.Failed, 10), reasonOf(e)})
	}
	fmt.Fprintln(a.out)
	printTable(a.out, "ENDPOINT KIND STATE BACKLOG WAITING RETRYING DEAD-LETTERS DELIVERED FAILED REASON", rows)
}

// reasonOf is why an endpoint fails, or, as long as it does not, why it rejected
// an event last; and why dead letters are not copied.
func reasonOf(e catalog.EndpointStatus) string {
	var reasons []string
	switch {
	case e.Reason != "":
		reasons = append(reasons, oneLine(e.Reason, 100))
	case e.LastRejection != "":
		reasons = append(reasons, fmt.Sprintf("rejected an event at %s: %s", e.LastRejectedAt.UTC().Format(time.RFC3339), oneLine(e.LastRejection, 100)))
	}
	if e.DeadLetterError != "" {
		reasons = append(reasons, "dead letters are not copied: "+oneLine(e.DeadLetterError, 100))
	}
	return strings.Join(reasons, "; ")
}

func (a *app) printSourceStatus(sources []catalog.SourceStatus) {
	var rows [][]string
	for _, s := range sources {
		rows = append(rows, []string{s.Name, s.Kind, string(s.State), strconv.FormatUint(s.Received, 10), strconv.FormatUint(s.Refused, 10), oneLine(s.Reason, 100)})
	}
	fmt.Fprintln(a.out)
	printTable(a.out, "SOURCE KIND STATE RECEIVED REFUSED REASON", rows)
}

// age writes a duration in its two largest units.
func age(d time.Duration) string {
	switch {
	case d >= 24*time.Hour:
		return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}
