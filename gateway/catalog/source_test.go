package catalog_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/catalog"
)

func TestDecodeSource(t *testing.T) {
	tests := []struct {
		name, path, body string
		field, reason    string // of the refusal; none for a source
	}{
		{"the least", "q", `{"kind":"serviceBus"}`, "", ""},
		{"what an answer says", "q", `{"name":"q","kind":"eventHub","settings":{"a":1},"enabled":false,"revision":3,"createdAt":"x","updatedAt":"x","status":{"state":"running"}}`, "", ""},
		{"no kind", "q", `{}`, "kind", "is required"},
		{"another name", "q", `{"name":"p","kind":"x"}`, "name", `is "p" in the body`},
		{"no name", "a b", `{"kind":"x"}`, "name", "is not a name"},
		{"unknown member", "q", `{"kind":"x","delivery":{}}`, "delivery", "is not known here"},
		{"settings of another type", "q", `{"kind":"x","settings":"…"}`, "settings", "want a JSON object"},
		{"enabled of another type", "q", `{"kind":"x","enabled":"no"}`, "enabled", "want true or false"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := catalog.DecodeSource(tt.path, []byte(tt.body))
			if tt.reason == "" {
				if err != nil || s.Name != tt.path || s.Enabled != !strings.Contains(tt.body, "false") {
					t.Errorf("source = %+v, %v", s, err)
				}
				return
			}
			var fault *catalog.FieldError
			if !errors.As(err, &fault) || fault.Field != tt.field || !strings.Contains(fault.Reason, tt.reason) {
				t.Errorf("error = %v, want %q at %q", err, tt.reason, tt.field)
			}
		})
	}
}

// TestSourceSecrets holds that secrets are shown to nobody, and kept by "***".
func TestSourceSecrets(t *testing.T) {
	kinds := catalog.SourceKinds{{
		Name:     "serviceBus",
		Validate: func(json.RawMessage) error { return nil },
		Secrets:  []catalog.Secret{{Field: "connectionString", Form: catalog.ConnectionString}},
	}}
	stored := catalog.Source{Kind: "serviceBus", Settings: json.RawMessage(`{"connectionString":"Endpoint=sb://n;SharedAccessKey=not a key","sessions":true}`)}
	masked := kinds.Mask(stored)
	if want := `{"connectionString":"Endpoint=sb://n;SharedAccessKey=***","sessions":true}`; string(masked.Settings) != want {
		t.Errorf("masked = %s, want %s", masked.Settings, want)
	}
	masked.Settings = json.RawMessage(strings.Replace(string(masked.Settings), "true", "false", 1))
	again, err := kinds.Prepare(masked, &stored)
	if want := `{"connectionString":"Endpoint=sb://n;SharedAccessKey=not a key","sessions":false}`; err != nil || string(again.Settings) != want {
		t.Errorf("prepared = %s, %v, want %s", again.Settings, err, want)
	}
	if _, err := kinds.Prepare(masked, nil); err == nil {
		t.Error("a masked secret was taken for a new source")
	}
	unknown := catalog.Source{Kind: "other", Settings: json.RawMessage(`{"a":"b"}`)}
	if got := kinds.Mask(unknown); strings.Contains(string(got.Settings), `"b"`) {
		t.Errorf("of an unknown kind %s is shown", got.Settings)
	}
	if _, err := kinds.Prepare(unknown, nil); err == nil || !strings.Contains(err.Error(), "serviceBus") {
		t.Errorf("an unknown kind: %v, want one that names the known", err)
	}
}
