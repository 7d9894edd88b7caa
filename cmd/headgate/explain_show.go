package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/headgate/headgate/gateway/catalog"
)

// maxDetailed is how many routes are shown in detail that do not take an event.
const maxDetailed = 20

// printVerdicts writes a table of what routes make of an event, and then each in
// detail. Stored says that the event was accepted and may have been delivered.
func (a *app) printVerdicts(verdicts []catalog.RouteVerdict, stored bool) {
	if len(verdicts) == 0 {
		fmt.Fprintln(a.out, "there are no routes")
		return
	}
	var rows [][]string
	for i := range verdicts {
		v := &verdicts[i]
		row := []string{oneLine(v.Route, 40), verdictWord(v), oneLine(v.Endpoint, 40)}
		if stored {
			row = append(row, deliveryWords(v.Deliveries))
		}
		rows = append(rows, row)
	}
	header := "ROUTE VERDICT ENDPOINT"
	if stored {
		header += " DELIVERIES"
	}
	printTable(a.out, header, rows)
	others := 0
	for i := range verdicts {
		v := &verdicts[i]
		if !v.Matched && len(v.Deliveries) == 0 {
			if others++; others > maxDetailed {
				continue
			}
		}
		a.printVerdict(v)
	}
	if others > maxDetailed {
		fmt.Fprintf(a.out, "\n%d more routes do not take it; name one with --route\n", others-maxDetailed)
	}
}

func verdictWord(v *catalog.RouteVerdict) string {
	switch {
	case v.Gone:
		return "gone"
	case v.Disabled:
		return "disabled"
	case v.Error != "":
		return "failed"
	case v.Matched && len(v.Outputs) == 0:
		return "nothing"
	case v.Matched:
		return "match"
	}
	return "no"
}

// deliveryWords says in a few words where the deliveries are.
func deliveryWords(list []catalog.DeliveryState) string {
	if len(list) == 0 {
		return "-"
	}
	counts := map[string]int{}
	for _, d := range list {
		counts[d.State]++
	}
	var words []string
	for _, state := range []string{catalog.StateDead, catalog.StateRetrying, catalog.StateWaiting, catalog.StateUnknown, catalog.StateDelivered} {
		switch n := counts[state]; {
		case n > 1:
			words = append(words, fmt.Sprintf("%d %s", n, state))
		case n == 1:
			words = append(words, state)
		}
	}
	return strings.Join(words, ", ")
}

func (a *app) printVerdict(v *catalog.RouteVerdict) {
	fmt.Fprintf(a.out, "\nroute %s\n", oneLine(v.Route, 100))
	if v.Condition != nil {
		if v.Disabled {
			fmt.Fprintln(a.out, "  the route is disabled")
		}
		var values []string
		for _, value := range v.Values {
			values = append(values, oneLine(value.Field, 80)+" is "+oneLine(value.Text, 100))
		}
		message := v.Verdict
		if len(values) > 0 {
			message += ": " + strings.Join(values, ", ")
		}
		a.indent(underline(v.Filter, v.Condition.Start, v.Condition.End, message))
	} else {
		fmt.Fprintf(a.out, "  %s\n", oneLine(v.Why, 300))
	}
	for _, p := range v.Plugins {
		fmt.Fprintf(a.out, "  plugin %s (%s): %s, fuel %d\n", oneLine(p.Plugin, 60), p.Kind, pluginWord(p), p.Fuel)
	}
	if v.Error != "" {
		fmt.Fprintf(a.out, "  failed: %s\n", oneLine(v.Error, 300))
	}
	for _, log := range v.Logs {
		fmt.Fprintf(a.out, "  log: %s\n", oneLine(log, 200))
	}
	for i, out := range v.Outputs {
		fmt.Fprintf(a.out, "  output %d: %s\n", i, outputWord(out))
		for _, c := range out.Diff {
			fmt.Fprintf(a.out, "    %s\n", changeLine(c))
		}
	}
	if v.Note != "" {
		fmt.Fprintf(a.out, "  note: %s\n", oneLine(v.Note, 300))
	}
	for _, d := range v.Deliveries {
		a.printDelivery(&d)
	}
}

// indent writes text with a margin.
func (a *app) indent(text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintf(a.out, "  %s", line)
	}
}

func pluginWord(p catalog.PluginVerdict) string {
	switch p.Verdict {
	case "outputs":
		return count(p.Outputs, "output")
	case "nothing":
		return "makes nothing of it"
	case "drop":
		return "does not let it pass"
	case "pass":
		return "lets it pass"
	}
	return p.Verdict
}

