package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/headgate/headgate/gateway/catalog"
)

// paint writes colours, where there are any.
type paint struct{ on bool }

func (a *app) paint() paint {
	_, plain := a.env("NO_COLOR")
	return paint{isTerminal(a.out) && !plain}
}

const (
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	red    = "\x1b[31m"
	faint  = "\x1b[2m"
)

func (p paint) as(color, s string) string {
	if !p.on || s == "" {
		return s
	}
	return color + s + "\x1b[0m"
}

// signs are how a person sees what becomes of a resource.
var signs = map[catalog.Action]struct{ sign, color string }{
	catalog.ActionCreate:  {"+", green},
	catalog.ActionReplace: {"~", yellow},
	catalog.ActionDelete:  {"-", red},
}

func (a *app) printPlan(p catalog.Planned) {
	if !p.Changed() {
		fmt.Fprintf(a.out, "Nothing would change: the server is as the files say (revision %d).\n", p.Revision)
		return
	}
	colors := a.paint()
	printChanges(a.out, colors, p)
	fmt.Fprintf(a.out, "Plan: %s.\n", counted(p, "to create", "to change", "to remove"))
	if p.Traffic != nil {
		fmt.Fprintln(a.out)
		a.printTraffic(colors, *p.Traffic)
	}
}

func (a *app) printApplied(p catalog.Planned) {
	if !p.Changed() {
		fmt.Fprintf(a.out, "Nothing to change: the server is as the files say (revision %d).\n", p.Revision)
		return
	}
	colors := a.paint()
	for _, c := range p.Changes {
		if s, ok := signs[c.Action]; ok {
			fmt.Fprintln(a.out, colors.as(s.color, s.sign+" "+c.Kind+" "+oneLine(c.Name, 0)))
		}
	}
	fmt.Fprintf(a.out, "Applied: %s (revision %d).\n", counted(p, "created", "changed", "removed"), p.Revision)
}

// counted is "1 to create, 2 to change, 5 as they are".
func counted(p catalog.Planned, create, replace, remove string) string {
	n := map[catalog.Action]int{}
	for _, c := range p.Changes {
		n[c.Action]++
	}
	var parts []string
	for _, one := range []struct {
		action catalog.Action
		word   string
	}{{catalog.ActionCreate, create}, {catalog.ActionReplace, replace}, {catalog.ActionDelete, remove}, {catalog.ActionNone, "unchanged"}} {
		if n[one.action] > 0 || one.action != catalog.ActionNone {
			parts = append(parts, strconv.Itoa(n[one.action])+" "+one.word)
		}
	}
	return strings.Join(parts, ", ")
}

func printChanges(w io.Writer, colors paint, p catalog.Planned) {
	for _, c := range p.Changes {
		s, ok := signs[c.Action]
		if !ok {
			continue
		}
		fmt.Fprintln(w, colors.as(s.color, s.sign+" "+c.Kind+" "+oneLine(c.Name, 0)))
		width := 0
		for _, d := range c.Diff {
			width = max(width, utf8.RuneCountInString(oneLine(d.Path, 0)))
		}
		for _, d := range c.Diff {
			path := oneLine(d.Path, 0)
			pad := strings.Repeat(" ", width-utf8.RuneCountInString(path))
			sign, color, text := "~", yellow, ""
			switch {
			case d.Secret:
				text = shown(d.Before) + " → " + shown(d.After) + "  (the secret differs)"
			case d.Before == nil:
				sign, color, text = "+", green, shown(d.After)
			case d.After == nil:
				sign, color, text = "-", red, shown(d.Before)
			default:
				text = shown(d.Before) + " → " + shown(d.After)
			}
			fmt.Fprintf(w, "    %s %s%s  %s\n", colors.as(color, sign), path, pad, text)
		}
		fmt.Fprintln(w)
	}
}

// maxShown bounds a value on its line.
const maxShown = 400

// shown is a value as a person reads it, on one line.
func shown(v json.RawMessage) string {
	var buf bytes.Buffer
	if json.Compact(&buf, v) != nil {
		return oneLine(string(v), maxShown)
	}
	return oneLine(buf.String(), maxShown)
}

