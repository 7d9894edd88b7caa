package logbook_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/logbook"
)

func TestLines(t *testing.T) {
	b := logbook.New()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	b.Write("tsi@1", logbook.Line{At: at, Level: logbook.Info, Text: "one"})
	b.Write("tsi@2", logbook.Line{At: at, Level: logbook.Debug, Text: "two", Position: event.Position{Seq: 7}})
	b.Write("tsi@2", logbook.Line{At: at, Level: logbook.Error, Text: "three", Server: true, Trap: "trap-1.json"})
	b.Write("maps@1", logbook.Line{At: at, Text: "other"})
	for _, tt := range []struct {
		version int
		least   logbook.Level
		limit   int
		want    []string
	}{
		{0, logbook.Debug, 10, []string{"three", "two", "one"}},
		{2, logbook.Debug, 10, []string{"three", "two"}},
		{0, logbook.Info, 10, []string{"three", "one"}},
		{0, logbook.Debug, 1, []string{"three"}},
		{9, logbook.Debug, 10, nil},
	} {
		lines, dropped := b.Lines("tsi", tt.version, tt.least, tt.limit)
		var got []string
		for _, l := range lines {
			got = append(got, l.Text)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || dropped != 0 {
			t.Errorf("version %d, level %d, limit %d: %d dropped (-want +got)\n%s", tt.version, tt.least, tt.limit, dropped, diff)
		}
	}
	b.Forget(func(name string, version int) bool { return name == "maps" })
	if lines, _ := b.Lines("tsi", 0, 0, 10); lines != nil {
		t.Errorf("lines of a plugin that is gone: %v", lines)
	}
}

func TestLinesAreBounded(t *testing.T) {
	b := logbook.New()
	for i := range 5000 {
		b.Write("short@1", logbook.Line{Text: fmt.Sprint(i)})
		b.Write("long@1", logbook.Line{Text: strings.Repeat("x", 4<<10)})
		b.Write(fmt.Sprintf("p%d@1", i), logbook.Line{Text: "x"})
	}
	lines, dropped := b.Lines("short", 0, 0, 10_000)
	if len(lines) != 1000 || dropped != 4000 || lines[0].Text != "4999" {
		t.Errorf("%d lines, %d dropped", len(lines), dropped)
	}
	if lines, _ := b.Lines("long", 0, 0, 10_000); len(lines) == 0 || len(lines) > 64 {
		t.Errorf("%d long lines, want no more than 256 KiB", len(lines))
	}
	if lines, _ := b.Lines("p4999", 0, 0, 10); lines != nil {
		t.Error("there is no bound on plugins")
	}
}

func TestFigures(t *testing.T) {
	b := logbook.New()
	for i := 1; i <= 100; i++ {
		b.Measure(logbook.Use{Plugin: "tsi@1", Events: 10, Fuel: 1000, MostFuel: int64(i), Elapsed: time.Duration(i) * 10 * time.Microsecond, Failed: i == 100})
	}
	got := b.Figures("tsi@1")
	if got.Events != 1000 || got.Calls != 100 || got.Failed != 1 || got.Fuel != 100_000 || got.MostFuel != 100 {
		t.Errorf("%+v", got)
	}
	for _, q := range []struct{ got, want time.Duration }{{got.P50, 50 * time.Microsecond}, {got.P99, 99 * time.Microsecond}} {
		if off := float64(q.got-q.want) / float64(q.want); off > .13 || off < -.13 {
			t.Errorf("quantile %s, want about %s", q.got, q.want)
		}
	}
	if none := b.Figures("tsi@2"); none != (logbook.Figures{}) {
		t.Errorf("%+v of a version that never ran", none)
	}
	b.Measure(logbook.Use{Plugin: "odd@1", Events: 1, Elapsed: -time.Second})
	b.Measure(logbook.Use{Plugin: "odd@1", Events: 1, Elapsed: 1<<63 - 1})
	b.Measure(logbook.Use{Plugin: "odd@1"})
	if f := b.Figures("odd@1"); f.P50 != 0 || f.P99 <= 0 {
		t.Errorf("%+v", f)
	}
}

func BenchmarkMeasure(b *testing.B) {
	book := logbook.New()
	b.ReportAllocs()
	for b.Loop() {
		book.Measure(logbook.Use{Plugin: "tsi@1", Events: 64, Fuel: 1000, Elapsed: 123 * time.Microsecond})
	}
}
