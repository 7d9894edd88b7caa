package emulator_test

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/coder/websocket"

	"github.com/headgate/headgate/gateway/emulator"
)

// TestWebSocketClient has Microsoft's SDK speak over WebSockets as its
// documentation says.
func TestWebSocketClient(t *testing.T) {
	e := start(t, everything(emulator.Declared{}))
	c, err := azservicebus.NewClientFromConnectionString(e.ConnectionString(emulator.ServiceBus), &azservicebus.ClientOptions{
		NewWebSocketConn: func(ctx context.Context, args azservicebus.NewWebSocketConnArgs) (net.Conn, error) {
			url := strings.Replace(args.Host, "wss://", "ws://", 1) // an emulator has no TLS, which the SDK does not heed here
			socket, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{Subprotocols: []string{"amqp"}})
			if err != nil {
				return nil, err
			}
			return websocket.NetConn(context.Background(), socket, websocket.MessageBinary), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	defer c.Close(ctx)
	s, err := c.NewSender("q", nil)
	if err != nil {
		t.Fatal(err)
	}
	body := strings.Repeat("x", 200_000) // more than one frame
	if err := s.SendMessage(ctx, &azservicebus.Message{Body: []byte(body)}, nil); err != nil {
		t.Fatal(err)
	}
	r, err := c.NewReceiverForQueue("q", nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.ReceiveMessages(ctx, 1, nil)
	if err != nil || len(got) != 1 || string(got[0].Body) != body {
		t.Fatalf("%d messages, %v, want the one that was sent", len(got), err)
	}
	if err := r.CompleteMessage(ctx, got[0], nil); err != nil {
		t.Error(err)
	}
}

// TestWebSocketRefusals holds what a port of AMQP answers to other requests.
func TestWebSocketRefusals(t *testing.T) {
	e := start(t, everything(emulator.Declared{}))
	address := e.Address(emulator.EventHubs)
	upgrade := "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: AMQPWSB10\r\n"
	for _, tt := range []struct {
		name, request string
		want          int // 0: no answer
	}{
		{"as clients ask", "GET /$servicebus/websocket HTTP/1.1\r\nHost: " + address + "\r\n" + upgrade + "\r\n", 101},
		{"a page of this machine", "GET /$servicebus/websocket HTTP/1.1\r\nHost: localhost:1\r\nOrigin: http://localhost:1\r\n" + upgrade + "\r\n", 101},
		{"a page of another site", "GET /$servicebus/websocket HTTP/1.1\r\nHost: " + address + "\r\nOrigin: https://site.example\r\n" + upgrade + "\r\n", 403},
		{"a page that calls this machine by its name", "GET /$servicebus/websocket HTTP/1.1\r\nHost: site.example\r\nOrigin: https://site.example\r\n" + upgrade + "\r\n", 403},
		{"another path", "GET /elsewhere HTTP/1.1\r\nHost: h\r\n\r\n", 404},
		{"no upgrade", "GET /$servicebus/websocket HTTP/1.1\r\nHost: h\r\n\r\n", 426},
		{"no HTTP", "GOOD MORNING\r\n\r\n", 0},
		{"without end", "GET /$servicebus/websocket HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			_, _ = conn.Write([]byte(tt.request)) // a server that has heard enough may be gone
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if tt.want == 0 {
				if err == nil {
					t.Errorf("the answer is %s", answer.Status)
				}
				return
			}
			if err != nil || answer.StatusCode != tt.want {
				t.Fatalf("the answer is %v, %v, want %d", answer, err, tt.want)
			}
			if tt.want == 101 && answer.Header.Get("Sec-WebSocket-Protocol") != "AMQPWSB10" {
				t.Errorf("the protocol is %q", answer.Header.Get("Sec-WebSocket-Protocol"))
			}
			answer.Body.Close()
		})
	}
}
