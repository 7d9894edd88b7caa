package eventgrid_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/sink"
	"github.com/headgate/headgate/gateway/sink/eventgrid"
)

func TestSettings(t *testing.T) {
	notPEM := filepath.Join(t.TempDir(), "not.pem")
	if err := os.WriteFile(notPEM, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	const host = `"topicEndpoint":"https://plant.westeurope-1.eventgrid.azure.net/api/events"`
	tests := []struct {
		name, raw string
		want      string // "" when there is no fault
	}{
		{"key", `{` + host + `,"accessKey":"bm90IGEga2V5"}`, ""},
		{"identity", `{` + host + `}`, ""},
		{"host alone", `{"topicEndpoint":"https://127.0.0.1:60101"}`, ""},
		{"Event Grid", `{` + host + `,"schema":"eventGridSchema"}`, ""},
		{"CloudEvents, in other case", `{` + host + `,"schema":"CloudEventSchemaV1_0"}`, ""},
		{"nothing", `{}`, "settings.topicEndpoint is required"},
		{"no URL", `{"topicEndpoint":"https://%zz"}`, "settings.topicEndpoint is not a URL"},
		{"plain", `{"topicEndpoint":"http://127.0.0.1"}`, "settings.topicEndpoint must begin with https://"},
		{"no scheme", `{"topicEndpoint":"plant.eventgrid.azure.net"}`, "settings.topicEndpoint must begin with https://"},
		{"no host", `{"topicEndpoint":"https:///api/events"}`, "settings.topicEndpoint names no host"},
		{"user", `{"topicEndpoint":"https://u:s3cret@x.example"}`, "settings.topicEndpoint must be scheme, host and path alone"},
		{"query", `{"topicEndpoint":"https://x.example/?sig=s3cret"}`, "settings.topicEndpoint must be scheme, host and path alone"},
		{"fragment", `{"topicEndpoint":"https://x.example/#"}`, "settings.topicEndpoint must be scheme, host and path alone"},
		{"schema", `{` + host + `,"schema":"custom"}`, `settings.schema "custom" is not one of eventGridSchema, cloudEventSchemaV1_0`},
		{"key with a line break", `{` + host + `,"accessKey":"s3cret\n"}`, "settings.accessKey holds a blank"},
		{"no such file", `{` + host + `,"caFile":"/no/such/file"}`, "settings.caFile cannot be used: open /no/such/file"},
		{"no certificate", `{` + host + `,"caFile":"` + notPEM + `"}`, "settings.caFile cannot be used: holds no certificate in PEM"},
		{"unknown", `{` + host + `,"accessKey1":"s3cret"}`, "settings.accessKey1 is unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := eventgrid.Kind().Validate(json.RawMessage(tt.raw))
			var fault *sink.SettingError
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("error = %v", err)
			case tt.want != "" && (!errors.As(err, &fault) || !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "s3cret")):
				t.Errorf("error = %v, want %s", err, tt.want)
			}
		})
	}
}

func TestSchemaOf(t *testing.T) {
	for raw, want := range map[string]eventgrid.Schema{
		`{"topicEndpoint":"https://x.example"}`:                                 eventgrid.EventGridSchema,
		`{"topicEndpoint":"https://x.example","schema":"cloudeventschemav1_0"}`: eventgrid.CloudEventSchema,
		`{"topicEndpoint":"https://x.example","caFile":"/no/such/file"}`:        eventgrid.EventGridSchema,
	} {
		if got, err := eventgrid.SchemaOf(json.RawMessage(raw)); got != want || err != nil {
			t.Errorf("SchemaOf(%s) = %q, %v, want %q", raw, got, err, want)
		}
	}
}
