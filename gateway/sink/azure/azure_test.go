package azure_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink/azure"
)

type credential func() error

func (c credential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "not-a-token"}, c()
}

func wrap(err error) error { return errors.Join(errors.New("endpoint"), err) }

// TestFailure gives identities and connections every fault.
func TestFailure(t *testing.T) {
	refused := func(status int, retryAfter string) error {
		return &azidentity.AuthenticationFailedError{RawResponse: &http.Response{
			StatusCode: status, Header: http.Header{"Retry-After": {retryAfter}}, Body: io.NopCloser(strings.NewReader("words\nand more"))}}
	}
	token := func(cause error) error {
		c, err := azure.Identity(credential(func() error { return cause }), "accessKey")
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.GetToken(t.Context(), policy.TokenRequestOptions{})
		return err
	}
	tests := []struct {
		name  string
		err   error
		blame delivery.Blame
		wait  time.Duration
		words string
	}{
		{"unknown client", token(refused(400, "")), delivery.Endpoint, 0, "no token for the gateway's identity: "},
		{"wrong secret", token(refused(401, "")), delivery.Endpoint, 0, "no token for the gateway's identity: "},
		{"too large a request", token(refused(413, "")), delivery.Endpoint, 0, ""},
		{"authority throttles", token(refused(429, "9")), delivery.Nobody, 9 * time.Second, ""},
		{"authority out of order", token(refused(503, "")), delivery.Nobody, 0, ""},
		{"no identity", token(azidentity.NewCredentialUnavailableError("none")), delivery.Endpoint, 0, "none"},
		{"authority out of reach", token(&net.OpError{Op: "dial", Err: errors.New("refused")}), delivery.Nobody, 0, ""},
		{"authority does not exist", token(&net.DNSError{IsNotFound: true}), delivery.Endpoint, 0, ""},
		{"connection", &url.Error{Op: "Put", URL: "https://h/?sig=s3cret", Err: &net.OpError{Op: "dial", Err: errors.New("refused")}}, delivery.Nobody, 0, "endpoint\ndial: refused"},
		{"host", &url.Error{Op: "Put", URL: "https://h/?sig=s3cret", Err: &net.DNSError{IsNotFound: true}}, delivery.Endpoint, 0, "lookup"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := azure.Failure(t.Context(), tt.err, wrap)
			if out.Blame != tt.blame || out.RetryAfter != tt.wait || !strings.Contains(out.Reason(), tt.words) || strings.Contains(out.Reason(), "s3cret") {
				t.Errorf("outcome = %v after %v (%s), want %v after %v (…%s…)", out.Blame, out.RetryAfter, out.Reason(), tt.blame, tt.wait, tt.words)
			}
		})
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	if out := azure.Failure(ctx, token(refused(401, "")), wrap); out.Blame != delivery.Nobody || !strings.HasSuffix(out.Reason(), "no answer in time: enough") {
		t.Errorf("after the end: %v (%s)", out.Blame, out.Reason())
	}
}

// TestTransport bounds answers that have no end, in bytes and in time.
func TestTransport(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/flood":
			for {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		case "/trickle":
			io.WriteString(w, "first words")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "/redirect":
			http.Redirect(w, r, "/flood", http.StatusFound)
		}
	}))
	t.Cleanup(server.Close)
	transport := azure.NewTransport(2, nil)
	t.Cleanup(transport.CloseIdleConnections)
	for path, want := range map[string]struct{ status, length int }{
		"/flood": {200, 64 << 10}, "/trickle": {200, len("first words")}, "/redirect": {302, 0}, "/": {200, 0},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != want.status || want.status == 200 && len(body) != want.length {
			t.Errorf("%s: %d, %d bytes, %v, want %v", path, resp.StatusCode, len(body), err, want)
		}
	}
}
