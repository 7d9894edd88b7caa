//go:build linux

package journal_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/journal"
)

// TestWriteError has every write to a file fail beyond a size, with EFBIG, as
// a full disk has it fail with ENOSPC, and lifts that again. It runs in a
// process of its own, whose limit that is.
func TestWriteError(t *testing.T) {
	const inner = "HEADGATE_TEST_WRITE_ERROR"
	if os.Getenv(inner) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestWriteError$", "-test.v")
		cmd.Env = append(os.Environ(), inner+"=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	var unlimited syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &unlimited); err != nil {
		t.Fatal(err)
	}
	limit := func(bytes uint64) func() {
		return func() {
			l := syscall.Rlimit{Cur: min(bytes, unlimited.Max), Max: unlimited.Max}
			if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
				t.Fatal(err)
			}
		}
	}
	surviveWriteErrors(t, t.TempDir(), limit(300<<10), limit(unlimited.Cur), 2)
}

// TestDiskFull fills a real file system, and makes room again.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("headgate-test", dir, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("a file system of its own needs privileges: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	ballast := filepath.Join(dir, "ballast")
	fill := func() {
		f, err := os.Create(ballast)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for err == nil {
			_, err = f.Write(make([]byte, 64<<10))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	free := func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	}
	surviveWriteErrors(t, filepath.Join(dir, "journal"), fill, free, 2)
}

// surviveWriteErrors appends from several goroutines while writes are made to
// fail and to succeed again. It demands that every refusal can be tried again,
// that a reader sees all that was acknowledged, and that a spool and the marks
// keep what they had and take more.
func surviveWriteErrors(t *testing.T, dir string, fail, heal func(), rounds int) {
	failures := &countingHandler{Handler: slog.DiscardHandler, message: "journal: a write failed; reopening the store"}
	j, err := journal.Open(t.Context(), dir, journal.Options{
		ReserveBytes: -1, MaxBytes: 8 << 20, RetainBytes: 1 << 20, Logger: slog.New(failures),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer shut(t, j)
	entries := letters(0, 3, "hub")
	refs, err := j.Retries().Put(t.Context(), entries)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	writing, stop := context.WithCancel(ctx)
	defer stop()

	var acknowledged, seen sync.Map
	var wg, writers sync.WaitGroup
	var read atomic.Uint64
	wg.Go(func() {
		for c, err := range j.Read(ctx, 1) {
			if err != nil {
				t.Errorf("Read: %v", err)
				return
			}
			for _, e := range c.Events {
				seen.Store(e.ID, true)
			}
			read.Store(c.Seq)
		}
	})
	var numbers, taken, refused atomic.Int64
	for range 4 {
		writers.Go(func() {
			for writing.Err() == nil {
				events := numbered(int(numbers.Add(1)), 1, 8<<10)
				_, err := j.Append(writing, events)
				var retry interface{ RetryAfter() time.Duration }
				switch {
				case err == nil:
					acknowledged.Store(events[0].ID, true)
					taken.Add(1)
				case errors.Is(err, context.Canceled):
				case errors.As(err, &retry):
					refused.Add(1)
				default:
					t.Errorf("Append = %v, which cannot be tried again", err)
				}
			}
		})
	}
	wg.Go(func() { // what was read is settled, so that the journal can purge
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			if ctx.Err() != nil {
				return
			}
			err := j.SaveMarks(ctx, []delivery.Mark{{Endpoint: "hub", Low: read.Load() + 1}})
			var retry interface{ RetryAfter() time.Duration }
			if err != nil && ctx.Err() == nil && !errors.As(err, &retry) {
				t.Errorf("SaveMarks = %v, which cannot be tried again", err)
			}
		}
	})
	for range rounds {
		before := taken.Load()
		waitFor(t, func() bool { return taken.Load() > before+50 })
		fail()
		before = failures.n.Load()
		waitFor(t, func() bool { return failures.n.Load() >= before+2 }) // reopened, and failed again
		heal()
		before = taken.Load()
		waitFor(t, func() bool { return taken.Load() > before+50 && j.Healthy() == nil })
	}
	stop()
	writers.Wait()
	last := j.Last()
	waitFor(t, func() bool { return read.Load() >= last })
	cancel()
	wg.Wait()
	lost := 0
	acknowledged.Range(func(id, _ any) bool {
		if _, ok := seen.Load(id); !ok {
			lost++
		}
		return true
	})
	t.Logf("%d acknowledged, %d refused, %d times reopened", taken.Load(), refused.Load(), failures.n.Load())
	if lost > 0 {
		t.Errorf("%d acknowledged events were never read", lost)
	}
	got := live(t, j.Retries())
	for i, ref := range refs {
		if got[ref].Delivery.Event.ID != entries[i].Delivery.Event.ID {
			t.Errorf("entry %v is gone", ref)
		}
	}
	more, err := j.Retries().Put(t.Context(), letters(10, 1, "hub"))
	if err != nil || len(live(t, j.Retries())) != 4 {
		t.Errorf("Put = %v, %v; %d entries, want 4", more, err, j.Retries().Len())
	}
}

// countingHandler counts the log records with a message.
type countingHandler struct {
	slog.Handler
	message string
	n       atomic.Int64
}

func (h *countingHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h *countingHandler) Handle(_ context.Context, r slog.Record) error {
	if r.Message == h.message {
		h.n.Add(1)
	}
	return nil
}

func TestReserve(t *testing.T) {
	dir := t.TempDir()
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	j := open(t, dir, journal.Options{ReserveBytes: int64(st.Bavail) * int64(st.Bsize) * 2})
	_, err := j.Append(t.Context(), numbered(0, 1, 0))
	var retry interface{ RetryAfter() time.Duration }
	if !errors.Is(err, journal.ErrDiskFull) || !errors.As(err, &retry) || retry.RetryAfter() <= 0 {
		t.Errorf("Append = %v, want ErrDiskFull with RetryAfter", err)
	}
	if err := j.Healthy(); !errors.Is(err, journal.ErrDiskFull) {
		t.Errorf("Healthy = %v, want ErrDiskFull", err)
	}
	if _, err := j.Retries().Put(t.Context(), letters(0, 1, "hub")); err != nil {
		t.Errorf("Put = %v: the reserve is for what was accepted already", err)
	}
	if err := j.SaveMarks(t.Context(), nil); err != nil {
		t.Errorf("SaveMarks = %v", err)
	}
}
