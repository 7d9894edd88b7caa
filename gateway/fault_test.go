//go:build linux

package gateway_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"github.com/headgate/headgate/gateway"
	"github.com/headgate/headgate/gateway/journal"
)

// disk is a small file system of a test's own.
type disk struct {
	t   *testing.T
	dir string
}

// onOwnDisk runs fn over a disk of the given size, in a process and a mount
// namespace of their own.
func onOwnDisk(t *testing.T, size string, fn func(*disk)) {
	const inner = "HEADGATE_TEST_DISK"
	if dir := os.Getenv(inner); dir != "" {
		// Nothing that is mounted here is to be seen outside.
		if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount("headgate-test", dir, "tmpfs", 0, "size="+size); err != nil {
			t.Fatal(err)
		}
		fn(&disk{t, dir})
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), inner+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if uid := os.Getuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EINVAL):
		t.Skipf("this machine gives no file system of one's own: %v", err)
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	case testing.Verbose():
		t.Logf("%s", out)
	}
}

// fill leaves so many bytes of the disk free.
func (d *disk) fill(leave int64) {
	d.t.Helper()
	f, err := os.OpenFile(filepath.Join(d.dir, "ballast"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 16<<10)
	for err == nil && d.free() > leave {
		_, err = f.Write(block)
	}
	if err != nil && !errors.Is(err, syscall.ENOSPC) {
		d.t.Fatal(err)
	}
}

func (d *disk) empty() {
	d.t.Helper()
	if err := os.Remove(filepath.Join(d.dir, "ballast")); err != nil {
		d.t.Fatal(err)
	}
}

func (d *disk) free() int64 {
	d.t.Helper()
	var st syscall.Statfs_t
	if err := syscall.Statfs(d.dir, &st); err != nil {
		d.t.Fatal(err)
	}
	return int64(st.Bavail) * st.Bsize
}

// stream sends numbered events from several senders until it is stopped, and
// keeps the ledger of what was acknowledged.
type stream struct {
	url     string
	next    atomic.Int64
	refused atomic.Int64
	stopped atomic.Bool
	senders sync.WaitGroup

	mu     sync.Mutex // guards what follows
	acked  map[string]bool
	reason string // of the latest refusal
	faults []string
}

func startStream(url string, senders int) *stream {
	s := &stream{url: url, acked: map[string]bool{}}
	for range senders {
		s.senders.Go(func() {
			for !s.stopped.Load() {
				s.send()
			}
		})
	}
	return s
}

func (s *stream) send() {
	var ids, events []string
	for range 10 {
		n := s.next.Add(1)
		ids = append(ids, fmt.Sprint(n))
		events = append(events, update(fmt.Sprint(n), fmt.Sprint("twin-", n%20), "/x", fmt.Sprint(n)))
	}
	resp, err := http.Post(s.url+"/events", "application/cloudevents-batch+json", strings.NewReader("["+strings.Join(events, ",")+"]"))
	if err != nil {
		s.fault(err.Error())
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case resp.StatusCode == http.StatusAccepted:
		for _, id := range ids {
			s.acked[id] = true
		}
	case resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") != "":
		s.refused.Add(1)
		s.reason = string(body)
	default:
		s.faults = append(s.faults, fmt.Sprintf("%d %v %s", resp.StatusCode, resp.Header, body))
	}
}

func (s *stream) fault(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, text)
}

func (s *stream) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.acked)
}

func (s *stream) refusal() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason
}

