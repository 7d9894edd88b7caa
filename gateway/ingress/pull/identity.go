package pull

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// tokenTimeout bounds the wait for a token: the SDKs ask for one with a context
// that never ends.
const tokenTimeout = 30 * time.Second

// Identity is the credential of o, else the chain of identities that azidentity
// finds.
func (o Options) Identity() (azcore.TokenCredential, error) {
	if o.Credential != nil {
		return bounded{o.Credential}, nil
	}
	chain, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return nil, errors.New("endpointUri needs an identity, and none is at hand: " + Line(err.Error()))
	}
	return bounded{chain}, nil
}

type bounded struct{ azcore.TokenCredential }

func (b bounded) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, tokenTimeout, fmt.Errorf("no token within %s", tokenTimeout))
	defer cancel()
	token, err := b.TokenCredential.GetToken(ctx, o)
	if err != nil {
		err = fmt.Errorf("%s: %w", noToken, err)
	}
	return token, err
}

// noToken begins the errors of an identity that gets no token.
const noToken = "no token for the gateway's identity"
