// Command bench runs the benchmarks of this module and prints one table, headed
// by the machine that they ran on.
//
//	go run ./cmd/bench [-benchtime 1s] [-count 1] [-o FILE] [-once] [PACKAGE ...]
//
// It is run from the root of the module, as `go tool task bench` does.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main with its outside as arguments; it returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	benchtime := flags.String("benchtime", "1s", "how long each benchmark runs")
	pattern := flags.String("bench", ".", "which benchmarks, as a regular expression")
	count := flags.Int("count", 1, "how often each benchmark runs; the table keeps the median")
	file := flags.String("o", "", "also write the table to this file")
	once := flags.Bool("once", false, "run each benchmark one time only, to see that it works; print no table")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	packages := flags.Args()
	if len(packages) == 0 {
		packages = []string{"./..."}
	}
	if *once {
		*benchtime, *count = "1x", 1
	}
	// One package at a time, so that no benchmark shares the machine with another.
	goArgs := append([]string{"test", "-p", "1", "-run", "^$", "-bench", *pattern, "-benchtime", *benchtime,
		"-count", fmt.Sprint(*count), "-timeout", "60m"}, packages...)

	report, err := bench(goArgs, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "bench: %v\n", err)
		return 1
	}
	if *once {
		fmt.Fprintf(stderr, "bench: %d benchmarks ran once each\n", len(report.rows))
		return 0
	}
	report.machine = describeMachine(report.cpu)
	text := report.table()
	fmt.Fprint(stdout, text)
	if *file != "" {
		if err := writeFile(*file, text); err != nil {
			fmt.Fprintf(stderr, "bench: %v\n", err)
			return 1
		}
	}
	return 0
}

// bench runs go test and reads its results, telling progress the packages it
// has come to. When go test fails, its output is shown there too.
func bench(goArgs []string, progress io.Writer) (*report, error) {
	cmd := exec.Command("go", goArgs...)
	cmd.Stderr = progress
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r, all := new(report), new(strings.Builder)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fmt.Fprintln(all, lines.Text())
		if pkg := r.read(lines.Text()); pkg != "" {
			fmt.Fprintf(progress, "bench: %s\n", pkg)
		}
	}
	if err := errors.Join(lines.Err(), cmd.Wait()); err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(goArgs, " "), err, all)
	}
	return r, nil
}

func writeFile(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}
