package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/npmtest"
)

// process is a headgate of its own.
type process struct {
	cmd    *exec.Cmd
	url    string
	stderr bytes.Buffer
}

// command is one to be run in dir, with nothing of headgate in its environment
// but env.
func command(t *testing.T, dir string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Dir = dir
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "HEADGATE_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(append(cmd.Env, asHeadgate+"=1"), env...)
	return cmd
}

// serveIn starts a server and waits until it says that it listens.
func serveIn(t *testing.T, dir string, env []string, args ...string) *process {
	t.Helper()
	p := &process{cmd: command(t, dir, env, append([]string{"serve"}, args...)...)}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			p.cmd.Process.Kill()
			p.cmd.Wait()
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, ok := strings.CutPrefix(line, "listening on ")
	if err != nil || !ok {
		t.Fatalf("the server says %q, %v", line, err)
	}
	p.url = strings.TrimSuffix(url, "\n")
	return p
}

// terminate ends the server as an operator does; it must end with status 0.
func (p *process) terminate(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM the server ends with %v, want status 0; stderr:\n%s", err, p.stderr.String())
	}
}

// TestServeRefuses starts servers that must not start, beside one that runs.
func TestServeRefuses(t *testing.T) {
	dir := t.TempDir()
	running := serveIn(t, dir, nil, "--data", "taken", "--listen", "127.0.0.1:0")
	address := strings.TrimPrefix(running.url, "http://")
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("unknown.yml", "listen: 127.0.0.1:0\nlisten-to: me\n")
	write("words", "two words\n")
	write("empty", "\n")
	const free = "127.0.0.1:0"
	tests := []struct {
		name   string
		env    []string
		args   []string
		status int
		says   []string
	}{
		{"open to others", nil, []string{"--listen", "0.0.0.0:0"}, 2, []string{"--token-file", "HEADGATE_TOKEN", "127.0.0.1"}},
		{"open to others, by a name", []string{"HEADGATE_LISTEN=:0"}, nil, 2, []string{"HEADGATE_LISTEN", "--token-file"}},
		{"no port", nil, []string{"--listen", "localhost"}, 2, []string{"--listen", "HOST:PORT"}},
		{"port in use", nil, []string{"--data", "other", "--listen", address}, 1, []string{address, "--listen"}},
		{"data in use", nil, []string{"--data", "taken", "--listen", free}, 1, []string{"taken", "in use"}},
		{"data that is a file", nil, []string{"--data", "words", "--listen", free}, 1, []string{"words"}},
		{"no such flag", nil, []string{"--lisen", free}, 2, []string{"--lisen"}},
		{"no such key", nil, []string{"--config", "unknown.yml"}, 2, []string{"unknown.yml:2", "listen-to"}},
		{"no such file", []string{"HEADGATE_CONFIG=none.yml"}, nil, 2, []string{"none.yml"}},
		{"no such token file", nil, []string{"--token-file", "none"}, 2, []string{"--token-file", "none"}},
		{"a token of two words", nil, []string{"--token-file", "words"}, 2, []string{"words", "token"}},
		{"a token of none", nil, []string{"--token-file", "empty"}, 2, []string{"empty", "token"}},
		{"a certificate without its key", nil, []string{"--tls-cert", "words"}, 2, []string{"--tls-key"}},
		{"no certificate", nil, []string{"--data", "other", "--listen", free, "--tls-cert", "words", "--tls-key", "words"}, 1, []string{"tls-cert"}},
		{"an argument", nil, []string{"now"}, 2, []string{"now"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := command(t, dir, tt.env, append([]string{"serve"}, tt.args...)...).CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != tt.status {
				t.Errorf("ends with %v, want status %d", err, tt.status)
			}
			for _, words := range tt.says {
				if !strings.Contains(string(out), words) {
					t.Errorf("says %q, want it to name %q", out, words)
				}
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "other")); err == nil {
		t.Error("a server that did not start made its data directory")
	}
	running.terminate(t)
}

// TestServeSettings starts a server by flag, environment and file at once, and
// shows it its token in each of the four forms.
func TestServeSettings(t *testing.T) {
	dir := t.TempDir()
	trust := certificate(t, dir)
	const token = "s3cret"
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := "listen: 127.0.0.1:1\ndata: from-file\ntls-cert: cert.pem\ntls-key: key.pem\ntoken-file: token\njournal-max-size: 64MiB\n"
	if err := os.WriteFile(filepath.Join(dir, "headgate.yml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	p := serveIn(t, dir, []string{"HEADGATE_LISTEN=127.0.0.1:2", "HEADGATE_DATA=from-environment", "HEADGATE_CONFIG=headgate.yml"}, "--listen", "127.0.0.1:0")
	if !strings.HasPrefix(p.url, "https://127.0.0.1:") || strings.HasSuffix(p.url, ":0") {
		t.Errorf("listening on %q", p.url)
	}
	if _, err := os.Stat(filepath.Join(dir, "from-environment", "catalog.db")); err != nil {
		t.Error(err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}}}
	defer client.CloseIdleConnections()
	do := func(method, path, body string, header ...string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, p.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp
	}
	login := do("POST", "/api/v1/session", fmt.Sprintf(`{"token":%q}`, token))
	cookies := login.Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || !cookies[0].Secure || strings.Contains(cookies[0].Value, token) {
		t.Fatalf("cookies %v", cookies)
	}
	const topic, hook = "/api/events?api-version=2018-01-01", "/webhooks/eventgrid"
	for _, tt := range []struct {
		method, path string
		header       []string
		status       int
	}{
		{"GET", "/healthz", nil, 200},
		{"GET", "/readyz", nil, 200},
		{"GET", "/metrics", nil, 401},
		{"GET", "/metrics", []string{"Authorization", "Bearer " + token}, 200},
		{"GET", "/api/v1/routes", nil, 401},
		{"GET", "/api/v1/routes", []string{"Authorization", "Bearer wrong"}, 401},
		{"GET", "/api/v1/routes", []string{"Authorization", "bearer " + token}, 200},
		{"GET", "/api/v1/routes", []string{"aeg-sas-key", token}, 401},
		{"GET", "/api/v1/routes?code=" + token, nil, 401},
		{"GET", "/api/v1/routes", []string{"Cookie", cookies[0].Name + "=" + cookies[0].Value}, 200},
		{"GET", "/api/v1/routes", []string{"Cookie", cookies[0].Name + "=" + token}, 401},
		{"POST", topic, nil, 401},
		{"POST", topic, []string{"aeg-sas-key", token}, 200},
		{"POST", topic, []string{"aeg-sas-key", "wrong"}, 401},
		{"POST", hook, nil, 401},
		{"POST", hook + "?code=" + token, nil, 200},
		{"OPTIONS", hook + "?code=" + token, []string{"WebHook-Request-Origin", "eventgrid.azure.net"}, 200},
		{"OPTIONS", hook + "?code=wrong", []string{"WebHook-Request-Origin", "eventgrid.azure.net"}, 401},
		{"GET", "/nothing", nil, 401},
	} {
		if resp := do(tt.method, tt.path, "[]", tt.header...); resp.StatusCode != tt.status {
			t.Errorf("%s %s %v: %s, want %d", tt.method, tt.path, tt.header, resp.Status, tt.status)
		}
	}
	p.terminate(t)
	if strings.Contains(p.stderr.String(), token) {
		t.Errorf("the log tells the token:\n%s", p.stderr.String())
	}
}

// TestServeToAzureClients has Microsoft's own JavaScript clients, unmodified,
// manage the routes and endpoints of a server as an operator starts it;
// testdata/adtclient/main.js of package adt asserts.
func TestServeToAzureClients(t *testing.T) {
	dir := t.TempDir()
	certificate(t, dir)
	const token = "not-a-token"
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := serveIn(t, dir, nil, "--data", "data", "--listen", "127.0.0.1:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem", "--token-file", "token")
	ca := filepath.Join(dir, "cert.pem")
	for _, args := range [][]string{
		{"put", "endpoint", "hub", "--kind", "file", "--set", "path=" + filepath.Join(dir, "hub.ndjson")},
		{"put", "route", "planted", "--endpoint", "hub", "--filter", "type = 'a'", "--disabled"},
	} {
		out, err := command(t, dir, []string{"HEADGATE_TOKEN=" + token}, append(args, "--server", p.url, "--ca-file", ca)...).CombinedOutput()
		if err != nil {
			t.Fatalf("headgate %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	npmtest.Run(t, "../../gateway/adt/testdata/adtclient", []string{"NODE_EXTRA_CA_CERTS=" + ca}, p.url, token,
		"Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=rule;SharedAccessKey=bm90IGEga2V5;EntityPath=twins")
	p.terminate(t)
}

// certificate writes cert.pem and key.pem for this machine to dir, and returns
// what trusts them.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	trust := x509.NewCertPool()
	trust.AddCert(parsed)
	return trust
}
