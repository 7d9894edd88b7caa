package gateway

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/headgate/headgate/gateway/admin"
	"github.com/headgate/headgate/gateway/auth"
	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/config"
	"github.com/headgate/headgate/gateway/journal"
	"github.com/headgate/headgate/web"
)

// Beside is what runs beside a gateway, and is shown by it.
type Beside struct {
	Emulator admin.Emulator // nil is none
}

// Run serves a gateway as cfg says until ctx ends and it has drained. It
// prints one line, "listening on URL", to stdout when it is ready.
func Run(ctx context.Context, cfg config.Config, stdout io.Writer, logger *slog.Logger) error {
	return RunBeside(ctx, cfg, stdout, logger, Beside{})
}

// RunBeside is Run with something beside the gateway.
func RunBeside(ctx context.Context, cfg config.Config, stdout io.Writer, logger *slog.Logger, beside Beside) error {
	if err := auth.CheckListen(cfg.Listen, cfg.Token != ""); err != nil {
		return err
	}
	certificates, err := loadTLS(cfg)
	if err != nil {
		return err
	}
	limits, maxLimits, err := pluginLimits(cfg.Plugins)
	if err != nil {
		return err
	}
	// The port is taken first: a second server on it fails before it touches
	// the data directory.
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return listenError(err)
	}
	defer listener.Close()
	g, err := Open(ctx, Options{
		Dir: cfg.Data,
		Journal: journal.Options{
			MaxBytes: cfg.Journal.MaxBytes, RetainAge: nothingIfZero(cfg.Journal.RetainAge),
			RetainBytes: nothingIfZero(cfg.Journal.RetainBytes), ReserveBytes: nothingIfZero(cfg.Journal.ReserveBytes),
		},
		PluginLimits: limits, PluginMaxLimits: maxLimits, MaxRoutes: cfg.MaxRoutes,
		Token: string(cfg.Token), Version: cmp.Or(cfg.Version, buildVersion()), Logger: logger, UI: web.Files(),
		Settings: settingsInForce(cfg), Emulator: beside.Emulator,
	})
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil // told to stop before it was ready
	}
	if err != nil {
		return err
	}
	// Compiling plugins for the first time takes ten times the memory that
	// serving does; it is given back at once rather than over minutes.
	debug.FreeOSMemory()
	grace := min(requestDrain, cfg.DrainTimeout/2)
	err = g.serve(ctx, auth.LimitListener(listener, maxConnections), certificates, stdout, grace)

	// ctx has ended; draining has a deadline of its own.
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.DrainTimeout-grace)
	defer cancel()
	return errors.Join(err, g.Close(drain))
}

// settingsInForce lists the settings of the process, for whoever asks.
func settingsInForce(cfg config.Config) []catalog.Setting {
	all := []catalog.Setting{}
	for _, s := range cfg.InForce() {
		all = append(all, catalog.Setting{
			Name: s.Name, Env: s.Env, Kind: s.Kind, Value: s.Value, Default: s.Default, Changed: s.Changed(), Usage: s.Usage, Secret: s.EnvOnly,
		})
	}
	return all
}

// Settings are those of the process; see [admin.Settings].
func (g *Gateway) Settings() catalog.Settings {
	return catalog.Settings{Items: append([]catalog.Setting{}, g.opts.Settings...), Version: g.opts.Version}
}

// nothingIfZero translates a setting, of which 0 means nothing, into an option,
// of which 0 means the default and less means nothing.
func nothingIfZero[T int64 | time.Duration](setting T) T {
	if setting == 0 {
		return -1
	}
	return setting
}

// listenError says what to do about err, which names the address.
func listenError(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w; stop what uses it, or name another address with --listen", err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w; ports below 1024 are often for root alone: name another with --listen", err)
	}
	return fmt.Errorf("%w; name an address of this machine with --listen", err)
}

func loadTLS(cfg config.Config) (*tls.Config, error) {
	if cfg.TLSCert == "" {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(cfg.TLSCert, cfg.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("tls-cert %s, tls-key %s: %w; name a PEM file with the certificate and its chain, and one with its private key, unencrypted",
			cfg.TLSCert, cfg.TLSKey, err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}, nil
}

// serve answers requests on listener until ctx ends and the last
// was answered, or grace is over.
func (g *Gateway) serve(ctx context.Context, listener net.Listener, certificates *tls.Config, stdout io.Writer, grace time.Duration) error {
	scheme := "http"
	if certificates != nil {
		scheme = "https"
	}
	server := auth.NewServer(g.Handler())
	server.TLSConfig = certificates
	server.ErrorLog = log.New(discardHandshakes{}, "", 0)
	failed := make(chan error, 1)
	go func() {
		if certificates != nil {
			failed <- server.ServeTLS(listener, "", "")
		} else {
			failed <- server.Serve(listener)
		}
	}()
	fmt.Fprintf(stdout, "listening on %s://%s\n", scheme, listener.Addr())
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	g.tail.Close() // streams never end by themselves
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := server.Shutdown(shutdown); err != nil {
		server.Close() // a request that takes so long was not accepted
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// buildVersion is the binary's version as the Go toolchain knows it.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}

// discardHandshakes drops what net/http logs of clients that hang up.
type discardHandshakes struct{}

func (discardHandshakes) Write(b []byte) (int, error) { return len(b), nil }
