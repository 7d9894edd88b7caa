package messaging

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/namespace"
	"github.com/headgate/headgate/gateway/sink"
)

// errNotNow is what an SDK gets that wants to connect by itself.
var errNotNow error = &fatal{errors.New("connection lost")}

// wire makes the connections of a client of an SDK: the first, and another one
// if the SDK wants to mend it within a call. It makes none in the background,
// where the SDKs would try again without a pause; whether a lost connection is
// replaced is for links to say. It is also where an error of connecting is seen
// before an SDK hides its kind.
type wire struct {
	target *Target
	tls    *tls.Config // nil for the default

	mu   sync.Mutex // guards what follows
	over bool
	conn net.Conn // the latest
}

// dial connects. Its errors are a [*dialError] or errNotNow.
func (w *wire) dial(ctx context.Context) (net.Conn, error) {
	// Every call has a deadline, and nothing that the SDKs do in the background.
	if _, call := ctx.Deadline(); !call || w.isOver() {
		return nil, errNotNow
	}
	conn, err := w.connect(ctx)
	if err != nil {
		return nil, &dialError{err}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		conn.Close()
		return nil, errNotNow
	}
	w.conn = conn
	return conn, nil
}

func (w *wire) isOver() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.over
}

func (w *wire) connect(ctx context.Context) (net.Conn, error) {
	t := w.target
	dialer := &namespace.Dialer{Host: t.Host, Plain: t.plain, WebSockets: t.sockets, CAFile: t.caFile, TLS: w.tls}
	return dialer.Dial(ctx)
}

// cut ends the connection without a word; there will be no other.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	if w.conn != nil {
		w.conn.Close()
	}
}

// dialError means that there was no connection. It hides what it wraps from
// the SDKs, which try again on any net.Error.
type dialError struct{ cause error }

func (e *dialError) Error() string { return e.cause.Error() }

// NonRetriable marks the error for the SDKs.
func (e *dialError) NonRetriable() {}

// outcome blames the endpoint where nothing but a change there helps.
func (e *dialError) outcome(words error) delivery.Outcome {
	if errors.As(e.cause, new(*namespace.RootsError)) {
		return delivery.Refused(words)
	}
	if answered := (*namespace.StatusError)(nil); errors.As(e.cause, &answered) {
		if out := sink.FromStatus(answered.Status, nil, time.Now(), words); out.Blame == delivery.Nobody {
			return out
		}
		return delivery.Refused(words)
	}
	return sink.FromError(e.cause, words)
}

// fatal marks an error for the SDKs as one after which they must not try again.
type fatal struct{ error }

func (e *fatal) Unwrap() error { return e.error }

// NonRetriable marks the error for the SDKs.
func (e *fatal) NonRetriable() {}
