package eventgrid

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"time"

	"github.com/headgate/headgate/gateway/sink/azure"
)

// rootsError means that the caFile is of no use.
type rootsError struct{ err error }

func (e *rootsError) Error() string { return "caFile: " + e.err.Error() }
func (e *rootsError) Unwrap() error { return e.err }

// readRoots returns the certificates in a PEM file.
func readRoots(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("holds no certificate in PEM")
	}
	return roots, nil
}

// dialTrusting connects to a server whose certificate is one of caFile's, or
// signed by one. The file is read for each connection, of which there are few,
// so that a new certificate needs no new settings.
func dialTrusting(caFile string) azure.DialTLS {
	dialer := &net.Dialer{Timeout: azure.DialTimeout, KeepAlive: 30 * time.Second}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		roots, err := readRoots(caFile)
		if err != nil {
			return nil, &rootsError{err}
		}
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, azure.HandshakeTimeout)
		defer cancel()
		secure := tls.Client(conn, &tls.Config{RootCAs: roots, ServerName: host, NextProtos: []string{"h2", "http/1.1"}})
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		return secure, nil
	}
}
