package servicebus_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"

	"github.com/headgate/headgate/gateway/emulator/servicebus"
	"github.com/headgate/headgate/gateway/emulator/servicebus/broker"
)

// dial opens a plain AMQP session, for what no SDK would say.
func (n *namespace) dial(t testing.TB) *amqp.Session {
	t.Helper()
	host := strings.TrimPrefix(strings.SplitN(n.connection, ";", 2)[0], "Endpoint=sb://")
	conn := must1[*amqp.Conn](t)(amqp.Dial(within(t), "amqp://"+host, &amqp.ConnOptions{SASLType: amqp.SASLTypeAnonymous()}))
	t.Cleanup(func() { conn.Close() })
	return must1[*amqp.Session](t)(conn.NewSession(within(t), nil))
}

var requests atomic.Int64

// request asks the management node of an entity, and returns the answer.
func request(t testing.TB, s *amqp.Session, entity, operation string, body any) *amqp.Message {
	t.Helper()
	me := fmt.Sprint("reply-", requests.Add(1))
	r := must1[*amqp.Receiver](t)(s.NewReceiver(within(t), entity+"/$management", &amqp.ReceiverOptions{TargetAddress: me}))
	defer r.Close(within(t))
	w := must1[*amqp.Sender](t)(s.NewSender(within(t), entity+"/$management", nil))
	defer w.Close(within(t))
	must(t, w.Send(within(t), &amqp.Message{
		Properties:            &amqp.MessageProperties{MessageID: me, ReplyTo: &me},
		ApplicationProperties: map[string]any{"operation": operation},
		Value:                 body,
	}, nil))
	m := must1[*amqp.Message](t)(r.Receive(within(t), nil))
	must(t, r.AcceptMessage(within(t), m))
	if m.Properties.CorrelationID != me {
		t.Fatalf("the answer is to %v", m.Properties.CorrelationID)
	}
	return m
}

// TestRequestsThatCannotBe sends what no SDK would.
func TestRequestsThatCannotBe(t *testing.T) {
	n := serve(t, sessionQueue(broker.Settings{}))
	s := n.dial(t)
	type m = map[string]any
	tests := []struct {
		operation string
		body      any
		status    int32
		condition amqp.ErrCond
	}{
		{"", nil, 501, "amqp:not-implemented"},
		{"com.microsoft:add-rule", m{}, 501, "amqp:not-implemented"},
		{"com.microsoft:renew-lock", nil, 400, "com.microsoft:argument-error"},
		{"com.microsoft:renew-lock", m{"lock-tokens": "token"}, 400, "com.microsoft:argument-error"},
		{"com.microsoft:renew-lock", m{"lock-tokens": []any{"token"}}, 400, "com.microsoft:argument-error"},
		{"com.microsoft:renew-lock", m{"lock-tokens": []amqp.UUID{{1}}}, 410, "com.microsoft:message-lock-lost"},
		{"com.microsoft:renew-session-lock", m{"session-id": int32(1)}, 400, "com.microsoft:argument-error"},
		{"com.microsoft:renew-session-lock", m{"session-id": "s"}, 410, "com.microsoft:session-lock-lost"},
		{"com.microsoft:get-session-state", m{}, 400, "com.microsoft:argument-error"},
		{"com.microsoft:get-session-state", m{"session-id": "s"}, 410, "com.microsoft:session-lock-lost"},
		{"com.microsoft:set-session-state", m{"session-id": "s", "session-state": "text"}, 400, "com.microsoft:argument-error"},
		{"com.microsoft:get-message-sessions", m{"last-updated-time": int64(0)}, 400, "com.microsoft:argument-error"},
		{"com.microsoft:peek-message", m{"from-sequence-number": "1", "message-count": int32(1)}, 400, "com.microsoft:argument-error"},
		{"com.microsoft:schedule-message", m{"messages": []any{"x"}}, 400, "com.microsoft:argument-error"},
		{"com.microsoft:schedule-message", m{"messages": []any{m{"message": []byte{1, 2, 3}}}}, 400, "amqp:decode-error"},
		{"com.microsoft:cancel-scheduled-message", m{"sequence-numbers": []any{true}}, 400, "com.microsoft:argument-error"},
		{"com.microsoft:cancel-scheduled-message", m{"sequence-numbers": []int64{7}}, 404, "com.microsoft:message-not-found"},
		{"com.microsoft:receive-by-sequence-number", m{"sequence-numbers": []int64{7}, "receiver-settle-mode": uint32(1)}, 404, "com.microsoft:message-not-found"},
		{"com.microsoft:update-disposition", m{"disposition-status": "eaten", "lock-tokens": []amqp.UUID{{1}}}, 400, "com.microsoft:argument-error"},
		{"com.microsoft:update-disposition", m{"disposition-status": "completed", "lock-tokens": []amqp.UUID{{1}}}, 410, "com.microsoft:message-lock-lost"},
	}
	for _, tt := range tests {
		t.Run(tt.operation, func(t *testing.T) {
			got := request(t, s, "q", tt.operation, tt.body).ApplicationProperties
			if got["status-code"] != tt.status || fmt.Sprint(got["error-condition"]) != string(tt.condition) {
				t.Errorf("answer %v, want %d %s", got, tt.status, tt.condition)
			}
		})
	}
}

