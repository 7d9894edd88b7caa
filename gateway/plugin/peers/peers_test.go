package main

import "testing"

// TestVerdicts demands the right verdicts of every contender.
func TestVerdicts(t *testing.T) {
	k := testKit(t)
	for _, c := range contenders() {
		t.Run(c.name(), func(t *testing.T) {
			if err := check(t.Context(), c, k); err != nil {
				t.Error(err)
			}
		})
	}
}

// BenchmarkPeers is what the command times, for whoever wants a profile.
func BenchmarkPeers(b *testing.B) {
	k := testKit(b)
	for _, c := range contenders() {
		b.Run(c.name(), func(b *testing.B) {
			g, err := c.open(b.Context(), k)
			if err != nil {
				b.Fatal(err)
			}
			if err := c.bench(b, g); err != nil {
				b.Error(err)
			}
			if err := g.close(); err != nil {
				b.Error(err)
			}
		})
	}
}

// TestEventSize holds the event to the size that the tables are read with.
func TestEventSize(t *testing.T) {
	if n := eventBytes(); n < 560 || n > 600 {
		t.Errorf("an event is %d bytes as JSON, want 560 to 600", n)
	}
}

func testKit(t testing.TB) *kit {
	k, err := newKit()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.close(); err != nil {
			t.Error(err)
		}
	})
	return k
}
