package eventhubs_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"

	"github.com/headgate/headgate/gateway/emulator/eventhubs"
)

// TestTLS connects as one does to the service: by TLS, to a namespace by its
// name, which here is at a custom endpoint.
func TestTLS(t *testing.T) {
	const name = "example.servicebus.windows.net"
	cert, roots := certificate(t, name)
	n := start(t, eventhubs.Options{}, withTLS(cert))
	connection := "Endpoint=sb://" + name + "/;SharedAccessKeyName=test;SharedAccessKey=not a key"
	p, err := azeventhubs.NewProducerClientFromConnectionString(connection, "hub", &azeventhubs.ProducerClientOptions{
		CustomEndpoint: n.addr, TLSConfig: &tls.Config{RootCAs: roots, ServerName: name}, RetryOptions: once,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(timeout(t))
	if err := send(t, p, nil, "a", "b"); err != nil {
		t.Fatal(err)
	}
	if got := n.Entities(1)[0].Partitions[0].Events[0]; string(got.Body) != "b" || got.Sequence != 1 {
		t.Errorf("the last event is %s, number %d", got.Body, got.Sequence)
	}
}

// certificate makes a certificate for a host, and the pool that trusts it.
func certificate(t *testing.T, host string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
