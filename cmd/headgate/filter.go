package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway"
	"github.com/headgate/headgate/gateway/catalog"
)

func filterCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "filter",
		Short: "Write the filters of routes",
		Args:  cobra.NoArgs,
		RunE:  needsSubcommand,
	}
	cmd.AddCommand(checkFilterCommand(a))
	return cmd
}

const checkHelp = `Say what is known of the text of a filter: its tree and the types of events that it can
match, or where it stops being a filter and what may have been meant. No server is
needed. With --live the server is asked, which knows what recent events hold: it finds
names that no event has, and completes paths and values.`

const checkExample = `  headgate filter check "type = 'microsoft.iot.telemetry' AND CHANGED('/temperature')"
  headgate filter check -f filter.txt
  headgate filter check --live --complete 4 '$bod'`

func checkFilterCommand(a *app) *cobra.Command {
	var (
		file     string
		position int
		live     bool
		connect  connection
	)
	cmd := &cobra.Command{
		Use: "check (TEXT | -f FILE)", Short: "Say what a filter means, or what is wrong with it",
		Long: checkHelp, Example: checkExample, Args: cobra.MaximumNArgs(1),
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "`FILE` with the text; - is standard input")
	cmd.Flags().IntVar(&position, "complete", 0, "say how the text may go on behind its first `N` bytes")
	cmd.Flags().BoolVar(&live, "live", false, "ask the server, which knows what recent events hold")
	connect.flags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		req, err := a.filterRequest(file, args)
		if err != nil {
			return err
		}
		if cmd.Flags().Changed("complete") {
			req.Position = &position
		}
		var check catalog.FilterCheck
		if live {
			c, err := connect.client(a)
			if err != nil {
				return err
			}
			check, err = c.ParseFilter(cmd.Context(), req)
			if err != nil {
				return fmt.Errorf("check filter: %w", err)
			}
		} else if check, err = gateway.CheckFilter(req); err != nil {
			return usageError(strings.Replace(err.Error(), "position", "--complete", 1))
		}
		if connect.json {
			err = printJSON(a.out, check)
		} else {
			a.printCheck(check)
		}
		if err == nil && !check.Valid && req.Position == nil {
			return fmt.Errorf("not a filter: line %d, column %d: %s", check.Error.Line, check.Error.Column, oneLine(check.Error.Message, 200))
		}
		return err
	}
	return cmd
}

// filterRequest reads the text of a filter from the argument or the file.
func (a *app) filterRequest(file string, args []string) (catalog.FilterRequest, error) {
	switch {
	case file == "" && len(args) == 0:
		return catalog.FilterRequest{}, usageError("give the text of the filter, or a file with -f")
	case file != "" && len(args) > 0:
		return catalog.FilterRequest{}, usageError("give the filter by its text or by a file, not both")
	case file == "":
		return catalog.FilterRequest{Text: args[0]}, nil
	}
	f, err := a.open(file)
	if err != nil {
		return catalog.FilterRequest{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, catalog.MaxFilterBytes+1))
	if err != nil {
		return catalog.FilterRequest{}, fmt.Errorf("read %s: %w", file, err)
	}
	return catalog.FilterRequest{Text: string(text)}, nil
}

func (a *app) printCheck(check catalog.FilterCheck) {
	switch {
	case check.Completions != nil:
		a.printCompletions(check.Completions.Items)
	case check.Valid:
		a.printFilter(check)
	default:
		e := check.Error
		fmt.Fprint(a.out, underline(check.Text, e.Start, e.End, e.Message))
		if e.Suggestion != nil {
			fmt.Fprintf(a.out, "%s\n", oneLine(e.Suggestion.Message, 200))
		}
	}
}

func (a *app) printCompletions(items []catalog.FilterCompletion) {
	var rows [][]string
	for _, item := range items {
		rows = append(rows, []string{oneLine(item.Label, 60), item.Kind, oneLine(item.Detail, 80)})
	}
	if len(rows) == 0 {
		fmt.Fprintln(a.out, "nothing is known that can stand here")
		return
	}
	printTable(a.out, "COMPLETION KIND DETAIL", rows)
}

// printFilter writes a text that is a filter, and what it means.
func (a *app) printFilter(check catalog.FilterCheck) {
	fmt.Fprintf(a.out, "%s\n\n", check.Canonical)
	types := "any"
	if !check.AnyType {
		types = strings.Join(check.Types, ", ")
		if types == "" {
			types = "none"
		}
	}
	fmt.Fprintf(a.out, "types    %s\n", oneLine(types, 1000))
	if k := check.Kinds; k != nil && k.Exact && len(k.Checked) > 0 {
		var labels []string
		for _, box := range k.Boxes {
			for _, checked := range k.Checked {
				if box.Kind == checked {
					labels = append(labels, box.Label)
				}
			}
		}
		fmt.Fprintf(a.out, "kinds    %s\n", strings.Join(labels, ", "))
	}
	fmt.Fprintln(a.out, "tree")
	printTree(a.out, check.Text, *check.Tree, "  ", "  ")
	for _, h := range check.Hints {
		fmt.Fprintf(a.out, "\n%s", underline(check.Text, h.Start, h.End, h.Message))
	}
}

// printTree writes a node of the tree of text, and those below it.
func printTree(w io.Writer, text string, n catalog.FilterNode, first, rest string) {
	label := strings.ToUpper(n.Op)
	if n.Op == "literal" || n.Op == "field" {
		label = text[n.Start:n.End]
	}
	fmt.Fprintf(w, "%s%s\n", first, oneLine(label, 100))
	for i, child := range n.Children {
		if i == len(n.Children)-1 {
			printTree(w, text, child, rest+"└─ ", rest+"   ")
		} else {
			printTree(w, text, child, rest+"├─ ", rest+"│  ")
		}
	}
}