// TestMessagesThatCannotBe sends messages that are refused, each with a word why.
func TestMessagesThatCannotBe(t *testing.T) {
	n := serve(t, servicebus.Options{})
	w := must1[*amqp.Sender](t)(n.dial(t).NewSender(within(t), "q", nil))
	const batch = 0x80013700
	long := strings.Repeat("i", 129)
	tests := []struct {
		name    string
		message *amqp.Message
		want    string
	}{
		{"partition key", &amqp.Message{Annotations: amqp.Annotations{"x-opt-partition-key": int32(1)}}, "com.microsoft:argument-error"},
		{"schedule", &amqp.Message{Annotations: amqp.Annotations{"x-opt-scheduled-enqueue-time": int64(1)}}, "com.microsoft:argument-error"},
		{"long id", &amqp.Message{Properties: &amqp.MessageProperties{MessageID: long}}, "com.microsoft:argument-error"},
		{"empty batch", &amqp.Message{Format: batch, Value: "x"}, "com.microsoft:argument-error"},
		{"batch of nonsense", &amqp.Message{Format: batch, Data: [][]byte{{1, 2, 3}}}, "amqp:decode-error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.message.Data == nil && tt.message.Value == nil {
				tt.message.Data = [][]byte{[]byte("a")}
			}
			if err := w.Send(within(t), tt.message, nil); condition(err) != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
	if left := n.entity(t, "q").Info().Messages; left != 0 {
		t.Errorf("%d messages were taken", left)
	}
}

// TestSenderCannotForge sends what only the service says of a message.
func TestSenderCannotForge(t *testing.T) {
	n := serve(t, servicebus.Options{})
	s := n.dial(t)
	w := must1[*amqp.Sender](t)(s.NewSender(within(t), "q", nil))
	must(t, w.Send(within(t), &amqp.Message{
		Header: &amqp.MessageHeader{DeliveryCount: 7, Durable: true, Priority: 9},
		Annotations: amqp.Annotations{
			"x-opt-sequence-number": int64(99), "x-opt-locked-until": "now", "x-opt-deadletter-source": "elsewhere", "x-opt-mine": "kept",
		},
		DeliveryAnnotations: amqp.Annotations{"x-opt-lock-token": "mine"},
		Properties:          &amqp.MessageProperties{MessageID: uint64(7), CorrelationID: amqp.UUID{1}},
		Value:               []any{int32(1), "two"},
	}, nil))
	r := must1[*amqp.Receiver](t)(s.NewReceiver(within(t), "q", &amqp.ReceiverOptions{SettlementMode: amqp.ReceiverSettleModeSecond.Ptr()}))
	m := must1[*amqp.Message](t)(r.Receive(within(t), nil))
	token, _ := m.DeliveryAnnotations["x-opt-lock-token"].(amqp.UUID)
	if m.Header.DeliveryCount != 0 || !m.Header.Durable || m.Header.Priority != 9 || m.Annotations["x-opt-sequence-number"] != int64(1) ||
		m.Annotations["x-opt-deadletter-source"] != nil || m.Annotations["x-opt-mine"] != "kept" || len(m.DeliveryTag) != 16 || token == (amqp.UUID{}) {
		t.Errorf("received %+v, header %+v", m, m.Header)
	}
	if _, ok := m.Annotations["x-opt-locked-until"].(time.Time); !ok {
		t.Errorf("locked until %v", m.Annotations["x-opt-locked-until"])
	}
	// The tag is the token as .NET writes a GUID.
	for i, from := range []int{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15} {
		if m.DeliveryTag[i] != token[from] {
			t.Fatalf("tag %x of token %x", m.DeliveryTag, token)
		}
	}
	if v, ok := m.Value.([]any); !ok || len(v) != 2 || v[0] != int32(1) || m.Properties.MessageID != uint64(7) || m.Properties.CorrelationID != (amqp.UUID{1}) {
		t.Errorf("body %v, properties %+v", m.Value, m.Properties)
	}
	must(t, r.AcceptMessage(within(t), m))
	until(t, "the message to be gone", func() bool { return n.entity(t, "q").Info().Messages == 0 })
}

// TestTLS has the SDK connect as it does to the service.
func TestTLS(t *testing.T) {
	web := httptest.NewTLSServer(nil) // for its certificate
	defer web.Close()
	s := must1[*servicebus.Server](t)(servicebus.New(servicebus.Options{}))
	ln := must1[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	serveOn(t, s, tls.NewListener(ln, &tls.Config{Certificates: web.TLS.Certificates}))
	pool := x509.NewCertPool()
	pool.AddCert(web.Certificate())
	c := must1[*azservicebus.Client](t)(azservicebus.NewClientFromConnectionString(
		fmt.Sprintf("Endpoint=sb://example.com/;SharedAccessKeyName=%s;SharedAccessKey=%s", keyName, key),
		&azservicebus.ClientOptions{CustomEndpoint: ln.Addr().String(), TLSConfig: &tls.Config{RootCAs: pool, ServerName: "example.com"}}))
	defer c.Close(within(t))
	must(t, sender(t, c, "q").SendMessage(within(t), text("a"), nil))
	if m := one(t, queueReceiver(t, c, "q")); string(m.Body) != "a" {
		t.Errorf("received %q", m.Body)
	}
}
