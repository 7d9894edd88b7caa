package amqp_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	client "github.com/Azure/go-amqp"

	"github.com/headgate/headgate/gateway/emulator/amqp"
)

// caller puts requests to a node, through the reference client.
type caller struct {
	t *testing.T
	s *client.Sender
	r *client.Receiver
}

func newCaller(t *testing.T, s *client.Session, address string) *caller {
	t.Helper()
	sender, err := s.NewSender(timeout(t), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := s.NewReceiver(timeout(t), address, &client.ReceiverOptions{TargetAddress: "reply", Credit: 10})
	if err != nil {
		t.Fatal(err)
	}
	return &caller{t, sender, receiver}
}

func (c *caller) call(body any, properties map[string]any) *client.Message {
	c.t.Helper()
	m := &client.Message{Properties: &client.MessageProperties{MessageID: "id", ReplyTo: ptr("reply")}, ApplicationProperties: properties, Value: body}
	if err := c.s.Send(timeout(c.t), m, nil); err != nil {
		c.t.Fatal(err)
	}
	m, err := c.r.Receive(timeout(c.t), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if m.Properties.CorrelationID != "id" {
		c.t.Errorf("correlation id %v, want that of the request", m.Properties.CorrelationID)
	}
	return m
}

func TestRequests(t *testing.T) {
	node := amqp.NewRequests(func(_ context.Context, r amqp.Request) amqp.Response {
		switch r.Operation() {
		case "echo":
			return amqp.Response{Status: 200, Body: amqp.MapOf(map[string]any{"body": r.Body(), "property": r.Property("p")})}
		case "broken":
			return amqp.Response{Status: 200, Body: 1}
		case "unwritten":
			return amqp.Response{Status: 400, Description: "\xff"}
		}
		return amqp.Response{Status: 404, Description: "no such thing", Condition: amqp.NotFound}
	})
	c := newCaller(t, dial(t, serve(t, node, amqp.Options{}), nil), "$management")
	m := c.call("body", map[string]any{"operation": "echo", "p": int64(7)})
	got, _ := m.Value.(map[string]any)
	if m.ApplicationProperties["status-code"] != int32(200) || got["body"] != "body" || got["property"] != int64(7) {
		t.Errorf("answer %v %v", m.ApplicationProperties, m.Value)
	}
	m = c.call(nil, map[string]any{"operation": "other"})
	if p := m.ApplicationProperties; p["status-code"] != int32(404) || p["status-description"] != "no such thing" || p["error-condition"] != "amqp:not-found" && p["error-condition"] != client.Symbol("amqp:not-found") {
		t.Errorf("refusal %v", p)
	}
	for operation, want := range map[string]int32{"broken": 500, "unwritten": 400} {
		if m = c.call(nil, map[string]any{"operation": operation}); m.ApplicationProperties["status-code"] != want {
			t.Errorf("%s: %v, want %d", operation, m.ApplicationProperties, want)
		}
	}
	for name, m := range map[string]*client.Message{"no reply-to": {Value: "x"}} {
		if err := c.s.Send(timeout(t), m, nil); err == nil || !strings.Contains(err.Error(), string(amqp.InvalidField)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	nowhere := &client.Message{Properties: &client.MessageProperties{ReplyTo: ptr("nowhere")}, Value: "x"}
	if err := c.s.Send(timeout(t), nowhere, nil); err != nil {
		t.Error(err)
	}
	if m := c.call("after", map[string]any{"operation": "echo"}); m.Value == nil {
		t.Error("an answer to nowhere stops the node")
	}
}

// TestClaims lets clients in only where they put a token to.
func TestClaims(t *testing.T) {
	keys := amqp.Keys{"owner": "not a key"}
	addr := serve(t, &queues{}, amqp.Options{Authorize: keys.Authorize, Authenticate: keys.Authenticate})
	later := time.Now().Add(time.Hour).Unix()
	tests := []struct {
		name, audience, token string
		status                int32
	}{
		{"the entity", "sb://host/q", sign("owner", "not a key", "sb://host/q", later), 202},
		{"all of the namespace", "amqp://host:5672/q", sign("owner", "not a key", "amqp://host:5672/", later), 202},
		{"another", "sb://host/q", sign("owner", "not a key", "sb://host/other", later), 401},
		{"a longer name", "sb://host/q", sign("owner", "not a key", "sb://host/qq", later), 401},
		{"a wrong key", "sb://host/q", sign("owner", "another", "sb://host/q", later), 401},
		{"an unknown key", "sb://host/q", sign("guest", "not a key", "sb://host/q", later), 401},
		{"expired", "sb://host/q", sign("owner", "not a key", "sb://host/q", 1), 401},
		{"no signature", "sb://host/q", "a.b.c", 401},
		{"half a signature", "sb://host/q", "SharedAccessSignature sr=%zz", 401},
	}
	for _, tt := range tests {
		s := dial(t, addr, nil)
		c := newCaller(t, s, "$cbs")
		m := c.call(tt.token, map[string]any{"operation": "put-token", "type": "servicebus.windows.net:sastoken", "name": tt.audience})
		if got := m.ApplicationProperties["status-code"]; got != tt.status {
			t.Errorf("%s: %v, want %d", tt.name, m.ApplicationProperties, tt.status)
		}
		_, err := s.NewSender(timeout(t), "Q/below", nil)
		if refused := err != nil && strings.Contains(err.Error(), string(amqp.UnauthorizedAccess)); refused == (tt.status == 202) {
			t.Errorf("%s: attach: %v", tt.name, err)
		}
		if m := c.call(nil, map[string]any{"operation": "other"}); m.ApplicationProperties["status-code"] != int32(501) {
			t.Errorf("another operation: %v", m.ApplicationProperties)
		}
	}
	plain := dial(t, addr, &client.ConnOptions{SASLType: client.SASLTypePlain("owner", "not a key")})
	if _, err := plain.NewSender(timeout(t), "q", nil); err != nil {
		t.Errorf("a client that signed in with a key: %v", err)
	}
}

func sign(name, key, uri string, until int64) string {
	sr := strings.ToLower(url.QueryEscape(uri))
	mac := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(mac, "%s\n%d", sr, until)
	return fmt.Sprintf("SharedAccessSignature sr=%s&sig=%s&se=%d&skn=%s", sr, url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil))), until, name)
}

func TestPlain(t *testing.T) {
	v := amqp.Map{
		{Key: amqp.Symbol("list"), Value: amqp.List{int32(1), amqp.Symbol("s"), amqp.Char('c'), amqp.Decimal("\x01234"), amqp.UUID{1}}},
		{Key: uint32(2), Value: amqp.NewArray("a", "b")},
		{Key: "bytes", Value: amqp.List{[]byte("text"), []byte{0xff}}},
		{Key: "described", Value: amqp.Described{Descriptor: uint64(1), Value: float32(1.5)}},
	}
	want := `map[2:[a b] bytes:[text /w==] described:1.5 list:[1 s c 01323334 01000000-0000-0000-0000-000000000000]]`
	if got := fmt.Sprint(amqp.Plain(v)); got != want {
		t.Errorf("Plain = %s, want %s", got, want)
	}
}
