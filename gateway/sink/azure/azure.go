// Package azure holds what the sinks share that speak HTTP to Azure by its SDK:
// a transport whose answers are bounded, identities whose errors are known as
// such, and the blame for a call that brought no answer.
package azure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/namespace"
	"github.com/headgate/headgate/gateway/sink"
)

const (
	// maxAnswer and answerTime bound what is read of an answer, so that the
	// connection can serve the next request.
	maxAnswer  = 64 << 10
	answerTime = time.Second
)

// DialTimeout and HandshakeTimeout bound the making of a connection.
const (
	DialTimeout      = 10 * time.Second
	HandshakeTimeout = 10 * time.Second
)

// Transport makes requests for the SDK, which reads answers to their end,
// however long they are: it gets a bounded part of each. Redirects are answers
// like others. It is no [http.Client], which would rewind the body of a request
// for a redirect that is not followed, while that body is still being sent.
type Transport struct {
	transport *http.Transport
}

// DialTLS connects and does the handshake; see [http.Transport].
type DialTLS func(ctx context.Context, network, address string) (net.Conn, error)

// NewTransport returns a transport that keeps as many connections as there are
// lanes. With a dial of its own it connects directly, whatever proxies the
// environment names.
func NewTransport(lanes int, dial DialTLS) *Transport {
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: DialTimeout, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    HandshakeTimeout,
		ForceAttemptHTTP2:      true,
		MaxConnsPerHost:        lanes,
		MaxIdleConnsPerHost:    lanes,
		IdleConnTimeout:        60 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
	}
	if dial != nil {
		t.Proxy, t.DialTLSContext = nil, dial
	}
	return &Transport{t}
}

// Do makes one request. Nothing of it goes on once it has returned.
func (t *Transport) Do(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	resp, err := t.transport.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	defer time.AfterFunc(answerTime, cancel).Stop()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // an answer cut short still says something
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// CloseIdleConnections closes those that serve no request.
func (t *Transport) CloseIdleConnections() { t.transport.CloseIdleConnections() }

// Failure is the outcome of a call within ctx that brought no answer because of
// err. Wrap says which endpoint that is about; what it gets names no address,
// which may hold a secret.
func Failure(ctx context.Context, err error, wrap func(error) error) delivery.Outcome {
	if ctx.Err() != nil {
		return delivery.Transient(wrap(fmt.Errorf("no answer in time: %w", context.Cause(ctx))))
	}
	if noToken := (*TokenError)(nil); errors.As(err, &noToken) {
		return noToken.outcome(wrap(noToken))
	}
	if noRoots := (*namespace.RootsError)(nil); errors.As(err, &noRoots) {
		return delivery.Refused(wrap(noRoots))
	}
	if addressed := (*url.Error)(nil); errors.As(err, &addressed) {
		err = addressed.Err
	}
	return sink.FromError(err, wrap(err))
}
