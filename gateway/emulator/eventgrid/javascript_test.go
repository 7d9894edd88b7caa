package eventgrid_test

import (
	"path/filepath"
	"testing"

	"github.com/headgate/headgate/gateway/emulator/eventgrid"
	"github.com/headgate/headgate/gateway/npmtest"
)

// TestJavaScriptPublisher has the official JavaScript SDK publish, unmodified.
func TestJavaScriptPublisher(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "ca.pem")
	s := listen(t, eventgrid.Options{Topics: bothTopics(), CertFile: ca})
	npmtest.Run(t, "testdata/jsclient", []string{"NODE_EXTRA_CA_CERTS=" + ca}, s.Endpoint("grid-topic"), s.Endpoint("cloud-topic"), key)
	for topic, want := range map[string][]string{"grid-topic": {"grid-1", "grid-2", "grid-3"}, "cloud-topic": {"cloud-1", "cloud-2", "cloud-3"}} {
		var got []string
		for _, p := range s.Topic(topic).Events {
			got = append(got, ids(t, string(p.Event))...)
		}
		if len(got) != len(want) {
			t.Errorf("%s took %v, want %v", topic, got, want)
		}
	}
}
