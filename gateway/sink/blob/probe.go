package blob

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
)

// Probe asks for the right to write: it stages a block of a blob that is never
// committed, which no listing shows and the service drops after a week.
func (s *Sink) Probe(ctx context.Context) (string, error) {
	client := s.client.NewBlockBlobClient(s.settings.prefix + "probe-" + rand.Text())
	id := base64.StdEncoding.EncodeToString([]byte("probe"))
	_, err := client.StageBlock(ctx, id, streaming.NopCloser(bytes.NewReader([]byte("probe\n"))), nil)
	if out := s.settings.outcome(ctx, err); out.Err != nil {
		return "", out.Err
	}
	return "the container takes blocks of new blobs", nil
}
