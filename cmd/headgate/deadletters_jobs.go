package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/client"
	"github.com/headgate/headgate/gateway/event"
)

// letterFlags say which dead letters a command is about.
type letterFlags struct {
	catalog.Selection
	through string
}

func (l *letterFlags) flags(flags *pflag.FlagSet) {
	flags.StringVar(&l.Endpoint, "endpoint", "", "all those of endpoint `NAME`")
	flags.StringVar(&l.Group, "group", "", "all those of group `ID`, as \"headgate dead-letters groups\" shows it")
	flags.BoolVar(&l.All, "all", false, "all there are")
	flags.StringVar(&l.through, "through", "", "with one of these three: none that came after the letter `ID`")
}

// selection reads the ids too, and sees to it that one thing alone was said.
func (l *letterFlags) selection(ids []string) (catalog.Selection, error) {
	s := l.Selection
	for _, arg := range ids {
		id, err := event.ParsePosition(arg)
		if err != nil {
			return s, usageError(err.Error())
		}
		s.IDs = append(s.IDs, id)
	}
	given := 0
	for _, ok := range []bool{s.Endpoint != "", s.Group != "", s.All, len(s.IDs) > 0} {
		if ok {
			given++
		}
	}
	if given != 1 {
		return s, usageError("say which dead letters: by ids, --endpoint NAME, --group ID or --all")
	}
	if l.through == "" {
		return s, nil
	}
	if len(s.IDs) > 0 {
		return s, usageError("--through goes with --endpoint, --group or --all: ids say themselves which letters are meant")
	}
	var err error
	if s.Through, err = event.ParsePosition(l.through); err != nil {
		return s, usageError("--through: " + err.Error())
	}
	return s, nil
}

func letterGroupsCommand(a *app) *cobra.Command {
	var (
		endpoint string
		connect  connection
	)
	cmd := &cobra.Command{
		Use: "groups", Short: "Show dead letters by their cause, the most first",
		Long: `Show the causes of dead letters, the most first. Numbers and ids (N) and quoted texts (…)
do not tell causes apart. The id of a group serves "list", "preview" and "redrive".`,
		Example: "  headgate dead-letters groups\n  headgate dead-letters redrive --group 9f2c1ab04d7e --watch",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVar(&endpoint, "endpoint", "", "only those of endpoint `NAME`")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		groups, err := c.LetterGroups(cmd.Context(), endpoint)
		if err != nil {
			return fmt.Errorf("groups of dead letters: %w", err)
		}
		if connect.json {
			return printJSON(a.out, groups)
		}
		if len(groups.Items) == 0 {
			fmt.Fprintln(a.out, "There are no dead letters.")
		} else {
			var rows [][]string
			for _, g := range groups.Items {
				rows = append(rows, []string{g.ID, strconv.Itoa(g.Count), g.Endpoint, a.when(g.First, toMinute), a.when(g.Last, toMinute), oneLine(g.Cause, 100)})
			}
			printTable(a.out, "GROUP LETTERS ENDPOINT FIRST LAST CAUSE", rows)
		}
		if !groups.Complete {
			fmt.Fprintln(a.out, "The letters of the last run are still being read; there may be more.")
		}
		return nil
	}
	return cmd
}

func previewCommand(a *app) *cobra.Command {
	var (
		letters letterFlags
		limit   int
		connect connection
	)
	cmd := &cobra.Command{
		Use: "preview (--endpoint NAME | --group ID | --all | ID ...)", Short: "Show what a redrive would send",
		Long: `Show what a redrive of dead letters would send, under the routes as they are now, as a
difference to what failed. Nothing is sent.`,
		Example: "  headgate dead-letters preview --group 9f2c1ab04d7e\n  headgate dead-letters preview 7-0",
	}
	letters.flags(cmd.Flags())
	cmd.Flags().IntVar(&limit, "limit", 20, "look at the first `N`, up to 200")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := letters.selection(args)
		if err != nil {
			return err
		}
		if limit < 1 || limit > catalog.MaxPreview {
			return usageError(fmt.Sprintf("--limit must be from 1 to %d", catalog.MaxPreview))
		}
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		p, err := c.Preview(cmd.Context(), s, limit)
		if err != nil {
			return fmt.Errorf("preview: %w", err)
		}
		if connect.json {
			return printJSON(a.out, p)
		}
		a.printPreview(&p)
		return nil
	}
	return cmd
}

