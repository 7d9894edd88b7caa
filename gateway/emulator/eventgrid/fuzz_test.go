package eventgrid_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/emulator/eventgrid"
)

// FuzzPublish sends requests past the network. Whatever is taken is JSON, and
// is delivered as it was taken.
func FuzzPublish(f *testing.F) {
	s, err := eventgrid.Listen("127.0.0.1:0", eventgrid.Options{Keep: 10, Topics: []eventgrid.Topic{
		{Name: "grid-topic"}, {Name: "cloud-topic", Schema: eventgrid.CloudEventSchema},
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	f.Add("grid-topic", gridType, "", "["+gridEvent+"]")
	f.Add("grid-topic", gridType, "", `[{"id":"1","id":"2","topic":null,"dataVersion":null,"eventType":"t","subject":"s","eventTime":"0001-01-01T00:00:00Z","data":null}]`)
	f.Add("cloud-topic", cloudType, "r=https%3A%2F%2Fx&e=1%2F2%2F2090+3%3A04%3A05+PM&s=x", cloudEvent)
	f.Add("cloud-topic", batchType, "", "["+cloudEvent+"]")
	f.Fuzz(func(t *testing.T, topic, contentType, token, body string) {
		r := httptest.NewRequest(http.MethodPost, "/x", strings.NewReader(body))
		r.URL.Path, r.URL.RawQuery = "/grid-topic/api/events", "api-version=2018-01-01"
		if topic == "cloud-topic" {
			r.URL.Path = "/cloud-topic/api/events"
		}
		r.Header = http.Header{"Content-Type": {contentType}, "Aeg-Sas-Token": {token}}
		if token == "" {
			r.Header.Set("Aeg-Sas-Key", "any")
		}
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r)
		if rec.Code == http.StatusOK {
			for _, p := range s.Topic(strings.Split(r.URL.Path, "/")[1]).Events {
				if !json.Valid(p.Event) {
					t.Fatalf("%q became %q", body, p.Event)
				}
			}
		} else if rec.Code >= 500 || !json.Valid(rec.Body.Bytes()) {
			t.Fatalf("%q: %d %q", body, rec.Code, rec.Body)
		}
	})
}
