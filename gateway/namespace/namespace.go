// Package namespace connects to a namespace of Azure Service Bus or Event Hubs:
// by AMQP over TLS, or by AMQP over WebSockets, which networks let through that
// open nothing but port 443.
//
// The connections are for the hooks by which Microsoft's SDKs take any.
package namespace

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"os"
	"time"
)

const (
	dialTimeout      = 10 * time.Second
	handshakeTimeout = 10 * time.Second
)

// Dialer connects to one namespace. Its fields are not changed once it is used,
// from any goroutine.
type Dialer struct {
	Host       string // of the namespace, with the port where one is given
	Plain      bool   // without TLS, as emulators speak
	WebSockets bool
	// CAFile holds the certificates to trust, in PEM, instead of the system's; "" is
	// the system's. It is read for each connection, of which there are few, so that
	// a new certificate needs no new settings.
	CAFile string
	// TLS replaces the default configuration. It is cloned.
	TLS *tls.Config
}

// Dial connects.
func (d *Dialer) Dial(ctx context.Context) (net.Conn, error) {
	if d.WebSockets {
		return d.dialWebSocket(ctx)
	}
	conn, err := d.connect(ctx, "tcp", d.address())
	if err != nil || d.Plain {
		return conn, err
	}
	config, err := d.config()
	if err != nil {
		conn.Close()
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

func (d *Dialer) connect(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	return dialer.DialContext(ctx, network, address)
}

// address is where AMQP is spoken.
func (d *Dialer) address() string {
	if _, _, err := net.SplitHostPort(d.Host); err == nil {
		return d.Host
	}
	port := "5671"
	if d.Plain {
		port = "5672"
	}
	return net.JoinHostPort(d.hostname(), port)
}

// hostname is what a certificate must be for.
func (d *Dialer) hostname() string { return (&url.URL{Host: d.Host}).Hostname() }

func (d *Dialer) config() (*tls.Config, error) {
	config := d.TLS.Clone()
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	config.ServerName = d.hostname()
	if d.CAFile == "" {
		return config, nil
	}
	roots, err := ReadRoots(d.CAFile)
	if err != nil {
		return nil, err
	}
	config.RootCAs = roots
	return config, nil
}

// RootsError means that a file of certificates to trust is of no use.
type RootsError struct{ cause error }

func (e *RootsError) Error() string { return "caFile: " + e.cause.Error() }

// Unwrap returns what is wrong with the file.
func (e *RootsError) Unwrap() error { return e.cause }

// ReadRoots returns the certificates in a PEM file, or a [*RootsError].
func ReadRoots(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, &RootsError{err}
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, &RootsError{errors.New("holds no certificate in PEM")}
	}
	return roots, nil
}
