package servicebus_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
	"github.com/headgate/headgate/gateway/ingress/pull"
	"github.com/headgate/headgate/gateway/ingress/pull/pulltest"
	"github.com/headgate/headgate/gateway/ingress/servicebus"
)

// probe tries a source of n.
func probe(t testing.TB, n *namespace, settings map[string]any) (string, error) {
	t.Helper()
	raw, err := json.Marshal(n.settings(settings))
	if err != nil {
		t.Fatal(err)
	}
	s, err := servicebus.New(raw, &pulltest.Journal{}, servicebus.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s.Probe(t.Context())
}

func TestProbe(t *testing.T) {
	n := serve(t, "127.0.0.1:0", broker.Config{
		DeclaredOnly: true,
		Queues: []broker.Queue{
			{Name: "plain"}, {Name: "sessions", Settings: broker.Settings{RequiresSession: true}}, {Name: "off", Settings: broker.Settings{Status: "disabled"}},
		},
		Topics: []broker.Topic{{Name: "t", Subscriptions: []broker.Subscription{{Name: "s"}, {Name: "by-session", Settings: broker.Settings{RequiresSession: true}}}}},
	})
	n.send(t, "plain", numbered(3, "")...)
	n.send(t, "sessions", numbered(3, "a")...)
	for _, tt := range []struct {
		name     string
		settings map[string]any
		found    string
		fails    string
	}{
		{"a queue", map[string]any{"entityPath": "plain"}, "without TLS, signed in with the shared access key all, and may receive: the entity has no sessions", ""},
		{"a queue without sessions, as it is", map[string]any{"entityPath": "plain", "sessions": false}, "no sessions", ""},
		{"a queue with sessions", map[string]any{"entityPath": "sessions"}, "the entity requires sessions", ""},
		{"a queue with sessions, as it is", map[string]any{"entityPath": "sessions", "sessions": true}, "the entity requires sessions", ""},
		{"subscription", map[string]any{"entityPath": "t/Subscriptions/s"}, "no sessions", ""},
		{"subscription with sessions", map[string]any{"entityPath": "t", "topic": "t", "subscription": "by-session"}, "requires sessions", ""},
		{"sessions where there are none", map[string]any{"entityPath": "plain", "sessions": true}, "", "set sessions to false"},
		{"no sessions where there are some", map[string]any{"entityPath": "sessions", "sessions": false}, "", "set sessions to true"},
		{"no queue", map[string]any{"entityPath": "none"}, "", "check the namespace and the names"},
		{"disabled", map[string]any{"entityPath": "off"}, "", "enable the entity for receiving"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found, err := probe(t, n, tt.settings)
			switch {
			case tt.fails == "" && (err != nil || !strings.HasSuffix(found, tt.found)):
				t.Errorf("Probe = %q, %v, want …%s", found, err, tt.found)
			case tt.fails != "" && (err == nil || !strings.Contains(err.Error(), tt.fails)):
				t.Errorf("Probe = %q, %v, want the error …%s…", found, err, tt.fails)
			}
			if err != nil && strings.Contains(err.Error(), pulltest.Key) {
				t.Errorf("the error tells the key: %v", err)
			}
		})
	}
	for _, queue := range []string{"plain", "sessions"} {
		messages, err := n.Messages(queue, 0, 10)
		if err != nil || len(messages) != 3 {
			t.Fatalf("%d messages are left in %s, %v, want 3", len(messages), queue, err)
		}
		for _, m := range messages {
			if m.DeliveryCount != 0 || m.State != "active" {
				t.Errorf("message %+v of %s was touched", m, queue)
			}
		}
	}
}

// TestProbeUnauthorized holds what a namespace says to a key that it does not know.
func TestProbeUnauthorized(t *testing.T) {
	n := start(t, plain(broker.Settings{}))
	n.faults.Add(amqp.Rule{Point: amqp.PutToken, Fault: amqp.Fault{Error: amqp.Errorf(amqp.UnauthorizedAccess, "the key %s is not valid", pulltest.Key)}})
	_, err := probe(t, n, nil)
	if err == nil || !strings.Contains(err.Error(), "whose policy needs the claim Listen") || strings.Contains(err.Error(), pulltest.Key) {
		t.Errorf("Probe = %v", err)
	}
}

// TestProbeBesides holds that a source which runs is not disturbed.
func TestProbeBesides(t *testing.T) {
	for _, queue := range []broker.Queue{plain(broker.Settings{}), sessions(broker.Settings{})} {
		n, j := start(t, queue), &pulltest.Journal{}
		r := run(t, j, n.settings(nil))
		pulltest.Eventually(t, "running", func() bool { return r.Status().State == pull.Running })
		if _, err := probe(t, n, nil); err != nil {
			t.Error(err)
		}
		n.send(t, "q", numbered(20, "a")...)
		wantOnce(t, n, j, r, "q", 20)
		if r.Status().State != pull.Running || strings.Contains(r.Log(), "failing") {
			t.Errorf("status = %+v\n%s", r.Status(), r.Log())
		}
	}
}
