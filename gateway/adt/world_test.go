package adt_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway"
)

// token guards the gateways of these tests.
const token = "not-a-token"

// server is a gateway in this process behind a loopback address with TLS.
type server struct {
	t    *testing.T
	http *httptest.Server
}

func start(t *testing.T, opts gateway.Options) *server {
	t.Helper()
	opts.Dir, opts.Token = t.TempDir(), token
	g, err := gateway.Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, http: httptest.NewTLSServer(g.Handler())}
	t.Cleanup(func() {
		s.http.Close()
		if err := g.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// caFile is the certificate of the server as a client trusts it.
func (s *server) caFile() string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.http.Certificate().Raw})
	if err := os.WriteFile(path, block, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// reply is an answer that was read whole.
type reply struct {
	status int
	header http.Header
	body   string
}

// call sends a request with the token and headers given as name, value, ….
func (s *server) call(method, path, body string, header ...string) reply {
	s.t.Helper()
	url := path
	if !strings.HasPrefix(path, "https://") {
		url = s.http.URL + path
	}
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := s.http.Client().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(b)}
}

// want fails unless the answer has the status.
func (r reply) want(t *testing.T, status int) reply {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	return r
}

// refused fails unless the answer is an error of the status and the code, said
// in its body and its header, and returns its message.
func (r reply) refused(t *testing.T, status int, code string) string {
	t.Helper()
	var body struct {
		Error struct{ Code, Message string }
	}
	if err := json.Unmarshal([]byte(r.body), &body); err != nil {
		t.Fatalf("status %d: %v: %s", r.status, err, r.body)
	}
	if r.status != status || body.Error.Code != code || r.header.Get("x-ms-error-code") != code || body.Error.Message == "" {
		t.Fatalf("status %d, header %q, body %s; want %d %s", r.status, r.header.Get("x-ms-error-code"), r.body, status, code)
	}
	return body.Error.Message
}

// object is the body as a JSON object.
func (r reply) object(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(r.body), &m); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	return m
}

// put creates a resource by the control API.
func (s *server) put(path, body string) reply {
	s.t.Helper()
	r := s.call(http.MethodPut, "/api/v1"+path, body, "Content-Type", "application/json")
	if r.status/100 != 2 {
		s.t.Fatalf("PUT %s: %d %s", path, r.status, r.body)
	}
	return r
}

// fileEndpoint makes an endpoint of a kind that Azure does not have.
func (s *server) fileEndpoint(name string) {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), name+".ndjson")
	s.put("/endpoints/"+name, fmt.Sprintf(`{"kind":"file","settings":{"path":%q}}`, path))
}
