package eventhubs_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/emulator/amqp"
	"github.com/headgate/headgate/gateway/ingress/eventhubs"
	"github.com/headgate/headgate/gateway/ingress/pull"
	"github.com/headgate/headgate/gateway/ingress/pull/pulltest"
)

// probe tries a source of n.
func probe(t testing.TB, n *namespace, settings map[string]any) (string, error) {
	t.Helper()
	raw, err := json.Marshal(n.settings(settings))
	if err != nil {
		t.Fatal(err)
	}
	s, err := eventhubs.New(raw, &pulltest.Journal{}, &store{}, eventhubs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s.Probe(t.Context())
}

func TestProbe(t *testing.T) {
	n := start(t, 3)
	for name, tt := range map[string]struct {
		settings     map[string]any
		found, fails string
	}{
		"a hub":               {nil, "without TLS, signed in with the shared access key all, and may read: the event hub has 3 partitions", ""},
		"another group":       {map[string]any{"consumerGroup": "other"}, "3 partitions", ""},
		"no hub":              {map[string]any{"entityPath": "none"}, "", "check the namespace and the names"},
		"no group":            {map[string]any{"consumerGroup": "none"}, "", "check the namespace and the names"},
		"checkpoints nowhere": {map[string]any{"checkpointContainerUri": "http://127.0.0.1:1/account/c?sig=s3cret"}, "", "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := probe(t, n, tt.settings)
			switch {
			case tt.fails == "" && (err != nil || !strings.HasSuffix(found, tt.found)):
				t.Errorf("Probe = %q, %v, want …%s", found, err, tt.found)
			case tt.fails != "" && (err == nil || !strings.Contains(err.Error(), tt.fails)):
				t.Errorf("Probe = %q, %v, want the error …%s…", found, err, tt.fails)
			}
			if err != nil && (strings.Contains(err.Error(), pulltest.Key) || strings.Contains(err.Error(), "s3cret")) {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
}

// TestProbeUnauthorized holds what a namespace says to a key that it does not know.
func TestProbeUnauthorized(t *testing.T) {
	n := start(t, 1)
	n.faults.Add(amqp.Rule{Point: amqp.PutToken, Fault: amqp.Fault{Error: amqp.Errorf(amqp.UnauthorizedAccess, "the key %s is not valid", pulltest.Key)}})
	_, err := probe(t, n, nil)
	if err == nil || !strings.Contains(err.Error(), "whose policy needs the claim Listen") || strings.Contains(err.Error(), pulltest.Key) {
		t.Errorf("Probe = %v", err)
	}
}

// TestProbeBesides holds that a source which runs is not disturbed.
func TestProbeBesides(t *testing.T) {
	n, j := start(t, 2), &pulltest.Journal{}
	r := run(t, j, &store{}, n.settings(nil))
	pulltest.Eventually(t, "running", func() bool { return r.Status().State == pull.Running })
	found, err := probe(t, n, nil)
	if err != nil || !strings.Contains(found, "2 partitions") {
		t.Errorf("Probe = %q, %v", found, err)
	}
	n.send(t, "0", numbered("0", 0, 20)...)
	wantAll(t, j, r, 20)
	if r.Status().State != pull.Running || strings.Contains(r.Log(), "failing") {
		t.Errorf("status = %+v\n%s", r.Status(), r.Log())
	}
}
