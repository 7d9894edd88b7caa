package servicebus_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	emulator "github.com/headgate/headgate/gateway/emulator/servicebus"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink/messaging/brokertest"
	"github.com/headgate/headgate/gateway/sink/servicebus"
)

// TestConditions has the service give every reason that its documentation and
// its SDK know of, for a message and for a link, through the SDK.
func TestConditions(t *testing.T) {
	const (
		event, endpoint, nobody = delivery.Event, delivery.Endpoint, delivery.Nobody
	)
	tests := []struct {
		condition       amqp.Symbol
		ofMessage, link delivery.Blame
		words           string
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
		{"com.microsoft:session-cannot-be-locked", nobody, nobody, ""},
		{"com.microsoft:session-lock-lost", nobody, nobody, ""},
		{"com.microsoft:message-lock-lost", nobody, nobody, ""},
		{"amqp:resource-limit-exceeded", endpoint, endpoint, "let its consumers catch up"},
		{"amqp:unauthorized-access", endpoint, endpoint, "grant Send"},
		{"com.microsoft:auth-failed", endpoint, endpoint, "grant Send"},
		{"amqp:not-found", endpoint, endpoint, "entityPath"},
		{"com.microsoft:entity-disabled", endpoint, endpoint, "enable the entity"},
		{"com.microsoft:namespace-disabled", endpoint, endpoint, ""},
		{"amqp:not-implemented", endpoint, endpoint, ""},
		{"amqp:link:message-size-exceeded", event, endpoint, ""},
		{"amqp:not-allowed", event, endpoint, ""},
		{"amqp:decode-error", event, endpoint, ""},
		{"amqp:invalid-field", event, endpoint, ""},
		{"com.microsoft:argument-error", event, endpoint, ""},
		{"com.microsoft:argument-out-of-range", event, endpoint, ""},
	}
	for _, tt := range tests {
		for where, want := range map[amqp.Point]delivery.Blame{amqp.Transfer: tt.ofMessage, amqp.Attach: tt.link} {
			t.Run(string(tt.condition)+" at "+string(where), func(t *testing.T) {
				var f amqp.Faults
				n := serve(t, "127.0.0.1:0", emulator.Options{AMQP: amqp.Options{Faults: &f}}, nil)
				s := open(t, n.connection(), "q", servicebus.Options{})
				f.Add(amqp.Rule{Point: where, Address: "q", Fault: amqp.Fault{Error: amqp.Errorf(tt.condition, "said with %s", key)}})
				out := s.Send(within(t), brokertest.Deliveries(1, "a"))[0]
				if out.Blame != want {
					t.Errorf("outcome = %v (%v), want %v", out.Blame, out.Err, want)
				}
				checkWords(t, out.Err, tt.words)
				checkWords(t, out.Err, "sb://"+n.address+"/q: ")
				f.Clear()
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
			var f amqp.Faults
			n := serve(t, "127.0.0.1:0", emulator.Options{AMQP: amqp.Options{Faults: &f}}, nil)
			s := open(t, n.connection(), "q", servicebus.Options{})
			fault := amqp.Fault{Error: amqp.Errorf("com.microsoft:something", "Please wait 3 seconds, %s", key), Status: tt.status}
			f.Add(amqp.Rule{Point: amqp.PutToken, Fault: fault})
			out := s.Send(within(t), brokertest.Deliveries(1, "a"))[0]
			if out.Blame != tt.want || tt.want == delivery.Nobody && out.RetryAfter != 3*time.Second {
				t.Errorf("outcome = %v (%v), retry after %v, want %v", out.Blame, out.Err, out.RetryAfter, tt.want)
			}
			checkWords(t, out.Err, tt.words)
			checkWords(t, out.Err, "sb://"+n.address+"/q: ")
			_, err := s.Probe(within(t))
			checkWords(t, err, tt.words)
			f.Clear()
			send(t, s, brokertest.Deliveries(1, "after")...)
		})
	}
}

// TestThrottled keeps the wait that a throttled namespace asks for, and the link.
func TestThrottled(t *testing.T) {
	var f amqp.Faults
	n := serve(t, "127.0.0.1:0", emulator.Options{AMQP: amqp.Options{Faults: &f}}, nil)
	s := open(t, n.connection(), "q", servicebus.Options{})
	f.Add(amqp.Rule{Point: amqp.Transfer, Times: 100, Fault: amqp.Fault{Error: amqp.Errorf("com.microsoft:server-busy",
		"The request was terminated because the entity is being throttled. Error code : 50009. Please wait 2 seconds and try again.")}})
	send(t, s) // nothing: that is no try
	for range 100 {
		out := s.Send(within(t), brokertest.Deliveries(1, "a"))[0]
		if out.Blame != delivery.Nobody || out.RetryAfter != 2*time.Second {
			t.Fatalf("outcome = %v (%v), retry after %v", out.Blame, out.Err, out.RetryAfter)
		}
		checkWords(t, out.Err, "throttled")
	}
	f.Add(amqp.Rule{Point: amqp.Attach, Fault: amqp.Fault{Error: amqp.Errorf(amqp.NotFound, "a new link is not needed")}})
	send(t, s, brokertest.Deliveries(1, "a")...)
}

// TestEndpointsAtFault has the endpoint itself be wrong, without any fault on demand.
func TestEndpointsAtFault(t *testing.T) {
	n := serve(t, "127.0.0.1:0", emulator.Options{
		AMQP: amqp.Options{Authorize: amqp.Keys{"send": key}.Authorize},
		Entities: broker.Config{DeclaredOnly: true, Queues: []broker.Queue{
			{Name: "q"},
			{Name: "off", Settings: broker.Settings{Status: broker.Disabled}},
			{Name: "full", Settings: broker.Settings{MaxSizeBytes: 10}},
		}},
	}, nil)
	wrong := strings.Replace(n.connection(), key, "YW5vdGhlciBub25l", 1)
	tests := []struct{ name, connection, entity, words string }{
		{"another key", wrong, "q", "grant Send"},
		{"unknown entity", n.connection(), "other", "entityPath"},
		{"disabled", n.connection(), "off", "enable the entity"},
		{"full", n.connection(), "full", "catch up"},
		{"TLS where there is none", strings.Replace(n.connection(), "Emulator=true", "Emulator=false", 1), "q", "UseDevelopmentEmulator=true"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, tt.connection, tt.entity, servicebus.Options{})
			for range 2 {
				ds := brokertest.Deliveries(1, "a", "b", "c")
				for i, out := range s.Send(within(t), ds) {
					if out.Blame != delivery.Endpoint {
						t.Errorf("outcome %d = %v (%v), want the endpoint's fault", i, out.Blame, out.Err)
					}
					checkWords(t, out.Err, tt.words)
				}
			}
			if found, err := s.Probe(within(t)); tt.name != "full" {
				checkWords(t, err, tt.words)
			} else if err != nil || found == "" {
				t.Errorf("Probe = %q, %v", found, err)
			}
		})
	}
}

// TestKeyComesBack has a key withdrawn under way, and restored.
func TestKeyComesBack(t *testing.T) {
	n := start(t)
	s := open(t, n.connection(), "q", servicebus.Options{})
	send(t, s, brokertest.Deliveries(1, "a")...)
	n.inject(t, emulator.Fault{Kind: emulator.Unauthorized})
	n.inject(t, emulator.Fault{Kind: emulator.DetachLink, Times: 1})
	for range 3 {
		if out := s.Send(within(t), brokertest.Deliveries(1, "b"))[0]; out.Blame != delivery.Endpoint {
			t.Errorf("outcome = %v (%v), want the endpoint's fault", out.Blame, out.Err)
		}
	}
	n.ClearFaults()
	send(t, s, brokertest.Deliveries(1, "b")...)
	if got := n.count(t, "q"); got != 2 {
		t.Errorf("%d messages arrived, want 2", got)
	}
}
