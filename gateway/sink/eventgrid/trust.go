package eventgrid

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink"
)

// rootsError means that the caFile is of no use.
type rootsError struct{ err error }

func (e *rootsError) Error() string { return "caFile: " + e.err.Error() }
func (e *rootsError) Unwrap() error { return e.err }

// readRoots returns the certificates in a PEM file.
func readRoots(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("holds no certificate in PEM")
	}
	return roots, nil
}

// dialTrusting connects to a server whose certificate is one of caFile's, or
// signed by one. The file is read for each connection, of which there are few,
// so that a new certificate needs no new settings.
func dialTrusting(dialer *net.Dialer, caFile string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		roots, err := readRoots(caFile)
		if err != nil {
			return nil, &rootsError{err}
		}
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		secure := tls.Client(conn, &tls.Config{RootCAs: roots, ServerName: host, NextProtos: []string{"h2", "http/1.1"}})
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		return secure, nil
	}
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