func outputWord(out catalog.Output) string {
	if len(out.Diff) == 0 {
		return "the event as it was accepted"
	}
	return count(len(out.Diff), "change")
}

// changeLine writes a change as a person reads it.
func changeLine(c catalog.EventChange) string {
	name := c.Part + " " + c.Path
	if c.Part == "data" && c.Path == "" {
		name = "data"
	}
	value := func(v json.RawMessage) string { return oneLine(string(v), 100) }
	switch c.Op {
	case "add":
		return fmt.Sprintf("+ %s  %s", oneLine(name, 100), value(c.After))
	case "remove":
		return fmt.Sprintf("- %s  %s", oneLine(name, 100), value(c.Before))
	}
	return fmt.Sprintf("~ %s  %s → %s", oneLine(name, 100), value(c.Before), value(c.After))
}

func (a *app) printDelivery(d *catalog.DeliveryState) {
	line := fmt.Sprintf("  delivery %d to %s: %s", d.Output, oneLine(d.Endpoint, 60), d.State)
	if d.Tries > 0 {
		line += " after " + count(d.Tries, "attempt")
	}
	if !d.Next.IsZero() {
		line += ", next at " + a.when(d.Next, toSecond)
	}
	if d.Letter != nil {
		line += ", dead letter " + d.Letter.String()
	}
	fmt.Fprintln(a.out, line)
	if d.Reason != "" {
		fmt.Fprintf(a.out, "    reason: %s\n", oneLine(d.Reason, 300))
	}
	if d.Note != "" {
		fmt.Fprintf(a.out, "    note: %s\n", oneLine(d.Note, 300))
	}
	for _, t := range d.Attempts {
		words := fmt.Sprintf("    attempt %d at %s", t.Attempt, a.when(t.At, toSecond))
		if t.Outcome != "" {
			words += ": " + t.Outcome
		}
		if t.Took != 0 {
			words += " in " + took(t.Took)
		}
		if t.Error != "" {
			words += ": " + oneLine(t.Error, 200)
		}
		fmt.Fprintln(a.out, words)
	}
}

// printHistogram writes why events match a route or not.
func (a *app) printHistogram(h *catalog.RouteExplanation) {
	if h.Events == 0 {
		fmt.Fprintln(a.out, "no events were accepted in that time")
		return
	}
	fmt.Fprintf(a.out, "route %s: %d of %s match (%s)\n", oneLine(h.Route, 60), h.Matched, count(h.Events, "event"), percent(h.Share))
	for _, c := range h.Conditions {
		fmt.Fprintf(a.out, "\n%s (%s) stopped by", count(c.Count, "event"), percent(c.Share))
		if c.Undefined > 0 {
			fmt.Fprintf(a.out, " (undefined for %d)", c.Undefined)
		}
		fmt.Fprintln(a.out)
		a.indent(underline(h.Filter, c.Start, c.End, ""))
		for _, v := range c.Values {
			fmt.Fprintf(a.out, "  %7d  %s\n", v.Count, oneLine(v.Text, 120))
		}
		fmt.Fprintf(a.out, "  such as %s\n", strings.Join(c.Examples, ", "))
	}
	for _, p := range h.Plugins {
		fmt.Fprintf(a.out, "\nplugin %s (%s): %d passed, %d dropped, %d failed (%s)\n", oneLine(p.Plugin, 60), p.Kind, p.Passed, p.Dropped, p.Failed, percent(p.Share))
		if p.Error != "" {
			fmt.Fprintf(a.out, "  failed: %s\n", oneLine(p.Error, 200))
		}
		if len(p.Examples) > 0 {
			fmt.Fprintf(a.out, "  such as %s\n", strings.Join(p.Examples, ", "))
		}
	}
	if len(h.Example) > 0 {
		fmt.Fprintf(a.out, "\nmatches such as %s\n", strings.Join(h.Example, ", "))
	}
	fmt.Fprintf(a.out, "\nlooked at events %s to %s, accepted %s to %s\n", h.Covered.From, h.Covered.To,
		a.when(h.Covered.FromTime, toSecond), a.when(h.Covered.ToTime, toSecond))
	if h.Next != "" {
		fmt.Fprintln(a.out, "there are more events behind these: raise --limit, or begin later")
	}
	if h.Note != "" {
		fmt.Fprintf(a.out, "note: %s\n", oneLine(h.Note, 300))
	}
}

func percent(share float64) string { return fmt.Sprintf("%.1f%%", 100*share) }
