package main // white-box: a command exports nothing

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const output = `goos: linux
goarch: amd64
pkg: example.com/m/journal
cpu: Some CPU @ 2.40GHz
BenchmarkAppend/batch=100-2         	     100	  12345678 ns/op	    224000 events/s	    1024 B/op	       3 allocs/op
BenchmarkAppend/batch=100-2         	     100	  12000000 ns/op	    230000 events/s	    1020 B/op	       3 allocs/op
BenchmarkAppend/batch=100-2         	     100	  19000000 ns/op	    100000 events/s	    1030 B/op	       4 allocs/op
--- BENCH: BenchmarkAppend/batch=100-2
    journal_test.go:3: Benchmark logs are not results
BenchmarkLog line that is no result
PASS
ok  	example.com/m/journal	3.2s
PASS
ok  	example.com/m/empty	0.1s
pkg: example.com/m/filter
BenchmarkMatch-2   	41000000	        28.51 ns/op	       0 B/op	       0 allocs/op
BenchmarkSwap-utf-8-2   	3	 2500000000 ns/op
`

func TestReport(t *testing.T) {
	r := &report{machine: "the machine"}
	var packages []string
	for line := range strings.Lines(output) {
		if pkg := r.read(strings.TrimSuffix(line, "\n")); pkg != "" {
			packages = append(packages, pkg)
		}
	}
	if diff := cmp.Diff([]string{"example.com/m/journal", "example.com/m/filter"}, packages); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	if r.cpu != "Some CPU @ 2.40GHz" {
		t.Errorf("cpu is %q", r.cpu)
	}
	want := `the machine

example.com/m/filter
  time/op  B/op  allocs/op  benchmark
  28.5 ns     0          0  Match
   2.50 s     –          –  Swap-utf-8

example.com/m/journal
  time/op   B/op  allocs/op  benchmark
  12.3 ms  1,024          3  Append/batch=100  | 224,000 events/s
`
	if diff := cmp.Diff(want, r.table()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 7: "7", 0.125: "0.125", 12.345: "12.3", 999: "999", 1000: "1,000", 1234567.8: "1,234,568", -1000: "-1,000", -12: "-12",
	} {
		if got := number(v); got != want {
			t.Errorf("number(%v) = %q, want %q", v, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for ns, want := range map[float64]string{
		0.25: "0.25 ns", 16: "16 ns", 1500: "1.50 µs", 250_000: "250 µs", 12.3e6: "12.3 ms", 2e9: "2.00 s",
	} {
		if got := duration(ns); got != want {
			t.Errorf("duration(%v) = %q, want %q", ns, got, want)
		}
	}
}

// TestRunRefuses holds the exit status of a command line that is wrong.
func TestRunRefuses(t *testing.T) {
	var stdout, stderr strings.Builder
	if status := run([]string{"-nonsense"}, &stdout, &stderr); status != 2 || stdout.Len() > 0 {
		t.Errorf("status %d, stdout %q, want 2 and nothing", status, stdout.String())
	}
}
