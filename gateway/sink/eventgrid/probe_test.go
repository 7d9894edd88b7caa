package eventgrid_test

import (
	"net/http"
	"strings"
	"testing"

	emulator "github.com/headgate/headgate/gateway/emulator/eventgrid"

	"github.com/headgate/headgate/gateway/sink/eventgrid"
)

func TestProbe(t *testing.T) {
	e := listen(t, emulator.CloudEventSchema)
	if found, err := open(t, e.settings(withKey("cloudEventSchemaV1_0")), eventgrid.Options{}).Probe(t.Context()); err != nil || !strings.Contains(found, "took a request without events; no event was sent") {
		t.Errorf("Probe = %q, %v", found, err)
	}
	if got := e.server.Topic("twins"); got.Requests != 1 || got.Accepted != 0 {
		t.Errorf("%d requests, %d events, want 1 and none", got.Requests, got.Accepted)
	}
	for status, want := range map[int]string{
		http.StatusBadRequest:         "",
		http.StatusUnauthorized:       "401 Unauthorized (check the endpoint's accessKey",
		http.StatusServiceUnavailable: "503 Service Unavailable",
	} {
		if err := e.server.Fail("twins", emulator.Fault{Status: status}); err != nil {
			t.Fatal(err)
		}
		found, err := open(t, e.settings(withKey("")), eventgrid.Options{}).Probe(t.Context())
		if want == "" && (err != nil || found == "") || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%d: Probe = %q, %v, want %s", status, found, err, want)
		}
		if err != nil {
			requireNoSecret(t, err.Error())
		}
	}
}
