package json_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/headgate/headgate/sdk/json"
)

func TestParse(t *testing.T) {
	deep := strings.Repeat("[", json.MaxDepth) + strings.Repeat("]", json.MaxDepth)
	tests := []struct {
		name, text, want string
		kind             json.Kind
	}{
		{"object", ` {"a" : 1} `, `{"a" : 1}`, json.Object},
		{"empty object", "{\t}", "{\t}", json.Object},
		{"array", `[1,"]",{"a":[]}]`, `[1,"]",{"a":[]}]`, json.Array},
		{"empty array", "[ ]", "[ ]", json.Array},
		{"string", `"a\"\\\/\b\f\n\r\t\u00e9é"`, `"a\"\\\/\b\f\n\r\t\u00e9é"`, json.String},
		{"lone surrogate", `"\ud800"`, `"\ud800"`, json.String},
		{"number", "-0.5e+10", "-0.5e+10", json.Number},
		{"zero", "0", "0", json.Number},
		{"true", "true", "true", json.Bool},
		{"false", "\nfalse\r", "false", json.Bool},
		{"null", "null", "null", json.Null},
		{"as deep as may be", deep, deep, json.Array},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := json.Parse([]byte(tt.text))
			if err != nil {
				t.Fatalf("Parse(%q): %v", tt.text, err)
			}
			if string(v) != tt.want || v.Kind() != tt.kind {
				t.Errorf("Parse(%q) = %s of kind %v, want %s of kind %v", tt.text, []byte(v), v.Kind(), tt.want, tt.kind)
			}
		})
	}
}

func TestParseFaults(t *testing.T) {
	tests := []struct {
		name, text, want string
	}{
		{"nothing", "", "offset 0: the text ends too early"},
		{"blanks", "  ", "offset 2: the text ends too early"},
		{"a word", "nil", "offset 1: expected true, false or null"},
		{"half a word", "tru", "offset 3: the text ends too early"},
		{"no value", "?", "offset 0: expected a value"},
		{"two values", "1 2", "offset 2: expected nothing after the value"},
		{"byte order mark", "\ufeff1", "offset 0: expected a value"},
		{"object without end", `{"a":1`, "offset 6: the text ends too early"},
		{"name without quotes", `{a:1}`, "offset 1: expected a name in quotes"},
		{"trailing comma in object", `{"a":1,}`, "offset 7: expected a name in quotes"},
		{"no colon", `{"a" 1}`, "offset 5: expected a colon"},
		{"no comma in object", `{"a":1 "b":2}`, "offset 7: expected a comma or }"},
		{"wrong close of object", `{"a":1]`, "offset 6: expected a comma or }"},
		{"trailing comma in array", `[1,]`, "offset 3: expected a value"},
		{"no comma in array", `[1 2]`, "offset 3: expected a comma or ]"},
		{"wrong close of array", `[1}`, "offset 2: expected a comma or ]"},
		{"leading zero", "01", "offset 1: expected nothing after the value"},
		{"plus", "+1", "offset 0: expected a value"},
		{"minus alone", "-", "offset 1: the text ends too early"},
		{"minus and a word", "-a", "offset 1: expected a digit"},
		{"point without digits", "1.x", "offset 2: expected a digit"},
		{"exponent without digits", "1e+", "offset 3: the text ends too early"},
		{"string without end", `"abc`, "offset 4: the text ends too early"},
		{"line feed in string", "\"a\nb\"", "offset 2: a control character in a string must be escaped"},
		{"line feed late in string", "\"0123456789\nb\"", "offset 11: a control character in a string must be escaped"},
		{"unknown escape", `"\x"`, "offset 2: no such escape in a string"},
		{"escape at the end", `"\`, "offset 2: the text ends too early"},
		{"escape of no hexadecimal", `"\u12g4"`, "offset 5: expected four hexadecimal digits after \\u"},
		{"escape that ends", `"\u12`, "offset 5: the text ends too early"},
		{"stray continuation byte", "\"a\x80\"", "offset 2: not valid UTF-8"},
		{"surrogate in UTF-8", "\"\xed\xa0\x80\"", "offset 1: not valid UTF-8"},
		{"overlong UTF-8", "\"\xc0\x80\"", "offset 1: not valid UTF-8"},
		{"too deep", strings.Repeat(`{"a":`, json.MaxDepth) + "[", "offset 2560: nested deeper than 512"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := json.Parse([]byte(tt.text))
			if err == nil {
				t.Fatalf("Parse(%q) = %s, want an error", tt.text, []byte(v))
			}
			if err.Error() != tt.want {
				t.Errorf("Parse(%q): %v, want %s", tt.text, err, tt.want)
			}
			var syntax *json.SyntaxError
			if !errors.As(err, &syntax) {
				t.Errorf("Parse(%q): error is a %T", tt.text, err)
			}
		})
	}
}

