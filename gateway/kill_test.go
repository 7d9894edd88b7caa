package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway"
	"github.com/headgate/headgate/gateway/config"
	"github.com/headgate/headgate/gateway/sink/blob/azurite"
)

// killDir, in the environment, makes this test binary a gateway that is to be
// killed.
const killDir = "HEADGATE_TEST_KILL_DIR"

func TestMain(m *testing.M) {
	dir := os.Getenv(killDir)
	if dir == "" {
		os.Exit(azurite.Main(m))
	}
	cfg, err := config.Load(config.Sources{Env: os.LookupEnv, Flags: map[string]string{"data": dir, "listen": "127.0.0.1:0"}})
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		context.AfterFunc(ctx, stop)
		err = gateway.Run(ctx, cfg, os.Stdout, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child is a gateway in a process of its own.
type child struct {
	cmd *exec.Cmd
	url string
}

// startChild starts a gateway in dir, with settings such as
// "HEADGATE_DRAIN_TIMEOUT=1s".
func startChild(t testing.TB, dir string, settings ...string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), killDir+"="+dir), settings...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: cmd}
	t.Cleanup(c.kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("the gateway printed %q, %v", line, err)
	}
	c.url = url
	return c
}

func (c *child) kill() {
	if c.cmd.ProcessState == nil {
		c.cmd.Process.Kill()
		c.cmd.Wait()
	}
}

// terminate asks the gateway to end, and returns how long that took. It must
// end with status 0.
func (c *child) terminate(t testing.TB) time.Duration {
	t.Helper()
	start := time.Now()
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM the gateway ends with %v, want status 0", err)
	}
	return time.Since(start)
}

func (c *child) request(method, path, contentType, body string) error {
	req, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %d %s", method, path, resp.StatusCode, answer)
	}
	return err
}

// TestKill kills a gateway at any moment, many times, and holds it to its
// promise: what was answered 202 is delivered, whatever happened since. The
// number of kills is HEADGATE_TEST_KILLS, by default 10.
func TestKill(t *testing.T) {
	kills, _ := strconv.Atoi(os.Getenv("HEADGATE_TEST_KILLS"))
	if kills == 0 {
		kills = 10
	}
	dir, out := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "out.ndjson")
	var mu sync.Mutex
	ledger := map[string]bool{} // acknowledged
	next := 0

	c := startChild(t, dir)
	must := func(path, body string) {
		t.Helper()
		if err := c.request(http.MethodPut, path, "application/json", body); err != nil {
			t.Fatal(err)
		}
	}
	must("/api/v1/endpoints/out", fmt.Sprintf(`{"kind":"file","settings":{"path":%q}}`, out))
	must("/api/v1/routes/r", `{"endpointName":"out"}`)
	for range kills {
		var senders sync.WaitGroup
		for sender := range 4 {
			senders.Go(func() {
				for {
					mu.Lock()
					first, n := next, 1+sender*7
					next += n
					mu.Unlock()
					var events, sent []string
					for i := range n {
						id := fmt.Sprint(first + i)
						events, sent = append(events, update(id, fmt.Sprint("twin-", i%5), "/x", id)), append(sent, id)
					}
					if err := c.request(http.MethodPost, "/events", "application/cloudevents-batch+json", "["+strings.Join(events, ",")+"]"); err != nil {
						return // it was killed
					}
					mu.Lock()
					for _, id := range sent {
						ledger[id] = true
					}
					mu.Unlock()
				}
			})
		}
		<-time.After(time.Duration(20+rand.IntN(300)) * time.Millisecond)
		c.kill()
		senders.Wait()
		c = startChild(t, dir)
	}
	t.Logf("%d events acknowledged over %d kills", len(ledger), kills)
	got := map[string]int{}
	eventually(t, "all acknowledged events", func() bool {
		clear(got)
		for _, e := range readLines(t, out) {
			got[e["id"].(string)]++
		}
		for id := range ledger {
			if got[id] == 0 {
				return false
			}
		}
		return true
	})
	repeated := 0
	for _, n := range got {
		if n > 1 {
			repeated++
		}
	}
	t.Logf("%d events are in the file, %d of them more than once", len(got), repeated)
}
