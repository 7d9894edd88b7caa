package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestPausedEndpoint follows a pause through the API, the status, files of
// documents, a redrive and a restart.
func TestPausedEndpoint(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	path := s.fileEndpoint("archive")
	s.fileEndpoint("other")
	s.put("/routes/all", `{"endpointName":"archive"}`)
	s.send(update("1", "room", "/x", "1"))
	lines(t, path, 1)

	paused := fmt.Sprintf(`{"kind":"file","settings":{"path":%q},"paused":true}`, path)
	if got := s.put("/endpoints/archive", paused); !strings.Contains(got, `"paused":true`) {
		t.Errorf("PUT answers %s", got)
	}
	s.send(update("2", "room", "/x", "2"))
	status := func(s *server) map[string]any {
		t.Helper()
		return s.api(http.MethodGet, "/status", "").want(t, 200).object(t)
	}
	eventually(t, "the state", func() bool { return s.state("archive")["state"] == "paused" })
	if got := status(s); got["state"] != "paused" || got["reason"] != "Endpoint archive is paused: what it is owed waits" {
		t.Errorf("status: %v, %v", got["state"], got["reason"])
	}
	s.put("/endpoints/other", fmt.Sprintf(`{"kind":"file","settings":{"path":%q},"paused":true}`, path+".other"))
	if got := status(s)["reason"]; got != "2 of 2 endpoints are paused, archive among them" {
		t.Errorf("reason: %v", got)
	}
	documents := s.api(http.MethodGet, "/catalog", "").want(t, 200).body
	if strings.Count(documents, `"paused":true`) != 2 {
		t.Errorf("the documents do not say that two are paused: %s", documents)
	}
	s.api(http.MethodPut, "/endpoints/archive", `{"kind":"file","settings":{"path":"x"},"paused":"yes"}`).problem(t, 400)
	s.stop()

	s = start(t, dir)
	s.send(update("3", "room", "/x", "3"))
	eventually(t, "the state after a restart", func() bool { return s.state("archive")["state"] == "paused" })
	if got := readLines(t, path); len(got) != 1 {
		t.Errorf("%d lines while it was paused, want the one from before", len(got))
	}
	s.put("/endpoints/archive", fmt.Sprintf(`{"kind":"file","settings":{"path":%q}}`, path))
	for i, e := range lines(t, path, 3) {
		if want := fmt.Sprint(i + 1); e["id"] != want {
			t.Errorf("line %d is event %v, want %s", i, e["id"], want)
		}
	}
}
