//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package file

import (
	"context"
	"os"
	"syscall"
	"time"
)

// Waits between two looks at a lock that another writer holds, for one flush
// as a rule.
const (
	firstWait = time.Millisecond
	maxWait   = 20 * time.Millisecond
)

// lock takes the file's lock, which another sink of this process or another
// process may hold, or gives up when ctx ends.
func lock(ctx context.Context, f *os.File) error {
	for wait := firstWait; ; wait = min(2*wait, maxWait) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch err {
		case nil:
			return nil
		case syscall.EINTR:
			continue
		case syscall.EWOULDBLOCK:
		case syscall.ENOTSUP, syscall.ENOSYS, syscall.ENOLCK:
			return nil // a file system without locks: appending is all that keeps writers apart
		default:
			return os.NewSyscallError("flock", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}

// unlock gives up what lock took.
func unlock(f *os.File) { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
