package rates_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/rates"
)

var start = time.Date(2026, 3, 1, 12, 0, 7, 0, time.UTC)

func TestBook(t *testing.T) {
	var now rates.Reading
	b := rates.NewBook(start, func() rates.Reading { return now })
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }

	now = rates.Reading{In: 10, Delivered: 4, Waiting: 6, Endpoints: []rates.Endpoint{{Name: "hub", Delivered: 4, Evaluated: 10, Backlog: 1, Retrying: 2}}}
	b.Sample(at(3)) // 12:00:10
	now.In, now.Endpoints[0].Evaluated = 30, 30
	now.Routes = []rates.Route{{ID: "r", Endpoint: "hub", Since: start, Evaluated: 30, Matched: 5, Outputs: 7, Errors: 1}}
	b.Sample(at(13)) // 12:00:20
	now.In, now.Waiting = 33, 0
	now.Endpoints[0] = rates.Endpoint{Name: "hub", Delivered: 1, Failed: 2, Dead: 1, Evaluated: 33} // it began anew
	now.Sources = []rates.Source{{Name: "s", Received: 3}}

	got, err := b.Query(rates.Query{From: at(-20), To: at(60), Step: 10 * time.Second, Routes: []rates.Asked{{ID: "r"}, {ID: "idle", Endpoint: "hub", Since: at(5)}}}, at(18))
	if err != nil {
		t.Fatal(err)
	}
	const u = rates.Unknown
	want := rates.Answer{
		From: time.Date(2026, 3, 1, 11, 59, 40, 0, time.UTC), To: at(18),
		Gateway: []rates.Series{{u, u, 10, 20, 3}, {u, u, 4, 0, 0}, {u, u, 0, 0, 0}, {u, u, 0, 0, 0}, {u, u, 6, 6, 0}},
		Routes: []rates.Named{
			{Name: "r", Series: []rates.Series{{u, u, 10, 20, 0}, {u, u, 0, 5, 0}, {u, u, 0, 7, 0}, {u, u, 0, 1, 0}}},
			{Name: "idle", Series: []rates.Series{{u, u, u, 20, 3}, {u, u, u, 0, 0}, {u, u, u, 0, 0}, {u, u, u, 0, 0}}},
		},
		Endpoints: []rates.Named{{Name: "hub", Series: []rates.Series{{u, u, 4, 0, 1}, {u, u, 0, 0, 2}, {u, u, 0, 0, 1}, {u, u, 1, 1, 0}, {u, u, 2, 2, 0}}}},
		Sources:   []rates.Named{{Name: "s", Series: []rates.Series{{u, u, u, u, 3}}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	now.Endpoints, now.Routes = nil, nil // deleted
	got, err = b.Query(rates.Query{From: at(-20), To: at(60), Step: 10 * time.Second, Top: 10}, at(19))
	if err != nil || len(got.Endpoints)+len(got.Routes) != 0 {
		t.Errorf("after a deletion: %v, %v", got, err)
	}
}

// The series are those of a book that keeps every step as it is.
func TestBookAgainstPlainLists(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var now rates.Reading
	now.Routes = []rates.Route{{ID: "r", Since: start, Matched: 1}}
	b := rates.NewBook(start, func() rates.Reading { return now })
	first := start.Unix() / 10
	in, waiting, matched := map[int64]uint64{}, map[int64]uint64{}, map[int64]uint64{first: 1}
	step := first
	for step < first+9000 {
		passed := int64(1)
		if random.IntN(500) == 0 {
			passed = int64(1 + random.IntN(20)) // the machine slept
		}
		n := uint64(random.IntN(3)) * uint64(1) << random.IntN(40)
		now.In += n
		now.Waiting = uint64(random.IntN(100_000))
		m := uint64(random.IntN(2))
		now.Routes[0].Matched += m
		for k := range passed {
			waiting[step+k] = now.Waiting
		}
		step += passed
		in[step-1] += n
		matched[step-1] += m
		b.Sample(time.Unix(step*10, 0))
	}
	end := time.Unix(step*10+4, 0)
	sum := func(of map[int64]uint64, from, to int64) (n int64) {
		for s := from; s < to; s++ {
			n += int64(of[s])
		}
		return n
	}
	for _, tt := range []struct{ back, step time.Duration }{
		{time.Hour, 10 * time.Second}, {time.Hour, 30 * time.Second}, {20 * time.Minute, time.Minute},
		{24 * time.Hour, time.Minute}, {23 * time.Hour, 5 * time.Minute}, {24 * time.Hour, time.Hour},
	} {
		got, err := b.Query(rates.Query{From: end.Add(-tt.back), To: end, Step: tt.step, Top: 1}, end)
		if err != nil {
			t.Fatal(err)
		}
		length := int64(tt.step / (10 * time.Second))
		for k := range got.Gateway[0] {
			from := got.From.Unix()/10 + int64(k)*length
			if want := sum(in, from, from+length); got.Gateway[0][k] != want {
				t.Fatalf("%s in steps of %s: step %d = %d, want %d", tt.back, tt.step, k, got.Gateway[0][k], want)
			}
			if want := sum(matched, from, from+length); got.Routes[0].Series[1][k] != want {
				t.Fatalf("%s in steps of %s: matched in step %d = %d, want %d", tt.back, tt.step, k, got.Routes[0].Series[1][k], want)
			}
			last := min(from+length, step+1) - 1
			want := int64(waiting[last])
			if last == step {
				want = int64(now.Waiting)
			}
			if got.Gateway[4][k] != want {
				t.Fatalf("%s in steps of %s: waiting at step %d = %d, want %d", tt.back, tt.step, k, got.Gateway[4][k], want)
			}
		}
	}
}

func TestBookRefuses(t *testing.T) {
	var now rates.Reading
	for i := range 2000 {
		now.Routes = append(now.Routes, rates.Route{ID: fmt.Sprint(i), Matched: 1})
	}
	b := rates.NewBook(start, func() rates.Reading { return now })
	end := start.Add(time.Minute)
	for name, tt := range map[string]struct {
		back, step time.Duration
		top        int
		want       error
	}{
		"no step":                      {time.Minute, 0, 1, rates.ErrStep},
		"a short step":                 {time.Minute, time.Second, 1, rates.ErrStep},
		"an odd step":                  {time.Minute, 15 * time.Second, 1, rates.ErrStep},
		"a fine step of the past":      {2 * time.Hour, 10 * time.Second, 1, rates.ErrStep},
		"an end before the beginning":  {-time.Minute, 10 * time.Second, 1, rates.ErrRange},
		"too far back":                 {25 * time.Hour, time.Minute, 1, rates.ErrRange},
		"more than anybody looks at":   {24 * time.Hour, time.Minute, 1000, rates.ErrLarge},
		"all that is left":             {24 * time.Hour, time.Minute, 100, nil},
		"a fraction of a second":       {time.Minute, 10*time.Second + time.Millisecond, 1, rates.ErrStep},
		"a step longer than the range": {time.Minute, time.Hour, 1, nil},
	} {
		if _, err := b.Query(rates.Query{From: end.Add(-tt.back), To: end, Step: tt.step, Top: tt.top}, end); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

// A thousand routes of ten endpoints that count all the time, over a day.
func TestBookMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("counts for a day")
	}
	const routes, endpoints = 1000, 10
	var now rates.Reading
	for i := range endpoints {
		now.Endpoints = append(now.Endpoints, rates.Endpoint{Name: fmt.Sprint("e", i)})
	}
	for i := range routes {
		now.Routes = append(now.Routes, rates.Route{ID: fmt.Sprint("r", i), Endpoint: fmt.Sprint("e", i%endpoints), Since: start})
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	b := rates.NewBook(start, func() rates.Reading { return now })
	random := rand.New(rand.NewPCG(1, 2))
	const steps = 24 * 360
	for step := range steps {
		for i := range now.Endpoints {
			now.Endpoints[i].Evaluated += 10_000
		}
		for i := range now.Routes {
			r := &now.Routes[i]
			n := uint64(random.IntN(100)) // 10 a second at most
			r.Evaluated += 10_000
			r.Matched += n
			r.Outputs += n
		}
		b.Sample(start.Add(time.Duration(step+1) * 10 * time.Second))
	}
	per := int64(heap()-before) / routes
	t.Logf("%d bytes for each route", per)
	if per > 8<<10 {
		t.Errorf("a route that counts takes %d bytes, want at most 8 KiB", per)
	}
	runtime.KeepAlive(b)
}

// BenchmarkSample writes down a step of 10,000 routes.
func BenchmarkSample(b *testing.B) {
	var now rates.Reading
	now.Endpoints = []rates.Endpoint{{Name: "hub"}}
	for i := range 10_000 {
		now.Routes = append(now.Routes, rates.Route{ID: fmt.Sprint("route-", i), Endpoint: "hub", Since: start, Matched: 1})
	}
	book := rates.NewBook(start, func() rates.Reading { return now })
	at := start
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(10 * time.Second)
		now.Endpoints[0].Evaluated += 5000
		for i := range now.Routes {
			now.Routes[i].Evaluated += 5000
			now.Routes[i].Matched += uint64(i % 3)
			now.Routes[i].Outputs += uint64(i % 3)
		}
		book.Sample(at)
	}
}
