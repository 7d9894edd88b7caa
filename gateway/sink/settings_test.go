package sink_test

import (
	"encoding/json"
	"errors"
	"maps"
	"testing"

	"github.com/headgate/headgate/gateway/sink"
)

func TestSettings(t *testing.T) {
	tests := []struct {
		name, raw string
		want      string // "" when there is no fault
	}{
		{"all", `{"url":"u","mode":"m","headers":{"A":"1"}}`, ""},
		{"required alone", ` {"url":"\u0075"} `, ""},
		{"unknown", `{"url":"u","ulr":"x"}`, "settings.ulr is unknown; this kind has url, mode, headers"},
		{"other case", `{"URL":"u"}`, "settings.url is required"},
		{"empty", `{"url":""}`, "settings.url is required"},
		{"absent", ``, "settings.url is required"},
		{"null", `null`, "settings.url is required"},
		{"twice", `{"url":"u","url":"v"}`, "settings.url is given twice"},
		{"number", `{"url":1}`, "settings.url must be a string, not a number"},
		{"null text", `{"url":null}`, "settings.url must be a string, not null"},
		{"array", `{"url":[]}`, "settings.url must be a string, not an array"},
		{"headers are no object", `{"url":"u","headers":"x"}`, "settings.headers must be a JSON object"},
		{"header is no string", `{"url":"u","headers":{"A":true}}`, "settings.headers.A must be a string, not a boolean"},
		{"header twice", `{"url":"u","headers":{"A":"1","A":"2"}}`, "settings.headers.A is given twice"},
		{"no object", `[]`, "settings must be a JSON object"},
		{"more after it", `{"url":"u"}{}`, "settings must be one JSON object, without anything after it"},
		{"cut short", `{"url":"u"`, "settings is not valid JSON: EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := sink.ReadSettings(json.RawMessage(tt.raw))
			url, headers := s.Required("url"), s.Text("mode")
			texts := s.Texts("headers")
			err := s.Err()
			if tt.want == "" {
				if err != nil || url != "u" {
					t.Fatalf("url = %q, error %v", url, err)
				}
				if headers == "m" && !maps.Equal(texts, map[string]string{"A": "1"}) {
					t.Errorf("headers = %v", texts)
				}
				return
			}
			var fault *sink.SettingError
			if !errors.As(err, &fault) || err.Error() != tt.want {
				t.Errorf("error = %v, want %s", err, tt.want)
			}
		})
	}
}

func TestInteger(t *testing.T) {
	const fault = "settings.n must be a whole number from -1 to 20"
	for raw, want := range map[string]string{
		`{}`: "", `{"n":20}`: "", `{"n":-1}`: "", `{"n":21}`: fault, `{"n":-2}`: fault, `{"n":1.5}`: fault, `{"n":"7"}`: fault,
		`{"n":null}`: fault, `{"n":[7]}`: fault, `{"n":1e1}`: fault, `{"n":99999999999999999999}`: fault,
	} {
		s := sink.ReadSettings(json.RawMessage(raw))
		n := s.Integer("n", 7, -1, 20)
		switch err := s.Err(); {
		case want == "" && err != nil, want != "" && (err == nil || err.Error() != want):
			t.Errorf("%s: error %v, want %q", raw, err, want)
		case raw == `{"n":20}` && n != 20, raw == `{}` && n != 7:
			t.Errorf("%s: %d", raw, n)
		}
	}
}

func FuzzSettings(f *testing.F) {
	f.Add([]byte(`{"url":"u","headers":{"A":"1"}}`))
	f.Add([]byte(`{"url":"u","headers":{"A":{}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := sink.ReadSettings(raw)
		url, headers := s.Text("url"), s.Texts("headers")
		if s.Err() != nil {
			return
		}
		// What was read without a fault says the same when it is written again.
		written := map[string]any{"url": url}
		if headers != nil {
			written["headers"] = headers
		}
		again, err := json.Marshal(written)
		if err != nil {
			t.Fatal(err)
		}
		s = sink.ReadSettings(again)
		if s.Text("url") != url || !maps.Equal(s.Texts("headers"), headers) || s.Err() != nil {
			t.Errorf("%s read again differs from %s: %v", again, raw, s.Err())
		}
	})
}
