package filter

import (
	"fmt"
	"slices"
	"strings"
)

// Hint is a change of a text that its author may have had in mind.
type Hint struct {
	Message    string
	Start, End int    // what is to be replaced, as byte offsets
	Insert     string // by what; the same as what stands there when nothing is known
}

// Suggest returns a change with which more of text parses; ok is false when
// none is known. Err is the error that [Parse] had for text.
func Suggest(text string, err *SyntaxError) (h Hint, ok bool) {
	for _, h := range remedies(text, err) {
		changed := text[:h.Start] + h.Insert + text[h.End:]
		reached := reaches(changed)
		if reached >= h.Start+len(h.Insert) && len(changed)-reached < len(text)-err.Start ||
			reached == len(changed) && err.Start == len(text) && valid(changed) {
			h.Message = "did you mean " + h.Insert + "?"
			if h.Start == h.End {
				h.Message = "is " + h.Insert + " missing?"
			}
			return h, true
		}
	}
	return Hint{}, false
}

func valid(text string) bool {
	_, err := Parse(text)
	return err == nil
}

// foreign are words and marks of other languages.
var foreign = map[string]string{
	"==": "=", "===": "=", "<>": "!=", "=>": ">=", "=<": "<=", "!==": "!=",
	"&": "AND", "&&": "AND", "|": "OR", "||": "OR", "!": "NOT", "~": "NOT",
	"is": "=", "eq": "=", "equals": "=", "ne": "!=", "gt": ">", "ge": ">=", "lt": "<", "le": "<=",
	"(": "[", ")": "]", "[": "(", "]": ")",
}

// remedies are changes that may mend err; whether they do is to be tried.
func remedies(text string, err *SyntaxError) (list []Hint) {
	at := func(start, end int, insert string) { list = append(list, Hint{Start: start, End: end, Insert: insert}) }
	if err.Start == len(text) {
		at(len(text), len(text), ")")
		at(len(text), len(text), "]")
		return list
	}
	fault := text[err.Start:err.End]
	if fault[0] == '\'' || fault[0] == '"' {
		if err.End == len(text) {
			at(len(text), len(text), fault[:1])
		}
		if len(fault) > 2 {
			path := strings.Trim(unquote(fault), "/")
			path = strings.ReplaceAll(path, ".", "/")
			at(err.Start, err.End, quote("/"+path))
		}
		return list
	}
	start, end := err.Start, err.End
	for start > 0 && strings.IndexByte("=<>!&|", text[start-1]) >= 0 {
		start--
	}
	for end < len(text) && strings.IndexByte("=<>&|", text[end]) >= 0 && strings.IndexByte("=<>!&|", text[end-1]) >= 0 {
		end++
	}
	for _, s := range [][2]int{{start, end}, {err.Start, err.End}} {
		if insert, ok := foreign[strings.ToLower(text[s[0]:s[1]])]; ok {
			at(s[0], s[1], insert)
		}
	}
	words := []string{"AND", "OR", "IN", "NOT"}
	for _, f := range functions {
		words = append(words, f.name)
	}
	if near := nearest(fault, words); near != "" {
		at(err.Start, err.End, near)
	}
	return list
}

// Bounds of what Hints looks at and returns.
const (
	maxLooked = 1000
	maxHints  = 20
)

// Hints says what of f is a filter and hardly what was meant: names that no
// event has a value for, and types and paths that are not among the known ones
// but close to one.
func (f *Filter) Hints(known Known) (list []Hint) {
	add := func(e Expr, insert, format string, args ...any) {
		start, end := e.Span()
		list = append(list, Hint{Message: fmt.Sprintf(format, args...), Start: start, End: end, Insert: insert})
	}
	looked := 0
	for e := range Walk(f.root) {
		if looked++; looked > maxLooked || len(list) == maxHints {
			return list
		}
		switch e := e.(type) {
		case *Ref:
			if insert, why := hintOf(e.Field, known); why != "" {
				if insert == "" {
					insert = f.source(e)
				}
				add(e, insert, "%s", why)
			}
		case *Compare:
			for _, lit := range typesIn(e) {
				if near := nearType(lit.Value.String, known); near != "" {
					add(lit, quote(near), "no event is known of this type; did you mean %s?", quote(near))
				}
			}
		case *In:
			for _, lit := range typesIn(e) {
				if near := nearType(lit.Value.String, known); near != "" {
					add(lit, quote(near), "no event is known of this type; did you mean %s?", quote(near))
				}
			}
		}
	}
	return list
}

