// Command peers runs the same no-op and the same filter through Headgate's
// plugin host and through those of its peers, and prints one table.
//
//	go run . [-benchtime 300ms] [-rounds 5] [-o FILE]
//
// It is run in its own directory, since it builds the guests from there.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"testing"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1) //nolint:forbidigo // only main exits, and this is it
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	benchtime := flags.String("benchtime", "300ms", "how long each benchmark runs in a round")
	rounds := flags.Int("rounds", 5, "how often all of them run, one after the other; the table has the medians")
	file := flags.String("o", "", "also write the table to this file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	testing.Init()
	if err := flag.Set("test.benchtime", *benchtime); err != nil {
		return err
	}

	k, err := newKit()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, k.close()) }()
	var list []*entry
	for _, c := range contenders() {
		if err := check(ctx, c, k); err != nil {
			return fmt.Errorf("%s: %w", c.name(), err)
		}
		list = append(list, &entry{contender: c})
	}
	fmt.Fprintf(stderr, "all %d give the right verdicts\n", len(list))

	load := loadAverage()
	for round := range *rounds {
		for _, e := range list {
			if err := e.measure(ctx, k); err != nil {
				return fmt.Errorf("%s: %w", e.name(), err)
			}
		}
		fmt.Fprintf(stderr, "round %d of %d is done\n", round+1, *rounds)
	}
	report := report{list: list, benchtime: *benchtime, rounds: *rounds, load: load}
	fmt.Fprint(stdout, report.text())
	if *file != "" {
		return os.WriteFile(*file, []byte(report.text()), 0o644)
	}
	return nil
}

// check demands the right verdicts of c, in calls of as many events as it is
// timed with.
func check(ctx context.Context, c contender, k *kit) (err error) {
	g, err := c.open(ctx, k)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.close()) }()
	events, pass := mixed()
	for len(events) < many {
		events, pass = append(events, events...), append(pass, pass...)
	}
	for at := 0; at+c.batch <= len(events); at += c.batch {
		if err := g.prepare(events[at : at+c.batch]); err != nil {
			return err
		}
		for range 2 { // a guest is used again
			if err := g.call(); err != nil {
				return err
			}
			for i := range c.batch {
				if got, want := g.passed(i), pass[at+i] || c.work != goFilter; got != want {
					return fmt.Errorf("passed(%s) = %v, want %v", events[at+i].Data, got, want)
				}
			}
		}
	}
	return nil
}

// entry is a contender with what was measured of it.
type entry struct {
	contender
	results []testing.BenchmarkResult // one of each round
}

// measure runs the benchmark of e once, on a fresh guest.
func (e *entry) measure(ctx context.Context, k *kit) error {
	g, err := e.open(ctx, k)
	if err != nil {
		return err
	}
	runtime.GC()
	var failed error
	result := testing.Benchmark(func(b *testing.B) { failed = e.bench(b, g) })
	e.results = append(e.results, result)
	return errors.Join(failed, g.close())
}

// bench times calls of g.
func (c contender) bench(b *testing.B, g guest) error {
	if err := g.prepare(timed(c.batch)); err != nil {
		return err
	}
	if err := g.call(); err != nil { // starts what starts late
		return err
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := g.call(); err != nil {
			return err
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*c.batch), "ns/event")
	return nil
}
