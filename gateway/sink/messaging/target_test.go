package messaging_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/sink"
	"github.com/headgate/headgate/gateway/sink/messaging"
)

// secret is base64, as shared access keys are, and obviously none.
const secret = "bm90IGEga2V5"

func read(t testing.TB, settings map[string]string) (messaging.Target, error) {
	t.Helper()
	raw, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	in := sink.ReadSettings(raw)
	target := messaging.ReadTarget(in)
	return target, in.Err()
}

func TestTarget(t *testing.T) {
	const with = ";SharedAccessKeyName=send;SharedAccessKey=" + secret
	const signature = "SharedAccessSignature sr=plant&sig=" + secret + "&se=1&skn=send"
	tests := []struct {
		name, connection, entity, uri string
		origin, composed              string // of a target
	}{
		{"plain", "Endpoint=sb://plant.example.net" + with, "q", "", "sb://plant.example.net/q", "Endpoint=sb://plant.example.net" + with},
		{"as the portal gives it", "Endpoint=sb://plant.example.net/" + with + ";EntityPath=q", "", "", "sb://plant.example.net/q", "Endpoint=sb://plant.example.net" + with},
		{"entity twice", "Endpoint=sb://plant.example.net/" + with + ";EntityPath=Q", "q", "", "sb://plant.example.net/q", "Endpoint=sb://plant.example.net" + with},
		{"other order, blanks, case", " sharedaccesskey = " + secret + " ; endpoint=sb://plant.example.net ;SHAREDACCESSKEYNAME=send; ", "q", "", "sb://plant.example.net/q", "Endpoint=sb://plant.example.net" + with},
		{"key with an equals sign", "Endpoint=sb://h;SharedAccessKeyName=n;SharedAccessKey=" + secret + "==", "q", "", "sb://h/q", "Endpoint=sb://h;SharedAccessKeyName=n;SharedAccessKey=" + secret + "=="},
		{"signature", "Endpoint=sb://h;SharedAccessSignature=" + signature, "a/b/c", "", "sb://h/a/b/c", "Endpoint=sb://h;SharedAccessSignature=" + signature},
		{"emulator", "Endpoint=sb://127.0.0.1:5672" + with + ";UseDevelopmentEmulator=True;", "q", "", "sb://127.0.0.1:5672/q", "Endpoint=sb://127.0.0.1:5672" + with + ";UseDevelopmentEmulator=true"},
		{"no emulator", "Endpoint=sb://[::1]:1" + with + ";UseDevelopmentEmulator=false", "q", "", "sb://[::1]:1/q", "Endpoint=sb://[::1]:1" + with},
		{"other keys", "Endpoint=sb://h" + with + ";TransportType=Amqp;OperationTimeout=00:01", "q", "", "sb://h/q", "Endpoint=sb://h" + with},
		{"identity", "", "q", "sb://plant.example.net", "sb://plant.example.net/q", ""},
		{"identity, with a slash", "", "q", "sb://plant.example.net/", "sb://plant.example.net/q", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			target, err := read(t, map[string]string{"connectionString": tt.connection, "entityPath": tt.entity, "endpointUri": tt.uri})
			if err != nil {
				t.Fatal(err)
			}
			if target.Origin() != tt.origin || target.Connection != tt.composed {
				t.Errorf("origin %s, connection string %q; want %s, %q", target.Origin(), target.Connection, tt.origin, tt.composed)
			}
		})
	}
}

