package eventhubs_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/ingress/eventhubs"
	"github.com/headgate/headgate/gateway/ingress/pull"
)

func TestValidate(t *testing.T) {
	const target = `"endpointUri":"sb://n.example","entityPath":"h"`
	tests := []struct{ name, settings, field, reason string }{
		{"an identity", `{` + target + `}`, "", ""},
		{"all of it", `{` + target + `,"consumerGroup":"g","start":"latest","maxBatch":1,"prefetch":1,"wrap":false,"checkpointContainerUri":"https://a.blob.example/c"}`, "", ""},
		{"a signed container", `{` + target + `,"checkpointContainerUri":"http://127.0.0.1:1/a/c?sig=x"}`, "", ""},
		{"no hub", `{"endpointUri":"sb://n.example"}`, "entityPath", "is required"},
		{"a path", `{"endpointUri":"sb://n.example","entityPath":"h/ConsumerGroups/g"}`, "entityPath", "consumer group is a setting of its own"},
		{"a group that is none", `{` + target + `,"consumerGroup":"a/b"}`, "consumerGroup", "is not the name"},
		{"a start that is none", `{` + target + `,"start":"now"}`, "start", "must be one of earliest, latest"},
		{"a batch of none", `{` + target + `,"maxBatch":0}`, "maxBatch", "from 1 to 4096"},
		{"too much prefetch", `{` + target + `,"prefetch":5001}`, "prefetch", "from 1 to 5000"},
		{"a container without TLS or signature", `{` + target + `,"checkpointContainerUri":"http://a.example/c"}`, "checkpointContainerUri", "must be like https://"},
		{"an account without a container", `{` + target + `,"checkpointContainerUri":"https://a.example/"}`, "checkpointContainerUri", "must be like https://"},
		{"a connection string without a container", `{` + target + `,"checkpointConnectionString":"x"}`, "checkpointContainer", "must be the name"},
		{"no connection string", `{` + target + `,"checkpointConnectionString":"x","checkpointContainer":"c"}`, "checkpointConnectionString", "is not the connection string"},
		{"a container alone", `{` + target + `,"checkpointContainer":"c"}`, "checkpointContainer", "belongs to"},
		{"two containers", `{` + target + `,"checkpointConnectionString":"x","checkpointContainerUri":"y"}`, "checkpointContainerUri", "exclude each other"},
		{"unknown", `{` + target + `,"group":"g"}`, "group", "is unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := eventhubs.Kind().Validate(json.RawMessage(tt.settings))
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

// FuzzValidate reads settings as someone may send them.
func FuzzValidate(f *testing.F) {
	f.Add(`{"connectionString":"Endpoint=sb://n;SharedAccessKeyName=a;SharedAccessKey=b;EntityPath=h","wrap":{"id":"$messageId"}}`)
	f.Add(`{"endpointUri":"sb://n","entityPath":"h","checkpointContainerUri":"https://a/c?sig=x","start":"latest"}`)
	f.Fuzz(func(t *testing.T, settings string) {
		err := eventhubs.Kind().Validate(json.RawMessage(settings))
		if _, ok := errors.AsType[*pull.SettingError](err); err != nil && !ok {
			t.Errorf("error %v is a %T", err, err)
		}
	})
}
