package messaging

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink"
)

// tokenFunc is an azcore.TokenCredential.
type tokenFunc func(policy.TokenRequestOptions) (azcore.AccessToken, error)

// GetToken calls f. The SDKs pass a context that never ends, so it is of no use.
func (f tokenFunc) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return f(o)
}

// during is a credential that answers until ctx ends: while a link is opened,
// whose claims then outlast it. Its errors are [*tokenError].
func during(ctx context.Context, c azcore.TokenCredential) azcore.TokenCredential {
	return tokenFunc(func(o policy.TokenRequestOptions) (azcore.AccessToken, error) {
		token, err := c.GetToken(ctx, o)
		if err != nil {
			return azcore.AccessToken{}, &tokenError{err}
		}
		return token, nil
	})
}

// defaultIdentity is the chain of identities that azidentity finds.
func defaultIdentity() (azcore.TokenCredential, error) {
	chain, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return nil, &sink.SettingError{Field: "endpointUri", Reason: "needs an identity, and none is at hand: " + sink.Snippet([]byte(err.Error()))}
	}
	return chain, nil
}

// tokenError means that the identity got no token. Like [dialError] it hides
// what it wraps from the SDKs.
type tokenError struct{ cause error }

func (e *tokenError) Error() string {
	return "no token for the gateway's identity: " + sink.Snippet([]byte(e.cause.Error())) +
		" (set up an identity of the gateway: its environment, a workload identity, a managed identity or the Azure CLI; or set a connectionString)"
}

// NonRetriable marks the error for the SDKs.
func (e *tokenError) NonRetriable() {}

// outcome blames the endpoint, whose identity is not set up: nothing but a
// change there helps. An authority that is out of order or out of reach is
// nobody's fault.
func (e *tokenError) outcome(words error) delivery.Outcome {
	var answered *azidentity.AuthenticationFailedError
	if errors.As(e.cause, &answered) && answered.RawResponse != nil {
		if out := sink.FromStatus(answered.RawResponse.StatusCode, answered.RawResponse.Header, time.Now(), words); out.Blame == delivery.Nobody {
			return out
		}
		return delivery.Refused(words)
	}
	if unreachable := (net.Error)(nil); errors.As(e.cause, &unreachable) || errors.Is(e.cause, context.Canceled) {
		return sink.FromError(e.cause, words) // a deadline is a net.Error too
	}
	return delivery.Refused(words)
}
