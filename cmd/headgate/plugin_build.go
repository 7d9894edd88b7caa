package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/headgate/headgate/gateway/workbench"
)

const buildHelp = `Compile the plugin in a directory (the present one, unless it is named) with the go
command, and load it in the host that a gateway has, which refuses what a gateway
would refuse. The module is written only when the host takes it.

A plugin in another language is built by its own tools; 'headgate plugin inspect' and
'headgate plugin test' take its module.`

func buildCommand(a *app) *cobra.Command {
	var (
		output  string
		options workbench.CompileOptions
	)
	cmd := &cobra.Command{
		Use: "build [DIR]", Short: "Compile a plugin and check its module",
		Long: buildHelp, Example: "  headgate plugin build warm\n  headgate plugin build -o /tmp/warm.wasm",
		Args: wants(0, 1, "at most one directory"),
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVarP(&output, "output", "o", "", "`FILE` to write (default: DIR/NAME.wasm, after the directory)")
	cmd.Flags().BoolVar(&options.Names, "names", false, "keep the names of functions, for the traces of traps")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		dir := firstOr(args, ".")
		abs, err := filepath.Abs(dir)
		if err != nil {
			return err
		}
		bench, err := workbench.Open(cmd.Context())
		if err != nil {
			return err
		}
		defer bench.Close()
		wasm, err := a.compile(cmd.Context(), dir, options)
		if err != nil {
			return fmt.Errorf("build: %w", err)
		}
		info, err := bench.Check(cmd.Context(), wasm)
		if err != nil {
			return fmt.Errorf("build: %s compiles, but a gateway would not take it: %w", dir, err)
		}
		file := cmp.Or(output, filepath.Join(dir, filepath.Base(abs)+".wasm"))
		if err := replaceFile(file, wasm); err != nil {
			return fmt.Errorf("build: %w", err)
		}
		fmt.Fprintf(a.out, "%s\n  name    %s\n  kinds   %s\n  digest  %s\n  size    %s\n",
			file, oneLine(info.Name, 128), kindList(info.Kinds), info.Digest, size(int64(info.Size)))
		return nil
	}
	return cmd
}

// compile compiles the plugin in dir, and says so when it takes long.
func (a *app) compile(ctx context.Context, dir string, o workbench.CompileOptions) (wasm []byte, err error) {
	a.patiently(ctx, "compiling "+dir+"; the first time on a machine takes longest", func() {
		wasm, err = workbench.Compile(ctx, dir, o)
	})
	return wasm, err
}

// patiently does some work, and says text on standard error if it takes long.
func (a *app) patiently(ctx context.Context, text string, work func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		if timer := time.NewTimer(progressAfter); waitFor(ctx, done, timer) {
			fmt.Fprintln(a.err, text)
		}
	}()
	work()
	close(done)
	<-ended
}

// waitFor reports whether timer ran out first.
func waitFor(ctx context.Context, done <-chan struct{}, timer *time.Timer) bool {
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-done:
	case <-timer.C:
		return true
	}
	return false
}

// module returns the module that name means: what a directory compiles to, or
// the bytes of a file.
func (a *app) module(ctx context.Context, name string) ([]byte, error) {
	if info, err := os.Stat(name); name != "-" && err == nil && info.IsDir() {
		return a.compile(ctx, name, workbench.CompileOptions{})
	}
	f, err := a.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// openModule opens the file called name, or what the directory of that name
// compiles to.
func (a *app) openModule(ctx context.Context, name string) (io.ReadCloser, error) {
	if info, err := os.Stat(name); name == "-" || err != nil || !info.IsDir() {
		return a.open(name)
	}
	wasm, err := a.module(ctx, name)
	return io.NopCloser(bytes.NewReader(wasm)), err
}

// replaceFile writes a file whole or not at all.
func replaceFile(name string, b []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-")
	if err != nil {
		return err
	}
	_, err = tmp.Write(b)
	if err == nil {
		err = tmp.Chmod(0o644)
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		os.Remove(tmp.Name())
	}
	return err
}

func firstOr(args []string, otherwise string) string {
	if len(args) > 0 {
		return args[0]
	}
	return otherwise
}

func kindList[K fmt.Stringer](kinds []K) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.String()
	}
	return strings.Join(names, ", ")
}
