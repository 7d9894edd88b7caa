package blob

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	// maxAnswer and answerTime bound what is read of an answer.
	maxAnswer  = 64 << 10
	answerTime = time.Second
)

// transport makes requests for the SDK, which reads answers to their end,
// however long they are: it gets a bounded part of each. None of those asked
// for here is long.
type transport struct {
	client http.Client
}

func newTransport() *transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &transport{http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    10 * time.Second,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    lanes,
			IdleConnTimeout:        60 * time.Second,
			ExpectContinueTimeout:  time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true,
		},
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
	defer resp.Body.Close()
	defer time.AfterFunc(answerTime, cancel).Stop()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // status and headers say what matters
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
