package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/client"
	sdk "github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink/sinktest"
)

// TestSDKReceives has the receivers of the CloudEvents Go SDK read what is sent.
// What it cannot read is left to the conformance suite: percent-encoded headers,
// and in JSON the data of a type that is JSON by its suffix.
func TestSDKReceives(t *testing.T) {
	for _, mode := range []string{"binary", "structured", "batch"} {
		t.Run(mode, func(t *testing.T) {
			got := make(chan sdk.Event, 100)
			address := serveSDK(t, mode, got)
			s := open(t, `{"url":"`+address+`","mode":"`+mode+`"}`)
			for _, want := range slices.Concat(sinktest.Events(), fixtures(t)) {
				if mode == "binary" && event.EncodeHeader(want.ID) != want.ID ||
					mode != "binary" && strings.HasSuffix(event.MediaType(want.DataContentType), "+json") {
					continue
				}
				requireDelivered(t, send(t, s, want))
				requireSDK(t, <-got, want)
			}
		})
	}
}

func serveSDK(t *testing.T, mode string, got chan<- sdk.Event) string {
	t.Helper()
	protocol, err := cehttp.New()
	if err != nil {
		t.Fatal(err)
	}
	handler, err := client.NewHTTPReceiveHandler(t.Context(), protocol, func(_ context.Context, e sdk.Event) { got <- e })
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if mode != "batch" {
			handler.ServeHTTP(w, r)
			return
		}
		events, err := cehttp.NewEventsFromHTTPRequest(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for _, e := range events {
			got <- e
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func requireSDK(t *testing.T, got sdk.Event, want event.Event) {
	t.Helper()
	if err := got.Validate(); err != nil {
		t.Errorf("event %s: %v", want.ID, err)
	}
	gotTime := ""
	if !got.Time().IsZero() {
		gotTime = got.Time().Format(time.RFC3339Nano)
	}
	wantTime := ""
	if at, err := time.Parse(time.RFC3339Nano, want.Time); err == nil {
		wantTime = at.Format(time.RFC3339Nano)
	}
	for _, row := range [][3]string{
		{"id", got.ID(), want.ID}, {"source", unescaped(got.Source()), unescaped(want.Source)}, {"type", got.Type(), want.Type},
		{"subject", got.Subject(), want.Subject}, {"time", gotTime, wantTime},
		{"datacontenttype", got.DataContentType(), want.DataContentType},
	} {
		if row[1] != row[2] {
			t.Errorf("event %s: %s = %q, want %q", want.ID, row[0], row[1], row[2])
		}
	}
	if len(got.Extensions()) != len(want.Extensions) {
		t.Errorf("event %s: extensions = %v, want %v", want.ID, got.Extensions(), want.Extensions)
	}
	if a, b := compact(got.Data()), compact(want.Data); !bytes.Equal(a, b) {
		t.Errorf("event %s: data = %q, want %q", want.ID, a, b)
	}
}

// unescaped undoes what the SDK does to a source that is no proper URI.
func unescaped(source string) string {
	if plain, err := url.PathUnescape(source); err == nil {
		return plain
	}
	return source
}

func compact(data []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, data) != nil {
		return data
	}
	return b.Bytes()
}

// fixtures are events of Azure Digital Twins as documented, where they are at hand.
func fixtures(t *testing.T) []event.Event {
	t.Helper()
	paths, err := filepath.Glob("../../../../shared/fixtures/adt/*-*.json")
	if err != nil {
		t.Fatal(err)
	}
	var events []event.Event
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if e := decodeJSON(raw); e.ID != "" && e.Source != "" && e.Type != "" {
			events = append(events, e)
		}
	}
	return events
}
