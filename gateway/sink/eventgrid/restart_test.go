package eventgrid_test

import (
	"path/filepath"
	"strings"
	"testing"

	emulator "github.com/headgate/headgate/gateway/emulator/eventgrid"

	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/sink/eventgrid"
)

// TestRestart ends the topic's server under an open sink and starts it anew, at
// the same address and with another certificate: the sink finds it again.
func TestRestart(t *testing.T) {
	o := emulator.Options{CertFile: filepath.Join(t.TempDir(), "ca.pem"),
		Topics: []emulator.Topic{{Name: "twins", Schema: emulator.CloudEventSchema, Key: key}}}
	first, err := emulator.Listen("127.0.0.1:0", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { first.Close() })
	s := open(t, `{"topicEndpoint":"`+first.Endpoint("twins")+`","caFile":"`+o.CertFile+`"`+withKey("cloudEventSchemaV1_0")+`}`, eventgrid.Options{})
	if out := send(t, s, update)[0]; out.Blame != delivery.None {
		t.Fatal(out.Reason())
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if out := send(t, s, update)[0]; out.Blame != delivery.Nobody {
		t.Errorf("without a server: %v (%s)", out.Blame, out.Reason())
	}
	second, err := emulator.Listen(strings.TrimPrefix(first.URL(), "https://"), o)
	if err != nil {
		t.Skip("another process took the port: ", err)
	}
	t.Cleanup(func() { second.Close() })
	if out := send(t, s, update)[0]; out.Blame != delivery.None {
		t.Errorf("after the restart: %v (%s)", out.Blame, out.Reason())
	}
	if got := second.Topic("twins").Accepted; got != 1 {
		t.Errorf("the new server took %d events", got)
	}
}
