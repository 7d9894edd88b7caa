package workbench_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/workbench"
)

func TestWatch(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	writeFile(t, file("main.go"), "package main\n")
	writeFile(t, file("testdata/a/in.json"), "{}")

	ctx, cancel := context.WithCancel(t.Context())
	changes, ended := make(chan struct{}), make(chan error)
	w := workbench.Watch(dir)
	go func() { ended <- w.Run(ctx, 2*time.Millisecond, func() { changes <- struct{}{} }) }()
	for _, change := range []func(){
		func() { writeFile(t, file("main.go"), "package main\n\nfunc main() {}\n") },
		func() { writeFile(t, file("more.go"), "package main\n") },
		func() { writeFile(t, file("testdata/a/in.json"), "[]   ") },
		func() { os.Remove(file("more.go")) },
	} {
		// What does not count is written first, so that it would be seen first.
		writeFile(t, file("out.wasm"), time.Now().String())
		writeFile(t, file(".git/index"), time.Now().String())
		change()
		select {
		case <-changes:
		case <-time.After(time.Minute):
			t.Fatal("a change was not seen")
		}
	}
	writeFile(t, file("out.wasm"), "")
	select {
	case <-changes:
		t.Error("a module counts as a change")
	case <-time.After(30 * time.Millisecond):
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
