package file_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/headgate/headgate/gateway/delivery"
)

// again names the variable by which a test runs once more as a child process.
const again = "HEADGATE_FILE_TEST_DIR"

// child prepares this test to run again, with dir in the variable.
func child(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), again+"="+dir)
	return cmd
}

// TestFullDisk fills a small disk of its own, which takes a namespace of its own.
func TestFullDisk(t *testing.T) {
	if dir := os.Getenv(again); dir != "" {
		check(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"))
		fullDisk(t, dir)
		return
	}
	cmd := child(t, t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	switch out, err := cmd.CombinedOutput(); {
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EINVAL):
		t.Skipf("this machine gives no namespace of one's own: %v", err)
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	}
}

func fullDisk(t *testing.T, dir string) {
	path := filepath.Join(dir, "x.ndjson")
	s := open(t, path)
	big := sample("big")
	big.Event.Data = []byte(`"` + strings.Repeat("x", 30_000) + `"`)
	taken := 0
	for ; ; taken++ {
		before, err := os.Stat(path)
		if err == nil && before.Size() > 1<<20 {
			t.Fatal("the disk is not as small as was asked for")
		}
		out := s.Send(t.Context(), []delivery.Delivery{big, big})
		if out[0].Blame == delivery.None {
			continue
		}
		if out[0].Blame != delivery.Nobody || !errors.Is(out[0].Err, syscall.ENOSPC) || len(out) != 2 {
			t.Fatalf("outcome = %v (%s), want transient for want of space", out[0].Blame, out[0].Reason())
		}
		after, err := os.Stat(path)
		check(t, err)
		if after.Size() != before.Size() {
			t.Errorf("file grew from %d to %d bytes though nothing was taken", before.Size(), after.Size())
		}
		break
	}
	if got := len(read(t, path)); got != 2*taken || taken == 0 {
		t.Errorf("file holds %d events, want %d", got, 2*taken)
	}
	check(t, os.Rename(path, path+".1"))
	check(t, os.Truncate(path+".1", 0)) // an operator made room
	send(t, s, delivery.None, "after")
	if got := read(t, path); len(got) != 1 || got[0].ID != "after" {
		t.Errorf("file holds %d events, want the one after", len(got))
	}
}

// TestKill ends a writing process by SIGKILL, several times over: every event
// that it reported as delivered is in the file, each line is whole, and none is
// out of order.
func TestKill(t *testing.T) {
	if dir := os.Getenv(again); dir != "" {
		writeForEver(t, dir)
		return
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "x.ndjson")
	reported := 0
	for range 5 {
		cmd := child(t, dir)
		cmd.Env = append(cmd.Env, fmt.Sprintf("FIRST=%d", reported+1))
		out, err := cmd.StdoutPipe()
		check(t, err)
		check(t, cmd.Start())
		lines := bufio.NewScanner(out)
		for n := 0; n < 30 && lines.Scan(); {
			if id, ok := strings.CutPrefix(lines.Text(), "delivered "); ok {
				reported, err = strconv.Atoi(id)
				check(t, err)
				n++
			}
		}
		check(t, cmd.Process.Kill())
		_, _ = io.Copy(io.Discard, out) // what came after is not relied on
		_ = cmd.Wait()                  // it was killed
	}
	s := open(t, path) // as a restarted gateway does
	send(t, s, delivery.None, strconv.Itoa(reported+1))
	last := 0
	for _, e := range read(t, path) {
		id, err := strconv.Atoi(e.ID)
		check(t, err)
		if id > last+1 {
			t.Fatalf("event %d follows event %d", id, last)
		}
		last = id
	}
	if last != reported+1 {
		t.Errorf("the last event is %d, want %d", last, reported+1)
	}
}

// writeForEver sends batches of 7 events, numbered from FIRST, and reports the last of each.
func writeForEver(t *testing.T, dir string) {
	s := open(t, filepath.Join(dir, "x.ndjson"))
	first, err := strconv.Atoi(os.Getenv("FIRST"))
	check(t, err)
	for {
		var ids []string
		for range 7 {
			ids = append(ids, strconv.Itoa(first))
			first++
		}
		send(t, s, delivery.None, ids...)
		fmt.Printf("delivered %d\n", first-1)
	}
}
