package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/workbench"
)

const testPluginHelp = `Run the golden tests of a plugin: every directory of testdata that holds

  in.json or in.ndjson  CloudEvents
  config.json           the configuration; {} without it
  want.json             what is to come out: verdicts, outputs, errors

The plugin is compiled first, unless a module is named; the tests of a module are those
in the directory where it lies. They run in the host that a gateway has, with its limits,
each on a fresh instance: its events as one batch, and each alone, which must not differ.

--update writes what came out to want.json. The exit status is 1 when a test fails.`

const testPluginExample = `  headgate plugin test warm
  headgate plugin test warm/warm.wasm --run '^cold'
  headgate plugin test warm --update`

func testPluginCommand(a *app) *cobra.Command {
	var (
		update, asJSON bool
		pattern        string
	)
	cmd := &cobra.Command{
		Use: "test [DIR|MODULE]", Short: "Run a plugin's golden tests in the real host",
		Long: testPluginHelp, Example: testPluginExample, Args: wants(0, 1, "at most one directory or module"),
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&update, "update", false, "write what came out as what is wanted")
	cmd.Flags().StringVar(&pattern, "run", "", "run the tests whose names match `REGEXP` only")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON: a line for each test")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		run, err := regexp.Compile(pattern)
		if err != nil {
			return usageError("--run: " + err.Error())
		}
		target := firstOr(args, ".")
		cases, err := casesOf(target, run)
		if err != nil {
			return fmt.Errorf("test: %w", err)
		}
		bench, err := workbench.Open(cmd.Context())
		if err != nil {
			return err
		}
		defer bench.Close()
		wasm, err := a.module(cmd.Context(), target)
		if err != nil {
			return fmt.Errorf("test: %w", err)
		}
		t := tested{app: a, update: update, json: asJSON}
		for _, c := range cases {
			r, err := bench.Try(cmd.Context(), wasm, c)
			if err == nil {
				err = t.report(r)
			}
			if err != nil {
				return fmt.Errorf("test: %w", err)
			}
		}
		return t.end()
	}
	return cmd
}

// casesOf reads the golden tests of a plugin, or those beside a module.
func casesOf(target string, run *regexp.Regexp) ([]workbench.Case, error) {
	info, err := os.Stat(target)
	if err != nil {
		return nil, err
	}
	dir := target
	if !info.IsDir() {
		dir = filepath.Dir(target)
	}
	all, err := workbench.Cases(dir)
	if err != nil {
		return nil, err
	}
	var cases []workbench.Case
	for _, c := range all {
		if run.MatchString(c.Name) {
			cases = append(cases, c)
		}
	}
	switch {
	case len(all) == 0:
		return nil, fmt.Errorf("%s holds no tests: make a directory in it with a file in.json or in.ndjson", filepath.Join(dir, "testdata"))
	case len(cases) == 0:
		return nil, fmt.Errorf("none of the %d tests in %s matches --run %s", len(all), filepath.Join(dir, "testdata"), run)
	}
	return cases, nil
}

// tested tells of golden tests and counts them.
type tested struct {
	*app
	update, json bool

	count, failed, unwritten int
}

// report tells of one test.
func (t *tested) report(r *workbench.Result) error {
	t.count++
	written := false
	if t.update {
		var err error
		if written, err = r.Update(); err != nil {
			return err
		}
		if r.Want, err = json.Marshal(r.Answers); err != nil {
			return err
		}
		r.Diff = ""
	}
	if !r.Passed() {
		t.failed++
	}
	if r.Want == nil {
		t.unwritten++
	}
	if t.json {
		return printLine(t.out, map[string]any{
			"test": r.Name, "passed": r.Passed(), "events": len(r.Events), "fuel": r.Fuel,
			"answers": r.Answers, "diff": r.Diff, "unsteady": r.Unsteady, "logs": r.Logs,
		})
	}
	t.say(r, written)
	return nil
}

func (t *tested) say(r *workbench.Result, written bool) {
	mark, note := "✓", ""
	switch {
	case !r.Passed():
		mark = "✗"
	case written:
		note = "  (want.json written)"
	}
	fmt.Fprintf(t.out, "%s %s  %s, at most %s fuel each%s\n", mark, r.Name, count(len(r.Events), "event"), grouped(r.Fuel), note)
	if r.Passed() {
		return
	}
	if r.Want == nil {
		fmt.Fprintf(t.out, "    there is no %s\n", filepath.Join(r.Dir, "want.json"))
	}
	if r.Diff != "" {
		fmt.Fprintln(t.out, "    wanted (-), came out (+):")
		indent(t, r.Diff)
	}
	for _, text := range r.Unsteady {
		indent(t, text)
	}
	for _, line := range r.Logs {
		fmt.Fprintf(t.out, "    log: %s\n", oneLine(line, 200))
	}
}

// indent writes lines beneath a test, without what a terminal would obey.
func indent(t *tested, text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintf(t.out, "    %s\n", oneLine(strings.TrimRight(line, "\n"), 1000))
	}
}

// errTests is the end of a run in which tests failed.
var errTests = errors.New("tests fail")

func (t *tested) end() error {
	if t.failed == 0 {
		if !t.json {
			fmt.Fprintf(t.out, "%s passed\n", count(t.count, "test"))
		}
		return nil
	}
	hint := ""
	if t.unwritten > 0 {
		hint = "; --update writes what came out as what is wanted"
	}
	return fmt.Errorf("%d of %d %w%s", t.failed, t.count, errTests, hint)
}

// tryAll runs all golden tests of dir, and returns the names of those that fail.
func tryAll(ctx context.Context, bench *workbench.Bench, wasm []byte, dir string) (total int, failed []string, err error) {
	cases, err := workbench.Cases(dir)
	if err != nil {
		return 0, nil, err
	}
	for _, c := range cases {
		r, err := bench.Try(ctx, wasm, c)
		if err != nil {
			return 0, nil, err
		}
		if !r.Passed() {
			failed = append(failed, c.Name)
		}
	}
	return len(cases), failed, nil
}

// count is "1 event" or "2 events".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// grouped writes n with commas between its thousands.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
