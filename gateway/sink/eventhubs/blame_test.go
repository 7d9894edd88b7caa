package eventhubs_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	emulator "github.com/headgate/headgate/gateway/emulator/eventhubs"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink/eventhubs"
	"github.com/headgate/headgate/gateway/sink/messaging/brokertest"
)

// TestConditions has the service give every reason that its documentation and
// its SDK know of, for an event and for a link, through the SDK.
func TestConditions(t *testing.T) {
	const (
		event, endpoint, nobody = delivery.Event, delivery.Endpoint, delivery.Nobody
	)
	tests := []struct {
		condition     amqp.Symbol
		ofEvent, link delivery.Blame
		words         string
	}{
		{"com.microsoft:server-busy", nobody, nobody, ""},
		{"com.microsoft:timeout", nobody, nobody, ""},
		{"com.microsoft:operation-cancelled", nobody, nobody, ""},
		{"amqp:link:detach-forced", nobody, nobody, ""},
		{"amqp:link:transfer-limit-exceeded", nobody, nobody, ""},
		{"amqp:link:stolen", nobody, nobody, ""},
		{"amqp:connection:forced", nobody, nobody, ""},
		{"amqp:internal-error", nobody, nobody, ""},
		{"amqp:session:window-violation", nobody, nobody, ""},
		{"com.microsoft:something-new", nobody, nobody, ""},
		{"com.microsoft:messaging-gateway-error", nobody, nobody, ""},
		{"amqp:resource-limit-exceeded", endpoint, endpoint, "quota"},
		{"amqp:unauthorized-access", endpoint, endpoint, "grant Send"},
		{"amqp:not-found", endpoint, endpoint, "entityPath"},
		{"com.microsoft:entity-disabled", endpoint, endpoint, "enable the entity"},
		{"com.microsoft:auth-failed", endpoint, endpoint, "grant Send"},
		{"com.microsoft:namespace-disabled", endpoint, endpoint, ""},
		{"amqp:not-implemented", endpoint, endpoint, ""},
		{"com.microsoft:publisher-revoked", endpoint, endpoint, ""},
		{"amqp:link:message-size-exceeded", event, endpoint, ""},
		{"amqp:not-allowed", event, endpoint, ""},
		{"amqp:decode-error", event, endpoint, ""},
		{"amqp:invalid-field", event, endpoint, ""},
		{"com.microsoft:argument-error", event, endpoint, ""},
		{"com.microsoft:argument-out-of-range", event, endpoint, ""},
	}
	for _, tt := range tests {
		for where, want := range map[amqp.Point]delivery.Blame{amqp.Transfer: tt.ofEvent, amqp.Attach: tt.link} {
			t.Run(string(tt.condition)+" at "+string(where), func(t *testing.T) {
				n := start(t)
				s := open(t, n.connection(), "hub", eventhubs.Options{})
				n.faults.Add(amqp.Rule{Point: where, Address: "hub", Fault: amqp.Fault{Error: amqp.Errorf(tt.condition, "said with %s", key)}})
				out := s.Send(within(t), brokertest.Deliveries(1, "a"))[0]
				if out.Blame != want {
					t.Errorf("outcome = %v (%v), want %v", out.Blame, out.Err, want)
				}
				checkWords(t, out.Err, tt.words)
				checkWords(t, out.Err, "sb://"+n.address+"/hub: ")
				n.faults.Clear()
				send(t, s, brokertest.Deliveries(1, "after")...)
			})
		}
	}
}

// TestClaims has the claim for a link be answered with every status, of which
// the SDK hides most.
func TestClaims(t *testing.T) {
	tests := []struct {
		status int
		want   delivery.Blame
		words  string
	}{
		{400, delivery.Endpoint, "status code 400"},
		{401, delivery.Endpoint, "grant Send"},
		{403, delivery.Endpoint, "grant Send"},
		{404, delivery.Endpoint, "entityPath"},
		{408, delivery.Nobody, "status code 408"},
		{410, delivery.Endpoint, "entityPath"},
		{429, delivery.Nobody, "status code 429"},
		{500, delivery.Nobody, "status code 500"},
		{503, delivery.Nobody, "status code 503"},
	}
	for _, tt := range tests {
		t.Run(strconv.Itoa(tt.status), func(t *testing.T) {
			n := start(t)
			s := open(t, n.connection(), "hub", eventhubs.Options{})
			fault := amqp.Fault{Error: amqp.Errorf("com.microsoft:something", "Please wait 3 seconds, %s", key), Status: tt.status}
			n.faults.Add(amqp.Rule{Point: amqp.PutToken, Fault: fault})
			out := s.Send(within(t), brokertest.Deliveries(1, "a"))[0]
			if out.Blame != tt.want || tt.want == delivery.Nobody && out.RetryAfter != 3*time.Second {
				t.Errorf("outcome = %v (%v), retry after %v, want %v", out.Blame, out.Err, out.RetryAfter, tt.want)
			}
			checkWords(t, out.Err, tt.words)
			checkWords(t, out.Err, "sb://"+n.address+"/hub: ")
			_, err := s.Probe(within(t))
			checkWords(t, err, tt.words)
			n.faults.Clear()
			send(t, s, brokertest.Deliveries(1, "after")...)
		})
	}
}

