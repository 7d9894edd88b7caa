package adt_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/digitaltwins/armdigitaltwins"

	"github.com/headgate/headgate/gateway"
	"github.com/headgate/headgate/gateway/npmtest"
)

// TestJavaScriptClients has Microsoft's own JavaScript clients, unmodified,
// manage endpoints and routes over TLS; testdata/adtclient/main.js asserts.
func TestJavaScriptClients(t *testing.T) {
	s := start(t, gateway.Options{})
	s.fileEndpoint("hub")
	s.put("/routes/planted", `{"endpointName":"hub","filter":"type = 'a'","enabled":false}`)
	npmtest.Run(t, "testdata/adtclient", []string{"NODE_EXTRA_CA_CERTS=" + s.caFile()}, s.http.URL, token, connection)
	got := s.call(http.MethodGet, "/api/v1/routes/planted", "").object(t)
	if got["filter"] != "type = 'b'" || got["enabled"] != false {
		t.Errorf("the operator's route is now %v", got)
	}
	if r := s.call(http.MethodGet, "/api/v1/endpoints/left", "").want(t, 200).object(t); r["kind"] != "serviceBus" {
		t.Errorf("the client's endpoint is %v", r)
	}
}

// bearer is a credential of the gateway's token.
type bearer struct{}

func (bearer) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: token, ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// TestGoClient has Microsoft's own Go client, unmodified, manage endpoints.
func TestGoClient(t *testing.T) {
	s := start(t, gateway.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client, err := armdigitaltwins.NewEndpointClient("50016170-c839-41ba-a724-51e9df440b9e", bearer{}, &arm.ClientOptions{ClientOptions: policy.ClientOptions{
		Cloud: cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: s.http.URL, Audience: "https://management.core.windows.net/"},
		}},
		Transport: s.http.Client(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	ptr := func(s string) *string { return &s }
	put := func(name string, p armdigitaltwins.EndpointResourcePropertiesClassification) armdigitaltwins.EndpointResource {
		t.Helper()
		poller, err := client.BeginCreateOrUpdate(ctx, "rg", "twins", name, armdigitaltwins.EndpointResource{Properties: p}, nil)
		if err != nil {
			t.Fatal(err)
		}
		done, err := poller.PollUntilDone(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		return done.EndpointResource
	}
	kind, identity := armdigitaltwins.EndpointTypeEventHub, armdigitaltwins.AuthenticationTypeIdentityBased
	made := put("hub-1", &armdigitaltwins.EventHub{EndpointType: &kind, ConnectionStringPrimaryKey: ptr(connection), DeadLetterSecret: ptr("https://account.blob.core.windows.net/dead?sig=bm90")})
	hub, ok := made.Properties.(*armdigitaltwins.EventHub)
	if !ok || *made.Name != "hub-1" || *hub.ProvisioningState != armdigitaltwins.EndpointProvisioningStateSucceeded ||
		*hub.AuthenticationType != armdigitaltwins.AuthenticationTypeKeyBased || *hub.ConnectionStringPrimaryKey != masked ||
		*hub.DeadLetterSecret == "" || time.Since(*hub.CreatedTime) > time.Minute {
		t.Errorf("made %+v of %+v", made, hub)
	}
	if _, err := arm.ParseResourceID(*made.ID); err != nil {
		t.Error(err)
	}
	put("hub-1", hub) // as it was read
	bus := armdigitaltwins.EndpointTypeServiceBus
	put("bus-1", &armdigitaltwins.ServiceBus{EndpointType: &bus, AuthenticationType: &identity, EndpointURI: ptr("sb://ns.servicebus.windows.net/"), EntityPath: ptr("twins")})
	grid := armdigitaltwins.EndpointTypeEventGrid
	put("grid-1", &armdigitaltwins.EventGrid{EndpointType: &grid, TopicEndpoint: ptr("https://topic.eventgrid.azure.net/api/events"), AccessKey1: ptr(notAKey)})

	var names []string
	for pager := client.NewListPager("rg", "twins", nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Value {
			names = append(names, *e.Name)
		}
	}
	if want := []string{"bus-1", "grid-1", "hub-1"}; !slices.Equal(names, want) {
		t.Errorf("listed %v, want %v", names, want)
	}

	_, err = client.BeginCreateOrUpdate(ctx, "rg", "twins", "hub-1", armdigitaltwins.EndpointResource{
		Properties: &armdigitaltwins.EventHub{EndpointType: &kind, AuthenticationType: &identity, EndpointURI: ptr("sb://x.y/"), EntityPath: ptr("x")},
	}, nil)
	refused(t, err, 400, "PropertyChangeNotAllowed")
	poller, err := client.BeginDelete(ctx, "rg", "twins", "hub-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(ctx, nil); err != nil {
		t.Fatal(err)
	}
	_, err = client.Get(ctx, "rg", "twins", "hub-1", nil)
	refused(t, err, 404, "ResourceNotFound")
	if poller, err = client.BeginDelete(ctx, "rg", "twins", "hub-1", nil); err != nil || !poller.Done() {
		t.Errorf("a second deletion: %v", err)
	}
}

func refused(t *testing.T, err error, status int, code string) {
	t.Helper()
	var answer *azcore.ResponseError
	if !errors.As(err, &answer) || answer.StatusCode != status || answer.ErrorCode != code {
		t.Errorf("error %v, want %d %s", err, status, code)
	}
}
