package emulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/emulator"
)

// post posts a fault, which must be taken.
func post(t testing.TB, e *emulator.Emulator, fault string) {
	t.Helper()
	var said struct{ Detail string }
	if status := call(t, "POST", e.ControlURL()+"/faults", fault, &said); status != http.StatusCreated {
		t.Fatalf("%s: %d %s", fault, status, said.Detail)
	}
}

// TestFaultsAtSender has things go wrong for a sender, in turn, and go well again.
func TestFaultsAtSender(t *testing.T) {
	e := start(t, everything(emulator.Declared{}))
	c := busClient(t, e.ConnectionString(emulator.ServiceBus), nil)
	send := func(size int) error {
		sender, err := c.NewSender("orders", nil)
		if err != nil {
			return err
		}
		defer sender.Close(context.Background())
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		return sender.SendMessage(ctx, &azservicebus.Message{Body: make([]byte, size)}, nil)
	}
	for _, tt := range []struct {
		fault, want string // part of the error of one send with its one retry
		arrived     int
	}{
		{`{"service":"serviceBus","kind":"server-busy","entity":"orders","times":2}`, "server-busy", 0},
		{`{"service":"serviceBus","kind":"server-busy","times":1}`, "", 1},
		{`{"service":"serviceBus","kind":"drop-before","entity":"orders","times":1}`, "", 1},
		{`{"service":"serviceBus","kind":"drop-after","entity":"orders","times":1}`, "", 2},
		{`{"service":"serviceBus","kind":"detach"}`, "detach", 0},
		{`{"service":"serviceBus","kind":"reject","condition":"amqp:not-allowed","times":2}`, "amqp:not-allowed", 0},
		{`{"service":"serviceBus","kind":"refuse","condition":"amqp:not-found","times":2}`, "amqp:not-found", 0},
		{`{"service":"serviceBus","kind":"disable","entity":"orders"}`, "entity-disabled", 0},
		{`{"service":"serviceBus","kind":"size-limit","entity":"orders","bytes":100}`, "", 0},
		{`{"service":"serviceBus","kind":"quota-limit","entity":"orders","bytes":1}`, "resource-limit-exceeded", 0},
		{`{"service":"serviceBus","kind":"slow","delay":"1ms"}`, "", 1},
	} {
		before := count(t, e)
		post(t, e, tt.fault)
		err := send(200)
		if strings.Contains(tt.fault, "size-limit") {
			if err == nil {
				t.Error("a message over the limit is taken")
			}
		} else if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.fault, err, tt.want)
		}
		if got := count(t, e) - before; got != tt.arrived {
			t.Errorf("%s: %d messages arrived, want %d", tt.fault, got, tt.arrived)
		}
		if status := call(t, "DELETE", e.ControlURL()+"/faults", "", nil); status != http.StatusNoContent {
			t.Errorf("DELETE: %d", status)
		}
		if err := send(200); err != nil {
			t.Errorf("after %s: %v", tt.fault, err)
		}
	}
}

// count is of the messages in the queue orders.
func count(t testing.TB, e *emulator.Emulator) int {
	t.Helper()
	all, err := e.Entities(emulator.ServiceBus, "ORDERS", 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		return 0
	}
	return all[0].Messages
}

