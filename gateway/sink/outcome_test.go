package sink_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink"
)

var now = time.Date(2024, 5, 1, 8, 0, 0, 0, time.UTC)

// TestFromStatus covers every status there can be: those that no row names are
// nobody's fault.
func TestFromStatus(t *testing.T) {
	named := map[int]delivery.Blame{
		400: delivery.Event, 413: delivery.Event, 414: delivery.Event, 415: delivery.Event, 422: delivery.Event, 431: delivery.Event,
		401: delivery.Endpoint, 403: delivery.Endpoint, 404: delivery.Endpoint, 405: delivery.Endpoint, 407: delivery.Endpoint, 410: delivery.Endpoint,
	}
	cause := errors.New("cause")
	for status := range 1000 {
		want, ok := named[status]
		switch {
		case ok:
		case status/100 == 2:
			want = delivery.None
		case status/100 == 3:
			want = delivery.Endpoint
		default:
			want = delivery.Nobody
		}
		out := sink.FromStatus(status, nil, now, cause)
		if out.Blame != want || (out.Err == nil) != (want == delivery.None) {
			t.Errorf("FromStatus(%d) = %v (%v), want %v", status, out.Blame, out.Err, want)
		}
	}
}

func TestFromStatusRetryAfter(t *testing.T) {
	header := http.Header{"Retry-After": {"30"}}
	for status, want := range map[int]time.Duration{
		429: 30 * time.Second, 503: 30 * time.Second, 500: 0, 404: 0, 400: 0, 200: 0, 302: 0,
	} {
		if got := sink.FromStatus(status, header, now, io.EOF).RetryAfter; got != want {
			t.Errorf("FromStatus(%d).RetryAfter = %v, want %v", status, got, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	const year = 365 * 24 * time.Hour
	tests := []struct {
		name, value string
		want        time.Duration
	}{
		{"absent", "", 0},
		{"seconds", "120", 2 * time.Minute},
		{"zero", "0", 0},
		{"date", "Wed, 01 May 2024 08:00:45 GMT", 45 * time.Second},
		{"date of RFC 850", "Wednesday, 01-May-24 08:00:45 GMT", 45 * time.Second},
		{"date that has passed", "Wed, 01 May 2024 07:00:00 GMT", 0},
		{"negative", "-5", 0},
		{"fraction", "1.5", 0},
		{"words", "soon", 0},
		{"more than a duration holds", "99999999999999", year},
		{"more than an integer holds", "99999999999999999999999", year},
		{"date far away", "Fri, 31 Dec 9999 23:59:59 GMT", year},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := sink.RetryAfter(http.Header{"Retry-After": {tt.value}}, now); got != tt.want {
				t.Errorf("RetryAfter(%q) = %v, want %v", tt.value, got, tt.want)
			}
		})
	}
}

func TestFromError(t *testing.T) {
	tests := []struct {
		name  string
		cause error
		want  delivery.Blame
	}{
		{"unknown host", &net.DNSError{Err: "no such host", Name: "x.invalid", IsNotFound: true}, delivery.Endpoint},
		{"name server out of reach", &net.DNSError{Err: "server misbehaving", IsTemporary: true}, delivery.Nobody},
		{"bad certificate", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, delivery.Endpoint},
		{"not TLS", tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, delivery.Endpoint},
		{"plain HTTP behind https", http.ErrSchemeMismatch, delivery.Endpoint},
		{"TLS alert of the server", &net.OpError{Op: "remote error", Err: tls.AlertError(116)}, delivery.Endpoint},
		{"connection refused", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, delivery.Nobody},
		{"connection reset", &net.OpError{Op: "read", Err: syscall.ECONNRESET}, delivery.Nobody},
		{"end of stream", io.ErrUnexpectedEOF, delivery.Nobody},
		{"deadline", context.DeadlineExceeded, delivery.Nobody},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			words := errors.New("words")
			out := sink.FromError(fmt.Errorf("wrapped: %w", tt.cause), words)
			if out.Blame != tt.want || out.Err != words {
				t.Errorf("FromError = %v (%v), want %v (words)", out.Blame, out.Err, tt.want)
			}
		})
	}
}
