package catalog_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/catalog"
)

// kinds are of the shapes that the sinks have.
var kinds = catalog.Kinds{
	{Name: "webhook", Validate: valid, Secrets: []catalog.Secret{{Field: "url", Form: catalog.URL}, {Field: "headers", Form: catalog.Headers}}},
	{Name: "eventHub", Validate: valid, Secrets: []catalog.Secret{{Field: "connectionString", Form: catalog.ConnectionString}}},
	{Name: "eventGrid", Validate: valid, Secrets: []catalog.Secret{{Field: "accessKey", Form: catalog.Whole}}},
}

func valid(settings json.RawMessage) error {
	if strings.Contains(string(settings), "invalid") {
		return &catalog.FieldError{Field: "url", Reason: "is invalid"}
	}
	return nil
}

func endpoint(kind, settings string) catalog.Endpoint {
	return catalog.Endpoint{Name: "x", Kind: kind, Settings: json.RawMessage(settings)}
}

func TestMask(t *testing.T) {
	tests := []struct{ name, kind, settings, want string }{
		{"nothing secret", "webhook", `{"url":"https://example.com/a?b=c","mode":"binary"}`, `{"url":"https://example.com/a?b=c","mode":"binary"}`},
		{"password", "webhook", `{"url":"https://me:pa%40ss@example.com/a"}`, `{"url":"https://me:***@example.com/a"}`},
		{"token as user", "webhook", `{"url":"https://t0ken@example.com"}`, `{"url":"https://***@example.com"}`},
		{"an at sign in the path", "webhook", `{"url":"https://example.com/@me"}`, `{"url":"https://example.com/@me"}`},
		{"query", "webhook", `{"url":"https://example.com/a?api-version=1&sig=x%3D&sv=2#top"}`, `{"url":"https://example.com/a?api-version=1&sig=***&sv=2#top"}`},
		{"two of a kind", "webhook", `{"url":"https://example.com/?code=a&code=b"}`, `{"url":"https://example.com/?code=***&code=***"}`},
		{"placeholders", "webhook", `{"url":"https://example.com/{subject}?key=k&id={id}"}`, `{"url":"https://example.com/{subject}?key=***&id={id}"}`},
		{"headers", "webhook", `{"headers":{"Authorization":"Bearer x","X-Api-Key":"k","X-Env":"prod","X-Who":"Basic eDp5","Cookie":"a=b"}}`,
			`{"headers":{"Authorization":"***","X-Api-Key":"***","X-Env":"prod","X-Who":"***","Cookie":"***"}}`},
		{"headers of another type", "webhook", `{"headers":["Authorization: x"]}`, `{"headers":"***"}`},
		{"a list in a header", "webhook", `{"headers":{"Authorization":["x"]}}`, `{"headers":{"Authorization":"***"}}`},
		{"connection string", "eventHub",
			`{"connectionString":"Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey=abc=;EntityPath=hub"}`,
			`{"connectionString":"Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey=***;EntityPath=hub"}`},
		{"shared access signature", "eventHub",
			`{"connectionString":"Endpoint=sb://h/;SharedAccessSignature=SharedAccessSignature sr=a&sig=b&se=1"}`,
			`{"connectionString":"Endpoint=sb://h/;SharedAccessSignature=***"}`},
		{"storage", "eventHub",
			`{"connectionString":"DefaultEndpointsProtocol=https;AccountName=a;AccountKey=k==;BlobEndpoint=https://h/?sv=1&sig=s"}`,
			`{"connectionString":"DefaultEndpointsProtocol=https;AccountName=a;AccountKey=***;BlobEndpoint=https://h/?sv=1&sig=***"}`},
		{"misspelt key", "eventHub", `{"connectionString":"Endpoint=sb://h/;SharedAcessKey=abc;"}`, `{"connectionString":"Endpoint=sb://h/;SharedAcessKey=***;"}`},
		{"only the key", "eventHub", `{"connectionString":"c2VjcmV0"}`, `{"connectionString":"***"}`},
		{"other case", "eventHub", `{"connectionString":"endpoint=sb://h/;sharedaccesskey=abc"}`, `{"connectionString":"endpoint=sb://h/;sharedaccesskey=***"}`},
		{"whole", "eventGrid", `{"topicEndpoint":"https://t","accessKey":"k"}`, `{"topicEndpoint":"https://t","accessKey":"***"}`},
		{"whole of another type", "eventGrid", `{"accessKey":{"k":"s3cret"}}`, `{"accessKey":"***"}`},
		{"empty", "eventGrid", `{"accessKey":""}`, `{"accessKey":""}`},
		{"kind of another version", "blob", `{"containerUri":"https://h?sig=x"}`, `{"containerUri":"***"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := endpoint(tt.kind, tt.settings)
			if got := kinds.Mask(e).Settings; string(got) != tt.want {
				t.Errorf("Mask\n got %s\nwant %s", got, tt.want)
			}
			if string(e.Settings) != tt.settings {
				t.Error("Mask changed its argument")
			}
		})
	}
}

// What was masked and comes back unchanged is what was stored.
func TestPrepareKeepsSecrets(t *testing.T) {
	tests := []struct{ kind, settings string }{
		{"webhook", `{"url":"https://me:pass@example.com/a?sig=1&code=a&code=b","headers":{"Authorization":"Bearer x","X-Env":"prod"}}`},
		{"webhook", `{"url":"https://tok@example.com"}`},
		{"eventHub", `{"connectionString":"Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey=abc=;EntityPath=e"}`},
		{"eventHub", `{"connectionString":"BlobEndpoint=https://h/?sig=s&se=1;AccountKey=k=="}`},
		{"eventHub", `{"connectionString":"nonsense"}`},
		{"eventGrid", `{"topicEndpoint":"https://t","accessKey":"k"}`},
	}
	for _, tt := range tests {
		stored := endpoint(tt.kind, tt.settings)
		masked := kinds.Mask(stored)
		got, err := kinds.Prepare(masked, &stored)
		if err != nil || string(got.Settings) != tt.settings {
			t.Errorf("%s of %s\n got %s, %v", masked.Settings, tt.settings, got.Settings, err)
		}
	}
}

func TestPrepare(t *testing.T) {
	hook := endpoint("webhook", `{"url":"https://h/?sig=1&sv=2","headers":{"Authorization":"Bearer x","X-Api-Key":"k"}}`)
	hub := endpoint("eventHub", `{"connectionString":"Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey=old"}`)
	tests := []struct {
		name, kind, settings string
		stored               *catalog.Endpoint
		want, field, reason  string
	}{
		{"a new key", "eventHub", `{"connectionString":"Endpoint=sb://h/;SharedAccessKey=new"}`, &hub, `{"connectionString":"Endpoint=sb://h/;SharedAccessKey=new"}`, "", ""},
		{"the old key, elsewhere", "eventHub", `{"connectionString":"EntityPath=e;SharedAccessKey=***;Endpoint=sb://h2/"}`, &hub, `{"connectionString":"EntityPath=e;SharedAccessKey=old;Endpoint=sb://h2/"}`, "", ""},
		{"one header of two", "webhook", `{"headers":{"authorization":"***"}}`, &hook, `{"headers":{"authorization":"Bearer x"}}`, "", ""},
		{"nothing stored", "eventHub", `{"connectionString":"SharedAccessKey=***"}`, nil, "", "settings.connectionString", "none is stored for sharedaccesskey"},
		{"another kind stored", "eventGrid", `{"accessKey":"***"}`, &hub, "", "settings.accessKey", "none is stored"},
		{"no such header stored", "webhook", `{"headers":{"X-Token":"***"}}`, &hook, "", "settings.headers.X-Token", "none is stored"},
		{"half of a header", "webhook", `{"headers":{"Authorization":"Bearer ***"}}`, &hook, "", "settings.headers.Authorization", "send the whole value"},
		{"no such parameter stored", "webhook", `{"url":"https://h/?token=***"}`, &hook, "", "settings.url", "none is stored for token"},
		{"stars within a value", "eventGrid", `{"accessKey":"a***"}`, nil, `{"accessKey":"a***"}`, "", ""},
		{"invalid", "webhook", `{"url":"invalid"}`, nil, "", "settings.url", "is invalid"},
		{"kind of another version", "blob", `{}`, nil, "", "kind", `"blob" is not built into this version; it has webhook, eventHub, eventGrid`},
		{"no kind at all", "kafka", `{}`, nil, "", "kind", `"kafka" is not a kind of endpoint`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := kinds.Prepare(endpoint(tt.kind, tt.settings), tt.stored)
			if tt.field == "" {
				if err != nil || string(got.Settings) != tt.want {
					t.Errorf("settings = %s, %v, want %s", got.Settings, err, tt.want)
				}
				return
			}
			var fe *catalog.FieldError
			if !errors.As(err, &fe) || fe.Field != tt.field || !strings.Contains(fe.Reason, tt.reason) {
				t.Errorf("error = %v, want %s: …%s…", err, tt.field, tt.reason)
			}
		})
	}
}

func TestPrecondition(t *testing.T) {
	tests := []struct {
		name string
		pre  catalog.Precondition
		have uint64
		ok   bool
	}{
		{"none, absent", catalog.Precondition{}, 0, true},
		{"none, present", catalog.Precondition{}, 3, true},
		{"one of two", catalog.Precondition{Revisions: []uint64{2, 3}}, 3, true},
		{"neither of two", catalog.Precondition{Revisions: []uint64{2, 4}}, 3, false},
		{"tags that were none of ours", catalog.Precondition{Revisions: []uint64{}}, 3, false},
		{"a revision, absent", catalog.Precondition{Revisions: []uint64{0}}, 0, false},
		{"exists", catalog.Precondition{Exists: true}, 3, true},
		{"does not exist", catalog.Precondition{Exists: true}, 0, false},
		{"to be created", catalog.Precondition{Absent: true}, 0, true},
		{"was created", catalog.Precondition{Absent: true}, 3, false},
	}
	for _, tt := range tests {
		if err := tt.pre.Check("route", "x", tt.have); (err == nil) != tt.ok || err != nil && !errors.Is(err, catalog.ErrConflict) {
			t.Errorf("%s: Check = %v", tt.name, err)
		}
	}
}

func FuzzMask(f *testing.F) {
	f.Add("https://me:pass@example.com/a?sig=1&code=a#x")
	f.Add("Endpoint=sb://h/;SharedAccessKey=abc;;=;x")
	f.Add("BlobEndpoint=https://u@h/?sig=***;a")
	f.Fuzz(func(t *testing.T, text string) {
		value, err := json.Marshal(text)
		if err != nil || strings.Contains(text, "***") {
			return
		}
		for _, tt := range []struct{ kind, field string }{{"webhook", "url"}, {"eventHub", "connectionString"}, {"eventGrid", "accessKey"}} {
			stored := endpoint(tt.kind, `{"`+tt.field+`":`+string(value)+`}`)
			back, err := kinds.Prepare(kinds.Mask(stored), &stored)
			if err != nil {
				if strings.Contains(err.Error(), "invalid") {
					continue // what valid says
				}
				t.Fatalf("%s: %v", stored.Settings, err)
			}
			var want, got map[string]string
			if json.Unmarshal(stored.Settings, &want) != nil || json.Unmarshal(back.Settings, &got) != nil || want[tt.field] != got[tt.field] {
				t.Fatalf("%s came back as %s", stored.Settings, back.Settings)
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"kind":"webhook","settings":{"url":"x"},"delivery":{"maxAge":"24h"}}`))
	f.Add([]byte(`{"endpointName":"hub","filter":"true","filters":[{"plugin":"a@1","config":{}}],"enabled":false}`))
	f.Add([]byte(`{"route":{},"events":[{}]}`))
	f.Add([]byte(`{"ids":["1-0"],"confirm":true}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := catalog.DecodeRoute("x", b); err == nil {
			text, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := catalog.DecodeRoute("x", text); err != nil || !again.Same(r) {
				t.Fatalf("route %s reads as %+v, %v", text, again, err)
			}
		}
		if e, err := catalog.DecodeEndpoint("x", b); err == nil {
			text, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := catalog.DecodeEndpoint("x", text); err != nil || again.Delivery != e.Delivery || again.Kind != e.Kind {
				t.Fatalf("endpoint %s reads as %+v, %v", text, again, err)
			}
		}
		// None of the others panics, and an error of theirs says where.
		for _, decode := range []func() error{
			func() error { _, err := catalog.DecodeTest(b); return err },
			func() error { _, err := catalog.DecodeSelection(b); return err },
			func() error { _, err := catalog.DecodePurge(b); return err },
			func() error { _, err := catalog.DecodeReplay(b); return err },
			func() error { _, err := catalog.DecodeProbe(b); return err },
			func() error { _, err := catalog.DecodeDeliveryName(b); return err },
			func() error { _, err := catalog.DecodeActive(b); return err },
			func() error { _, err := catalog.DecodeDraft(b); return err },
		} {
			var fe *catalog.FieldError
			if err := decode(); err != nil && !errors.As(err, &fe) {
				t.Fatalf("error %T: %v", err, err)
			}
		}
	})
}
