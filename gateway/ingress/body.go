package ingress

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/headgate/headgate/gateway/event"
)

// budget bounds the memory that bodies take together.
type budget struct {
	max  int64
	used atomic.Int64
}

// body is what a request carried, decompressed.
type body struct {
	bytes  []byte
	booked int64
}

var errBusy = errors.New("too many bodies are being received at once")

// tooLargeRequest is the error for a body beyond the limit.
type tooLargeRequest struct{}

func (tooLargeRequest) Error() string {
	return "the request is larger than 16 MiB, decompressed; send the events in several requests"
}

// brokenBody is the error for a body that ended early or is not what its
// headers say.
type brokenBody struct{ err error }

func (e *brokenBody) Error() string { return "reading the body: " + e.err.Error() }
func (e *brokenBody) Unwrap() error { return e.err }

// read reads the whole body, and books its memory until release. The memory is
// fresh for each request: events refer into it for as long as they live.
//
// It grows with what has really come, so that a Content-Length alone takes
// nothing.
func (b *budget) read(w http.ResponseWriter, r *http.Request) (body, error) {
	if r.ContentLength > event.MaxRequestBytes {
		return body{}, tooLargeRequest{}
	}
	encoding := r.Header.Get("Content-Encoding")
	if encoding == "" || strings.EqualFold(encoding, "identity") {
		return b.readAll(r.Body, r.ContentLength)
	}
	if !strings.EqualFold(encoding, "gzip") {
		w.Header().Set("Accept-Encoding", "gzip")
		return body{}, unsupported("send the body as it is, or with Content-Encoding gzip; " + encoding + " is not known here")
	}
	unzip, err := gzip.NewReader(r.Body)
	if err != nil {
		return body{}, &brokenBody{err}
	}
	return b.readAll(unzip, -1)
}

// readAll reads in to its end. The length is what the headers promise, -1 for
// unknown.
func (b *budget) readAll(in io.Reader, length int64) (body, error) {
	const first = 64 << 10
	size := int64(2 << 10)
	if length >= 0 {
		size = min(length+1, first) // one more byte, so that the end is seen without growing
	}
	out := body{bytes: make([]byte, 0, size)}
	if err := b.book(&out); err != nil {
		return body{}, err
	}
	for {
		n, err := in.Read(out.bytes[len(out.bytes):cap(out.bytes)])
		out.bytes = out.bytes[:len(out.bytes)+n]
		switch {
		case len(out.bytes) > event.MaxRequestBytes:
			b.release(out)
			return body{}, tooLargeRequest{}
		case err == io.EOF:
			return out, nil
		case err != nil:
			b.release(out)
			return body{}, &brokenBody{err}
		}
		if len(out.bytes) == cap(out.bytes) {
			out.grow(length)
			if err := b.book(&out); err != nil {
				return body{}, err
			}
		}
	}
}

// grow makes room for four times as much, but no more than can come.
func (b *body) grow(length int64) {
	limit := int64(event.MaxRequestBytes)
	if length >= 0 {
		limit = length
	}
	grown := make([]byte, len(b.bytes), max(min(4*int64(cap(b.bytes)), limit+1), int64(cap(b.bytes))+512))
	copy(grown, b.bytes)
	b.bytes = grown
}

// book takes what out's memory has grown by from the budget, or gives back all
// that out had booked.
func (b *budget) book(out *body) error {
	more := int64(cap(out.bytes)) - out.booked
	out.booked += more
	if b.used.Add(more) > b.max {
		b.release(*out)
		return errBusy
	}
	return nil
}

// release gives back what a body booked. The bytes remain those of its events.
func (b *budget) release(done body) { b.used.Add(-done.booked) }

// drain takes what a client is still writing, up to a bound that an honest
// mistake stays below: a client that cannot finish writing may never read the
// answer. One that waits to be told to write is not told.
func drain(r *http.Request) {
	if r.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, r.Body, 128<<20)
	}
}