// stop ends the senders, and reports what was answered in no way that they
// may expect.
func (s *stream) stop(t *testing.T) {
	t.Helper()
	s.stopped.Store(true)
	s.senders.Wait()
	if len(s.faults) > 0 {
		t.Errorf("%d requests were answered neither 202 nor 503 with Retry-After; the first: %s", len(s.faults), s.faults[0])
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

// TestDiskFull fills the disk under a gateway, first down to the reserve and
// then to the last byte.
func TestDiskFull(t *testing.T) {
	onOwnDisk(t, "64m", func(d *disk) {
		settings := []string{"HEADGATE_DISK_RESERVE=8MiB", "HEADGATE_JOURNAL_RETAIN_SIZE=0", "HEADGATE_JOURNAL_MAX_SIZE=64MiB"}
		testFullDisk(t, d.dir, settings, []fault{
			{"down to the reserve", func(*child) { d.fill(6 << 20) }, func(*child) { d.empty() }},
			{"to the last byte", func(*child) { d.fill(0) }, func(*child) { d.empty() }},
		})
	})
}

// TestFileSizeLimit does the same by a limit on the size of files, which takes
// no privileges: every write beyond it fails.
func TestFileSizeLimit(t *testing.T) {
	limit := func(bytes uint64) func(*child) {
		return func(c *child) {
			var old syscall.Rlimit
			c.limitFiles(t, nil, &old)
			c.limitFiles(t, &syscall.Rlimit{Cur: min(bytes, old.Max), Max: old.Max}, nil)
		}
	}
	testFullDisk(t, t.TempDir(), []string{"HEADGATE_DISK_RESERVE=0", "HEADGATE_JOURNAL_RETAIN_SIZE=0"}, []fault{
		{"64 KiB", limit(64 << 10), limit(1<<64 - 1)},
		{"nothing", limit(0), limit(1<<64 - 1)},
	})
}

func init() {
	if os.Getenv(killDir) != "" {
		signal.Ignore(syscall.SIGXFSZ) // which would end the process at the limit
	}
}

// limitFiles sets and gets the limit on the size of files that c writes.
func (c *child) limitFiles(t *testing.T, set, get *syscall.Rlimit) {
	t.Helper()
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(c.cmd.Process.Pid), syscall.RLIMIT_FSIZE,
		uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(get)), 0, 0)
	if errno != 0 {
		t.Fatalf("prlimit: %v", errno)
	}
}

// fault is a way to take the disk from a gateway, and to give it back.
type fault struct {
	name       string
	fail, heal func(*child)
}

// testFullDisk lets events flow into a gateway in dir, and takes the disk from
// it. Numbered claims:
//
//  1. senders are answered 202, or 503 with Retry-After and the reason, and nothing else;
//  2. a change of the catalog is made, or is refused and leaves it as it was;
//  3. once there is room again it goes on by itself;
//  4. everything acknowledged is delivered, to a file on the same disk, and
//     the directory opens again.
func testFullDisk(t *testing.T, dir string, settings []string, faults []fault) {
	data, out := filepath.Join(dir, "data"), filepath.Join(dir, "out.ndjson")
	c := startChild(t, data, settings...)
	put(t, c, "/endpoints/out", fmt.Sprintf(`{"kind":"file","settings":{"path":%q},"delivery":{"maxBackoff":"1s"}}`, out))
	put(t, c, "/routes/all", `{"endpointName":"out"}`)
	for i, f := range faults {
		s := startStream(c.url, 2)
		eventually(t, "events", func() bool { return s.count() > 300 })
		f.fail(c)
		eventually(t, "refusals", func() bool { return s.refused.Load() > 20 })
		eventually(t, "readyz to say so", func() bool {
			status, text := get(t, c.url+"/readyz")
			return status == http.StatusServiceUnavailable && text != ""
		})
		requireStored(t, c, i)
		before := s.count()
		f.heal(c)
		eventually(t, "events again", func() bool { return s.count() > before+100 })
		eventually(t, "readiness", func() bool { status, _ := get(t, c.url+"/readyz"); return status == http.StatusOK })
		s.stop(t)
		t.Logf("%s: %d events acknowledged, %d requests refused: %s", f.name, s.count(), s.refused.Load(), s.reason)
		requireDelivered(t, out, s)
		if err := os.Truncate(out, 0); err != nil {
			t.Fatal(err)
		}
	}
	c.terminate(t)
	c = startChild(t, data, settings...)
	if status, text := get(t, c.url+"/api/v1/routes/all"); status != http.StatusOK {
		t.Errorf("after a restart the route is %d %s", status, text)
	}
	c.terminate(t)
}

