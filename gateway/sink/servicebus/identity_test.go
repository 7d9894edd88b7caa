package servicebus_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	emulator "github.com/headgate/headgate/gateway/emulator/servicebus"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink"
	"github.com/headgate/headgate/gateway/sink/messaging/brokertest"
	"github.com/headgate/headgate/gateway/sink/servicebus"
)

// credential is an identity in the hands of a test.
type credential func(ctx context.Context) (string, error)

func (c credential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if len(o.Scopes) != 1 || o.Scopes[0] != "https://servicebus.azure.net//.default" {
		return azcore.AccessToken{}, errors.New("other scopes were asked for")
	}
	token, err := c(ctx)
	return azcore.AccessToken{Token: token, ExpiresOn: time.Now().Add(time.Hour)}, err
}

// certified returns the two ends of TLS with a certificate made for the test.
func certified(t testing.TB) (server, client *tls.Config) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: private}}}, &tls.Config{RootCAs: roots}
}

// TestIdentity signs in with a token, over TLS.
func TestIdentity(t *testing.T) {
	serverTLS, clientTLS := certified(t)
	var mu sync.Mutex
	var claims []amqp.Token
	n := serve(t, "127.0.0.1:0", emulator.Options{AMQP: amqp.Options{Authorize: func(token amqp.Token) error {
		mu.Lock()
		defer mu.Unlock()
		claims = append(claims, token)
		if token.Type != "jwt" || token.Value != "a token" {
			return errors.New("not the token")
		}
		return nil
	}}}, serverTLS)
	settings := map[string]string{"endpointUri": "sb://" + n.address, "entityPath": "q"}
	token, fails := "a token", error(nil)
	o := servicebus.Options{TLS: clientTLS, Credential: credential(func(context.Context) (string, error) { return token, fails })}

	s := openWith(t, settings, o)
	send(t, s, brokertest.Deliveries(2, "a", "b")...)
	if got := n.count(t, "q"); got != 4 {
		t.Errorf("%d messages arrived, want 4", got)
	}
	mu.Lock()
	for _, c := range claims {
		if want := "amqps://" + n.address + "/q"; c.Audience != want && c.Audience != want+"/$management" {
			t.Errorf("claimed %s, want %s", c.Audience, want)
		}
	}
	mu.Unlock()
	found, err := s.Probe(within(t))
	if err != nil || !strings.Contains(found, "over TLS") || !strings.Contains(found, "identity") {
		t.Errorf("Probe = %q, %v", found, err)
	}

	token = "another token"
	refused := openWith(t, settings, o).Send(within(t), brokertest.Deliveries(1, "a"))[0]
	if refused.Blame != delivery.Endpoint {
		t.Errorf("outcome with another token = %v (%v), want the endpoint's fault", refused.Blame, refused.Err)
	}
	checkWords(t, refused.Err, "Azure Service Bus Data Sender")

	fails = errors.New("no identity is set up")
	missing := openWith(t, settings, o).Send(within(t), brokertest.Deliveries(1, "a"))[0]
	if missing.Blame != delivery.Endpoint {
		t.Errorf("outcome without a token = %v (%v), want the endpoint's fault", missing.Blame, missing.Err)
	}
	checkWords(t, missing.Err, "no identity is set up")

	untrusting := openWith(t, settings, servicebus.Options{Credential: o.Credential}).Send(within(t), brokertest.Deliveries(1, "a"))[0]
	if untrusting.Blame != delivery.Endpoint {
		t.Errorf("outcome with a certificate that is not trusted = %v (%v), want the endpoint's fault", untrusting.Blame, untrusting.Err)
	}
	checkWords(t, untrusting.Err, "certificate")
}

// TestIdentityHangs: neither a Send nor Close waits for an identity that does
// not answer.
func TestIdentityHangs(t *testing.T) {
	serverTLS, clientTLS := certified(t)
	n := serve(t, "127.0.0.1:0", emulator.Options{}, serverTLS)
	asked := make(chan struct{})
	var once sync.Once
	s := openWith(t, map[string]string{"endpointUri": "sb://" + n.address, "entityPath": "q"}, servicebus.Options{
		TLS: clientTLS, Credential: credential(func(ctx context.Context) (string, error) {
			once.Do(func() { close(asked) })
			<-ctx.Done()
			return "", ctx.Err()
		}),
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan delivery.Outcome, 1)
	go func() { done <- s.Send(ctx, brokertest.Deliveries(1, "a"))[0] }()
	<-asked
	cancel()
	if out := <-done; out.Blame != delivery.Nobody {
		t.Errorf("outcome = %v (%v), want transient", out.Blame, out.Err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
}

func TestKind(t *testing.T) {
	kind := servicebus.Kind()
	if err := kind.Validate([]byte(`{"connectionString":"Endpoint=sb://h;SharedAccessKeyName=n;SharedAccessKey=` + key + `","entityPath":"q"}`)); err != nil {
		t.Error(err)
	}
	for raw, want := range map[string]string{
		`{"entityPath":"q"}`: "settings.connectionString is required",
		`{"endpointUri":"sb://h","entityPath":"topic/Subscriptions/all"}`: "settings.entityPath is a subscription",
		`{"endpointUri":"sb://h","entityPath":"q","topic":"t"}`:           "settings.topic is unknown",
	} {
		err := kind.Validate([]byte(raw))
		if fault := (*sink.SettingError)(nil); !errors.As(err, &fault) || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate(%s) = %v, want %q", raw, err, want)
		}
	}
	found, err := open(t, start(t).connection(), "q", servicebus.Options{}).Probe(within(t))
	if err != nil || !strings.Contains(found, "without TLS") || !strings.Contains(found, "the shared access key send") || !strings.Contains(found, "rules on size, quota and sessions were not tried") {
		t.Errorf("Probe = %q, %v", found, err)
	}
}