func (a *app) printPreview(p *catalog.Preview) {
	for _, l := range p.Items {
		fmt.Fprintf(a.out, "%s  %s → %s  %s\n", l.ID, oneLine(l.Route, 60), oneLine(l.Endpoint, 60), previewWord(&l))
		for _, out := range l.Outputs {
			for _, change := range out.Diff {
				fmt.Fprintf(a.out, "    %s\n", changeLine(change))
			}
		}
	}
	if n := len(p.Items); n < p.Selected {
		fmt.Fprintf(a.out, "Those are the first %d of %d.\n", n, p.Selected)
	} else if n == 0 {
		fmt.Fprintln(a.out, "There are no dead letters.")
	}
}

// previewWord says what would become of a letter.
func previewWord(l *catalog.PreviewedLetter) string {
	switch l.Result {
	case catalog.PreviewSame:
		return "would send the same again"
	case catalog.PreviewChanged:
		return "would send something else:"
	case catalog.PreviewNew:
		return fmt.Sprintf("would send %s, which it never came to:", count(len(l.Outputs), "output"))
	}
	return "stays: " + oneLine(l.Why, 160)
}

func redriveCommand(a *app) *cobra.Command {
	var (
		letters letterFlags
		watch   bool
		connect connection
	)
	cmd := &cobra.Command{
		Use: "redrive (--endpoint NAME | --group ID | --all | ID ...)", Short: "Deliver dead letters again",
		Long: `Deliver dead letters again, under the routes as they are now, each twin's in their order.
The server goes on by itself; with --watch this command tells how it goes until it is done,
and fails when letters are left that were to be sent.`,
		Example: "  headgate dead-letters redrive --endpoint desk --watch\n  headgate dead-letters redrive 7-0 9-0",
	}
	letters.flags(cmd.Flags())
	cmd.Flags().BoolVar(&watch, "watch", false, "tell how it goes until it is done")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := letters.selection(args)
		if err != nil {
			return err
		}
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		done, err := c.Redrive(cmd.Context(), s)
		if err != nil {
			return fmt.Errorf("redrive: %w", err)
		}
		if watch && done.Job != nil {
			return a.watchRedrive(cmd.Context(), c, done.Job.ID, connect.json)
		}
		if connect.json {
			return printJSON(a.out, done)
		}
		n := done.Redriving
		fmt.Fprintf(a.out, "%d dead %s on the way again\n", n, plural(n, "letter", "letters"))
		for _, r := range done.Refused {
			fmt.Fprintf(a.out, "%s stays: %s\n", r.ID, r.Reason)
		}
		if done.Job != nil {
			fmt.Fprintf(a.out, "How it goes: headgate dead-letters redrives %s\n", done.Job.ID)
		}
		return nil
	}
	return cmd
}

// watchInterval is how often a redrive that is watched is asked for.
const watchInterval = 500 * time.Millisecond

// watchRedrive tells how a redrive goes until it has ended, or ctx, which does
// not end it.
func (a *app) watchRedrive(ctx context.Context, c *client.Client, id string, asJSON bool) error {
	p := a.progress()
	defer p.done()
	var j catalog.RedriveJob
	for {
		var err error
		if j, err = c.RedriveJob(ctx, id); err != nil && ctx.Err() == nil {
			return fmt.Errorf("redrive %s: %w", id, err)
		}
		if ctx.Err() == nil && !j.EndedAt.IsZero() {
			break
		}
		p.say("redrive %s: %s", id, redriveWords(&j))
		if wait(ctx, watchInterval) != nil {
			p.done()
			fmt.Fprintf(a.err, "headgate: redrive %s goes on; \"headgate dead-letters redrives %s\" shows it, with --stop ends it\n", id, id)
			return nil
		}
	}
	p.done()
	if asJSON {
		if err := printJSON(a.out, j); err != nil {
			return err
		}
	} else {
		a.printRedrive(&j)
	}
	if left := j.Total - j.Delivered; left > 0 {
		return fmt.Errorf("redrive %s: %d of %d letters were not delivered", id, left, j.Total)
	}
	return nil
}

