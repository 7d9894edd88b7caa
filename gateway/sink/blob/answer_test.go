package blob_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink/blob"
)

// signature is the query of a signed URL whose signature is obviously none.
const signature = "sv=2024-11-04&sr=c&sp=cw&sig=bm90IGEgc2lnbmF0dXJl"

// signed are the settings of a container at url, by a signature.
func signed(url string) string {
	return `{"containerUri":"` + url + `/twins?` + signature + `","maxAge":"0s"}`
}

// TestAnswers holds every answer of the service to the blame that it must
// bring. No answer blames an event.
func TestAnswers(t *testing.T) {
	tests := []struct {
		name   string
		status int
		code   string
		wait   string
		blame  delivery.Blame
		words  string
	}{
		{"created", 201, "", "", delivery.None, "delivered"},
		{"there already, under a name of our own", 409, "BlobAlreadyExists", "", delivery.None, "delivered"},
		{"name of the container", 400, "InvalidResourceName", "", delivery.Endpoint, "400 InvalidResourceName"},
		{"header", 400, "InvalidHeaderValue", "", delivery.Endpoint, "400 InvalidHeaderValue"},
		{"version", 400, "FeatureVersionMismatch", "", delivery.Endpoint, "400 FeatureVersionMismatch"},
		{"no code", 400, "", "", delivery.Endpoint, "400 Bad Request"},
		{"damaged on its way", 400, "Md5Mismatch", "", delivery.Nobody, "400 Md5Mismatch"},
		{"damaged on its way, by the other sum", 400, "Crc64Mismatch", "", delivery.Nobody, "400 Crc64Mismatch"},
		{"no authentication", 401, "NoAuthenticationInformation", "", delivery.Endpoint, "401 NoAuthenticationInformation (check the key or signature"},
		{"wrong signature", 403, "AuthenticationFailed", "", delivery.Endpoint, "403 AuthenticationFailed (check the key or signature"},
		{"no right", 403, "AuthorizationPermissionMismatch", "", delivery.Endpoint, "403 AuthorizationPermissionMismatch"},
		{"firewall", 403, "AuthorizationFailure", "", delivery.Endpoint, "403 AuthorizationFailure"},
		{"account disabled", 403, "AccountIsDisabled", "", delivery.Endpoint, "403 AccountIsDisabled"},
		{"quota", 403, "InsufficientAccountPermissions", "", delivery.Endpoint, "403 InsufficientAccountPermissions"},
		{"no container", 404, "ContainerNotFound", "", delivery.Endpoint, "404 ContainerNotFound (create the container)"},
		{"no account", 404, "ResourceNotFound", "", delivery.Endpoint, "404 ResourceNotFound (check the account and the container)"},
		{"no such method", 405, "UnsupportedHttpVerb", "", delivery.Endpoint, "405 UnsupportedHttpVerb"},
		{"timed out there", 408, "", "", delivery.Nobody, "408 Request Timeout"},
		{"container goes", 409, "ContainerBeingDeleted", "", delivery.Endpoint, "409 ContainerBeingDeleted"},
		{"account comes", 409, "AccountBeingCreated", "", delivery.Nobody, "409 AccountBeingCreated"},
		{"gone", 410, "", "", delivery.Endpoint, "410 Gone"},
		{"condition", 412, "ConditionNotMet", "", delivery.Nobody, "412 ConditionNotMet"},
		{"too large", 413, "RequestBodyTooLarge", "", delivery.Endpoint, "413 RequestBodyTooLarge (lower the endpoint's maxBytes)"},
		{"throttled", 429, "", "9", delivery.Nobody, "429 Too Many Requests"},
		{"internal error", 500, "InternalError", "", delivery.Nobody, "500 InternalError"},
		{"operation timed out", 500, "OperationTimedOut", "", delivery.Nobody, "500 OperationTimedOut"},
		{"bad gateway", 502, "", "", delivery.Nobody, "502 Bad Gateway"},
		{"busy", 503, "ServerBusy", "9", delivery.Nobody, "503 ServerBusy"},
		{"redirect", 307, "", "", delivery.Endpoint, "307 Temporary Redirect (redirects are not followed)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			requests := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				io.Copy(io.Discard, r.Body)
				if tt.wait != "" {
					w.Header().Set("Retry-After", tt.wait)
				}
				w.Header().Set("Location", "/elsewhere?"+signature)
				answer(w, tt.status, tt.code)
				io.WriteString(w, r.RequestURI)
			}))
			t.Cleanup(server.Close)
			out := open(t, signed(server.URL), blob.Options{}).Send(t.Context(), events(1, 1))[0]
			wait := map[bool]time.Duration{true: 9 * time.Second}[tt.wait != ""]
			if out.Blame != tt.blame || out.RetryAfter != wait || !strings.Contains(out.Reason(), tt.words) {
				t.Errorf("outcome = %v after %v (%s), want %v after %v (…%s…)", out.Blame, out.RetryAfter, out.Reason(), tt.blame, wait, tt.words)
			}
			if out.Err != nil && !strings.HasPrefix(out.Reason(), "PUT "+server.URL+"/twins: ") {
				t.Errorf("%q does not say which container", out.Reason())
			}
			requireNoSecret(t, out.Reason())
			if requests != 1 {
				t.Errorf("%d requests were made, want 1", requests)
			}
		})
	}
}

