package blob_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	azblob "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/emulator/identity/identitytest"
	"github.com/headgate/headgate/gateway/sink/azure"
	"github.com/headgate/headgate/gateway/sink/blob"
	"github.com/headgate/headgate/gateway/sink/blob/azurite"
)

// TestIdentityWrites has a managed identity, which the default chain finds, write
// to Azurite over TLS. Azurite reads for whom its tokens are, and until when.
func TestIdentityWrites(t *testing.T) {
	account, trust := azurite.Secure(t)
	authority := identitytest.ManagedIdentity(t)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, trust, 0o600); err != nil {
		t.Fatal(err)
	}
	shared, err := azblob.NewSharedKeyCredential(azurite.Account, azurite.Key)
	if err != nil {
		t.Fatal(err)
	}
	transport := azure.NewTransport(1, azure.Trusting(file))
	t.Cleanup(transport.CloseIdleConnections)
	options := &container.ClientOptions{}
	options.Transport = transport
	owner, err := container.NewClientWithSharedKeyCredential(account+"/twins", shared, options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := owner.Create(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	settings := `{"containerUri":"` + account + `/twins","maxAge":"0s","caFile":"` + file + `"}`

	authority.Mistake("https://servicebus.azure.net")
	refused := open(t, settings, blob.Options{}).Send(t.Context(), events(1, 1))[0]
	if refused.Blame != delivery.Endpoint || !strings.Contains(refused.Reason(), "Storage Blob Data Contributor") {
		t.Errorf("outcome with a token for another service = %v (%s), want the endpoint's fault", refused.Blame, refused.Reason())
	}
	authority.Mistake("")

	s := open(t, settings, blob.Options{})
	if found, err := s.Probe(t.Context()); err != nil {
		t.Errorf("Probe = %q, %v", found, err)
	}
	for i, out := range s.Send(t.Context(), events(3, 1)) {
		if !out.Settled() || out.Err != nil {
			t.Errorf("outcome %d = %v (%s)", i, out.Blame, out.Reason())
		}
	}
	names := list(t, owner)
	if len(names) != 1 || len(readLines(t, download(t, owner, names[0]))) != 3 {
		t.Errorf("the container holds %q, want one file with three events", names)
	}

	untrusting := open(t, `{"containerUri":"`+account+`/twins","maxAge":"0s"}`, blob.Options{}).Send(t.Context(), events(1, 1))[0]
	if untrusting.Blame != delivery.Endpoint || !strings.Contains(untrusting.Reason(), "certificate") {
		t.Errorf("outcome with a certificate that is not trusted = %v (%s), want the endpoint's fault", untrusting.Blame, untrusting.Reason())
	}
}
