package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink"
	"github.com/headgate/headgate/gateway/sink/azure"
)

// upload writes a file by one request: it is there whole, or not at all.
func (s *Sink) upload(ctx context.Context, name string, content []byte) delivery.Outcome {
	_, err := s.client.NewBlockBlobClient(name).Upload(ctx, streaming.NopCloser(bytes.NewReader(content)), newBlob("application/x-ndjson"))
	if bloberror.HasCode(err, bloberror.BlobAlreadyExists) {
		// Nobody else has that name: it is our own request, which a proxy on the
		// way made twice because a connection broke.
		return delivery.Delivered()
	}
	return s.settings.outcome(ctx, err)
}

// newBlob are the options of a blob that must not be there yet.
func newBlob(contentType string) *blockblob.UploadOptions {
	absent := azcore.ETagAny
	return &blockblob.UploadOptions{
		HTTPHeaders:      &blob.HTTPHeaders{BlobContentType: &contentType},
		AccessConditions: &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: &absent}},
	}
}

// outcome blames the endpoint for what an operator must mend, and nobody for
// the rest. No event is to blame ever: to the service they are bytes of a file.
func (t *target) outcome(ctx context.Context, err error) delivery.Outcome {
	if err == nil {
		return delivery.Delivered()
	}
	var answered *azcore.ResponseError
	if !errors.As(err, &answered) {
		return azure.Failure(ctx, err, t.wrap)
	}
	var header http.Header
	if answered.RawResponse != nil {
		header = answered.RawResponse.Header
	}
	out := sink.FromStatus(answered.StatusCode, header, time.Now(), t.wrap(words(answered)))
	switch bloberror.Code(answered.ErrorCode) {
	case bloberror.MD5Mismatch, bloberror.CRC64Mismatch: // damaged on its way
		return delivery.Transient(out.Err)
	case bloberror.ContainerBeingDeleted, bloberror.InvalidBlobType, bloberror.FeatureVersionMismatch:
		return delivery.Refused(out.Err)
	}
	if out.Blame == delivery.Event {
		return delivery.Refused(out.Err)
	}
	return out
}

// words says what the service answered, by its code: its text may hold what was
// signed.
func words(e *azcore.ResponseError) error {
	text := strings.TrimSpace(fmt.Sprintf("%d %s", e.StatusCode, http.StatusText(e.StatusCode)))
	if e.ErrorCode != "" {
		text = fmt.Sprintf("%d %s", e.StatusCode, sink.Snippet([]byte(e.ErrorCode)))
	}
	if hint := hint(e); hint != "" {
		text += " (" + hint + ")"
	}
	return errors.New(text)
}

// hint says what to do about an answer that is the endpoint's fault.
func hint(e *azcore.ResponseError) string {
	switch {
	case e.ErrorCode == string(bloberror.ContainerNotFound):
		return "create the container"
	case e.StatusCode == http.StatusUnauthorized, e.StatusCode == http.StatusForbidden:
		return "check the key or signature, which may have expired and must allow writing, or the rights of the gateway's identity: it needs the role Storage Blob Data Contributor"
	case e.StatusCode == http.StatusNotFound:
		return "check the account and the container"
	case e.StatusCode == http.StatusRequestEntityTooLarge:
		return "lower the endpoint's maxBytes"
	case e.StatusCode >= 300 && e.StatusCode < 400:
		return "redirects are not followed"
	}
	return ""
}
