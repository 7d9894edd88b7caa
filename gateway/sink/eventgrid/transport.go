package eventgrid

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	// maxAnswer and answerTime bound what is read of an answer, so that the
	// connection can serve the next request; maxFirst, what is kept of it.
	maxAnswer  = 64 << 10
	maxFirst   = 4 << 10
	answerTime = time.Second
)

// transport makes requests for the pipeline, which reads answers to their end,
// however long they are: it gets a bounded part of each.
type transport struct {
	client http.Client
}

func newTransport(caFile string) *transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxConnsPerHost:        lanes,
		MaxIdleConnsPerHost:    lanes,
		IdleConnTimeout:        60 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
	}
	if caFile != "" {
		t.Proxy = nil // a topic behind a certificate of its own is near
		t.DialTLSContext = dialTrusting(dialer, caFile)
	}
	return &transport{http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Do makes one request. Nothing of it goes on once it has returned.
func (t *transport) Do(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	resp, err := t.client.Do(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(readAnswer(resp, cancel)))
	return resp, nil
}

// readAnswer reads a bounded part of the answer for a bounded time, cancels
// its request should it go on after that, and returns the beginning.
func readAnswer(resp *http.Response, cancel context.CancelFunc) []byte {
	defer resp.Body.Close()
	defer time.AfterFunc(answerTime, cancel).Stop()
	body := io.LimitReader(resp.Body, maxAnswer)
	first := make([]byte, maxFirst)
	n, _ := io.ReadFull(body, first) // an answer cut short still says something
	_, _ = io.Copy(io.Discard, body) // what matters of the answer is known by now
	return first[:n]
}
