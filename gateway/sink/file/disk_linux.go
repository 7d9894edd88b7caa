package file

import (
	"os"
	"syscall"
)

// flush makes what was written durable, with the length but without the times.
func flush(f *os.File) error {
	for {
		err := syscall.Fdatasync(int(f.Fd()))
		if err != syscall.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
