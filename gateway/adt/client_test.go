package adt_test

import (
	"net/http"
	"testing"

	"github.com/headgate/headgate/gateway"
	"github.com/headgate/headgate/gateway/npmtest"
)

// TestJavaScriptClients has Microsoft's own JavaScript clients, unmodified,
// manage routes over TLS; testdata/adtclient/main.js asserts.
func TestJavaScriptClients(t *testing.T) {
	s := start(t, gateway.Options{})
	s.fileEndpoint("hub")
	s.put("/routes/planted", `{"endpointName":"hub","filter":"type = 'a'","enabled":false}`)
	npmtest.Run(t, "testdata/adtclient", []string{"NODE_EXTRA_CA_CERTS=" + s.caFile()}, s.http.URL, token)
	got := s.call(http.MethodGet, "/api/v1/routes/planted", "").object(t)
	if got["filter"] != "type = 'b'" || got["enabled"] != false {
		t.Errorf("the operator's route is now %v", got)
	}
}