func (a *app) printTraffic(colors paint, t catalog.Traffic) {
	if t.Events == 0 {
		fmt.Fprintln(a.out, "No event is kept that the plan could be tried on.")
		return
	}
	fmt.Fprintf(a.out, "Tried on the latest %d %s, accepted from %s to %s:\n\n", t.Events, plural(t.Events, "event", "events"),
		a.when(t.Covered.FromTime, toSecond), a.when(t.Covered.ToTime, toSecond))
	var rows [][]string
	untouched, matched := 0, 0
	for _, r := range t.Routes {
		if r.Untouched {
			untouched++
			matched += r.After.Matched
			continue
		}
		rows = append(rows, trafficRow(r))
	}
	if len(rows) > 0 {
		printRight(a.out, []string{"ROUTE", "BEFORE", "AFTER", "GAINED", "LOST", "CHANGED", "TRAPPED", "SAME"}, rows)
	}
	if untouched > 0 {
		fmt.Fprintf(a.out, "%d %s not touched, with %d matches as before.\n", untouched, plural(untouched, "route", "routes"), matched)
	}
	for _, r := range t.Routes {
		a.printExamples(colors, r)
	}
}

func trafficRow(r catalog.RouteTraffic) []string {
	side := func(s *catalog.RouteSide) string {
		if s == nil {
			return "-"
		}
		return strconv.Itoa(s.Matched)
	}
	row := []string{oneLine(r.Route, 40), side(r.Before), side(r.After)}
	if r.Error != "" {
		return append(row, "?", "?", "?", "?", "?")
	}
	for _, n := range []int{r.Gained, r.Lost, r.Changed, r.Trapped, r.Same} {
		row = append(row, strconv.Itoa(n))
	}
	return row
}

// printRight writes a table whose columns but the first are numbers.
func printRight(w io.Writer, header []string, rows [][]string) {
	all := append([][]string{header}, rows...)
	widths := make([]int, len(header))
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range all {
		var b strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				b.WriteString(cell + pad)
			} else {
				b.WriteString("  " + pad + cell)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
}

// printExamples writes a few of the events that a route would treat otherwise.
func (a *app) printExamples(colors paint, r catalog.RouteTraffic) {
	if r.Error != "" {
		fmt.Fprintf(a.out, "\n%s cannot be tried: %s\n", oneLine(r.Route, 0), oneLine(r.Error, maxShown))
		return
	}
	if len(r.Examples) == 0 {
		return
	}
	fmt.Fprintf(a.out, "\n%s, for example:\n", oneLine(r.Route, 0))
	width := 0
	for _, e := range r.Examples {
		width = max(width, len(e.ID.String()))
	}
	color := map[string]string{
		catalog.ExampleGained: green, catalog.ExampleLost: red, catalog.ExampleChanged: yellow, catalog.ExampleTrapped: red,
	}
	for _, e := range r.Examples {
		line := fmt.Sprintf("%-*s  %s  %s", width, e.ID, oneLine(cmp.Or(e.Subject, "-"), 40), oneLine(why(e), maxShown))
		fmt.Fprintf(a.out, "  %s %s\n", colors.as(color[e.What], fmt.Sprintf("%-8s", e.What)), strings.TrimRight(line, " "))
		if e.What != catalog.ExampleChanged {
			continue
		}
		for i, d := range e.Diff {
			if i == 5 {
				fmt.Fprintf(a.out, "      … and %d more differences\n", len(e.Diff)-i)
				break
			}
			before, after := "nothing", "nothing"
			if d.Before != nil {
				before = shown(d.Before)
			}
			if d.After != nil {
				after = shown(d.After)
			}
			fmt.Fprintf(a.out, "      %s  %s → %s\n", oneLine(d.Path, 80), before, after)
		}
	}
}

// why says in one line what makes an event an example.
func why(e catalog.TrafficExample) string {
	switch {
	case e.What == catalog.ExampleTrapped && e.After != nil:
		return e.After.Error
	case e.What == catalog.ExampleLost && e.After == nil:
		return "the route takes no events any more"
	case e.What == catalog.ExampleLost:
		return e.After.Why
	case e.What == catalog.ExampleGained && e.Before == nil:
		return "the route took no events before"
	case e.What == catalog.ExampleGained:
		return "before: " + e.Before.Why
	}
	return ""
}
