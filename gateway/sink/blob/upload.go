package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink"
)

// upload writes a file by one request: it is there whole, or not at all.
func (s *Sink) upload(ctx context.Context, name string, content []byte) delivery.Outcome {
	_, err := s.client.NewBlockBlobClient(name).Upload(ctx, streaming.NopCloser(bytes.NewReader(content)), newBlob("application/x-ndjson"))
	if bloberror.HasCode(err, bloberror.BlobAlreadyExists) {
		// Nobody else has that name: it is our own request, which a proxy on the
		// way made twice because a connection broke.
		return delivery.Delivered()
	}
	return s.settings.outcome(err)
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
func (t *target) outcome(err error) delivery.Outcome {
	if err == nil {
		return delivery.Delivered()
	}
	var answered *azcore.ResponseError
	if noToken := (*tokenError)(nil); errors.As(err, &noToken) {
		return noToken.outcome(t.wrap(noToken))
	} else if !errors.As(err, &answered) {
		cause := err
		if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
			cause = wrapped.Err // without the address, which may hold a signature
		}
		return sink.FromError(cause, t.wrap(cause))
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

// tokenSource marks the errors of an identity as such.
type tokenSource struct{ azcore.TokenCredential }

func (t tokenSource) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := t.TokenCredential.GetToken(ctx, o)
	if err != nil {
		return token, &tokenError{err}
	}
	return token, nil
}

// tokenError means that the identity got no token.
type tokenError struct{ err error }

func (e *tokenError) Error() string {
	return fmt.Sprintf("no token for the gateway's identity: %s", sink.Snippet([]byte(e.err.Error())))
}
func (e *tokenError) Unwrap() error { return e.err }

// NonRetriable marks the error for the SDK.
func (e *tokenError) NonRetriable() {}

// outcome blames the endpoint, whose identity is not set up: nothing but a
// change there helps. An authority that is out of order or out of reach is
// nobody's fault.
func (e *tokenError) outcome(words error) delivery.Outcome {
	var answered *azidentity.AuthenticationFailedError
	if errors.As(e.err, &answered) && answered.RawResponse != nil {
		if out := sink.FromStatus(answered.RawResponse.StatusCode, answered.RawResponse.Header, time.Now(), words); out.Blame == delivery.Nobody {
			return out
		}
		return delivery.Refused(words)
	}
	if unreachable := (net.Error)(nil); errors.As(e.err, &unreachable) {
		return sink.FromError(e.err, words)
	}
	return delivery.Refused(words)
}
