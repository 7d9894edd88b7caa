package blob_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
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
)

// Azurite, the emulator of Azure Storage, runs once for all tests, on a port of
// its own, with an account of its own whose key is obviously none.
const account = "headgatetest"

var key = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("this is not a key. ", 4)[:64]))

var azurite struct {
	once sync.Once
	url  string // of the account
	cmd  *exec.Cmd
	err  error
	skip string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := stopAzurite(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// useAzurite returns the URL of the account.
func useAzurite(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("installs Azurite from npm")
	}
	azurite.once.Do(func() {
		for _, tool := range []string{"node", "npm"} {
			if _, err := exec.LookPath(tool); err != nil {
				azurite.skip = tool + " is not installed, which Azurite needs"
				return
			}
		}
		azurite.err = startAzurite()
	})
	if azurite.skip != "" {
		t.Skip(azurite.skip)
	}
	if azurite.err != nil {
		t.Fatal(azurite.err)
	}
	return azurite.url
}

// installAzurite returns where it is installed, by the packages' lock: in a
// directory that later runs find.
func installAzurite() (string, error) {
	lock, err := os.ReadFile("testdata/azurite/package-lock.json")
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
	if err := os.CopyFS(fresh, os.DirFS("testdata/azurite")); err != nil {
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

func startAzurite() error {
	dir, err := installAzurite()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	if err != nil {
		return err
	}
	data, err := os.MkdirTemp("", "headgate-blobs-")
	if err != nil {
		return err
	}
	cmd := exec.Command("node", filepath.Join(dir, "node_modules/azurite/dist/src/blob/main.js"), "--silent", "--location", data,
		"--blobHost", "127.0.0.1", "--blobPort", port, "--skipApiVersionCheck", "--disableTelemetry")
	cmd.Env = append(os.Environ(), "AZURITE_ACCOUNTS="+account+":"+key)
	cmd.Dir = data
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return err
	}
	azurite.cmd, azurite.url = cmd, "http://127.0.0.1:"+port+"/"+account
	deadline := time.Now().Add(time.Minute)
	for tick := time.Tick(20 * time.Millisecond); ; <-tick {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("Azurite does not listen: %w\n%s", err, out.String())
		}
	}
}

func stopAzurite() error {
	cmd := azurite.cmd
	if cmd == nil {
		return nil
	}
	defer os.RemoveAll(cmd.Dir)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	defer time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() }).Stop()
	err := cmd.Wait()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return nil // it was told to
	}
	return err
}

var containers atomic.Int32

// newContainer creates one, and returns its URL and a client that owns it.
func newContainer(t testing.TB) (string, *container.Client) {
	t.Helper()
	url := fmt.Sprintf("%s/c%d-%d", useAzurite(t), os.Getpid(), containers.Add(1))
	shared, err := blob.NewSharedKeyCredential(account, key)
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
