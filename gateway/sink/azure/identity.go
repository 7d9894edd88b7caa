package azure

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

// Identity returns c, whose errors then are [*TokenError]. A nil c is the default
// chain of azidentity; when that cannot be, the error blames the setting field,
// whose lack is why an identity is asked for.
func Identity(c azcore.TokenCredential, field string) (azcore.TokenCredential, error) {
	if c == nil {
		chain, err := azidentity.NewDefaultAzureCredential(nil)
		if err != nil {
			return nil, &sink.SettingError{Field: field, Reason: "brings no credential, and no identity is at hand: " + sink.Snippet([]byte(err.Error()))}
		}
		c = chain
	}
	return identity{c}, nil
}

type identity struct{ azcore.TokenCredential }

// GetToken marks the error as that of the identity.
func (i identity) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := i.TokenCredential.GetToken(ctx, o)
	if err != nil {
		return token, &TokenError{err}
	}
	return token, nil
}

// TokenError means that the gateway's identity got no token.
type TokenError struct{ cause error }

func (e *TokenError) Error() string {
	return "no token for the gateway's identity: " + sink.Snippet([]byte(e.cause.Error())) +
		" (set up an identity of the gateway: its environment, a workload identity, a managed identity or the Azure CLI; or give the endpoint a key)"
}

// Unwrap returns what the identity said.
func (e *TokenError) Unwrap() error { return e.cause }

// NonRetriable marks the error for the SDK.
func (e *TokenError) NonRetriable() {}

// outcome blames the endpoint, whose identity is not set up: nothing but a
// change there helps. An authority that is out of order or out of reach is
// nobody's fault.
func (e *TokenError) outcome(words error) delivery.Outcome {
	var answered *azidentity.AuthenticationFailedError
	if errors.As(e.cause, &answered) && answered.RawResponse != nil {
		out := sink.FromStatus(answered.RawResponse.StatusCode, answered.RawResponse.Header, time.Now(), words)
		if out.Blame == delivery.Nobody {
			return out
		}
		return delivery.Refused(words)
	}
	if unreachable := (net.Error)(nil); errors.As(e.cause, &unreachable) {
		return sink.FromError(e.cause, words)
	}
	return delivery.Refused(words)
}
