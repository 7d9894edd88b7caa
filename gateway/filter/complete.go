package filter

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Known is what [Complete] and [Filter.Hints] are told of the events that
// filters are for.
type Known struct {
	// Events is how many were looked at.
	Events int
	Seen   []Seen
}

// Seen is a field that some of the events had a value for.
type Seen struct {
	Field  Field
	Events int // that had it
	// Values are the most frequent of its values, the most frequent first.
	Values []SeenValue
}

// SeenValue is a value of a field, and how many events had it; 0 for one that
// is known and was not seen.
type SeenValue struct {
	Value  Value
	Events int
}

// Of returns what is known of f.
func (k *Known) Of(f Field) (Seen, bool) {
	i := slices.IndexFunc(k.Seen, func(s Seen) bool { return s.Field == f })
	if i < 0 {
		return Seen{}, false
	}
	return k.Seen[i], true
}

// The kinds of completions.
const (
	FieldItem    = "field"
	FunctionItem = "function"
	KeywordItem  = "keyword"
	OperatorItem = "operator"
	TypeItem     = "type"    // an event type
	ValueItem    = "value"   // another constant
	PathItem     = "path"    // the argument of PATCH and CHANGED
	MarkItem     = "bracket" // a parenthesis, a bracket or a comma
)

// Item is one way to go on.
type Item struct {
	Label  string
	Kind   string
	Detail string // in a few words
	Insert string // what takes the place of the text between the completions' ends
}

// Completions are the ways to go on at a place: any of the items may take the
// place of the text from From to To, byte offsets.
type Completions struct {
	From, To int
	Items    []Item
}

// maxItems bounds the items of one answer.
const maxItems = 100

// Complete says how text may go on at the byte offset position, which lies
// within it and not within a character. What stands before may have faults.
//
// When the text before From is the beginning of a filter, it still is one with
// any of the items behind it.
func Complete(text string, position int, known Known) Completions {
	c := newCursor(text, position)
	list := &itemList{cursor: c}
	if c.quoted {
		list.constants(known)
	} else {
		list.after()
		list.constants(known)
		list.fields(known)
		list.functions()
		list.words()
	}
	return Completions{From: c.from, To: c.to, Items: list.ranked()}
}

// cursor is a place in a text.
type cursor struct {
	from, to int
	word     string  // what stands between from and the place, without a quote
	quoted   bool    // the place is in a string
	before   string  // what parses, ends at from and decides what may follow
	tokens   []token // of before
	spaced   bool    // an item needs no blank before it
	opened   bool    // a parenthesis follows
	text     string  // up to from
	reached  int     // how far that can be read
}

func newCursor(text string, position int) cursor {
	c := cursor{from: position, to: position}
	l := lexer{text: text}
	for l.pos < position {
		t, err := l.next()
		if err != nil { // a string that does not end
			if start := err.(*SyntaxError).Start; start < position {
				c.from, c.quoted = start, true
			}
			break
		}
		if t.kind == tokenEnd || t.start >= position {
			break
		}
		if t.end < position || t.end == position && (t.kind == tokenString || t.kind == tokenMark && !isHalf(t)) {
			c.tokens = append(c.tokens, t)
			continue
		}
		if t.kind != tokenMark || isHalf(t) {
			c.from, c.to, c.quoted = t.start, t.end, t.kind == tokenString
		}
		break
	}
	// A path with a dot at its end is on its way to a longer one.
	if n := len(c.tokens) - 1; n >= 1 && c.from == position && c.tokens[n].is(".") && c.tokens[n].end == position &&
		c.tokens[n-1].kind == tokenPath && c.tokens[n-1].end == c.tokens[n].start {
		c.from, c.tokens = c.tokens[n-1].start, c.tokens[:n-1]
	}
	c.word = text[c.from:position]
	if c.quoted {
		c.word = c.word[1:]
		c.to = endOfString(text, c.from, position)
	}
	c.before = viable(text[:c.from], c.tokens)
	c.text, c.reached = text[:c.from], reaches(text[:c.from])
	last, _ := utf8.DecodeLastRuneInString(text[:c.from])
	c.spaced = !strings.ContainsRune(`'")]`, last)
	c.opened = strings.HasPrefix(strings.TrimLeft(text[c.to:], " \t\r\n"), "(")
	return c
}

// isHalf reports whether t is a mark that is half of an operator.
func isHalf(t token) bool { return t.text == "!" || t.text == "<" || t.text == ">" }

// endOfString is where the string in quotes from start to the place position
// is taken to end: a person who opens a quote has not closed it yet, and the
// next quote in the text belongs to another string.
func endOfString(text string, start, position int) int {
	quote := text[start]
	for i := position; i < len(text); i++ {
		switch c := text[i]; {
		case c == quote && i+1 < len(text) && text[i+1] == quote:
			i++
		case c == quote:
			return i + 1
		case strings.IndexByte(" \t\r\n,()[]=<>", c) >= 0:
			return position
		}
	}
	return len(text)
}

