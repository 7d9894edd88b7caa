package auth_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

func TestReadToken(t *testing.T) {
	tests := []struct {
		name, text string
		mode       os.FileMode
		want       string
		warns      bool
		fault      string
	}{
		{"a line", "0123456789abcdef\n", 0o600, "0123456789abcdef", false, ""},
		{"blanks around it", "  0123456789abcdef\r\n\n", 0o600, "0123456789abcdef", false, ""},
		{"readable by others", "0123456789abcdef", 0o644, "0123456789abcdef", true, ""},
		{"short", "0123456789abcde", 0o600, "", false, "openssl"},
		{"empty", "\n", 0o600, "", false, "0 characters"},
		{"two lines", "0123456789abcdef\n0123456789abcdef\n", 0o600, "", false, "one line"},
		{"two words", "0123456789 abcdef", 0o600, "", false, "one word"},
		{"not ASCII", "0123456789abcdéf", 0o600, "", false, "ASCII"},
		{"huge", strings.Repeat("x", 5000), 0o600, "", false, "one line"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(path, []byte(tt.text), tt.mode); err != nil {
				t.Fatal(err)
			}
			got, warning, err := auth.ReadToken(path)
			if got != tt.want || (warning != "") != tt.warns || (err != nil) != (tt.fault != "") {
				t.Fatalf("ReadToken = %q, %q, %v", got, warning, err)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.fault) || strings.Contains(err.Error(), "abcde")) {
				t.Errorf("error %q, want one with %q and without the token", err, tt.fault)
			}
		})
	}
	if _, _, err := auth.ReadToken(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("ReadToken of no file succeeds")
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
