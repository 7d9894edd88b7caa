package auth_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/auth"
)

func TestCheckListen(t *testing.T) {
	tests := []struct {
		addr     string
		hasToken bool
		ok       bool
	}{
		{"127.0.0.1:8080", false, true},
		{"127.9.9.9:0", false, true},
		{"[::1]:8080", false, true},
		{"[::ffff:127.0.0.1]:8080", false, true},
		{"localhost:8080", false, true},
		{":8080", false, false},
		{"0.0.0.0:8080", false, false},
		{"[::]:8080", false, false},
		{"10.0.0.7:8080", false, false},
		{"gateway.example:8080", false, false},
		{"127.0.0.1.evil.example:8080", false, false},
		{":8080", true, true},
		{"0.0.0.0:8080", true, true},
		{"8080", true, false},
		{"127.0.0.1", false, false},
	}
	for _, tt := range tests {
		err := auth.CheckListen(tt.addr, tt.hasToken)
		if (err == nil) != tt.ok {
			t.Errorf("CheckListen(%q, %v) = %v, want ok %v", tt.addr, tt.hasToken, err, tt.ok)
		}
		if err != nil && !tt.hasToken && strings.Contains(tt.addr, "]:") && !strings.Contains(err.Error(), "--token-file") {
			t.Errorf("CheckListen(%q) does not say how to go on: %v", tt.addr, err)
		}
	}
}

// TestNewServerLimitsHeaders sends a header without end.
func TestNewServerLimitsHeaders(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := auth.NewServer(http.NotFoundHandler())
	if server.ReadHeaderTimeout <= 0 || server.ReadTimeout <= 0 || server.WriteTimeout <= 0 || server.IdleTimeout <= 0 {
		t.Errorf("a limit on time is missing: %+v", server)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nBig: %s\r\n\r\n", strings.Repeat("x", 80<<10))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Fatalf("a header of 80 KiB is answered %v, %v; want 431", resp, err)
	}
}

// TestLimitListener holds more connections than are let in at once.
func TestLimitListener(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	limited := auth.LimitListener(listener, 2)
	dial := func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	accept := func() net.Conn {
		t.Helper()
		c, err := limited.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	dial()
	dial()
	first, second := accept(), accept()
	dial()
	third := make(chan net.Conn)
	go func() {
		c, _ := limited.Accept()
		third <- c
	}()
	select {
	case <-third:
		t.Fatal("a third connection was let in")
	case <-time.After(50 * time.Millisecond):
	}
	first.Close()
	first.Close() // counts once
	c := <-third
	if c == nil {
		t.Fatal("no connection was let in after one was closed")
	}
	go func() {
		_, err := limited.Accept()
		if err == nil {
			t.Error("Accept after Close succeeds")
		}
		close(third)
	}()
	limited.Close()
	<-third
	second.Close()
	c.Close()
}
