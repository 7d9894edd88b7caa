package pull_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/Azure/go-amqp"

	"github.com/headgate/headgate/gateway/ingress/pull"
)

// connection is a connection string whose key is obviously none.
const connection = "Endpoint=sb://n.example/;SharedAccessKeyName=listen;SharedAccessKey=bm90IGEga2V5"

func TestReadTarget(t *testing.T) {
	tests := []struct {
		name, settings string
		host, entity   string
		connection     string
		field, reason  string // of the refusal
	}{
		{"a connection string", `{"connectionString":"` + connection + `","entityPath":"q"}`, "n.example", "q",
			"Endpoint=sb://n.example;SharedAccessKeyName=listen;SharedAccessKey=bm90IGEga2V5", "", ""},
		{"one with an entity", `{"connectionString":"` + connection + `;EntityPath=q"}`, "n.example", "q",
			"Endpoint=sb://n.example;SharedAccessKeyName=listen;SharedAccessKey=bm90IGEga2V5", "", ""},
		{"one with a topic", `{"connectionString":"` + connection + `;EntityPath=t","entityPath":"t/Subscriptions/s"}`, "n.example", "t/Subscriptions/s",
			"Endpoint=sb://n.example;SharedAccessKeyName=listen;SharedAccessKey=bm90IGEga2V5", "", ""},
		{"an emulator's", `{"connectionString":"endpoint=sb://h:5672;SharedAccessSignature=SharedAccessSignature sr=x&sig=y;UseDevelopmentEmulator=TRUE"}`, "h:5672", "",
			"Endpoint=sb://h:5672;SharedAccessSignature=SharedAccessSignature sr=x&sig=y;UseDevelopmentEmulator=true", "", ""},
		{"an identity", `{"endpointUri":"sb://n.example/","entityPath":"q"}`, "n.example", "q", "", "", ""},
		{"nothing", `{}`, "", "", "", "connectionString", "is required; or set endpointUri"},
		{"both", `{"connectionString":"x","endpointUri":"y"}`, "", "", "", "endpointUri", "remove one of them"},
		{"another entity", `{"connectionString":"` + connection + `;EntityPath=q","entityPath":"other"}`, "", "", "", "entityPath", "is not within the EntityPath"},
		{"no connection string", `{"connectionString":"secret"}`, "", "", "", "connectionString", "look at its part 1"},
		{"a key twice", `{"connectionString":"SharedAccessKey=secret;SharedAccessKey=secret"}`, "", "", "", "connectionString", "look at its part 2"},
		{"no endpoint", `{"connectionString":"SharedAccessKeyName=a;SharedAccessKey=secret"}`, "", "", "", "connectionString", "has no Endpoint"},
		{"no key", `{"connectionString":"Endpoint=sb://n;SharedAccessKeyName=a"}`, "", "", "", "connectionString", "needs SharedAccessKeyName and SharedAccessKey"},
		{"another scheme", `{"connectionString":"Endpoint=https://secret@n;SharedAccessKeyName=a;SharedAccessKey=secret"}`, "", "", "", "connectionString", "has an Endpoint that is not like sb://"},
		{"an emulator that is none", `{"connectionString":"` + connection + `;UseDevelopmentEmulator=maybe"}`, "", "", "", "connectionString", "neither true nor false"},
		{"a URI with a path", `{"endpointUri":"sb://n/q"}`, "", "", "", "endpointUri", "must be like sb://"},
		{"WebSockets", `{"endpointUri":"sb://n.example","entityPath":"q","transport":"webSockets","caFile":"ca.pem"}`, "n.example", "q", "", "", ""},
		{"another transport", `{"endpointUri":"sb://n.example","transport":"tcp"}`, "", "", "", "transport", "must be one of amqp, webSockets"},
		{"a file without TLS", `{"connectionString":"` + connection + `;UseDevelopmentEmulator=true","caFile":"ca.pem"}`, "", "", "", "caFile", "which means no TLS"},
		{"another type", `{"connectionString":7}`, "", "", "", "connectionString", "must be a string"},
		{"another case", `{"ConnectionString":"x","endpointUri":"sb://n"}`, "", "", "", "ConnectionString", "is unknown"},
		{"no object", `[]`, "", "", "", "", "must be a JSON object"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := pull.ReadSettings(json.RawMessage(tt.settings))
			target := pull.ReadTarget(in)
			err := in.Err()
			if tt.reason == "" {
				if err != nil || target.Host != tt.host || target.Entity != tt.entity || target.Connection != tt.connection {
					t.Errorf("target = %+v, %v", target, err)
				}
				return
			}
			var fault *pull.SettingError
			if !errors.As(err, &fault) || fault.Field != tt.field || !strings.Contains(fault.Reason, tt.reason) {
				t.Errorf("error = %v, want %q at %q", err, tt.reason, tt.field)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
}

func TestReadWrap(t *testing.T) {
	tests := []struct {
		settings string
		want     pull.Wrap
		fault    string
	}{
		{`{}`, usual, ""},
		{`{"wrap":null}`, usual, ""},
		{`{"wrap":false}`, pull.Wrap{Off: true}, ""},
		{`{"wrap":{"type":"x","subject":"$properties.a|$messageId|hall"}}`, pull.Wrap{Type: "x", Source: usual.Source, Subject: "$properties.a|$messageId|hall", ID: usual.ID}, ""},
		{`{"wrap":true}`, pull.Wrap{}, "wrap must be a JSON object"},
		{`{"wrap":{"kind":"x"}}`, pull.Wrap{}, "wrap.kind is unknown"},
		{`{"wrap":{"id":"$uuid"}}`, pull.Wrap{}, "wrap.id asks for $uuid, which no message has"},
		{`{"wrap":{"id":"$properties."}}`, pull.Wrap{}, "wrap.id asks for $properties."},
	}
	for _, tt := range tests {
		t.Run(tt.settings, func(t *testing.T) {
			in := pull.ReadSettings(json.RawMessage(tt.settings))
			got := pull.ReadWrap(in, usual)
			err := in.Err()
			if tt.fault == "" && (err != nil || got != tt.want) {
				t.Errorf("ReadWrap = %+v, %v, want %+v", got, err, tt.want)
			}
			if tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)) {
				t.Errorf("error = %v, want %q", err, tt.fault)
			}
		})
	}
}

// TestWords holds what errors of the SDKs become, and that they tell no secret.
func TestWords(t *testing.T) {
	in := pull.ReadSettings(json.RawMessage(`{"connectionString":"` + connection + `","entityPath":"q"}`))
	target := pull.ReadTarget(in)
	target.Right = "Data Receiver"
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		err  error
		want string
	}{
		{&amqp.Error{Condition: amqp.ErrCondNotFound, Description: "no such queue"}, "sb://n.example/q: amqp:not-found: no such queue (check the namespace and the names in the settings)"},
		{fmt.Errorf("wrapped: %w", &amqp.LinkError{RemoteErr: &amqp.Error{Condition: amqp.ErrCondStolen}}), "sb://n.example/q: amqp:link:stolen (another reader has taken"},
		{errors.New("(connlost): *Error{Condition: com.microsoft:entity-disabled, Description: off, Info: map[]}"), "com.microsoft:entity-disabled: off (enable the entity"},
		{errors.New("(unauthorized): rpc: failed, status code 401 and description: ExpiredToken"), "sb://n.example/q: amqp:unauthorized-access: rpc: failed, status code 401 and description: ExpiredToken (check the connectionString, whose policy needs the claim Listen"},
		{errors.New("(connlost): rpc: failed, status code 403 and description: no claim\nfor q"), "sb://n.example/q: amqp:unauthorized-access: rpc: failed, status code 403 and description: no claim for q (check the connectionString, whose policy needs the claim Listen"},
		{errors.New("(notfound): rpc: failed, status code 404 and description: no such queue"), "sb://n.example/q: amqp:not-found: rpc: failed, status code 404 and description: no such queue (check the namespace and the names in the settings)"},
		{errors.New("(connlost): rpc: failed, status code 429 and description: slow down"), "sb://n.example/q: rpc: failed, status code 429 and description: slow down"},
		{rpcError(401), "amqp:unauthorized-access: rpc (check the connectionString, whose policy needs the claim Listen; or the gateway's identity, which needs the role Data Receiver)"},
		{errors.New("(connlost): tls: first record does not look like a TLS handshake"), "UseDevelopmentEmulator=true"},
		{fmt.Errorf("open: %w", context.DeadlineExceeded), "sb://n.example/q: no answer in time"},
		{errors.New("the key bm90IGEga2V5 is wrong\nand so on"), "sb://n.example/q: the key *** is wrong and so on"},
		{errors.New(strings.Repeat("x", 1000)), "…"},
	}
	for _, tt := range tests {
		got := target.Words(tt.err)
		if !strings.Contains(got, tt.want) || strings.Contains(got, "bm90IGEga2V5") || len(got) > 600 {
			t.Errorf("Words(%v) = %s, want %q", tt.err, got, tt.want)
		}
	}
}

type rpcError int

func (e rpcError) Error() string { return "rpc" }
func (e rpcError) RPCCode() int  { return int(e) }
