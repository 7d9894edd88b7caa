package workbench_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/workbench"
)

func compileAwkward(t *testing.T) []byte {
	t.Helper()
	wasm, err := workbench.Compile(t.Context(), "testdata/awkward", workbench.CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

const threeEvents = `{"specversion":"1.0","id":"1","source":"s","type":"t"}
[{"specversion":"1.0","id":"2","source":"s","type":"t","subject":"x"},{"specversion":"1.0","id":"3","source":"s","type":"t"}]`

func TestTry(t *testing.T) {
	b, wasm := shared, compileAwkward(t)
	tests := []struct {
		name, config, want string
		unsteady           bool
	}{
		{"passes", `{}`, `{"filter":[{"event":"1","pass":true},{"event":"2","pass":true},{"event":"3","pass":true}]}`, false},
		{"fails in words", `{"do":"fail"}`, `{"filter":[{"event":"1","pass":false,"error":"not 1"},{"event":"2","pass":false,"error":"not 2"},{"event":"3","pass":false,"error":"not 3"}]}`, false},
		{"traps", `{"do":"trap"}`, `{"filter":[{"event":"1","pass":true},{"event":"2","pass":false,"error":"trapped: panic: at the disco (unreachable)"},{"event":"3","pass":true}]}`, false},
		{"is out of fuel", `{"do":"spin"}`, `{"filter":[{"event":"1","pass":false,"error":"out of fuel: the limit of eventFuel is 50000000, and byteFuel 4000 for each byte of the event"},{"event":"2","pass":false,"error":"out of fuel: the limit of eventFuel is 50000000, and byteFuel 4000 for each byte of the event"},{"event":"3","pass":false,"error":"out of fuel: the limit of eventFuel is 50000000, and byteFuel 4000 for each byte of the event"}]}`, false},
		{"refuses", `{"refuse":"no, thank you"}`, `{"refused":{"filter":"no, thank you"}}`, false},
		{"keeps state", `{"do":"count"}`, `{"filter":[{"event":"1","pass":true},{"event":"2","pass":false},{"event":"3","pass":false}]}`, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, "testdata/c/in.ndjson"), threeEvents)
			writeFile(t, filepath.Join(dir, "testdata/c/config.json"), tt.config)
			writeFile(t, filepath.Join(dir, "testdata/not-a-case.txt"), "")
			r := try(t, b, wasm, dir)
			if r.Passed() {
				t.Error("passed without anything wanted")
			}
			var got map[string]json.RawMessage
			text, _ := json.Marshal(r.Answers)
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			delete(got, "transform")
			if text, _ := json.Marshal(got); string(text) != tt.want {
				t.Errorf("answers\n%s, want\n%s", text, tt.want)
			}
			if (len(r.Unsteady) > 0) != tt.unsteady {
				t.Errorf("unsteady: %v", r.Unsteady)
			}
			if changed, err := r.Update(); err != nil || !changed {
				t.Fatalf("update: %v, %v", changed, err)
			}
			r = try(t, b, wasm, dir)
			if r.Passed() == tt.unsteady {
				t.Errorf("after the update passed is %v: %s %v", r.Passed(), r.Diff, r.Unsteady)
			}
			if changed, err := r.Update(); err != nil || changed {
				t.Errorf("a second update: %v, %v", changed, err)
			}
		})
	}
}

// TestTryTellsOfEveryTrap has a module trap on more events than a gateway
// would let it.
func TestTryTellsOfEveryTrap(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "testdata/c/in.ndjson"), strings.Repeat(`{"specversion":"1.0","id":"2","source":"s","type":"t"}`, 40))
	writeFile(t, filepath.Join(dir, "testdata/c/config.json"), `{"do":"trap"}`)
	r := try(t, shared, compileAwkward(t), dir)
	for i, v := range r.Answers.Filter {
		if v.Error != "trapped: panic: at the disco (unreachable)" {
			t.Fatalf("event %d: %+v", i, v)
		}
	}
}

