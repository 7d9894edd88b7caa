package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// report is what go test said of its benchmarks.
type report struct {
	machine string
	cpu     string
	pkg     string // the one whose lines are being read
	rows    []row
}

// row is one benchmark.
type row struct {
	pkg, name string
	metrics   []metric // in the order of go test
}

// metric is one measured quantity, with a value for each run.
type metric struct {
	unit   string
	values []float64
}

// read takes one line of go test's output. It returns the package that the
// line begins, or "".
func (r *report) read(line string) string {
	if cpu, ok := strings.CutPrefix(line, "cpu: "); ok {
		r.cpu = cpu
	}
	if pkg, ok := strings.CutPrefix(line, "pkg: "); ok {
		r.pkg = pkg
		return pkg
	}
	fields := strings.Fields(line)
	if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
		return ""
	}
	if _, err := strconv.ParseUint(fields[1], 10, 64); err != nil {
		return "" // a log line that happens to begin so
	}
	row := r.row(strings.TrimPrefix(fields[0], "Benchmark"))
	for i := 2; i+1 < len(fields); i += 2 {
		if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
			row.add(fields[i+1], v)
		}
	}
	return ""
}

// row returns the row of the benchmark name, less the "-2" of GOMAXPROCS.
func (r *report) row(name string) *row {
	if i := strings.LastIndexByte(name, '-'); i > 0 && strings.Trim(name[i+1:], "0123456789") == "" {
		name = name[:i]
	}
	i := slices.IndexFunc(r.rows, func(row row) bool { return row.pkg == r.pkg && row.name == name })
	if i < 0 {
		i = len(r.rows)
		r.rows = append(r.rows, row{pkg: r.pkg, name: name})
	}
	return &r.rows[i]
}

func (r *row) add(unit string, v float64) {
	i := slices.IndexFunc(r.metrics, func(m metric) bool { return m.unit == unit })
	if i < 0 {
		i = len(r.metrics)
		r.metrics = append(r.metrics, metric{unit: unit})
	}
	r.metrics[i].values = append(r.metrics[i].values, v)
}

// take removes the metric of the unit and returns its median as text.
func (r *row) take(unit string, format func(float64) string) string {
	i := slices.IndexFunc(r.metrics, func(m metric) bool { return m.unit == unit })
	if i < 0 {
		return "–"
	}
	v := median(r.metrics[i].values)
	r.metrics = slices.Delete(r.metrics, i, i+1)
	return format(v)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// table returns the machine and then a block of aligned lines for each package.
func (r *report) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", r.machine)
	// Packages without benchmarks have no rows; the others keep go test's order.
	slices.SortStableFunc(r.rows, func(a, b row) int { return cmp.Compare(a.pkg, b.pkg) })
	for start := 0; start < len(r.rows); {
		end := start + 1
		for end < len(r.rows) && r.rows[end].pkg == r.rows[start].pkg {
			end++
		}
		fmt.Fprintf(&b, "\n%s\n", r.rows[start].pkg)
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprint(w, "time/op\tB/op\tallocs/op\t  benchmark\n")
		for _, row := range r.rows[start:end] {
			fmt.Fprintf(w, "%s\t%s\t%s\t  %s\n", row.take("ns/op", duration), row.take("B/op", number), row.take("allocs/op", number),
				strings.Join(append([]string{row.name}, row.rest()...), "  "))
		}
		w.Flush()
		start = end
	}
	return b.String()
}

// rest is what a benchmark reported by itself, such as events/s.
func (r *row) rest() []string {
	var out []string
	for _, m := range r.metrics {
		out = append(out, "| "+number(median(m.values))+" "+m.unit)
	}
	return out
}

// duration writes nanoseconds with three digits in a unit that suits them.
func duration(ns float64) string {
	switch {
	case ns < 1e3:
		return strconv.FormatFloat(ns, 'g', 3, 64) + " ns"
	case ns < float64(time.Millisecond):
		return significant(ns/1e3) + " µs"
	case ns < float64(time.Second):
		return significant(ns/1e6) + " ms"
	}
	return significant(ns/1e9) + " s"
}

// significant writes 1 ≤ v < 1000 with three digits.
func significant(v float64) string {
	switch {
	case v < 10:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 100:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

// number writes v with thousands separated, and decimals only when it is small.
func number(v float64) string {
	if v > -100 && v < 100 && v != float64(int64(v)) {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	digits := strconv.FormatInt(int64(math.Round(v)), 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