func put(t *testing.T, c *child, path, body string) {
	t.Helper()
	if err := c.request(http.MethodPut, "/api/v1"+path, "application/json", body); err != nil {
		t.Fatal(err)
	}
}

// requireStored changes the catalog on a full disk: either the change is there
// afterwards, or it was refused with a reason and is not.
func requireStored(t *testing.T, c *child, round int) {
	t.Helper()
	for i := range 5 {
		path := fmt.Sprintf("/api/v1/routes/extra-%d-%d", round, i)
		err := c.request(http.MethodPut, path, "application/json", `{"endpointName":"out","filter":"id = 'none'"}`)
		status, text := get(t, c.url+path)
		if (err == nil) != (status == http.StatusOK) {
			t.Errorf("PUT %s: %v; afterwards it is %d %s", path, err, status, text)
		}
		if err != nil && !strings.Contains(err.Error(), "space") {
			t.Errorf("PUT %s: %v, which does not say that there is no space", path, err)
		}
	}
}

func requireDelivered(t *testing.T, path string, s *stream) {
	t.Helper()
	eventually(t, "all acknowledged events", func() bool {
		got := map[string]bool{}
		for _, e := range readLines(t, path) {
			got[e["id"].(string)] = true
		}
		for id := range s.acked {
			if !got[id] {
				return false
			}
		}
		return true
	})
}

// TestFullJournal has an endpoint that takes nothing until the journal is
// full of what it is owed.
func TestFullJournal(t *testing.T) {
	var down atomic.Bool
	down.Store(true)
	var mu sync.Mutex
	got := map[string]bool{}
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			http.Error(w, "closed for repair", http.StatusForbidden)
			return
		}
		var events []struct{ ID string }
		if err := json.NewDecoder(r.Body).Decode(&events); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		for _, e := range events {
			got[e.ID] = true
		}
	}))
	defer hook.Close()
	s := startWith(t, gateway.Options{Dir: t.TempDir(), Journal: journal.Options{MaxBytes: 1 << 20, ReserveBytes: -1, RetainBytes: -1}})
	s.put("/endpoints/hook", fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q,"mode":"batch"},"delivery":{"initialBackoff":"100ms","maxBackoff":"200ms"}}`, hook.URL))
	s.put("/routes/all", `{"endpointName":"hook"}`)
	flow := startStream(s.http.URL, 2)
	eventually(t, "refusals", func() bool { return flow.refused.Load() > 20 })
	if reason := flow.refusal(); !strings.Contains(reason, "journal is full") {
		t.Errorf("the refusal is %s, want that the journal is full", reason)
	}
	if status, text := s.do(http.MethodGet, "/readyz", "", ""); status != http.StatusServiceUnavailable || !strings.Contains(text, "journal is full") {
		t.Errorf("readyz = %d %s", status, text)
	}
	if text := s.must(http.MethodGet, "/api/v1/status", "", ""); !strings.Contains(text, "journal is full") || !strings.Contains(text, "closed for repair") {
		t.Errorf("status = %s, want that the journal is full and what the endpoint says", text)
	}
	before := flow.count()
	down.Store(false)
	eventually(t, "events again", func() bool { return flow.count() > before+100 })
	flow.stop(t)
	eventually(t, "all acknowledged events", func() bool {
		mu.Lock()
		defer mu.Unlock()
		for id := range flow.acked {
			if !got[id] {
				return false
			}
		}
		return true
	})
	eventually(t, "readiness", func() bool { status, _ := s.do(http.MethodGet, "/readyz", "", ""); return status == http.StatusOK })
}