func try(t *testing.T, b *workbench.Bench, wasm []byte, dir string) *workbench.Result {
	t.Helper()
	cases, err := workbench.Cases(dir)
	if err != nil || len(cases) != 1 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	r, err := b.Try(t.Context(), wasm, cases[0])
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTryShowsTheDifference(t *testing.T) {
	b, wasm := shared, compileAwkward(t)
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "testdata/c/in.json"), `{"specversion":"1.0","id":"1","source":"s","type":"t"}`)
	r := try(t, b, wasm, dir)
	if _, err := r.Update(); err != nil {
		t.Fatal(err)
	}
	want := filepath.Join(dir, "testdata/c/want.json")
	text, err := os.ReadFile(want)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, want, strings.Replace(string(text), "once", "twice", 1))
	if r = try(t, b, wasm, dir); r.Passed() ||
		!strings.Contains(r.Diff, "-             \"subject\": \"twice\"") && !strings.Contains(r.Diff, `"subject": "twice"`) ||
		!strings.Contains(r.Diff, `"subject": "once"`) || strings.Contains(r.Diff, `"pass"`) {
		t.Errorf("diff:\n%s", r.Diff)
	}
	if len(r.Logs) != 1 || r.Logs[0] != "info: looks at 1" {
		t.Errorf("logs %q", r.Logs)
	}
	// Order and blanks do not count.
	var sorted any
	if err := json.Unmarshal(text, &sorted); err != nil {
		t.Fatal(err)
	}
	compact, _ := json.Marshal(sorted)
	writeFile(t, want, string(compact))
	if r = try(t, b, wasm, dir); !r.Passed() {
		t.Errorf("the same in another form differs:\n%s", r.Diff)
	}
}

// TestWantedInPart wants anything but a failure of the events, and of one kind.
func TestWantedInPart(t *testing.T) {
	b, wasm := shared, compileAwkward(t)
	dir := t.TempDir()
	in, config, want := filepath.Join(dir, "testdata/c/in.json"), filepath.Join(dir, "testdata/c/config.json"), filepath.Join(dir, "testdata/c/want.json")
	writeFile(t, in, threeEvents)
	writeFile(t, config, `{}`)
	for _, tt := range []struct {
		want   string
		passes bool
	}{
		{`{"filter":[null,null,null]}`, true},
		{`{"filter":[null,{"event":"2","pass":true},null]}`, true},
		{`{"filter":[null,{"event":"2","pass":false},null]}`, false},
		{`{"filter":[null,null]}`, false},
		{`{"transform":[null,null,null]}`, true},
		{`{"refused":{"filter":"x"}}`, false},
		{`{}`, false},
	} {
		writeFile(t, want, tt.want)
		if r := try(t, b, wasm, dir); r.Passed() != tt.passes {
			t.Errorf("want %s: passed %v\n%s", tt.want, r.Passed(), r.Diff)
		}
	}
	writeFile(t, config, `{"do":"trap"}`)
	writeFile(t, want, `{"filter":[null,null,null]}`)
	if r := try(t, b, wasm, dir); r.Passed() || !strings.Contains(r.Diff, "-     null") || !strings.Contains(r.Diff, "disco") {
		t.Errorf("a trap will do for null:\n%s", r.Diff)
	}
	writeFile(t, want, `[null]`)
	if _, err := workbench.Cases(dir); err == nil || !strings.Contains(err.Error(), "want.json: want an object") {
		t.Errorf("error %v", err)
	}
}

func TestCasesSayWhatIsWrong(t *testing.T) {
	for _, tt := range []struct{ name, file, text, want string }{
		{"no events", "in.ndjson", " ", "c/in.ndjson: it holds no events"},
		{"not JSON", "in.json", "{", "c/in.json: after event 0: unexpected EOF"},
		{"no CloudEvent", "in.json", `[{"specversion":"1.0","id":"1","type":"t"}]`, "c/in.json: event 1: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, "testdata/c", tt.file), tt.text)
			if _, err := workbench.Cases(dir); err == nil || !strings.Contains(filepath.ToSlash(err.Error()), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "testdata/c/in.json"), `{"specversion":"1.0","id":"1","source":"s","type":"t"}`)
	writeFile(t, filepath.Join(dir, "testdata/c/config.json"), `{`)
	if _, err := workbench.Cases(dir); err == nil || !strings.Contains(err.Error(), "config.json: not JSON") {
		t.Errorf("error %v", err)
	}
	if cases, err := workbench.Cases(t.TempDir()); err != nil || len(cases) != 0 {
		t.Errorf("a directory without testdata: %v, %v", cases, err)
	}
}
