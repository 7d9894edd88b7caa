package sink

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
)

// FromStatus is the outcome of a try that an HTTP endpoint answered at now with
// status and header; err says so in words.
//
//	2xx                       delivered
//	400 413 415 422           the event's fault: no later attempt can succeed
//	414 431                   the same: its attributes are too large for the endpoint
//	3xx 401 403 404 405 407   the endpoint's fault: someone has to change its settings,
//	410                       or restore what they name (redirects are not followed)
//	all others                nobody's: a later attempt may succeed
//
// The wait asked for by Retry-After is kept for 429 and 503.
func FromStatus(status int, header http.Header, now time.Time, err error) delivery.Outcome {
	switch {
	case status >= 200 && status < 300:
		return delivery.Delivered()
	case status >= 300 && status < 400:
		return delivery.Refused(err)
	}
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
		http.StatusUnprocessableEntity, http.StatusRequestURITooLong, http.StatusRequestHeaderFieldsTooLarge:
		return delivery.Permanent(err)
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
		http.StatusMethodNotAllowed, http.StatusProxyAuthRequired, http.StatusGone:
		return delivery.Refused(err)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return delivery.Transient(err).After(RetryAfter(header, now))
	}
	return delivery.Transient(err)
}

// FromError is the outcome of a try that brought no answer because of cause;
// err says so in words. A host name that does not exist and a TLS handshake
// that one side refuses are the endpoint's fault, since nothing but a change
// there or of its settings will help; all else is nobody's.
func FromError(cause, err error) delivery.Outcome {
	var noHost *net.DNSError
	var badCertificate *tls.CertificateVerificationError
	var notTLS tls.RecordHeaderError
	var refused *net.OpError
	switch {
	case errors.As(cause, &noHost) && noHost.IsNotFound,
		errors.As(cause, &badCertificate),
		errors.As(cause, &notTLS),
		errors.Is(cause, http.ErrSchemeMismatch),
		errors.As(cause, &refused) && refused.Op == "remote error": // a TLS alert
		return delivery.Refused(err)
	}
	return delivery.Transient(err)
}

// maxRetryAfter keeps absurd answers within what a Duration can hold.
const maxRetryAfter = 365 * 24 * time.Hour

// RetryAfter returns how long after now the header Retry-After asks to wait: a
// number of seconds or an HTTP date. It is zero when there is none, when it is
// malformed and when it lies in the past.
func RetryAfter(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(now), 0), maxRetryAfter)
}
