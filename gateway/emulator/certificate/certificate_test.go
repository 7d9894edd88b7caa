package certificate_test

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/emulator/certificate"
)

func TestNew(t *testing.T) {
	c, err := certificate.New("plant.example", "192.0.2.1", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(c.PEM) {
		t.Fatalf("no certificate in %s", c.PEM)
	}
	for host, want := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "::1": true, "plant.example": true, "192.0.2.1": true, "other.example": false, "192.0.2.2": false,
	} {
		if _, err := c.Pair.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots}); (err == nil) != want {
			t.Errorf("Verify for %s: %v", host, err)
		}
	}
	block, rest := pem.Decode(c.PEM)
	if block == nil || block.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" {
		t.Errorf("more than a certificate is written down: %s", c.PEM)
	}
	if n := len(c.Pair.Leaf.IPAddresses); n != 3 {
		t.Errorf("%d addresses, want 3", n)
	}
}

func TestBadHost(t *testing.T) {
	if _, err := certificate.New("zürich.example"); err == nil {
		t.Error("a certificate for a name that cannot be in one")
	}
}
