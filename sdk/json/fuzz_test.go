package json_test

import (
	"bytes"
	stdjson "encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/headgate/headgate/sdk/json"
)

// FuzzParse holds Parse against encoding/json. They differ by contract in
// text that is not UTF-8 and in how deep values may nest.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		twinUpdate, `{"a":[1,2,{"b":null}],"a":"\ud83d\ude00\u00e9"}`, `"\ud800"`, `-0.0e-10`, "[\"a\x80\"]",
		` [ ] `, `{"":{}}`, `01`, `1.`, `{"a":1,}`, `[1}`, "\"\t\"", `1e999`, `"0123456\"789abc"`, "123456789012345678901",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := json.Parse(b)
		want := stdjson.Valid(b) && utf8.Valid(b)
		if readErr := readAll(b); fmt.Sprint(readErr) != fmt.Sprint(err) {
			t.Fatalf("Parse(%q): %v, but a Reader: %v", b, err, readErr)
		}
		if err != nil {
			if want && !strings.Contains(err.Error(), "deeper") {
				t.Fatalf("Parse(%q): %v, but encoding/json takes it", b, err)
			}
			if at := err.(*json.SyntaxError).Offset; at < 0 || at > len(b) {
				t.Fatalf("Parse(%q): offset %d is outside of the text", b, at)
			}
			return
		}
		if !want {
			t.Fatalf("Parse(%q) takes it, but encoding/json does not", b)
		}
		requireRead(t, b, v)
		if string(v) != string(bytes.Trim(b, " \t\r\n")) {
			t.Fatalf("Parse(%q) = %q", b, []byte(v))
		}
		requireSame(t, v)
	})
}

// readAll reads b by a Reader that enters every container.
func readAll(b []byte) error {
	r := json.NewReader(b)
	enterAll(&r)
	return r.End()
}

func enterAll(r *json.Reader) {
	switch {
	case r.Object():
		for r.Member() {
			enterAll(r)
		}
	case r.Array():
		for r.Element() {
			enterAll(r)
		}
	}
}

// requireRead demands of a Reader the same members and elements as of walks,
// and the same when it passes over them.
func requireRead(t *testing.T, b []byte, v json.Value) {
	t.Helper()
	var want, got []string
	for k, m := range v.Members() {
		want = append(want, string(k), string(m))
	}
	for _, e := range v.Elements() {
		want = append(want, string(e))
	}
	r := json.NewReader(b)
	if r.Kind() != v.Kind() {
		t.Fatalf("Reader of %q: kind %v, want %v", b, r.Kind(), v.Kind())
	}
	switch {
	case r.Object():
		for r.Member() {
			if name := r.Key().String(); !r.Is(name) || r.Is(name+"x") || !r.Key().Equal(name) {
				t.Fatalf("Reader of %q: Is does not agree with name %q", b, name)
			}
			got = append(got, string(r.Key()), string(r.Value()))
		}
	case r.Array():
		for r.Element() {
			got = append(got, string(r.Value()))
		}
	}
	if err := r.End(); err != nil || !slices.Equal(got, want) {
		t.Fatalf("Reader of %q: %q, %v, want %q", b, got, err, want)
	}
	pass := json.NewReader(b)
	if pass.Object() {
		pass.Member()
	}
	if err := pass.End(); err != nil {
		t.Fatalf("Reader of %q that passes over: %v", b, err)
	}
}

// requireSame demands of every walk over v what encoding/json decodes of it.
func requireSame(t *testing.T, v json.Value) {
	t.Helper()
	decoder := stdjson.NewDecoder(bytes.NewReader(v))
	decoder.UseNumber()
	var want any
	if err := decoder.Decode(&want); err != nil {
		t.Fatalf("encoding/json of %q: %v", []byte(v), err)
	}
	if got := toAny(v); !reflect.DeepEqual(got, want) {
		t.Fatalf("%q reads as %#v, want %#v", []byte(v), got, want)
	}
	object, _ := want.(map[string]any)
	for name := range object {
		got, ok := v.Get(name)
		if !ok || !reflect.DeepEqual(toAny(got), object[name]) {
			t.Fatalf("Get(%q) of %q = %q, %v", name, []byte(v), []byte(got), ok)
		}
	}
	requireNumber(t, v)
}

func requireNumber(t *testing.T, v json.Value) {
	t.Helper()
	if v.Kind() != json.Number {
		return
	}
	number := stdjson.Number(v)
	if want, err := number.Float64(); err == nil {
		if got, ok := v.Float(); !ok || got != want {
			t.Fatalf("Float() of %s = %v, %v, want %v", []byte(v), got, ok, want)
		}
	} else if got, ok := v.Float(); ok {
		t.Fatalf("Float() of %s = %v, but it is out of range", []byte(v), got)
	}
	want, err := number.Int64()
	if got, ok := v.Int(); ok != (err == nil) || ok && got != want {
		t.Fatalf("Int() of %s = %v, %v, want %v, %v", []byte(v), got, ok, want, err)
	}
}

// toAny is v as encoding/json decodes it with UseNumber.
func toAny(v json.Value) any {
	switch v.Kind() {
	case json.Object:
		out := map[string]any{}
		for k, m := range v.Members() {
			// encoding/json merges nothing here: the last duplicate replaces.
			out[k.String()] = toAny(m)
		}
		return out
	case json.Array:
		out := []any{}
		for _, e := range v.Elements() {
			out = append(out, toAny(e))
		}
		return out
	case json.String:
		s, _ := v.String()
		return s
	case json.Number:
		return stdjson.Number(v)
	case json.Bool:
		b, _ := v.Bool()
		return b
	}
	return nil
}

// FuzzWalkUnchecked holds walks to their promise over text that was never
// parsed: they return.
func FuzzWalkUnchecked(f *testing.F) {
	for _, s := range []string{`{"a":`, `{"a"`, `{"`, `[1,`, `"\`, `"\u1`, `{"a":1,"`, `"`, `-`, `[[[[`, `{:`, `{"a":"\ud800\u`, `{{}`, `[[}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		v := json.Value(b)
		v.Get("a", "b")
		v.Is("a")
		v.Int()
		v.Float()
		v.Bool()
		v.AppendString(nil)
		for k, m := range v.Members() {
			k.Equal("a")
			k.AppendString(nil)
			m.Get("a")
		}
		for _, e := range v.Elements() {
			e.AppendString(nil)
		}
	})
}

// FuzzAppendQuoted holds a round trip, and the reading of encoding/json.
func FuzzAppendQuoted(f *testing.F) {
	f.Add("abc")
	f.Add("a\"\\\n\x00\xffé😀\u2028")
	f.Fuzz(func(t *testing.T, s string) {
		b := json.AppendQuoted(nil, s)
		v, err := json.Parse(b)
		if err != nil {
			t.Fatalf("AppendQuoted(%q) = %s: %v", s, b, err)
		}
		var want string
		if err := stdjson.Unmarshal(b, &want); err != nil {
			t.Fatalf("encoding/json of %s: %v", b, err)
		}
		got, _ := v.String()
		if got != want || utf8.ValidString(s) && got != s {
			t.Fatalf("%q came back as %q, by encoding/json as %q", s, got, want)
		}
	})
}
