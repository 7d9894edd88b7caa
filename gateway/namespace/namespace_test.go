package namespace_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/headgate/headgate/gateway/namespace"
)

// echo answers at the path of a namespace with a WebSocket that says everything
// again, and elsewhere with nothing.
func echo(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/$servicebus/websocket" {
		http.NotFound(w, r)
		return
	}
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"amqp"}})
	if err != nil {
		return
	}
	defer socket.CloseNow()
	if socket.Subprotocol() != "amqp" {
		return
	}
	conn := websocket.NetConn(r.Context(), socket, websocket.MessageBinary)
	io.Copy(conn, conn)
}

// trust writes the certificate of a server to a file.
func trust(t testing.TB, s *httptest.Server) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// TestWebSocket sends more than one message of WebSockets usually holds through
// one, with TLS and without. The call that made it may end before it does.
func TestWebSocket(t *testing.T) {
	plain, secure := httptest.NewServer(http.HandlerFunc(echo)), httptest.NewTLSServer(http.HandlerFunc(echo))
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	for name, d := range map[string]*namespace.Dialer{
		"plain": {Host: strings.TrimPrefix(plain.URL, "http://"), Plain: true, WebSockets: true},
		"TLS":   {Host: strings.TrimPrefix(secure.URL, "https://"), WebSockets: true, CAFile: trust(t, secure)},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(within(t))
			conn, err := d.Dial(ctx)
			cancel()
			if err != nil {
				t.Fatal(err)
			}
			sent := bytes.Repeat([]byte("0123456789"), 20_000)
			got := make([]byte, len(sent))
			done := make(chan error, 1)
			go func() {
				_, err := conn.Write(sent)
				done <- err
			}()
			if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(sent, got) {
				t.Errorf("what was sent came back otherwise: %v", err)
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
			if _, err := conn.Read(got); err == nil {
				t.Error("a closed connection is read")
			}
		})
	}
}

// TestRefused holds the kinds and the words of errors.
func TestRefused(t *testing.T) {
	secure := httptest.NewTLSServer(http.HandlerFunc(echo))
	t.Cleanup(secure.Close)
	nothing := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(nothing.Close)
	other := filepath.Join(t.TempDir(), "other.pem")
	if err := os.WriteFile(other, []byte("not PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(secure.URL, "https://")
	isRoots := func(err error) bool { return errors.As(err, new(*namespace.RootsError)) }
	isStatus := func(err error) bool {
		answered := (*namespace.StatusError)(nil)
		return errors.As(err, &answered) && answered.Status == 404
	}
	always := func(error) bool { return true }
	for _, tt := range []struct {
		name string
		d    namespace.Dialer
		is   func(error) bool
		want string
	}{
		{"unknown certificate", namespace.Dialer{Host: host}, always, "certificate"},
		{"unknown certificate of a WebSocket", namespace.Dialer{Host: host, WebSockets: true}, always, "certificate"},
		{"no file", namespace.Dialer{Host: host, CAFile: filepath.Join(t.TempDir(), "none.pem")}, isRoots, "caFile: open"},
		{"no PEM", namespace.Dialer{Host: host, CAFile: other}, isRoots, "caFile: holds no certificate in PEM"},
		{"no PEM for a WebSocket", namespace.Dialer{Host: host, CAFile: other, WebSockets: true}, isRoots, "no certificate in PEM"},
		{"no WebSocket there", namespace.Dialer{Host: strings.TrimPrefix(nothing.URL, "http://"), Plain: true, WebSockets: true}, isStatus, "the answer is 404 Not Found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := tt.d.Dial(within(t))
			if err == nil {
				conn.Close()
				t.Fatal("it connects")
			}
			if !tt.is(err) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Dial = %v, want %q", err, tt.want)
			}
		})
	}
}

// TestSilent holds that a server which says nothing is left when the context ends.
func TestSilent(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	for _, sockets := range []bool{false, true} {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		d := namespace.Dialer{Host: ln.Addr().String(), WebSockets: sockets}
		if conn, err := d.Dial(ctx); err == nil {
			conn.Close()
			t.Error("it connects")
		}
		cancel()
	}
}