// typesIn are the strings that e compares type with.
func typesIn(e Expr) (list []*Literal) {
	operands := children(e)
	if !slices.ContainsFunc(operands, isType) {
		return nil
	}
	for _, x := range operands {
		if lit, ok := x.(*Literal); ok && lit.Value.Kind == String {
			list = append(list, lit)
		}
	}
	return list
}

func nearType(typ string, known Known) string {
	seen, _ := known.Of(Field{Attribute, "type"})
	var names []string
	for _, v := range seen.Values {
		if v.Value.String == typ {
			return ""
		}
		names = append(names, v.Value.String)
	}
	return nearest(typ, names)
}

// hintOf says what is odd about a filter that asks for field, and what to write
// in its place, if that is known.
func hintOf(field Field, known Known) (insert, why string) {
	if field.From == Nothing {
		return hintOfNothing(field.Path, known)
	}
	if known.Events == 0 || field.From == Attribute && isKnownAttribute(field.Path) || field.Path == "" {
		return "", ""
	}
	from := field.From
	if from == Changed {
		from = Patch
	}
	var names []string
	for _, s := range known.Seen {
		if s.Field.From == from {
			if s.Field.Path == field.Path {
				return "", ""
			}
			names = append(names, s.Field.Path)
		}
	}
	if from == Attribute {
		for _, a := range attributes {
			names = append(names, a.name)
		}
	}
	if near := nearest(field.Path, names); near != "" {
		insert = Field{field.From, near}.String()
		return insert, fmt.Sprintf("none of the last %d events has it; did you mean %s?", known.Events, insert)
	}
	return "", ""
}

// hintOfNothing is hintOf for a name that events have no value for.
func hintOfNothing(name string, known Known) (insert, why string) {
	if strings.Contains(name, "[") {
		return "", "arrays cannot be filtered, so this is always missing; CHANGED('/path') and PATCH('/path') look into the patch of an update"
	}
	if name == "$eventType" {
		return "type", "events have no such field; did you mean type?"
	}
	seen, _ := known.Of(Field{Attribute, "type"})
	for _, v := range seen.Values {
		if v.Value.String == name {
			return quote(name), "this is a name and no text, so it is always missing; put it in quotes"
		}
	}
	var names []string
	for _, a := range attributes {
		names = append(names, a.name)
	}
	if near := nearest(name, names); near != "" {
		return near, "events have no such field; did you mean " + near + "?"
	}
	if plain, ok := strings.CutPrefix(name, "body."); ok {
		return "$body." + plain, "events have no such field; did you mean $body." + plain + "?"
	}
	return quote(name), "events have no such field, so it is always missing; put it in quotes if it is text, or $body. before it if it is in the data"
}

// nearest returns that of names which is like word but for its case and for one
// or two letters; empty when there is none.
func nearest(word string, names []string) string {
	best, least := "", 3
	for _, name := range names {
		limit := min(2, len(name)/3)
		if d := distance(fold(word), fold(name), limit); d <= limit && d < least {
			best, least = name, d
		}
	}
	return best
}

// fold takes away what people mistake first.
func fold(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }

// distance is how many letters must be changed, added, left out or swapped with
// their neighbour to make b of a; more than limit when it is more than that.
func distance(a, b string, limit int) int {
	if d := len(a) - len(b); d > limit || -d > limit {
		return limit + 1
	}
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