func TestTargetFaults(t *testing.T) {
	const good = "Endpoint=sb://h;SharedAccessKeyName=send;SharedAccessKey=" + secret
	tests := []struct {
		name, connection, entity, uri string
		field, want                   string
	}{
		{"nothing", "", "", "", "connectionString", "endpointUri"},
		{"both", good, "q", "sb://h", "endpointUri", "remove one"},
		{"the key alone", secret, "q", "", "connectionString", "part 1 is not of the form Key=Value"},
		{"the key where a pair should be", "Endpoint=sb://h;" + secret, "q", "", "connectionString", "part 2 is not"},
		{"no endpoint", "SharedAccessKeyName=send;SharedAccessKey=" + secret, "q", "", "connectionString", "has no Endpoint=sb://"},
		{"no key", "Endpoint=sb://h;SharedAccessKeyName=send", "q", "", "connectionString", "has no SharedAccessKey;"},
		{"no name of the key", "Endpoint=sb://h;SharedAccessKey=" + secret, "q", "", "connectionString", "has no SharedAccessKeyName"},
		{"misspelt key", "Endpoint=sb://h;SharedAccessKeyName=send;SharedAccesKey=" + secret, "q", "", "connectionString", "has no SharedAccessKey;"},
		{"neither key nor signature", "Endpoint=sb://h;Authentication=Managed Identity", "q", "", "connectionString", "set endpointUri instead"},
		{"twice", good + ";SharedAccessKey=x", "q", "", "connectionString", "twice, in its part 4"},
		{"endpoint of another kind", strings.Replace(good, "sb://", "https://", 1), "q", "", "connectionString", "must be like sb://"},
		{"endpoint without scheme", strings.Replace(good, "sb://", "", 1), "q", "", "connectionString", "must be like sb://"},
		{"endpoint with a path", strings.Replace(good, "sb://h", "sb://h/q", 1), "q", "", "connectionString", "without anything after the host"},
		{"endpoint with a port that is none", strings.Replace(good, "sb://h", "sb://h:99999", 1), "q", "", "connectionString", "port"},
		{"endpoint that is the key", strings.Replace(good, "sb://h", secret, 1), "q", "", "connectionString", "must be like sb://"},
		{"emulator neither true nor false", good + ";UseDevelopmentEmulator=" + secret, "q", "", "connectionString", "neither true nor false"},
		{"no entity", good, "", "", "entityPath", "EntityPath=…"},
		{"no entity for an identity", "", "", "sb://h", "entityPath", "is required"},
		{"other entity", good + ";EntityPath=q", "other", "", "entityPath", "remove one of them"},
		{"entity with a query", good, "q?x", "", "entityPath", "character"},
		{"entity with a line break", good, "q\n", "", "entityPath", "character"},
		{"entity beneath the root", good, "/q", "", "entityPath", "slashes"},
		{"own entity with a star", good + ";EntityPath=*", "", "", "connectionString", "EntityPath that is not the name"},
		{"entity too long", good, strings.Repeat("q", 261), "", "entityPath", "longer than 260"},
		{"URI of another kind", "", "q", "https://h", "endpointUri", "must be like sb://"},
		{"URI with a user", "", "q", "sb://user:" + secret + "@h", "endpointUri", "without anything"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := read(t, map[string]string{"connectionString": tt.connection, "entityPath": tt.entity, "endpointUri": tt.uri})
			var fault *sink.SettingError
			if !errors.As(err, &fault) || fault.Field != tt.field || !strings.Contains(fault.Reason, tt.want) {
				t.Fatalf("error = %v, want one of %s with %q", err, tt.field, tt.want)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("error tells the secret: %v", err)
			}
		})
	}
}

func FuzzTarget(f *testing.F) {
	f.Add("Endpoint=sb://h;SharedAccessKeyName=send;SharedAccessKey="+secret+";EntityPath=q", "", "")
	f.Add("Endpoint=sb://h:1/;SharedAccessSignature=SharedAccessSignature sr=h&sig=a%2Bb&se=1&skn=n;UseDevelopmentEmulator=true", "a/b", "")
	f.Add("", "q", "sb://h")
	f.Fuzz(func(t *testing.T, connection, entity, uri string) {
		target, err := read(t, map[string]string{"connectionString": connection, "entityPath": entity, "endpointUri": uri})
		if err != nil {
			return
		}
		if target.Host == "" || target.Entity == "" || (target.Connection == "") != (uri != "") {
			t.Fatalf("target %+v", target)
		}
		if uri != "" {
			return
		}
		// What was composed says the same.
		again, err := read(t, map[string]string{"connectionString": target.Connection, "entityPath": target.Entity})
		if err != nil || again.Origin() != target.Origin() || again.Connection != target.Connection {
			t.Errorf("%q became %q, which became %q: %v", connection, target.Connection, again.Connection, err)
		}
	})
}

// TestTransport holds how a namespace is got to.
func TestTransport(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, []byte("not PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, transport, caFile, connection, read, check string }{
		{"by default", "", "", "", "", ""},
		{"AMQP", "amqp", "", "", "", ""},
		{"WebSockets", "webSockets", "", "", "", ""},
		{"another", "AmqpWebSockets", "", "", "settings.transport must be amqp or webSockets", ""},
		{"a file that is not there", "", "none.pem", "", "", "settings.caFile cannot be used: open none.pem"},
		{"a file of something else", "", file, "", "", "settings.caFile cannot be used: holds no certificate in PEM"},
		{"a file without TLS", "", file, "Endpoint=sb://h;SharedAccessKeyName=send;SharedAccessKey=" + secret + ";UseDevelopmentEmulator=true", "settings.caFile stands beside UseDevelopmentEmulator=true", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			settings := map[string]string{"entityPath": "q", "transport": tt.transport, "caFile": tt.caFile, "connectionString": tt.connection}
			if tt.connection == "" {
				settings["endpointUri"] = "sb://h"
			}
			target, err := read(t, settings)
			for _, step := range []struct {
				err  error
				want string
			}{{err, tt.read}, {target.Check(), tt.check}} {
				if got := fmt.Sprint(step.err); step.want == "" && step.err != nil && tt.read == "" || !strings.HasPrefix(got, step.want) {
					t.Errorf("error %s, want %q", got, step.want)
				}
			}
		})
	}
}
