// Package identitytest stands in for Microsoft Entra in tests: it issues tokens
// of the shape that Entra gives them, signed by nobody.
package identitytest

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Token is a token for a resource, such as "https://servicebus.azure.net", until
// a time.
func Token(resource string, until time.Time) string {
	claims, err := json.Marshal(map[string]any{
		"aud": resource, "iss": "https://sts.windows.net/00000000-0000-0000-0000-000000000000/", "sub": "headgate-test",
		"nbf": until.Add(-2 * time.Hour).Unix(), "iat": until.Add(-2 * time.Hour).Unix(), "exp": until.Unix(),
	})
	if err != nil {
		panic(err) // these are texts and numbers
	}
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"typ":"JWT","alg":"none"}`)) + "." + part(claims) + "." + part([]byte("signed by nobody"))
}

// Credential is an identity that may get at everything. The zero value works.
type Credential struct {
	mu     sync.Mutex
	scopes []string
}

// GetToken implements [azcore.TokenCredential].
func (c *Credential) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.mu.Lock()
	c.scopes = append(c.scopes, o.Scopes...)
	c.mu.Unlock()
	if len(o.Scopes) != 1 || !strings.HasSuffix(o.Scopes[0], "/.default") {
		return azcore.AccessToken{}, fmt.Errorf("the scopes %v are not one resource's", o.Scopes)
	}
	until := time.Now().Add(time.Hour)
	return azcore.AccessToken{Token: Token(strings.TrimSuffix(o.Scopes[0], "/.default"), until), ExpiresOn: until}, nil
}

// Scopes are those that were asked for, each once.
func (c *Credential) Scopes() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(c.scopes)))
}

// Authority is a managed identity, as App Service and Container Apps have it.
type Authority struct {
	mu       sync.Mutex
	resource string
	asked    int
}

// Mistake has tokens issued for a resource whatever is asked for; "" ends that.
func (a *Authority) Mistake(resource string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.resource = resource
}

// Asked is how many tokens were issued.
func (a *Authority) Asked() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked
}

// secret is what an identity's environment gives to those who may ask.
const secret = "the header of an identity"

// ServeHTTP issues a token.
func (a *Authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	resource := cmp.Or(a.resource, r.URL.Query().Get("resource"))
	if r.Header.Get("X-Identity-Header") != secret || resource == "" {
		http.Error(w, `{"message":"no identity for this request"}`, http.StatusBadRequest)
		return
	}
	a.asked++
	until := time.Now().Add(time.Hour)
	if a.resource != "" {
		until = time.Now().Add(time.Minute) // so short that it is not kept by the process
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access_token":%q,"expires_on":"%d","resource":%q,"token_type":"Bearer"}`, Token(resource, until), until.Unix(), resource)
}

// ManagedIdentity serves an authority until t is over, and sets the environment
// by which the default chain of azidentity finds it.
func ManagedIdentity(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{}
	s := httptest.NewServer(a)
	t.Cleanup(s.Close)
	t.Setenv("IDENTITY_ENDPOINT", s.URL)
	t.Setenv("IDENTITY_HEADER", secret)
	for _, other := range []string{"AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE"} {
		t.Setenv(other, "") // which is put back in the end
		os.Unsetenv(other)
	}
	return a
}