// redriveWords is how a redrive goes, in a line.
func redriveWords(j *catalog.RedriveJob) string {
	words := fmt.Sprintf("%s: %d of %d delivered", j.State, j.Delivered, j.Total)
	for _, part := range []struct {
		n    int
		what string
	}{{j.Pending, "under way"}, {j.Failed, "failed again"}, {j.Refused, "stay"}} {
		if part.n > 0 {
			words += fmt.Sprintf(", %d %s", part.n, part.what)
		}
	}
	return words + fmt.Sprintf("; %.0f letters/s", j.Rate)
}

func (a *app) printRedrive(j *catalog.RedriveJob) {
	fmt.Fprintf(a.out, "%s  %s\n", j.ID, redriveWords(j))
	for _, r := range j.Refusals {
		fmt.Fprintf(a.out, "    %d stay, such as %s: %s\n", r.Count, r.Example, oneLine(r.Reason, 160))
	}
	if j.Error != "" {
		fmt.Fprintf(a.out, "    %s\n", oneLine(j.Error, 200))
	}
}

func redrivesCommand(a *app) *cobra.Command {
	var (
		watch, stop bool
		connect     connection
	)
	cmd := &cobra.Command{
		Use: "redrives [ID]", Short: "Show how redrives go, or stop one",
		Long:    "Show the redrives since the server started, the latest first, or one of them; with --stop it starts\nno more letters, and those under way go on.",
		Example: "  headgate dead-letters redrives\n  headgate dead-letters redrives r-7 --watch\n  headgate dead-letters redrives r-7 --stop",
		Args:    cobra.MaximumNArgs(1),
	}
	cmd.Flags().BoolVar(&watch, "watch", false, "tell how it goes until it is done")
	cmd.Flags().BoolVar(&stop, "stop", false, "start no more letters")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 && (watch || stop) || watch && stop {
			return usageError("--watch and --stop want the ID of one redrive, and one of the two")
		}
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		var jobs []catalog.RedriveJob
		switch {
		case watch:
			return a.watchRedrive(cmd.Context(), c, args[0], connect.json)
		case len(args) == 0:
			jobs, err = c.Redrives(cmd.Context())
		default:
			look := c.RedriveJob
			if stop {
				look = c.StopRedrive
			}
			jobs = make([]catalog.RedriveJob, 1)
			jobs[0], err = look(cmd.Context(), args[0])
		}
		if err != nil {
			return fmt.Errorf("redrives: %w", err)
		}
		if connect.json {
			return printJSON(a.out, map[string]any{"items": jobs})
		}
		if len(jobs) == 0 {
			fmt.Fprintln(a.out, "There was no redrive since the server started.")
		}
		for i := range jobs {
			a.printRedrive(&jobs[i])
		}
		return nil
	}
	return cmd
}

func purgeCommand(a *app) *cobra.Command {
	var (
		letters letterFlags
		yes     bool
		connect connection
	)
	cmd := &cobra.Command{
		Use: "purge (--endpoint NAME | --group ID | --all | ID ...) --yes", Short: "Remove dead letters for good",
		Long: `Remove dead letters for good. Their deliveries will never be made, and nothing brings them
back, so that --yes must be said.`,
		Example: "  headgate dead-letters purge --group 9f2c1ab04d7e --yes\n  headgate dead-letters purge 7-0 9-0 --yes",
	}
	letters.flags(cmd.Flags())
	cmd.Flags().BoolVar(&yes, "yes", false, "they may be gone for good")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		s, err := letters.selection(args)
		if err != nil {
			return err
		}
		if !yes {
			return usageError("purged dead letters are gone for good: say --yes if they may be")
		}
		c, err := connect.client(a)
		if err != nil {
			return err
		}
		n, err := c.Purge(cmd.Context(), s)
		if err != nil {
			return fmt.Errorf("purge: %w", err)
		}
		if connect.json {
			return printJSON(a.out, map[string]int{"purged": n})
		}
		fmt.Fprintf(a.out, "%s purged\n", count(n, "dead letter"))
		return nil
	}
	return cmd
}