// viable returns before, or, when it has a fault, what comes behind the last of
// its tokens at which a condition may begin.
func viable(before string, tokens []token) string {
	if reaches(before) == len(before) {
		return before
	}
	for _, t := range slices.Backward(tokens) {
		if t.is("AND") || t.is("OR") || t.is("(") || t.is("NOT") {
			if rest := before[t.end:]; reaches(rest) == len(rest) {
				return rest
			}
		}
	}
	return ""
}

// reaches is how far text can be read: to its length when it is a filter or
// may become one.
func reaches(text string) int {
	if _, err := Parse(text); err != nil {
		return err.(*SyntaxError).Start
	}
	return len(text)
}

// takes reports whether s may stand at the cursor.
func (c *cursor) takes(s string) bool {
	text := c.before + " " + s
	return reaches(text) == len(text)
}

// compared is the field whose value is asked for at the cursor: that on the
// other side of the operator, before the list, or that of the first argument.
func (c *cursor) compared() (Field, bool) {
	tokens := c.tokens
	end := len(tokens) - 1
	if end < 0 {
		return Field{}, false
	}
	last := tokens[end]
	if _, ok := operators[last.text]; ok && last.kind == tokenMark {
		return fieldBefore(tokens[:end])
	}
	if !last.is(",") && !last.is("[") {
		return Field{}, false
	}
	for i := end; i >= 0; i-- {
		switch t := tokens[i]; {
		case t.is("[") && i > 0:
			return fieldBefore(tokens[:i-1])
		case t.is("("):
			return fieldBefore(tokens[:end])
		case t.kind == tokenEnd:
			return Field{}, false
		}
	}
	return Field{}, false
}

// fieldBefore is the field that tokens end with.
func fieldBefore(tokens []token) (Field, bool) {
	n := len(tokens)
	if n > 0 && tokens[n-1].kind == tokenPath && !isKeyword(tokens[n-1]) && !isConstant(tokens[n-1]) {
		return fieldOf(tokens[n-1].text), true
	}
	if n >= 4 && tokens[n-1].is(")") && tokens[n-2].kind == tokenString && tokens[n-3].is("(") && tokens[n-4].is("PATCH") {
		return Field{Patch, unquote(tokens[n-2].text)}, true
	}
	return Field{}, false
}

// itemList gathers the items that may stand at a cursor.
type itemList struct {
	cursor
	items []rankedItem
}

// rankedItem is an item with what it is compared with the word by.
type rankedItem struct {
	Item
	text string
	rank int
}

func (l *itemList) add(item Item, text string) {
	rank := 0
	if word := strings.ToLower(l.word); word != "" {
		lower := strings.ToLower(text)
		switch {
		case strings.HasPrefix(lower, word):
		case strings.Contains(lower, word):
			rank = 1
		default:
			return
		}
	}
	if !l.spaced {
		item.Insert = " " + item.Insert
	}
	if l.from+len(item.Insert) > MaxBytes {
		return
	}
	if l.reached < l.from && reaches(l.text+item.Insert) < l.reached {
		return // it would run into what is at fault
	}
	l.items = append(l.items, rankedItem{item, text, rank})
}

// ranked returns what begins with the word first, each part in the order in
// which it was found.
func (l *itemList) ranked() []Item {
	slices.SortStableFunc(l.items, func(a, b rankedItem) int { return cmp.Compare(a.rank, b.rank) })
	out := make([]Item, 0, min(len(l.items), maxItems))
	for _, item := range l.items[:min(len(l.items), maxItems)] {
		out = append(out, item.Item)
	}
	return out
}

// marks are what may stand behind an operand.
var marks = []Item{
	{"=", OperatorItem, "equal", "="},
	{"!=", OperatorItem, "not equal, and not missing", "!="},
	{">", OperatorItem, "greater", ">"},
	{">=", OperatorItem, "greater or equal", ">="},
	{"<", OperatorItem, "less", "<"},
	{"<=", OperatorItem, "less or equal", "<="},
	{"IN", KeywordItem, "equal to one of a list", "IN ["},
	{"AND", KeywordItem, "both are true", "AND"},
	{"OR", KeywordItem, "one is true", "OR"},
	{",", MarkItem, "", ","},
	{")", MarkItem, "", ")"},
	{"]", MarkItem, "", "]"},
}

func (l *itemList) after() {
	for _, m := range marks {
		if l.takes(m.Insert) {
			l.add(m, m.Label)
		}
	}
}