func parse(t testing.TB, text string) json.Value {
	t.Helper()
	v, err := json.Parse([]byte(text))
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return v
}

func TestGet(t *testing.T) {
	const text = ` { "a" : { "b" : [ 1 , {"}":"]"} ] , "c":"x\"}" } , "dup":1, "dup" : 2,
		"":true, "caf\u00e9":3, "a\/b":4, "quote\"":5, "\ud83d\ude00":6, "\u0061":{"b":"last"}, "num":12 }`
	v := parse(t, text)
	tests := []struct {
		name string
		keys []string
		want string
	}{
		{"no keys", nil, string(v)},
		{"last duplicate, written with an escape", []string{"a", "b"}, `"last"`},
		{"what only the first duplicate has", []string{"a", "c"}, ""},
		{"duplicate", []string{"dup"}, "2"},
		{"empty name", []string{""}, "true"},
		{"escaped letter", []string{"café"}, "3"},
		{"escaped slash", []string{"a/b"}, "4"},
		{"escaped quote", []string{`quote"`}, "5"},
		{"surrogate pair", []string{"😀"}, "6"},
		{"raw text of a name is not the name", []string{`a\/b`}, ""},
		{"prefix of a name", []string{"du"}, ""},
		{"into a number", []string{"num", "x"}, ""},
		{"before the close", []string{"num"}, "12"},
		{"absent", []string{"nope"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := v.Get(tt.keys...)
			if string(got) != tt.want || ok != (tt.want != "") {
				t.Errorf("Get(%q) = %s, %v, want %q", tt.keys, []byte(got), ok, tt.want)
			}
			if at := v.At(tt.keys...); string(at) != tt.want {
				t.Errorf("At(%q) = %s, want %q", tt.keys, []byte(at), tt.want)
			}
		})
	}
}

func TestWalkOrderAndStop(t *testing.T) {
	v := parse(t, `{"b":[10, [20] ,{}], "a" :"x" ,"b":null}`)
	var got []string
	for k, m := range v.Members() {
		got = append(got, k.String()+"="+string(m))
	}
	if want := `b=[10, [20] ,{}]|a="x"|b=null`; strings.Join(got, "|") != want {
		t.Errorf("Members: %q, want %s", got, want)
	}
	for k, list := range v.Members() {
		if !k.Equal("b") {
			t.Fatalf("first member is %s", []byte(k))
		}
		for i, e := range list.Elements() {
			if i == 1 {
				if string(e) != "[20]" {
					t.Errorf("element 1 = %s", []byte(e))
				}
				break
			}
		}
		break
	}
	for range parse(t, `"{}"`).Members() {
		t.Error("a string has no members")
	}
	for range parse(t, `{"a":1}`).Elements() {
		t.Error("an object has no elements")
	}
	for range parse(t, ` [ ] `).Elements() {
		t.Error("an empty array has no elements")
	}
}

func TestStrings(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"plain", `"abc"`, "abc"},
		{"empty", `""`, ""},
		{"each escape", `"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t"},
		{"unicode", `"\u0041\u00e9\u20ac"`, "Aé€"},
		{"pair", `"\uD83D\uDE00!"`, "😀!"},
		{"lone high", `"\ud83dx"`, "\ufffdx"},
		{"lone low", `"\ude00"`, "\ufffd"},
		{"high before another escape", `"\ud83d\n"`, "\ufffd\n"},
		{"high twice", `"\ud83d\ud83d\ude00"`, "\ufffd😀"},
		{"nul", `"a\u0000b"`, "a\x00b"},
		{"long, quote after a word", `"0123456789abcdef\"tail"`, `0123456789abcdef"tail`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := parse(t, tt.text)
			if got, ok := v.String(); got != tt.want || !ok {
				t.Errorf("String() = %q, %v, want %q", got, ok, tt.want)
			}
			if got, ok := v.AppendString([]byte("+")); string(got) != "+"+tt.want || !ok {
				t.Errorf("AppendString() = %q, %v, want %q", got, ok, "+"+tt.want)
			}
			if !v.Is(tt.want) || v.Is(tt.want+"x") || v.Is("x"+tt.want) {
				t.Errorf("Is does not agree with %q", tt.want)
			}
		})
	}
	if _, ok := parse(t, "1").String(); ok {
		t.Error("a number is no string")
	}
}

