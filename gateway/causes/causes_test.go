package causes_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/causes"
	"github.com/headgate/headgate/gateway/delivery"
)

func TestFold(t *testing.T) {
	for _, tt := range []struct{ reason, want string }{
		{"400 Bad Request", "400 Bad Request"},
		{"webhook: 422 Unprocessable Entity: room-7 is unknown", "webhook: 422 Unprocessable Entity: room-N is unknown"},
		{"webhook: 413 Content Too Large: 1048577 bytes, 1,048,576 are allowed", "webhook: 413 Content Too Large: N bytes, N are allowed"},
		{`event "3f2a" of "room 1" is wrong`, `event "…" of "…" is wrong`},
		{"can't read 'a b' or `c`", "can't read '…' or `…`"},
		{"id 7b0f6a3e-9d2c-4f5b-8a1e-0c9d8e7f6a5b is taken", "id N is taken"},
		{"digest 9f2c1ab04d7e, trace 0x7fff5fbff8c0", "digest N, trace N"},
		{"plugin tsi@3 trapped: unreachable at 0x1f", "plugin tsi@N trapped: unreachable at N"},
		{"dial tcp 10.0.0.7:443: connection refused", "dial tcp N:N: connection refused"},
		{"older than 24h0m0s while the endpoint was failing: 503 Service Unavailable", "older than N while the endpoint was failing: 503 Service Unavailable"},
		{"position 12-4 at line 3,\n column 14", "position N-N at line N,  column N"},
		{"token abc1def2ghi3 is old", "token N is old"},
		{"an open \"quote", "an open \"quote"},
		{"", ""},
		{"größe 12 überschritten", "größe N überschritten"},
	} {
		if got := causes.Fold(tt.reason); got != tt.want {
			t.Errorf("Fold(%q)\n = %q\nwant %q", tt.reason, got, tt.want)
		}
	}
}

func FuzzFold(f *testing.F) {
	f.Add(`400: "a" is 7 bytes`)
	f.Add("it's 'x")
	f.Add("\xff\x00 0x1")
	f.Fuzz(func(t *testing.T, reason string) {
		got := causes.Fold(reason)
		if len(got) > 400 || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\x00") {
			t.Errorf("Fold(%q) = %q", reason, got)
		}
	})
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func letter(n int, endpoint, route, reason string, at time.Time) delivery.Kept {
	return delivery.Kept{Ref: delivery.Ref{Seq: uint64(1 + n/10), Index: n % 10}, DeadLetter: delivery.DeadLetter{
		Delivery: delivery.Delivery{Endpoint: endpoint, Route: route}, Reason: reason, DeadAt: at,
	}}
}

func TestIndex(t *testing.T) {
	x := causes.NewIndex()
	for _, n := range []int{3, 0, 5, 1, 4, 2} { // almost in order
		x.Put(letter(n, "hub", fmt.Sprint("r", n%2), fmt.Sprintf("400: event %d", n), noon.Add(time.Duration(n)*time.Minute)))
	}
	x.Put(letter(6, "hub", "r0", "413: too large", noon.Add(10*time.Minute)))
	x.Put(letter(7, "desk", "r0", "400: event 7", noon.Add(10*time.Minute)))
	x.Put(letter(7, "desk", "r0", "400: event 7", noon)) // again
	x.Remove(delivery.Ref{Seq: 1, Index: 5})
	x.Remove(delivery.Ref{Seq: 1, Index: 5})
	x.Remove(delivery.Ref{Seq: 9})

	listed := x.List("hub", 2, noon.Add(10*time.Minute))
	if len(listed.Groups) != 2 || listed.Letters != 6 || listed.From != noon || listed.Newest != (delivery.Ref{Seq: 1, Index: 6}) {
		t.Fatalf("%+v", listed)
	}
	g := listed.Groups[0]
	want := causes.Group{
		ID: g.ID, Endpoint: "hub", Cause: "400: event N", Example: "400: event 5", Count: 5,
		Routes: []causes.RouteCount{{Route: "r0", Count: 3}, {Route: "r1", Count: 2}},
		First:  noon, Last: noon.Add(4 * time.Minute), Series: []int{5, 0},
	}
	if diff := cmp.Diff(want, g); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	refs, ok := x.Letters(g.ID, delivery.Ref{Seq: 1, Index: 1}, 2)
	if diff := cmp.Diff([]delivery.Ref{{Seq: 1, Index: 2}, {Seq: 1, Index: 3}}, refs); diff != "" || !ok {
		t.Errorf("letters: %v\n%s", ok, diff)
	}
	if _, ok := x.Letters("nothing", delivery.Ref{}, 0); ok {
		t.Error("there is a group that there is not")
	}
	other := causes.NewIndex()
	other.Put(letter(1, "hub", "r", "400: event 99", noon))
	if id := other.List("", 1, noon).Groups[0].ID; id != g.ID {
		t.Errorf("after a restart the group is called %s, not %s", id, g.ID)
	}
}

