// Command headgate routes digital-twin events through sandboxed WebAssembly
// plugins. It is the server (serve, demo) and the command line to a server
// (everything else), which talks to the HTTP API alone.
package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/headgate/headgate/gateway"
	"github.com/headgate/headgate/gateway/config"
)

// version is set by the build; see [versionText] for one that was not.
var version string

func main() {
	os.Exit(run(context.Background(), os.Args[1:], app{
		self: os.Args[0], in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.LookupEnv,
		serve: gateway.Run, serveBeside: gateway.RunBeside,
	}))
}

// app is the world outside the commands.
type app struct {
	self     string // how this binary was called
	in       io.Reader
	out, err io.Writer
	env      func(name string) (string, bool)
	// serve runs a gateway until ctx ends and it has drained. It writes one
	// line "listening on URL" to stdout when it is ready.
	serve func(ctx context.Context, cfg config.Config, stdout io.Writer, log *slog.Logger) error
	// serveBeside is serve with an emulator beside the gateway; nil serves without.
	serveBeside func(ctx context.Context, cfg config.Config, stdout io.Writer, log *slog.Logger, b gateway.Beside) error

	// zone is where the times are that a person reads; nil means local.
	zone *time.Location

	// started is set when a command line has proved well-formed.
	started bool
}

// run executes one command line and returns the exit status. The first
// interrupt or termination asks the command to finish; a second one ends the
// process.
func run(ctx context.Context, args []string, a app) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	root := newRoot(&a)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	return a.exit(cmd, err)
}
