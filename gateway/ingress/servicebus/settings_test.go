package servicebus_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/ingress/pull"
	"github.com/headgate/headgate/gateway/ingress/servicebus"
)

func TestValidate(t *testing.T) {
	const target = `"endpointUri":"sb://n.example","entityPath":"q"`
	tests := []struct{ name, settings, field, reason string }{
		{"a queue", `{` + target + `}`, "", ""},
		{"all of it", `{` + target + `,"sessions":"auto","maxConcurrentSessions":256,"maxBatch":1,"wrap":{"type":"x"}}`, "", ""},
		{"a subscription by names", `{"endpointUri":"sb://n.example","topic":"t","subscription":"s"}`, "", ""},
		{"a subscription of the entity", `{` + target + `,"subscription":"s"}`, "", ""},
		{"a subscription by path", `{"endpointUri":"sb://n.example","entityPath":"t/subscriptions/s"}`, "", ""},
		{"no entity", `{"endpointUri":"sb://n.example"}`, "entityPath", "is required"},
		{"a topic alone", `{"endpointUri":"sb://n.example","topic":"t"}`, "subscription", "is required"},
		{"two topics", `{` + target + `,"topic":"t","subscription":"s"}`, "topic", "is not the entityPath"},
		{"two subscriptions", `{"endpointUri":"sb://n.example","entityPath":"t/Subscriptions/s","subscription":"s"}`, "subscription", "stands beside"},
		{"a dead-letter queue", `{"endpointUri":"sb://n.example","entityPath":"q/$DeadLetterQueue"}`, "entityPath", "holds a character that none has"},
		{"slashes", `{"endpointUri":"sb://n.example","entityPath":"q/"}`, "entityPath", "check its slashes"},
		{"sessions that are neither", `{` + target + `,"sessions":"yes"}`, "sessions", `true, false or "auto"`},
		{"no sessions", `{` + target + `,"maxConcurrentSessions":0}`, "maxConcurrentSessions", "from 1 to 256"},
		{"a batch of text", `{` + target + `,"maxBatch":"5"}`, "maxBatch", "from 1 to 2048"},
		{"unknown", `{` + target + `,"queue":"q"}`, "queue", "is unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := servicebus.Kind().Validate(json.RawMessage(tt.settings))
			var fault *pull.SettingError
			switch {
			case tt.reason == "" && err != nil:
				t.Error(err)
			case tt.reason != "" && (!errors.As(err, &fault) || fault.Field != tt.field || !strings.Contains(fault.Reason, tt.reason)):
				t.Errorf("error = %v, want %q at %q", err, tt.reason, tt.field)
			}
		})
	}
}
