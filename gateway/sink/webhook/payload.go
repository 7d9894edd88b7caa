package webhook

import (
	"errors"
	"io"
	"sync"
)

// errReleased is what a transport reads that outlives its request.
var errReleased = errors.New("request is over")

// payload lends data to a request. A transport may still be writing when it
// has reported an early answer or the end of the context; after release it can
// no longer reach the data, which belongs to the caller again.
type payload struct {
	mu   sync.Mutex // guards data
	data []byte     // nil once released
}

// open returns a reader from the beginning, as http.Request.GetBody does.
func (p *payload) open() (io.ReadCloser, error) { return &payloadReader{p: p}, nil }

// release waits for a Read under way and makes all later ones fail.
func (p *payload) release() {
	p.mu.Lock()
	p.data = nil
	p.mu.Unlock()
}

// payloadReader reads a payload; like every body, in one goroutine at a time.
type payloadReader struct {
	p   *payload
	off int
}

func (r *payloadReader) Read(b []byte) (int, error) {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	if r.p.data == nil {
		return 0, errReleased
	}
	if r.off == len(r.p.data) {
		return 0, io.EOF
	}
	n := copy(b, r.p.data[r.off:])
	r.off += n
	return n, nil
}

func (r *payloadReader) Close() error { return nil }
