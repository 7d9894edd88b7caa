package adt_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway"
)

const (
	instance   = "/subscriptions/50016170-c839-41ba-a724-51e9df440b9e/resourceGroups/resRg/providers/Microsoft.DigitalTwins/digitalTwinsInstances/myDigitalTwinsService/endpoints"
	armVersion = "?api-version=2023-01-31"
	// notAKey is base64, as keys are, and obviously none.
	notAKey = "bm90IGEga2V5"
	// connection opens a hub and a topic alike.
	connection = "Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=rule;SharedAccessKey=" + notAKey + ";EntityPath=twins"
	masked     = "Endpoint=sb://***/;SharedAccessKeyName=***;SharedAccessKey=***;EntityPath=***"
)

// arm calls a path of an endpoint; properties, unless empty, are the body's.
func (s *server) arm(method, name, properties string) reply {
	s.t.Helper()
	body := ""
	if properties != "" {
		body = `{"properties":` + properties + `}`
	}
	return s.call(method, instance+"/"+name+armVersion, body, "Content-Type", "application/json")
}

func (r reply) properties(t *testing.T) map[string]any {
	t.Helper()
	p, _ := r.object(t)["properties"].(map[string]any)
	return p
}

// stored is an endpoint's settings in the control API.
func (s *server) stored(name string) string {
	s.t.Helper()
	b, _ := json.Marshal(s.call(http.MethodGet, "/api/v1/endpoints/"+name, "").want(s.t, 200).object(s.t)["settings"])
	return string(b)
}