// TestEndpointsAtFault has the endpoint itself be wrong, without any fault on demand.
func TestEndpointsAtFault(t *testing.T) {
	n := serve(t, "127.0.0.1:0", emulator.Options{Declared: true, Hubs: []emulator.Hub{{Name: "hub"}}, AMQP: amqp.Options{Authorize: amqp.Keys{"send": key}.Authorize}})
	wrong := strings.Replace(n.connection(), key, "YW5vdGhlciBub25l", 1)
	tests := []struct{ name, connection, entity, words string }{
		{"another key", wrong, "hub", "grant Send"},
		{"unknown hub", n.connection(), "other", "entityPath"},
		{"TLS where there is none", strings.Replace(n.connection(), "Emulator=true", "Emulator=false", 1), "hub", "UseDevelopmentEmulator=true"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, tt.connection, tt.entity, eventhubs.Options{})
			for range 2 {
				for i, out := range s.Send(within(t), brokertest.Deliveries(1, "a", "b", "c")) {
					if out.Blame != delivery.Endpoint {
						t.Errorf("outcome %d = %v (%v), want the endpoint's fault", i, out.Blame, out.Err)
					}
					checkWords(t, out.Err, tt.words)
				}
			}
			_, err := s.Probe(within(t))
			checkWords(t, err, tt.words)
		})
	}
}

// TestThrottled keeps the wait that a throttled namespace asks for.
func TestThrottled(t *testing.T) {
	n := start(t)
	s := open(t, n.connection(), "hub", eventhubs.Options{})
	n.faults.Add(amqp.Rule{Point: amqp.Transfer, Times: 100, Fault: amqp.Fault{Error: amqp.Errorf("com.microsoft:server-busy",
		"The request was terminated because the namespace is being throttled. Error code : 50002. Please wait 4 seconds and try again.")}})
	for range 100 {
		if out := s.Send(within(t), brokertest.Deliveries(1, "a"))[0]; out.Blame != delivery.Nobody || out.RetryAfter != 4*time.Second {
			t.Fatalf("outcome = %v (%v), retry after %v", out.Blame, out.Err, out.RetryAfter)
		}
	}
	n.faults.Add(amqp.Rule{Point: amqp.Attach, Fault: amqp.Fault{Error: amqp.Errorf(amqp.NotFound, "a new link is not needed")}})
	send(t, s, brokertest.Deliveries(1, "a")...)
}

// credential is an identity in the hands of a test.
type credential func(policy.TokenRequestOptions) error

func (c credential) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "a token", ExpiresOn: time.Now().Add(time.Hour)}, c(o)
}

// TestIdentity asks for a token of Event Hubs; what comes of it is as with
// Service Bus.
func TestIdentity(t *testing.T) {
	n := start(t)
	s := openWith(t, map[string]string{"endpointUri": "sb://" + n.address, "entityPath": "hub"}, eventhubs.Options{
		Credential: credential(func(o policy.TokenRequestOptions) error {
			if len(o.Scopes) != 1 || o.Scopes[0] != "https://eventhubs.azure.net//.default" {
				t.Errorf("scopes %v", o.Scopes)
			}
			return errors.New("no identity is set up")
		}),
	})
	out := s.Send(within(t), brokertest.Deliveries(1, "a"))[0]
	if out.Blame != delivery.Endpoint { // the emulator speaks no TLS, without which no token leaves
		t.Errorf("outcome = %v (%v), want the endpoint's fault", out.Blame, out.Err)
	}
	checkWords(t, out.Err, "TLS")
}