func TestNumbers(t *testing.T) {
	tests := []struct {
		text    string
		float   float64
		floatOK bool
		integer int64
		intOK   bool
	}{
		{"0", 0, true, 0, true},
		{"-12", -12, true, -12, true},
		{"20.5", 20.5, true, 0, false},
		{"0.1", 0.1, true, 0, false},
		{"123456789.123456", 123456789.123456, true, 0, false},
		{"0.000000000000001", 1e-15, true, 0, false},
		{"1e3", 1000, true, 0, false},
		{"1E-2", 0.01, true, 0, false},
		{"9007199254740993", 9007199254740992, true, 9007199254740993, true},
		{"9223372036854775807", 9223372036854775807, true, 9223372036854775807, true},
		{"9223372036854775808", 9223372036854775808, true, 0, false},
		{"-9223372036854775808", -9223372036854775808, true, -9223372036854775808, true},
		{"-9223372036854775809", -9223372036854775809, true, 0, false},
		{"99999999999999999999", 99999999999999999999, true, 0, false},
		{"1e400", 0, false, 0, false},
		{`"1"`, 0, false, 0, false},
		{"null", 0, false, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			v := parse(t, tt.text)
			if f, ok := v.Float(); f != tt.float || ok != tt.floatOK {
				t.Errorf("Float() = %v, %v, want %v, %v", f, ok, tt.float, tt.floatOK)
			}
			if n, ok := v.Int(); ok != tt.intOK || ok && n != tt.integer {
				t.Errorf("Int() = %v, %v, want %v, %v", n, ok, tt.integer, tt.intOK)
			}
		})
	}
}

func TestBool(t *testing.T) {
	for text, want := range map[string][2]bool{"true": {true, true}, "false": {false, true}, `"true"`: {}, "null": {}} {
		if b, ok := parse(t, text).Bool(); b != want[0] || ok != want[1] {
			t.Errorf("Bool() of %s = %v, %v, want %v", text, b, ok, want)
		}
	}
}

func TestZeroValue(t *testing.T) {
	var v json.Value
	_, got := v.Get()
	_, str := v.String()
	_, float := v.Float()
	_, integer := v.Int()
	_, truth := v.Bool()
	if v.Kind() != json.Invalid || got || str || float || integer || truth || v.Is("") {
		t.Error("the zero Value answers a question with yes")
	}
	for range v.Members() {
		t.Error("the zero Value has members")
	}
}

func TestNoAllocation(t *testing.T) {
	text := []byte(twinUpdate)
	dst := make([]byte, 0, 1024)
	tests := []struct {
		name string
		run  func(json.Value)
	}{
		{"Parse", func(json.Value) { json.Parse(text) }},
		{"Get", func(v json.Value) { v.Get("data", "modelId") }},
		{"Members and Elements", func(v json.Value) {
			data, _ := v.Get("data")
			for _, m := range data.Members() {
				for _, op := range m.Elements() {
					path, _ := op.Get("path")
					path.Is("/Temperature")
				}
			}
		}},
		{"AppendString", func(v json.Value) { v.AppendString(dst) }},
		{"AppendQuoted", func(json.Value) { json.AppendQuoted(dst, "a\"b\x00\xffé") }},
		{"Float", func(json.Value) { json.Value("123456789012345678901234567890.5e-3").Float() }},
		{"Writer", func(v json.Value) {
			w := json.NewWriter(dst)
			w.BeginObject()
			w.Name("a")
			w.Value(v)
			w.EndObject()
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := parse(t, twinUpdate)
			if n := testing.AllocsPerRun(100, func() { tt.run(v) }); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}
