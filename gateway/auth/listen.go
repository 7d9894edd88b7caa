package auth

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// CheckListen refuses an address that others can reach when there is no token.
func CheckListen(addr string, hasToken bool) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("listen %q: want HOST:PORT, such as 127.0.0.1:8080: %w", addr, err)
	}
	if hasToken || isLoopback(host) {
		return nil
	}
	return fmt.Errorf("listen %s: other machines could reach this address, and nothing asks them who they are; "+
		"put a token into a file (openssl rand -hex 32 > token; chmod 600 token) and start with --token-file token, "+
		"or set HEADGATE_TOKEN, or listen on 127.0.0.1 alone", addr)
}

// isLoopback reports whether host, without a port, can only be this machine.
func isLoopback(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// Limits of a listener, which hold for every path.
const (
	// headerTime bounds the wait for a request's header, and so what a client
	// gains that sends it a byte at a time.
	headerTime = 10 * time.Second
	// requestTime bounds reading a request whole: 16 MiB at 140 kB/s.
	requestTime = 2 * time.Minute
	// answerTime bounds the answer, from the end of the request's header.
	answerTime = 4 * time.Minute
	// idleTime is how long a connection is kept without a request.
	idleTime    = 2 * time.Minute
	headerBytes = 64 << 10
)

// NewServer returns a server for handler with limits on time and header, so
// that slow or endless clients cannot hold on to it. A request for an event
// stream is exempt once it is read: its answer may go on forever.
func NewServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           endless(handler),
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       requestTime,
		WriteTimeout:      answerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    headerBytes,
	}
}

// endless lifts the time limits from GET requests that accept an event stream.
func endless(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && (strings.Contains(r.Header.Get("Accept"), "text/event-stream") || strings.HasSuffix(r.URL.Path, "/stream")) {
			control := http.NewResponseController(w)
			// A writer without deadlines has no limits to lift.
			_ = control.SetReadDeadline(time.Time{})
			_ = control.SetWriteDeadline(time.Time{})
		}
		next.ServeHTTP(w, r)
	})
}

// LimitListener returns a listener that holds at most n connections of l open
// at once; more wait unaccepted. Without it a flood of connections takes the
// file descriptors that the journal needs.
func LimitListener(l net.Listener, n int) net.Listener {
	return &limited{Listener: l, slots: make(chan struct{}, n), done: make(chan struct{})}
}

type limited struct {
	net.Listener
	slots chan struct{}
	once  sync.Once
	done  chan struct{} // closed by Close
}

func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.done:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &limitedConn{Conn: c, slots: l.slots}, nil
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

type limitedConn struct {
	net.Conn
	slots chan struct{}
	once  sync.Once
}

func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { <-c.slots })
	return err
}
