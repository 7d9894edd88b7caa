// Package azurite runs Azurite, the emulator of Azure Storage, for tests: one
// process for all tests of a package, from npm, on a loopback port of its own.
package azurite

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/headgate/headgate/gateway/emulator/certificate"
)

// Account is the name of the account that it has.
const Account = "headgatetest"

// Key is the account's, base64 and obviously none.
var Key = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("this is not a key. ", 4)[:64]))

var running struct {
	once    sync.Once
	process *process
	err     error
	skip    string
}

// Main runs the tests of a package that uses Azurite, and then ends it. It
// returns what TestMain is to exit with.
func Main(m *testing.M) int {
	code := m.Run()
	if err := stop(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}

// Use returns the URL of the account. Without npm, and with -short, the test is
// skipped.
func Use(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("installs Azurite from npm")
	}
	running.once.Do(func() {
		for _, tool := range []string{"node", "npm"} {
			if _, err := exec.LookPath(tool); err != nil {
				running.skip = tool + " is not installed, which Azurite needs"
				return
			}
		}
		running.err = start()
	})
	if running.skip != "" {
		t.Skip(running.skip)
	}
	if running.err != nil {
		t.Fatal(running.err)
	}
	return running.process.url
}

//go:embed package.json package-lock.json
var packages embed.FS

// install returns where it is installed, by the packages' lock: in a
// directory that later runs find.
func install() (string, error) {
	lock, err := packages.ReadFile("package-lock.json")
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(lock)
	dir := filepath.Join(os.TempDir(), "headgate-azurite-"+hex.EncodeToString(sum[:6]))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	fresh, err := os.MkdirTemp("", "headgate-azurite-")
	if err != nil {
		return "", err
	}
	if err := os.CopyFS(fresh, packages); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = fresh
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	if err := os.Rename(fresh, dir); err != nil {
		return fresh, nil // another run was faster
	}
	return dir, nil
}

func start() (err error) {
	running.process, err = launch("http")
	return err
}

// process is a running Azurite.
type process struct {
	cmd *exec.Cmd
	url string // of the account
}

// launch starts one, and waits until it listens.
func launch(scheme string, arguments ...string) (*process, error) {
	dir, err := install()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	if err != nil {
		return nil, err
	}
	data, err := os.MkdirTemp("", "headgate-blobs-")
	if err != nil {
		return nil, err
	}
	arguments = append([]string{filepath.Join(dir, "node_modules/azurite/dist/src/blob/main.js"), "--silent", "--location", data,
		"--blobHost", "127.0.0.1", "--blobPort", port, "--skipApiVersionCheck", "--disableTelemetry"}, arguments...)
	cmd := exec.Command("node", arguments...)
	cmd.Env = append(os.Environ(), "AZURITE_ACCOUNTS="+Account+":"+Key)
	cmd.Dir = data
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd, scheme + "://127.0.0.1:" + port + "/" + Account}
	deadline := time.Now().Add(time.Minute)
	for tick := time.Tick(20 * time.Millisecond); ; <-tick {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			return p, conn.Close()
		}
		if time.Now().After(deadline) {
			err = fmt.Errorf("Azurite does not listen: %w", err)
			return nil, errors.Join(err, p.stop(), errors.New(out.String()))
		}
	}
}

// Secure starts one of the test's own, which speaks HTTPS by a certificate that is
// returned, in PEM, and takes tokens of identities besides the key. It returns the
// URL of the account.
func Secure(t testing.TB) (url string, trust []byte) {
	t.Helper()
	Use(t) // which installs it, or skips the test
	c, err := certificate.New()
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(c.Pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := errors.Join(os.WriteFile(certFile, c.PEM, 0o600),
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600)); err != nil {
		t.Fatal(err)
	}
	p, err := launch("https", "--cert", certFile, "--key", keyFile, "--oauth", "basic")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	})
	return p.url, c.PEM
}

func stop() error {
	if running.process == nil {
		return nil
	}
	return running.process.stop()
}

func (p *process) stop() error {
	defer os.RemoveAll(p.cmd.Dir)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return errors.Join(err, p.cmd.Process.Kill(), p.cmd.Wait())
	}
	defer time.AfterFunc(10*time.Second, func() { _ = p.cmd.Process.Kill() }).Stop()
	err := p.cmd.Wait()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return nil // it was told to
	}
	return err
}

var containers atomic.Int32

// Container creates one, and returns its URL and a client that owns it.
func Container(t testing.TB) (string, *container.Client) {
	t.Helper()
	url := fmt.Sprintf("%s/c%d-%d", Use(t), os.Getpid(), containers.Add(1))
	shared, err := blob.NewSharedKeyCredential(Account, Key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := container.NewClientWithSharedKeyCredential(url, shared, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Create(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return url, c
}
