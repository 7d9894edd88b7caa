package config_test

import (
	"testing"

	"github.com/headgate/headgate/gateway/config"
)

// Every setting is told as the text that sets it, but for where the token lies.
func TestInForce(t *testing.T) {
	cfg, err := config.Load(config.Sources{
		Env: env("HEADGATE_TOKEN=0123456789abcdef0123456789abcdef"),
		Flags: map[string]string{
			"journal-max-size": "50GiB", "plugin-limits": "memoryBytes=134217728,eventFuel=5", "log-level": "WARN", "drain-timeout": "90s",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	changed := map[string]string{
		"token": "***", "journal-max-size": "50GiB", "plugin-limits": "eventFuel=5,memoryBytes=134217728", "log-level": "warn", "drain-timeout": "1m30s",
	}
	have := cfg.InForce()
	if all := config.Settings(); len(have) != len(all)-1 {
		t.Errorf("%d settings, want %d: all but token-file", len(have), len(all)-1)
	}
	for _, s := range have {
		if want, ok := changed[s.Name]; ok != s.Changed() || ok && s.Value != want || !ok && s.Value != s.Default {
			t.Errorf("%s = %q, default %q, changed %v", s.Name, s.Value, s.Default, s.Changed())
		}
	}
}