// TestLockLost takes a lock away from a receiver.
func TestLockLost(t *testing.T) {
	e := start(t, everything(emulator.Declared{}))
	c := busClient(t, e.ConnectionString(emulator.ServiceBus), nil)
	sender, err := c.NewSender("orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.SendMessage(within(t), &azservicebus.Message{Body: []byte("x")}, nil); err != nil {
		t.Fatal(err)
	}
	receiver, err := c.NewReceiverForQueue("orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := receiver.ReceiveMessages(within(t), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	post(t, e, `{"service":"serviceBus","kind":"lock-lost","entity":"orders"}`)
	var lost *azservicebus.Error
	if err := receiver.CompleteMessage(within(t), got[0], nil); !errors.As(err, &lost) || lost.Code != azservicebus.CodeLockLost {
		t.Errorf("CompleteMessage = %v", err)
	}
}

// TestFaultsOfTopic has things go wrong for a publisher to Event Grid.
func TestFaultsOfTopic(t *testing.T) {
	e := start(t, everything(emulator.Declared{}))
	if err := e.Inject(emulator.Fault{Service: emulator.EventGrid, Kind: "server-busy"}); err == nil || !strings.Contains(err.Error(), "publish to it first") {
		t.Errorf("a fault without a topic: %v", err)
	}
	send := func() error { return publish(t, e, "plant", e.Key()) }
	if err := send(); err != nil {
		t.Fatal(err)
	}
	for fault, status := range map[string]int{
		`{"service":"eventGrid","kind":"server-busy","retryAfter":"2s"}`:                         503,
		`{"service":"eventGrid","kind":"unauthorized","entity":"plant"}`:                         401,
		`{"service":"eventGrid","kind":"size-limit"}`:                                            413,
		`{"service":"eventGrid","kind":"reject","status":429}`:                                   429,
		`{"service":"eventGrid","kind":"drop-before"}`:                                           0,
		`{"service":"eventGrid","kind":"drop-after","times":2}`:                                  0,
		`{"service":"eventGrid","kind":"slow","delay":"1ms"}`:                                    200,
		`{"service":"eventGrid","kind":"reject","status":400,"ids":["another event, not ours"]}`: 200,
	} {
		post(t, e, fault)
		var answered *azcore.ResponseError
		switch err := send(); {
		case status == 200 && err != nil, status != 200 && err == nil:
			t.Errorf("%s: %v", fault, err)
		case status > 200 && (!errors.As(err, &answered) || answered.StatusCode != status):
			t.Errorf("%s: %v, want %d", fault, err, status)
		case status == 0 && errors.As(err, &answered):
			t.Errorf("%s: answered %d", fault, answered.StatusCode)
		}
		if err := e.ClearFaults(emulator.EventGrid); err != nil {
			t.Error(err)
		}
		if err := send(); err != nil {
			t.Errorf("after %s: %v", fault, err)
		}
	}
}

// TestFaultsInForce lists faults with what is left of them.
func TestFaultsInForce(t *testing.T) {
	e := start(t, everything(parse(t, "eventGrid: {topics: [{name: plant, schema: cloudEventSchemaV1_0}, {name: other}]}")))
	for _, f := range []string{
		`{"service":"serviceBus","kind":"server-busy","entity":"orders","skip":1,"times":3}`,
		`{"service":"serviceBus","kind":"slow","delay":"1m30s"}`,
		`{"service":"serviceBus","kind":"lock-lost","entity":"orders"}`,
		`{"service":"serviceBus","kind":"size-limit","entity":"orders","bytes":100}`,
		`{"service":"serviceBus","kind":"size-limit","entity":"ORDERS","bytes":200}`,
		`{"service":"eventHubs","kind":"refuse","condition":"amqp:not-found"}`,
		`{"service":"eventHubs","kind":"size-limit","entity":"hub","bytes":300}`,
		`{"service":"eventGrid","kind":"slow","entity":"plant","delay":"1ms","times":2}`,
		`{"service":"eventGrid","kind":"reject","entity":"other","status":429,"retryAfter":"3s","ids":["1"]}`,
	} {
		post(t, e, f)
	}
	if err := publish(t, e, "plant", e.Key()); err != nil {
		t.Fatal(err)
	}
	var got struct{ Items []emulator.Fault }
	call(t, "GET", e.ControlURL()+"/faults", "", &got)
	want := []emulator.Fault{
		{Service: "serviceBus", Kind: "server-busy", Entity: "orders", Skip: 1, Times: 3},
		{Service: "serviceBus", Kind: "slow", At: "settle", Delay: emulator.Duration(90 * time.Second)},
		{Service: "serviceBus", Kind: "slow", At: "confirm", Delay: emulator.Duration(90 * time.Second)},
		{Service: "eventHubs", Kind: "refuse", Condition: "amqp:not-found"},
		{Service: "eventGrid", Kind: "slow", Entity: "plant", Delay: emulator.Duration(time.Millisecond), Times: 1},
		{Service: "eventGrid", Kind: "reject", Entity: "other", Status: 429, RetryAfter: emulator.Duration(3 * time.Second), IDs: []string{"1"}},
		{Service: "serviceBus", Kind: "size-limit", Entity: "ORDERS", Bytes: 200},
		{Service: "eventHubs", Kind: "size-limit", Entity: "hub", Bytes: 300},
	}
	if diff := cmp.Diff(want, got.Items); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if err := publish(t, e, "plant", e.Key()); err != nil {
		t.Fatal(err)
	}
	if spent := e.Faults(); slices.ContainsFunc(spent, func(f emulator.Fault) bool { return f.Entity == "plant" }) {
		t.Errorf("a fault that is spent is in force: %+v", spent)
	}
	for _, s := range []emulator.Service{emulator.EventHubs, emulator.EventGrid, ""} {
		if err := e.ClearFaults(s); err != nil {
			t.Error(err)
		}
		left := e.Faults()
		if slices.ContainsFunc(left, func(f emulator.Fault) bool { return f.Service == s || s == "" }) {
			t.Errorf("after ClearFaults(%q): %+v", s, left)
		}
	}
}

// TestBadRequests asks the control API for what it must not do.
func TestBadRequests(t *testing.T) {
	e := start(t, everything(emulator.Declared{}))
	for _, tt := range []struct {
		method, path, body string
		header             []string
		status             int
		says               string
	}{
		{"POST", "/faults", ``, nil, 400, "send a fault such as"},
		{"POST", "/faults", `{}`, nil, 400, "service: want"},
		{"POST", "/faults", `{"service":"control","kind":"server-busy"}`, nil, 400, "service: want"},
		{"POST", "/faults", `{"service":"serviceBus","kind":"explode"}`, nil, 400, "explode"},
		{"POST", "/faults", `{"service":"eventHubs","kind":"lock-lost"}`, nil, 400, "lock-lost"},
		{"POST", "/faults", `{"service":"eventGrid","kind":"detach","entity":"x"}`, nil, 400, "detach"},
		{"POST", "/faults", `{"service":"eventGrid","kind":"server-busy","entity":"nowhere"}`, nil, 400, "nowhere"},
		{"POST", "/faults", `{"service":"serviceBus","kind":"server-busy","time":3}`, nil, 400, "time"},
		{"POST", "/faults", `{"service":"serviceBus","kind":"server-busy","times":-3}`, nil, 400, "negative"},
		{"POST", "/faults", `{"service":"serviceBus","kind":"server-busy"} {}`, nil, 400, "more than one"},
		{"POST", "/faults", `{"service":"serviceBus","kind":"slow"}`, nil, 400, "delay"},
		{"POST", "/faults", `{"service":"serviceBus","kind":"slow","delay":3}`, nil, 400, "body"},
		{"POST", "/faults", `{"service":"serviceBus","kind":"server-busy","delay":"1s"}`, nil, 400, "delay: means nothing"},
		{"POST", "/faults", `{"service":"serviceBus","kind":"reject","status":400}`, nil, 400, "status: means nothing"},
		{"POST", "/faults", `{"service":"serviceBus","kind":"reject"}`, nil, 400, "condition"},
		{"POST", "/faults", `{"service":"eventGrid","kind":"reject"}`, nil, 400, "status"},
		{"POST", "/faults", `{"service":"serviceBus","kind":"size-limit","entity":"q"}`, nil, 400, "bytes"},
		{"POST", "/faults", `{"service":"serviceBus","kind":"disable"}`, nil, 400, "disable"},
		{"POST", "/faults", strings.Repeat(" ", 100<<10), nil, 400, "too large"},
		{"DELETE", "/faults?service=control", "", nil, 400, "service: want"},
		{"PUT", "/faults", "{}", nil, 404, "POST /faults"},
		{"GET", "/nothing", "", nil, 404, "/entities"},
		{"GET", "/entities?limit=many", "", nil, 400, "limit"},
		{"GET", "/entities?limit=-1", "", nil, 400, "limit"},
		{"GET", "/entities?service=servicebus", "", nil, 400, "want serviceBus, eventHubs or eventGrid"},
		{"GET", "/entities", "", []string{"Host", "evil.example"}, 403, "evil.example"},
		{"DELETE", "/faults", "", []string{"Sec-Fetch-Site", "cross-site"}, 403, "cross-origin"},
		{"POST", "/faults", "{}", []string{"Origin", "https://evil.example"}, 403, "cross-origin"},
	} {
		var said struct{ Detail string }
		status := call(t, tt.method, e.ControlURL()+tt.path, tt.body, &said, tt.header...)
		if status != tt.status || !strings.Contains(said.Detail, tt.says) {
			t.Errorf("%s %s %.80s: %d %q, want %d and %q", tt.method, tt.path, tt.body, status, said.Detail, tt.status, tt.says)
		}
	}
	if left := e.Faults(); len(left) > 0 {
		t.Errorf("what was refused is in force: %+v", left)
	}
}

// FuzzFault holds that no fault makes the emulator panic, and that one which is
// in force could be injected as it is told.
func FuzzFault(f *testing.F) {
	for _, fault := range []string{
		`{"service":"serviceBus","kind":"server-busy","entity":"orders","skip":1,"times":3}`,
		`{"service":"serviceBus","kind":"slow","delay":"1m30s"}`,
		`{"service":"serviceBus","kind":"quota-limit","entity":"orders","bytes":100}`,
		`{"service":"eventHubs","kind":"refuse","condition":"amqp:not-found"}`,
		`{"service":"eventGrid","kind":"reject","entity":"plant","status":429,"retryAfter":"3s","ids":["1"]}`,
	} {
		f.Add([]byte(fault))
	}
	e := start(f, everything(parse(f, "eventGrid: {topics: [{name: plant}]}")))
	f.Fuzz(func(t *testing.T, body []byte) {
		var fault emulator.Fault
		if json.Unmarshal(body, &fault) != nil || e.Inject(fault) != nil {
			return
		}
		told := e.Faults()
		if err := e.ClearFaults(""); err != nil {
			t.Fatal(err)
		}
		if left := e.Faults(); len(left) > 0 {
			t.Fatalf("%+v are left", left)
		}
		for _, fault := range told {
			fault.At = ""
			if err := e.Inject(fault); err != nil {
				t.Errorf("%+v: %v", fault, err)
			}
		}
		if err := e.ClearFaults(""); err != nil {
			t.Fatal(err)
		}
	})
}
