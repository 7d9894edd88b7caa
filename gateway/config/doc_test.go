package config_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/config"
)

var update = flag.Bool("update", false, "rewrite the documentation's table from the code")

// TestDocumentation holds the table in docs/configuration.md to the code.
func TestDocumentation(t *testing.T) {
	const file, begin, end = "../../docs/configuration.md", "<!-- settings -->\n", "<!-- end of settings -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), begin)
	got, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no lines %q and %q around its table", file, begin, end)
	}
	want := settingsTable()
	if got == want {
		return
	}
	if !*update {
		t.Fatalf("%s has drifted from the code; run: go test ./gateway/config -update\n got:\n%s\nwant:\n%s", file, got, want)
	}
	if err := os.WriteFile(file, []byte(head+begin+want+end+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}

func settingsTable() string {
	var b strings.Builder
	b.WriteString("| setting | environment | value | default | meaning |\n|---|---|---|---|---|\n")
	for _, s := range config.Settings() {
		name, def := "`"+s.Name+"`", "–"
		if s.EnvOnly {
			name = "(environment only)"
		}
		if s.Default != "" {
			def = "`" + s.Default + "`"
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s |\n", name, s.Env, s.Kind, def, s.Usage)
	}
	return b.String()
}