// The index holds what a plain map does, whatever comes and goes.
func TestIndexAgainstAMap(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	x, plain := causes.NewIndex(), map[delivery.Ref]string{}
	next := 0
	for range 30_000 {
		if random.IntN(5) < 2 {
			ref := delivery.Ref{Seq: uint64(1 + random.IntN(next/10+1)), Index: random.IntN(10)}
			x.Remove(ref)
			delete(plain, ref)
			continue
		}
		k := letter(next, fmt.Sprint("e", random.IntN(3)), fmt.Sprint("r", random.IntN(40)), fmt.Sprint(400+random.IntN(20)), noon)
		next++
		x.Put(k)
		plain[k.Ref] = k.Delivery.Endpoint + " " + k.Reason
	}
	want, got := map[string]int{}, map[string]int{}
	for _, name := range plain {
		want[name]++
	}
	for _, g := range x.List("", 10, noon).Groups {
		refs, _ := x.Letters(g.ID, delivery.Ref{}, 0)
		for _, ref := range refs {
			if plain[ref] != g.Endpoint+" "+g.Cause {
				t.Fatalf("letter %v of %q is in the group %q", ref, plain[ref], g.Cause)
			}
		}
		got[g.Endpoint+" "+g.Cause] = len(refs)
		if len(refs) != g.Count {
			t.Errorf("%d letters of %d", len(refs), g.Count)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestIndexBoundsItsGroups(t *testing.T) {
	x := causes.NewIndex()
	for n := range 20_000 {
		x.Put(letter(n, "hub", "r", strings.Repeat("x", n/200)+strings.Repeat("y", n%200), noon))
	}
	listed := x.List("", 1, noon)
	if len(listed.Groups) > 10_001 || listed.Letters != 20_000 || listed.Groups[0].Cause != "other causes" {
		t.Errorf("%d groups of %d letters, the largest of %q", len(listed.Groups), listed.Letters, listed.Groups[0].Cause)
	}
}

// BenchmarkList lists the groups of 100,000 letters.
func BenchmarkList(b *testing.B) {
	x := causes.NewIndex()
	for n := range 100_000 {
		x.Put(letter(n, fmt.Sprint("e", n%10), fmt.Sprint("r", n%100), fmt.Sprintf("%d: event %d", 400+n%20, n), noon.Add(time.Duration(n)*time.Second)))
	}
	now := noon.Add(100_000 * time.Second)
	b.ReportAllocs()
	for b.Loop() {
		x.List("", 40, now)
	}
}

func BenchmarkPut(b *testing.B) {
	x, n := causes.NewIndex(), 0
	b.ReportAllocs()
	for b.Loop() {
		x.Put(letter(n, "hub", "r", "webhook: 400 Bad Request: event 7b0f6a3e-9d2c-4f5b-8a1e-0c9d8e7f6a5b is \"wrong\"", noon))
		n++
	}
}
