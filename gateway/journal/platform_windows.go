package journal

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// sharingViolation is what a second exclusive open of a file answers.
const sharingViolation = syscall.Errno(32)

// lockFile takes the lock of a data directory, which ends with the process at
// the latest: the file is open to nobody else.
func lockFile(path, dir string) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, sharingViolation) {
		return nil, fmt.Errorf("data directory %s is in use by another headgate; stop it, or give this one a directory of its own", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return os.NewFile(uintptr(h), path), nil
}

// freeBytes is what this process may still write to dir's disk.
func freeBytes(dir string) (uint64, error) {
	name, err := syscall.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var free uint64
	proc := syscall.NewLazyDLL("kernel32.dll").NewProc("GetDiskFreeSpaceExW")
	if ok, _, err := proc.Call(uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(&free)), 0, 0); ok == 0 {
		return 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	return free, nil
}

// syncDir does nothing: Windows keeps renames durable by itself.
func syncDir(string) error { return nil }
