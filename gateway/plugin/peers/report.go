package main

import (
	"fmt"
	"math"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// report is what a run found.
type report struct {
	list      []*entry
	benchtime string
	rounds    int
	load      string
}

// peers are the modules whose versions are told.
var peers = []string{
	"github.com/extism/go-sdk", "github.com/extism/go-pdk", "github.com/knqyf263/go-plugin",
	"github.com/http-wasm/http-wasm-host-go", "github.com/tetratelabs/wazero",
}

// text is Markdown: the machine, the versions, a table for each work, and what
// follows from them.
func (r report) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s; %s.\n%s.\nMedians of %d rounds of %s; an event is %d bytes as JSON.\n",
		machine(), r.load, strings.Join(versions(), ", "), r.rounds, r.benchtime, eventBytes())
	for _, w := range []work{rawNoop, goNoop, goFilter} {
		r.table(&b, w)
	}
	r.summary(&b)
	return b.String()
}

func (r report) table(b *strings.Builder, w work) {
	rows := [][]string{{w.String(), "events per call", "ns/event", "least … most", "B/event", "allocs/event", "× Headgate"}}
	base := r.headgate(w, many)
	for _, e := range r.list {
		if e.work != w {
			continue
		}
		times := e.each(perEvent)
		rows = append(rows, []string{e.host + e.kind.String(), fmt.Sprint(e.batch), number(median(times)),
			number(slices.Min(times)) + " … " + number(slices.Max(times)),
			number(median(e.each(bytesEach))), number(median(e.each(allocsEach))),
			fmt.Sprintf("%.1f", median(times)/base.ns())})
	}
	b.WriteString("\n" + markdown(rows))
}

// summary is what the tables say of the aims.
func (r report) summary(b *strings.Builder) {
	host, single := r.headgate(rawNoop, many), r.headgate(rawNoop, 1)
	fmt.Fprintf(b, "\nHost cost of Headgate: %s ns and %s allocations per event in calls of %d, %s ns in a call of one.\n",
		number(host.ns()), number(median(host.each(allocsEach))), many, number(single.ns()))
	for _, w := range []work{rawNoop, goNoop, goFilter} {
		base := r.headgate(w, many)
		fmt.Fprintf(b, "%s: per event, in calls of %d, Headgate is ahead of", w, many)
		for i, k := range []kind{plain, limited, packed, unread} {
			best := r.best(w, func(c contender) bool { return c.host != "Headgate" && c.kind == k })
			if best == nil {
				continue
			}
			if i > 0 {
				b.WriteString(",")
			}
			fmt.Fprintf(b, " %s%s %.1f times", best.host, strings.ReplaceAll(k.String(), ",", ""), best.ns()/base.ns())
		}
		b.WriteString(".\n")
	}
}

// headgate is the entry that the others of w are compared with.
func (r report) headgate(w work, batch int) *entry {
	return r.best(w, func(c contender) bool { return c.host == "Headgate" && c.kind == plain && c.batch == batch })
}

// best is the fastest entry of w that ok accepts, nil when it accepts none.
func (r report) best(w work, ok func(contender) bool) *entry {
	var best *entry
	for _, e := range r.list {
		if e.work == w && ok(e.contender) && (best == nil || e.ns() < best.ns()) {
			best = e
		}
	}
	return best
}

// ns is the median time of an event.
func (e *entry) ns() float64 { return median(e.each(perEvent)) }

// each is a quantity, per event, in each round.
func (e *entry) each(quantity func(testing.BenchmarkResult) float64) []float64 {
	var out []float64
	for _, r := range e.results {
		out = append(out, quantity(r)/float64(r.N*e.batch))
	}
	return out
}

func perEvent(r testing.BenchmarkResult) float64 { return float64(r.T.Nanoseconds()) }

func bytesEach(r testing.BenchmarkResult) float64 { return float64(r.MemBytes) }

func allocsEach(r testing.BenchmarkResult) float64 { return float64(r.MemAllocs) }

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// number is v to three digits or, when it is larger, to the unit.
func number(v float64) string {
	switch {
	case v < 0.005: // what a benchmark allocates once
		return "0"
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	}
	s := fmt.Sprint(int64(math.Round(v)))
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// markdown is a table whose columns also line up as plain text.
func markdown(rows [][]string) string {
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	for k, row := range rows {
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-len([]rune(cell)))
			if i < 2 {
				fmt.Fprintf(&b, "| %s%s ", cell, pad)
			} else {
				fmt.Fprintf(&b, "| %s%s ", pad, cell)
			}
		}
		b.WriteString("|\n")
		if k > 0 {
			continue
		}
		for i, n := range width {
			rule, end := strings.Repeat("-", n), "- "
			if i >= 2 {
				end = ": "
			}
			b.WriteString("| " + rule[1:] + end)
		}
		b.WriteString("|\n")
	}
	return b.String()
}

// versions names Go and the peers as go.mod pins them.
func versions() []string {
	list := []string{runtime.Version()}
	for _, path := range peers {
		out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", path).Output()
		if err != nil {
			out = []byte("of unknown version")
		}
		list = append(list, strings.TrimPrefix(path, "github.com/")+" "+strings.TrimSpace(string(out)))
	}
	return list
}