// constants adds strings, numbers and so on that the field in question was seen
// to have; in PATCH and CHANGED the paths.
func (l *itemList) constants(known Known) {
	switch {
	case l.takes("'/x'") && !l.takes("'x'"):
		l.paths(known)
		return
	case !l.takes("'x'"):
		return
	}
	field, ok := l.compared()
	if !ok {
		return
	}
	seen, _ := known.Of(field)
	kind := ValueItem
	if field == (Field{Attribute, "type"}) {
		kind = TypeItem
	}
	for _, v := range seen.Values {
		if v.Value.Kind == Object || v.Value.Kind == Array || v.Value.Kind == Undefined || l.quoted && v.Value.Kind != String {
			continue
		}
		text := v.Value.Text()
		match := text
		if v.Value.Kind == String {
			match = v.Value.String
		}
		l.add(Item{text, kind, often(v.Events, known.Events), text}, match)
	}
}

func (l *itemList) paths(known Known) {
	for _, s := range known.Seen {
		if s.Field.From == Patch && s.Field.Path != "" {
			l.add(Item{quote(s.Field.Path), PathItem, s.detail(known.Events), quote(s.Field.Path)}, s.Field.Path)
		}
	}
}

// attributes are what CloudEvents defines, the most useful first.
var attributes = []struct{ name, detail string }{
	{"type", "what happened"},
	{"subject", "the twin, or the relationship of one"},
	{"source", "the instance; of telemetry, the twin"},
	{"dataschema", "the model, of telemetry"},
	{"datacontenttype", "such as application/json"},
	{"id", "of the event"},
	{"time", "when it happened"},
	{"specversion", "of CloudEvents"},
}

func (l *itemList) fields(known Known) {
	if !l.takes("x") {
		return
	}
	for _, a := range attributes {
		detail := a.detail
		if s, ok := known.Of(Field{Attribute, a.name}); ok && s.Events > 0 {
			detail += ": " + s.detail(known.Events)
		}
		l.add(Item{a.name, FieldItem, detail, a.name}, a.name)
	}
	for _, s := range known.Seen {
		text := s.Field.String()
		switch s.Field.From {
		case Attribute:
			if isKnownAttribute(s.Field.Path) {
				continue
			}
		case Body:
			if !isWritable(s.Field) {
				continue
			}
		case Patch:
			changed := Field{Changed, s.Field.Path}.String()
			l.add(Item{text, FieldItem, s.detail(known.Events), text}, text)
			l.add(Item{changed, FieldItem, often(s.Events, known.Events), changed}, changed)
			continue
		default:
			continue
		}
		l.add(Item{text, FieldItem, s.detail(known.Events), text}, text)
	}
}

func isKnownAttribute(name string) bool {
	return slices.ContainsFunc(attributes, func(a struct{ name, detail string }) bool { return a.name == name })
}

// isWritable reports whether a filter that names f as its String does means f.
func isWritable(f Field) bool {
	text := f.String()
	l := lexer{text: text}
	t, err := l.next()
	return err == nil && t.kind == tokenPath && t.text == text && fieldOf(text) == f
}

// functions are those of the language, with their arguments.
var functions = []struct{ name, detail string }{
	{"STARTS_WITH", "(a, b): the string a begins with b"},
	{"ENDS_WITH", "(a, b): the string a ends with b"},
	{"CONTAINS", "(a, b): b is in the string a"},
	{"IS_DEFINED", "(a): a is not missing"},
	{"CHANGED", "('/path'): an update touches the property"},
	{"PATCH", "('/path'): the value that an update gives the property"},
}

func (l *itemList) functions() {
	for _, f := range functions {
		if !l.takes(f.name + "(") {
			continue
		}
		insert := f.name + "("
		if l.opened {
			insert = f.name
		}
		l.add(Item{f.name, FunctionItem, f.detail, insert}, f.name)
	}
}

// words are what else may stand where a value may.
var words = []Item{
	{"NOT", KeywordItem, "false is true", "NOT"},
	{"true", ValueItem, "", "true"},
	{"false", ValueItem, "", "false"},
	{"null", ValueItem, "", "null"},
	{"[", MarkItem, "", "["},
	{"(", MarkItem, "", "("},
}

func (l *itemList) words() {
	for _, w := range words {
		if l.takes(w.Insert) {
			l.add(w, w.Label)
		}
	}
}

// detail says how often s was seen, and a value of it.
func (s *Seen) detail(of int) string {
	text := often(s.Events, of)
	if len(s.Values) > 0 {
		text += ", such as " + clip(s.Values[0].Value.Text())
	}
	return strings.TrimPrefix(text, ", ")
}

// often says in how many of the events something was.
func often(n, of int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("in %d of %d events", n, of)
}
