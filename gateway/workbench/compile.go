package workbench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/version"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// CompileOptions configure [Compile]. The zero value works.
type CompileOptions struct {
	// Names keeps the names of functions in the module, so that the traces of
	// traps have them. The module is larger.
	Names bool
}

// CompileError is what the go tool said of a plugin that does not compile.
type CompileError struct {
	Dir    string
	Output string // lines, as the go tool wrote them
}

// Error is the output beneath a line that names the directory.
func (e *CompileError) Error() string { return e.Dir + " does not compile:\n" + e.Output }

// ToolError says that there is no go tool that could compile a plugin.
type ToolError struct{ Reason string }

// Error gives the reason, and where to get the tool.
func (e *ToolError) Error() string {
	return e.Reason + ": plugins in Go need Go " + goVersion + " or newer, from https://go.dev/dl/"
}

// Compile builds the plugin in dir, a main package, with the go tool, and
// returns its module. Its bytes depend on the source and the toolchain alone.
// A plugin in another language is built by its own tools.
func Compile(ctx context.Context, dir string, o CompileOptions) ([]byte, error) {
	if err := checkPlugin(dir); err != nil {
		return nil, err
	}
	goTool, err := findGo(ctx, dir)
	if err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp("", "headgate-build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	out := filepath.Join(tmp, "plugin.wasm")
	ldflags := "-s -w"
	if o.Names {
		ldflags = "-w"
	}
	cmd := exec.CommandContext(ctx, goTool, "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false",
		"-ldflags="+ldflags, "-o", out, ".")
	cmd.Dir = dir
	cmd.Env = append(environ(dir), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if ran := (*exec.ExitError)(nil); !errors.As(err, &ran) {
			return nil, err
		}
		return nil, &CompileError{Dir: dir, Output: said.String()}
	}
	wasm, err := os.ReadFile(out)
	if err == nil && !bytes.HasPrefix(wasm, []byte("\x00asm")) {
		return nil, &CompileError{Dir: dir, Output: "it is no main package\n"}
	}
	return wasm, err
}

// checkPlugin says in words that help what the go tool would say in others.
func checkPlugin(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is no directory", dir)
	}
	if files, err := filepath.Glob(filepath.Join(dir, "*.go")); err == nil && len(files) == 0 {
		return fmt.Errorf("%s holds no Go files: start a plugin with 'headgate plugin new'", dir)
	}
	return nil
}

// findGo returns the path of a go tool that is new enough.
func findGo(ctx context.Context, dir string) (string, error) {
	tool, err := exec.LookPath("go")
	if err != nil {
		return "", &ToolError{"there is no go command in PATH"}
	}
	cmd := exec.CommandContext(ctx, tool, "env", "GOVERSION")
	cmd.Dir, cmd.Env = dir, environ(dir)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	have, _, _ := strings.Cut(strings.TrimSpace(string(out)), " ") // "go1.26.1 X:experiment"
	if err != nil {
		return "", &ToolError{fmt.Sprintf("%s fails (%s)", tool, firstLine(said.String(), err))}
	}
	if strings.HasPrefix(have, "go") && version.Compare(have, "go"+goVersion) < 0 {
		return "", &ToolError{fmt.Sprintf("%s is %s", tool, have)}
	}
	return tool, nil
}

func firstLine(said string, err error) string {
	for line := range strings.Lines(said) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return err.Error()
}

// environ is the environment of the go tool. A plugin with an SDK of its own
// needs no workspace, and one around it that does not list it is in its way.
func environ(dir string) []string {
	env := os.Environ()
	if _, err := os.Stat(filepath.Join(dir, sdkDir, "go.mod")); err == nil {
		env = append(env, "GOWORK=off")
	}
	return env
}