func requireNoSecret(t testing.TB, text string) {
	t.Helper()
	if strings.Contains(text, "sig=") || strings.Contains(text, "bm90IGEgc2lnbmF0dXJl") || strings.Contains(text, key) {
		t.Errorf("%q tells a secret", text)
	}
}

func TestUnreachable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + listener.Addr().String()
	listener.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	cut := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(cut.Close)
	flood := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("x-ms-error-code", "ServerBusy")
		w.WriteHeader(503)
		for {
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	}))
	t.Cleanup(flood.Close)
	trickle := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(201)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(trickle.Close)
	for _, tt := range []struct {
		name, url string
		blame     delivery.Blame
		words     string
	}{
		{"refused", closed, delivery.Nobody, "connection refused"},
		{"not trusted", secure.URL, delivery.Endpoint, "certificate signed by unknown authority"},
		{"no answer", cut.URL, delivery.Nobody, "EOF"},
		{"an answer that never ends", flood.URL, delivery.Nobody, "503 ServerBusy"},
		{"an answer that trickles", trickle.URL, delivery.None, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := open(t, signed(tt.url), blob.Options{}).Send(t.Context(), events(1, 1))[0]
			if out.Blame != tt.blame || !strings.Contains(out.Reason(), tt.words) {
				t.Errorf("outcome = %v (%s), want %v (…%s…)", out.Blame, out.Reason(), tt.blame, tt.words)
			}
			requireNoSecret(t, out.Reason())
		})
	}
}

// identity is one that the authority answers with err.
type identity struct {
	err   error
	asked []string
}

func (i *identity) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	i.asked = append(i.asked, o.Scopes...)
	return azcore.AccessToken{Token: "not-a-token", ExpiresOn: time.Now().Add(time.Hour)}, i.err
}

func TestIdentity(t *testing.T) {
	refused := func(status int) error {
		return &azidentity.AuthenticationFailedError{RawResponse: &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("words"))}}
	}
	for _, tt := range []struct {
		name  string
		err   error
		blame delivery.Blame
	}{
		{"wrong secret", refused(401), delivery.Endpoint},
		{"authority busy", refused(503), delivery.Nobody},
		{"none at hand", azidentity.NewCredentialUnavailableError("no identity"), delivery.Endpoint},
		{"authority out of reach", &net.OpError{Op: "dial", Err: errors.New("refused")}, delivery.Nobody},
	} {
		t.Run(tt.name, func(t *testing.T) {
			who := &identity{err: tt.err}
			s := open(t, `{"containerUri":"https://plant.invalid/twins","maxAge":"0s"}`, blob.Options{Credential: who})
			out := s.Send(t.Context(), events(1, 1))[0]
			if out.Blame != tt.blame || !strings.Contains(out.Reason(), "no token for the gateway's identity") {
				t.Errorf("outcome = %v (%s), want %v", out.Blame, out.Reason(), tt.blame)
			}
			if len(who.asked) != 1 || who.asked[0] != "https://storage.azure.com/.default" {
				t.Errorf("the identity was asked for %q", who.asked)
			}
		})
	}
}