func TestEndpoints(t *testing.T) {
	s := start(t, gateway.Options{})
	tests := []struct {
		name, sent string
		shown      map[string]string // members of what is read, besides the common ones
		stored     string            // in the control API
	}{
		{"keyHub", `{"endpointType":"EventHub","authenticationType":"KeyBased","connectionStringPrimaryKey":"` + connection + `","connectionStringSecondaryKey":"` + connection + `","deadLetterSecret":"https://account.blob.core.windows.net/dead?sv=1&sig=bm90&sp=w"}`,
			map[string]string{"endpointType": "EventHub", "authenticationType": "KeyBased", "connectionStringPrimaryKey": masked, "deadLetterSecret": "***"},
			`{"connectionString":"Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=rule;SharedAccessKey=***;EntityPath=twins","deadLetterUri":"https://account.blob.core.windows.net/dead?sv=1\u0026sig=***\u0026sp=w"}`},
		{"keyTopic", `{"endpointType":"ServiceBus","primaryConnectionString":"` + connection + `","identity":null}`,
			map[string]string{"endpointType": "ServiceBus", "authenticationType": "KeyBased", "primaryConnectionString": masked},
			`{"connectionString":"Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=rule;SharedAccessKey=***;EntityPath=twins"}`},
		{"ownTopic", `{"endpointType":"ServiceBus","authenticationType":"IdentityBased","endpointUri":"sb://ns.servicebus.windows.net/","entityPath":"twins","deadLetterUri":"https://account.blob.core.windows.net/dead"}`,
			map[string]string{"endpointType": "ServiceBus", "authenticationType": "IdentityBased", "endpointUri": "sb://ns.servicebus.windows.net/", "entityPath": "twins", "deadLetterUri": "https://account.blob.core.windows.net/dead"},
			`{"deadLetterUri":"https://account.blob.core.windows.net/dead","endpointUri":"sb://ns.servicebus.windows.net/","entityPath":"twins"}`},
		{"ownHub", `{"endpointType":"EventHub","authenticationType":"IdentityBased","endpointUri":"sb://ns.servicebus.windows.net","entityPath":"twins","identity":{"type":"SystemAssigned"}}`,
			map[string]string{"endpointType": "EventHub", "authenticationType": "IdentityBased", "endpointUri": "sb://ns.servicebus.windows.net", "entityPath": "twins"},
			`{"endpointUri":"sb://ns.servicebus.windows.net","entityPath":"twins"}`},
		{"grid", `{"endpointType":"EventGrid","TopicEndpoint":"https://topic.westus2-1.eventgrid.azure.net/api/events","accessKey1":"` + notAKey + `","accessKey2":"` + notAKey + `"}`,
			map[string]string{"endpointType": "EventGrid", "authenticationType": "KeyBased", "TopicEndpoint": "https://topic.westus2-1.eventgrid.azure.net/api/events", "accessKey1": "***"},
			`{"accessKey":"***","topicEndpoint":"https://topic.westus2-1.eventgrid.azure.net/api/events"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := s.arm(http.MethodPut, tt.name, tt.sent).want(t, 201)
			p := r.properties(t)
			if p["provisioningState"] != "Provisioning" || strings.Contains(r.body, notAKey) || strings.Contains(r.body, "***") {
				t.Errorf("PUT answered %s", r.body)
			}
			s.follow(t, r, 200)
			r = s.arm(http.MethodGet, tt.name, "").want(t, 200)
			o := r.object(t)
			if o["id"] != strings.Replace(instance, "resourceGroups", "resourcegroups", 1)+"/"+tt.name || o["name"] != tt.name || o["type"] != "Microsoft.DigitalTwins/digitalTwinsInstances/endpoints" {
				t.Errorf("the resource is %s", r.body)
			}
			got := r.properties(t)
			if got["provisioningState"] != "Succeeded" || got["createdTime"] == nil {
				t.Errorf("properties %v", got)
			}
			for _, common := range []string{"provisioningState", "createdTime", "identity"} {
				delete(got, common)
			}
			want := map[string]any{}
			for name, value := range tt.shown {
				want[name] = value
			}
			if !maps.Equal(got, want) {
				t.Errorf("properties %v, want %v", got, want)
			}
			if have := s.stored(tt.name); have != tt.stored {
				t.Errorf("stored %s, want %s", have, tt.stored)
			}
			// What was read can be sent back, and changes nothing.
			s.call(http.MethodPut, instance+"/"+tt.name+armVersion, r.body, "Content-Type", "application/json").want(t, 200)
			if have := s.stored(tt.name); have != tt.stored {
				t.Errorf("after a round trip stored %s, want %s", have, tt.stored)
			}
		})
	}

	t.Run("lists hold Azure's kinds alone, and routes name any", func(t *testing.T) {
		s.fileEndpoint("archive")
		var list struct{ Value []struct{ Name string } }
		r := s.call(http.MethodGet, instance+armVersion, "").want(t, 200)
		if err := json.Unmarshal([]byte(r.body), &list); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(list.Value); got != "[{grid} {keyHub} {keyTopic} {ownHub} {ownTopic}]" || !strings.Contains(r.body, `"nextLink":null`) {
			t.Errorf("listed %s", r.body)
		}
		s.arm(http.MethodGet, "archive", "").refused(t, 404, "ResourceNotFound")
		s.arm(http.MethodDelete, "archive", "").want(t, 204)
		s.arm(http.MethodPut, "archive", `{"endpointType":"ServiceBus","primaryConnectionString":"`+connection+`"}`).refused(t, 409, "Conflict")
		s.route("r", `{"endpointName":"archive","filter":"true"}`).want(t, 204)
		s.route("r", `{"endpointName":"keyHub","filter":"true"}`).want(t, 204)
	})
	t.Run("an update", func(t *testing.T) {
		s.put("/endpoints/keyTopic", `{"kind":"serviceBus","settings":{"connectionString":"`+connection+`"},"delivery":{"maxAttempts":3},"paused":true}`)
		r := s.arm(http.MethodPut, "keyTopic", `{"endpointType":"ServiceBus","primaryConnectionString":"`+strings.Replace(connection, "twins", "others", 1)+`"}`).want(t, 200)
		s.follow(t, r, 200)
		if got := s.stored("keyTopic"); !strings.Contains(got, "others") {
			t.Errorf("stored %s", got)
		}
		if got := s.call(http.MethodGet, "/api/v1/endpoints/keyTopic", "").body; !strings.Contains(got, `"maxAttempts":3`) || !strings.Contains(got, `"paused":true`) {
			t.Errorf("its delivery settings or its pause are gone: %s", got)
		}
		s.put("/endpoints/grid", `{"kind":"eventGrid","settings":{"topicEndpoint":"https://topic.westus2-1.eventgrid.azure.net/","accessKey":"***","schema":"cloudEventSchemaV1_0"}}`)
		s.arm(http.MethodPut, "grid", `{"endpointType":"EventGrid","TopicEndpoint":"https://other.westus2-1.eventgrid.azure.net/","accessKey1":"***"}`).want(t, 200)
		if got := s.stored("grid"); got != `{"accessKey":"***","schema":"cloudEventSchemaV1_0","topicEndpoint":"https://other.westus2-1.eventgrid.azure.net/"}` {
			t.Errorf("stored %s", got)
		}
	})
	t.Run("a deletion", func(t *testing.T) {
		s.arm(http.MethodDelete, "keyHub", "").refused(t, 409, "Conflict") // the route r is in its way
		r := s.arm(http.MethodDelete, "keyTopic", "").want(t, 202)
		if p := r.properties(t); p["provisioningState"] != "Deleting" || strings.Contains(r.body, notAKey) {
			t.Errorf("DELETE answered %s", r.body)
		}
		s.follow(t, r, 204)
		s.arm(http.MethodGet, "keyTopic", "").refused(t, 404, "ResourceNotFound")
		s.arm(http.MethodDelete, "keyTopic", "").want(t, 204)
	})
	t.Run("paths in any case, every version", func(t *testing.T) {
		for _, v := range []string{"2020-10-31", "2020-12-01", "2021-06-30-preview", "2022-05-31", "2022-10-31", "2023-01-31"} {
			s.call(http.MethodGet, strings.ToUpper(instance)+"/grid?api-version="+v, "").want(t, 200)
		}
	})
	t.Run("pages", func(t *testing.T) {
		for i := range 120 {
			s.arm(http.MethodPut, fmt.Sprintf("many-%03d", i), `{"endpointType":"EventHub","authenticationType":"IdentityBased","endpointUri":"sb://ns.servicebus.windows.net/","entityPath":"twins"}`).want(t, 201)
		}
		var names []string
		next := instance + armVersion
		for next != "" {
			var page struct {
				Value []struct{ Name string }
				Next  string `json:"nextLink"`
			}
			if err := json.Unmarshal([]byte(s.call(http.MethodGet, next, "").want(t, 200).body), &page); err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Value {
				names = append(names, e.Name)
			}
			next = page.Next
		}
		if len(names) != 124 || !slices.IsSorted(names) || len(slices.Compact(names)) != 124 {
			t.Errorf("%d names, want 124, each once: %v", len(names), names)
		}
	})
}

// follow asks for the operation of r as its headers say.
func (s *server) follow(t *testing.T, r reply, result int) {
	t.Helper()
	status, location := r.header.Get("Azure-AsyncOperation"), r.header.Get("Location")
	if !strings.HasPrefix(status, s.http.URL+"/subscriptions/50016170-c839-41ba-a724-51e9df440b9e/providers/Microsoft.DigitalTwins/locations/") ||
		!strings.Contains(status, "/operationStatuses/") || !strings.Contains(location, "/operationResults/") || r.header.Get("Retry-After") == "" {
		t.Fatalf("headers %v", r.header)
	}
	if got := s.call(http.MethodGet, status, "").want(t, 200).object(t)["status"]; got != "Succeeded" {
		t.Errorf("the operation is %v", got)
	}
	s.call(http.MethodGet, location, "").want(t, result)
}

func TestEndpointRefusals(t *testing.T) {
	s := start(t, gateway.Options{})
	hub := `{"endpointType":"EventHub","connectionStringPrimaryKey":"` + connection + `"}`
	s.arm(http.MethodPut, "hub", hub).want(t, 201)
	namespace, _, _ := strings.Cut(connection, ";EntityPath=")
	put := func(properties string) [3]string {
		return [3]string{"PUT", instance + "/hub" + armVersion, `{"properties":` + properties + `}`}
	}
	named := func(name string) [3]string {
		return [3]string{"PUT", instance + "/" + name + armVersion, `{"properties":` + hub + `}`}
	}
	tests := []struct {
		name    string
		request [3]string // method, path, body
		status  int
		code    string
		message string // a part of it
	}{
		{"a name that is too short", named("ab"), 400, "InvalidResourceName", "'ab'"},
		{"a name that is too long", named(strings.Repeat("a", 50)), 400, "InvalidResourceName", "49"},
		{"a name of digits", named("12345"), 400, "InvalidResourceName", ""},
		{"a hyphen first", named("-abc"), 400, "InvalidResourceName", ""},
		{"a hyphen last", named("abc-"), 400, "InvalidResourceName", ""},
		{"a name with a dot", named("a.b.c"), 400, "InvalidResourceName", ""},
		{"an instance's name", [3]string{"PUT", strings.Replace(instance, "myDigitalTwinsService", "-x", 1) + "/hub" + armVersion, "{}"}, 400, "InvalidResourceName", "'-x'"},
		{"no body", [3]string{"PUT", instance + "/hub" + armVersion, ""}, 400, "InvalidRequestContent", "empty"},
		{"malformed JSON", [3]string{"PUT", instance + "/hub" + armVersion, "{"}, 400, "InvalidRequestContent", "JSON"},
		{"no properties", [3]string{"PUT", instance + "/hub" + armVersion, "{}"}, 400, "InvalidRequestContent", "properties"},
		{"an unknown member", [3]string{"PUT", instance + "/hub" + armVersion, `{"properties":` + hub + `,"propertys":{}}`}, 400, "InvalidRequestContent", "propertys"},
		{"properties that are none", put(`[]`), 400, "InvalidRequestContent", "properties"},
		{"no type", put(`{}`), 400, "InvalidRequestContent", "properties.endpointType"},
		{"an unknown type", put(`{"endpointType":"Kafka"}`), 400, "InvalidRequestContent", "Kafka"},
		{"an unknown property", put(`{"endpointType":"EventHub","primaryConnectionString":"x","connectionStringPrimaryKey":"y"}`), 400, "InvalidRequestContent", "properties.primaryConnectionString"},
		{"an unknown authentication", put(`{"endpointType":"EventHub","authenticationType":"Password"}`), 400, "InvalidRequestContent", "Password"},
		{"no primary key", put(`{"endpointType":"EventHub","connectionStringSecondaryKey":"` + connection + `"}`), 400, "InvalidRequestContent", "properties.connectionStringPrimaryKey"},
		{"no access key", put(`{"endpointType":"EventGrid","TopicEndpoint":"https://t.eventgrid.azure.net/"}`), 400, "InvalidRequestContent", "properties.accessKey1"},
		{"no namespace", put(`{"endpointType":"EventHub","authenticationType":"IdentityBased","entityPath":"x"}`), 400, "InvalidRequestContent", "properties.endpointUri"},
		{"no entity", put(`{"endpointType":"ServiceBus","authenticationType":"IdentityBased","endpointUri":"sb://x.y/"}`), 400, "InvalidRequestContent", "properties.entityPath"},
		{"an identity and a key", put(`{"endpointType":"EventHub","authenticationType":"IdentityBased","endpointUri":"sb://x.y/","entityPath":"x","connectionStringPrimaryKey":"` + connection + `"}`), 400, "InvalidRequestContent", "properties.connectionStringPrimaryKey"},
		{"Event Grid by identity", put(`{"endpointType":"EventGrid","authenticationType":"IdentityBased","TopicEndpoint":"https://t.eventgrid.azure.net/"}`), 400, "InvalidRequestContent", "properties.authenticationType"},
		{"another's identity", put(`{"endpointType":"EventHub","authenticationType":"IdentityBased","endpointUri":"sb://x.y/","entityPath":"x","identity":{"type":"UserAssigned","userAssignedIdentity":"/subscriptions/x"}}`), 400, "InvalidRequestContent", "properties.identity"},
		{"two containers", put(`{"endpointType":"EventHub","connectionStringPrimaryKey":"` + connection + `","deadLetterSecret":"https://a.b/c?sig=x","deadLetterUri":"https://a.b/c"}`), 400, "InvalidRequestContent", "properties.deadLetterUri"},
		{"a secret that is none", put(`{"endpointType":"EventHub","connectionStringPrimaryKey":"` + connection + `","deadLetterSecret":"https://a.b/c"}`), 400, "InvalidRequestContent", "properties.deadLetterSecret"},
		{"a secret in a URI", put(`{"endpointType":"EventHub","connectionStringPrimaryKey":"` + connection + `","deadLetterUri":"https://a.b/c?sig=x"}`), 400, "InvalidRequestContent", "properties.deadLetterUri"},
		{"a secret that was never sent", put(`{"endpointType":"EventHub","connectionStringPrimaryKey":"` + masked + `","deadLetterSecret":"***"}`), 400, "ValidationFailed", "properties.deadLetterSecret"},
		{"a key that was never sent", [3]string{"PUT", instance + "/new" + armVersion, `{"properties":{"endpointType":"EventHub","connectionStringPrimaryKey":"` + masked + `"}}`}, 400, "ValidationFailed", "properties.connectionStringPrimaryKey"},
		{"a connection string that is none", put(`{"endpointType":"EventHub","connectionStringPrimaryKey":"secret"}`), 400, "ValidationFailed", "properties.connectionStringPrimaryKey"},
		{"no entity of a hub", put(`{"endpointType":"EventHub","connectionStringPrimaryKey":"` + namespace + `"}`), 400, "ValidationFailed", "unless the connectionStringPrimaryKey ends in"},
		{"no entity of a bus", [3]string{"PUT", instance + "/new" + armVersion, `{"properties":{"endpointType":"ServiceBus","primaryConnectionString":"` + namespace + `"}}`}, 400, "ValidationFailed", "unless the primaryConnectionString ends in"},
		{"a namespace that is none", [3]string{"PUT", instance + "/new" + armVersion, `{"properties":{"endpointType":"ServiceBus","authenticationType":"IdentityBased","endpointUri":"https://x.y/","entityPath":"x"}}`}, 400, "ValidationFailed", "properties.endpointUri"},
		{"a topic without TLS", [3]string{"PUT", instance + "/new" + armVersion, `{"properties":{"endpointType":"EventGrid","TopicEndpoint":"http://x.y/","accessKey1":"` + notAKey + `"}}`}, 400, "ValidationFailed", "properties.TopicEndpoint"},
		{"a container that is none", put(`{"endpointType":"EventHub","connectionStringPrimaryKey":"` + connection + `","deadLetterUri":"ftp://a.b/c"}`), 400, "ValidationFailed", "properties.deadLetterUri"},
		{"another authentication", put(`{"endpointType":"EventHub","authenticationType":"IdentityBased","endpointUri":"sb://x.y/","entityPath":"x"}`), 400, "PropertyChangeNotAllowed", "authenticationType"},
		{"another type", put(`{"endpointType":"ServiceBus","primaryConnectionString":"` + connection + `"}`), 400, "PropertyChangeNotAllowed", "endpointType"},
		{"a body that is too large", put(strings.Repeat(" ", 1<<20)), 413, "RequestEntityTooLarge", ""},
		{"no version", [3]string{"GET", instance, ""}, 400, "MissingApiVersionParameter", "2023-01-31"},
		{"a version of the data plane", [3]string{"GET", instance + version, ""}, 400, "InvalidApiVersionParameter", "2023-10-31"},
		{"no such endpoint", [3]string{"GET", instance + "/nothing" + armVersion, ""}, 404, "ResourceNotFound", "'Microsoft.DigitalTwins/digitalTwinsInstances/myDigitalTwinsService/endpoints/nothing' under resource group 'resRg'"},
		{"no such operation", [3]string{"GET", "/subscriptions/s/providers/Microsoft.DigitalTwins/locations/local/operationStatuses/x" + armVersion, ""}, 404, "ResourceNotFound", "x"},
		{"another resource", [3]string{"GET", strings.TrimSuffix(instance, "/endpoints") + armVersion, ""}, 404, "InvalidResourceType", "endpoints"},
		{"PATCH", [3]string{"PATCH", instance + "/hub" + armVersion, "{}"}, 405, "MethodNotAllowed", "PUT"},
		{"POST", [3]string{"POST", instance + armVersion, "{}"}, 405, "MethodNotAllowed", "GET"},
		{"a token of nobody", [3]string{"GET", instance + armVersion + "&$skiptoken=x", ""}, 400, "InvalidArgument", "token"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := s.call(tt.request[0], tt.request[1], tt.request[2])
			got := r.refused(t, tt.status, tt.code)
			if !strings.Contains(got, tt.message) || strings.Contains(got, notAKey) {
				t.Errorf("message %q, want %q", got, tt.message)
			}
		})
	}
	s.call(http.MethodGet, instance+armVersion, "", "Authorization", "Bearer x").want(t, 401)
	if got, want := s.stored("hub"), `{"connectionString":"`+strings.Replace(connection, notAKey, "***", 1)+`"}`; got != want {
		t.Errorf("after the refusals the endpoint is %s", got)
	}
}
