package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"

	"runtime/debug"

	"github.com/headgate/headgate/gateway/auth"
	"github.com/headgate/headgate/gateway/config"
	"github.com/headgate/headgate/gateway/journal"
)

// Run serves a gateway as cfg says until ctx ends and it has drained. It
// prints one line, "listening on URL", to stdout when it is ready.
func Run(ctx context.Context, cfg config.Config, stdout io.Writer, logger *slog.Logger) error {
	if err := auth.CheckListen(cfg.Listen, cfg.Token != ""); err != nil {
		return err
	}
	certificates, err := loadTLS(cfg)
	if err != nil {
		return err
	}
	// The port is taken first: a second server on it fails before it touches
	// the data directory.
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w; stop what uses it, or name another address with --listen", cfg.Listen, err)
	}
	defer listener.Close()
	g, err := Open(ctx, Options{
		Dir: cfg.Data,
		Journal: journal.Options{
			MaxBytes: cfg.Journal.MaxBytes, RetainAge: cfg.Journal.RetainAge,
			RetainBytes: cfg.Journal.RetainBytes, ReserveBytes: cfg.Journal.ReserveBytes,
		},
		Token: string(cfg.Token), Version: buildVersion(), Logger: logger,
	})
	if err != nil {
		return err
	}
	err = g.serve(ctx, listener, certificates, stdout)

	// ctx has ended; draining has a deadline of its own.
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.DrainTimeout)
	defer cancel()
	return errors.Join(err, g.Close(drain))
}

func loadTLS(cfg config.Config) (*tls.Config, error) {
	if cfg.TLSCert == "" {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(cfg.TLSCert, cfg.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("tls-cert, tls-key: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}, nil
}

// serve answers requests on listener until ctx ends and the last was answered.
func (g *Gateway) serve(ctx context.Context, listener net.Listener, certificates *tls.Config, stdout io.Writer) error {
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
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestDrain)
	defer cancel()
	if err := server.Shutdown(shutdown); err != nil {
		server.Close() // a request that takes so long was not accepted
	}
	<-failed
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
