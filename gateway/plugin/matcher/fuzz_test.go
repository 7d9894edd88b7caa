package matcher_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/filter"
	"github.com/headgate/headgate/gateway/plugin/matcher"
)

// FuzzMatch generates filters and events and demands of the compiled filters
// the verdicts of the oracle.
func FuzzMatch(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		f.Add(randomBytes(rng, 400))
	}
	rt := newRuntime(f)
	f.Fuzz(func(t *testing.T, choices []byte) {
		g := generator{choices}
		requireAgreement(t, rt, &g, 4, 4)
	})
}

// TestMatchAgreesWithOracle is a fixed run of the same, wide enough that whole
// groups are full.
func TestMatchAgreesWithOracle(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	rt := newRuntime(t)
	for range 20 {
		g := generator{randomBytes(rng, 40_000)}
		requireAgreement(t, rt, &g, 100, 60)
	}
}

func requireAgreement(t *testing.T, rt *matcher.Runtime, g *generator, filters, events int) {
	t.Helper()
	var parsed []*filter.Filter
	for range filters {
		f := parse(t, g.condition(3))
		parsed = append(parsed, f, f.Negated())
	}
	set, err := rt.NewSet(t.Context(), parsed, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	m, err := set.NewMatcher(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for range events {
		e := g.event()
		requireOracle(t, m, parsed, e)
	}
}

// TestMatchesAgreesWithOracle does the same for tables in which many filters
// insist on the same values, so that the index has several levels, and which
// change a little at a time.
func TestMatchesAgreesWithOracle(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	rt := newRuntime(t)
	for range 4 {
		g := &generator{randomBytes(rng, 100_000)}
		var filters []*filter.Filter
		for range 400 {
			filters = append(filters, parse(t, g.equalities(2)))
		}
		var set *matcher.Set
		for range 5 {
			next, err := rt.NewSet(t.Context(), filters, set)
			if err != nil {
				t.Fatal(err)
			}
			if set != nil {
				set.Close()
			}
			set = next
			m := newMatcherOf(t, set)
			for range 40 {
				requireOracle(t, m, filters, g.event())
			}
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
			for range 60 {
				at := rng.IntN(len(filters))
				filters[at] = parse(t, g.equalities(2))
			}
			filters = filters[rng.IntN(60):]
		}
		set.Close()
	}
}

// equalities writes a filter that mostly insists on values.
func (g *generator) equalities(depth int) string {
	terms := []string{g.equality()}
	for range 1 + g.below(3) {
		term := g.equality()
		if depth > 0 && g.below(3) == 0 {
			term = pick(g, "(", "NOT (") + g.equalities(depth-1) + ")"
		}
		terms = append(terms, term)
	}
	return strings.Join(terms, pick(g, " AND ", " AND ", " AND ", " OR "))
}

func (g *generator) equality() string {
	switch g.below(10) {
	case 0, 1, 2:
		return "type = '" + pick(g, event.TwinUpdate, event.Telemetry, "a", "b") + "'"
	case 3, 4:
		return g.field() + " = " + g.literal()
	case 5:
		return g.field() + " != " + g.literal()
	case 6:
		return g.field() + " IN [" + g.literal() + ", " + g.literal() + ", " + g.literal() + "]"
	case 7:
		return "(" + g.field() + " = " + g.literal() + ")" + pick(g, " = true", " != true", " = false", " != false")
	case 8:
		return pick(g, "", "NOT ") + pick(g, "CHANGED('/a')", "CHANGED('/a/b')", "$body.a", "$body.b")
	}
	return g.condition(1)
}

// generator turns bytes into choices; when they run out, every choice is the
// first.
type generator struct{ choices []byte }

func (g *generator) below(n int) int {
	if len(g.choices) == 0 {
		return 0
	}
	c := g.choices[0]
	g.choices = g.choices[1:]
	return int(c) % n
}

func pick(g *generator, list ...string) string { return list[g.below(len(list))] }

// condition writes a filter nested at most depth deep.
func (g *generator) condition(depth int) string {
	n := 9
	if depth == 0 {
		n = 6
	}
	switch g.below(n) {
	case 0, 1:
		return g.operand(depth) + pick(g, "=", " != ", "<", "<=", " > ", ">=") + g.operand(depth)
	case 2:
		return g.field() + " = " + g.literal()
	case 3:
		return pick(g, "STARTS_WITH", "ENDS_WITH", "CONTAINS") + "(" + g.operand(depth) + "," + g.operand(depth) + ")"
	case 4:
		return pick(g, "IS_DEFINED("+g.operand(depth)+")", g.operand(depth))
	case 5:
		return pick(g, g.field(), g.literal()) + " IN [" + g.literal() + ", " + g.literal() + "]"
	case 6:
		return "NOT " + g.operand(depth)
	default:
		terms := []string{g.operand(depth), g.condition(depth - 1), "(" + g.condition(depth-1) + ")"}
		return strings.Join(terms[g.below(2):], pick(g, " AND ", " OR "))
	}
}

func (g *generator) operand(depth int) string {
	switch g.below(5) {
	case 0, 1:
		return g.field()
	case 2, 3:
		return g.literal()
	default:
		if depth == 0 {
			return "(" + g.field() + " = " + g.literal() + ")"
		}
		return "(" + g.condition(depth-1) + ")"
	}
}

func (g *generator) field() string {
	return pick(g,
		"type", "subject", "site", "dataschema", "source", "$eventType",
		"$body", "$body.a", "$body.a.b", "$body.a.b.c", "$body.b", "$body.list", "$body.list[0]", "$body.$metadata.$model", "$body.patch",
		"PATCH('')", "PATCH('/a')", "PATCH('/a/b')", "PATCH('/a/b/c')", "PATCH('/x~1y')", "PATCH('/~01')",
		"CHANGED('')", "CHANGED('/a')", "CHANGED('/a/b')", "CHANGED('/x~1y')", "CHANGED('/list/0')")
}

const longText = "Microsoft.DigitalTwins.Twin.Update and more than that"

// texts are the strings that filters and events have in common.
func (g *generator) text() string {
	return pick(g, "a", "", "ab", "abc", "b", "aab", "ababab", "it's", "ä", "äö", "\U0001F600", longText, longText[:40], longText[:39]+"#", event.TwinUpdate, event.Telemetry)
}

func (g *generator) literal() string {
	if g.below(2) == 0 {
		return "'" + strings.ReplaceAll(g.text(), "'", "''") + "'"
	}
	return pick(g, "1", "0", "-0", "-2.5", "1.0", "1e3", "9007199254740993", "true", "false", "null")
}

func (g *generator) event() event.Event {
	e := event.Event{ID: "1", Source: g.text(), Type: g.text(), Subject: g.text(), DataSchema: g.text()}
	if g.below(2) == 0 {
		e.Extensions = []event.Extension{{Name: "site", Value: g.text()}}
	}
	switch g.below(8) {
	case 0:
	case 1:
		e.Data = []byte(g.text())
	case 2:
		e.Data = []byte(g.json(3))
	default:
		e.Data = []byte(`{"modelId":"m",` + g.members(2) + `,"patch":[` + g.operations() + `]}`)
	}
	return e
}

func (g *generator) json(depth int) string {
	n := 6
	if depth == 0 {
		n = 3
	}
	switch g.below(n) {
	case 0:
		return g.jsonText()
	case 1:
		return pick(g, "1", "0", "-0", "-2.5", "1.0", "1000", "1e3", "9007199254740992", "9007199254740993", "1e999")
	case 2:
		return pick(g, "null", "true", "false")
	case 3:
		return pick(g, "[]", "["+g.json(depth-1)+" ,"+g.json(depth-1)+"]")
	default:
		return pick(g, " { "+g.members(depth-1)+"}", "{"+g.members(depth-1)+" }", "{}")
	}
}

func (g *generator) members(depth int) string {
	var list []string
	for range 1 + g.below(4) {
		name := pick(g, "a", "b", "c", "list", "$metadata", "$model", "patch", `\u0061`, "x/y", "~1")
		list = append(list, `"`+name+`" : `+g.json(depth))
	}
	return strings.Join(list, ",")
}

func (g *generator) jsonText() string {
	if g.below(8) == 0 {
		return pick(g, `"\u0061b"`, `"\ud83d\ude00"`, `"\ud800"`, `"a\nb\t"`, `"\\\""`)
	}
	return `"` + g.text() + `"`
}

func (g *generator) operations() string {
	var list []string
	for range g.below(5) {
		path := pick(g, "", "/", "/a", "/a/b", "/a/b/c", "/a/b/c/d", "/x~1y", "/~01", "/list/0", "/list", "a", "/ab", `\/\u0061`)
		op := pick(g, "replace", "add", "remove", "test")
		list = append(list, `{"op":"`+op+`","path":"`+path+`","value":`+g.json(2)+`}`)
	}
	return strings.Join(list, ",")
}

func randomBytes(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}
