package azure

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/headgate/headgate/gateway/namespace"
)

// Trusting returns what connects to a server whose certificate is one of caFile's,
// or signed by one; nil, for the default, when caFile is empty. The file is read
// for each connection, of which there are few, so that a new certificate needs no
// new settings; that it is of no use is a [*namespace.RootsError].
func Trusting(caFile string) DialTLS {
	if caFile == "" {
		return nil
	}
	dialer := &net.Dialer{Timeout: DialTimeout, KeepAlive: 30 * time.Second}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		roots, err := namespace.ReadRoots(caFile)
		if err != nil {
			return nil, err
		}
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, HandshakeTimeout)
		defer cancel()
		secure := tls.Client(conn, &tls.Config{RootCAs: roots, ServerName: host, NextProtos: []string{"h2", "http/1.1"}})
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		return secure, nil
	}
}
