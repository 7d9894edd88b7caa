package event_test

import (
	"bytes"
	stdjson "encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/sdk/json"
)

// twinEvents are the seven types of Azure Digital Twins, with data as the
// service lays it out and the member order it uses.
var twinEvents = []struct{ typ, source, subject, more, data, key string }{
	{event.TwinCreate, "plant.api.weu.digitaltwins.azure.net", "room-1", `"time":"2024-05-01T12:30:00.1234567Z",`,
		`{ "$dtId" : "room-1", "$etag":"W/\"5f1e9d0a-7c55-4d0b-8b1e-b52df08f7a11\"", "room":"a\/b", "$metadata":{"$model":"dtmi:com:example:Room;1","room":{"lastUpdateTime":"2024-05-01T12:30:00.1141234Z"}}}`, "room-1"},
	{event.TwinUpdate, "plant.api.weu.digitaltwins.azure.net", "room-1", `"time":"2024-05-01T12:30:01.1234567Z",`,
		`{"modelId":"dtmi:com:example:Room;1","patch":[{"value":70.0,"path":"/Temperature","op":"replace"},{"value":1e2,"path":"/comp1/prop1","op":"add"}]}`, "room-1"},
	{event.TwinDelete, "plant.api.weu.digitaltwins.azure.net", "room-1", ``,
		`{"$dtId":"room-1","$metadata":{}}`, "room-1"},
	{event.RelationshipCreate, "plant.api.weu.digitaltwins.azure.net", "floor-0/relationships/r1", ``,
		`{"$relationshipId":"r1","$relationshipName":"contains","$targetId":"room-1","ownershipUser":"u\u00e9"}`, "floor-0"},
	{event.RelationshipUpdate, "plant.api.weu.digitaltwins.azure.net", "floor-0/relationships/r1", ``,
		`{"modelId":"dtmi:com:example:Floor;1","patch":[{"value":null,"path":"/ownershipUser","op":"replace"}]}`, "floor-0"},
	{event.RelationshipDelete, "plant.api.weu.digitaltwins.azure.net", "floor-0/relationships/r1", ``,
		`{"$relationshipId":"r1"}`, "floor-0"},
	{event.Telemetry, "plant.api.weu.digitaltwins.azure.net/digitaltwins/room-1", "", `"dataschema":"dtmi:com:example:Room;1",`,
		`{"Temperature": 21.50, "n": 12345678901234567890}`, "room-1"},
}

// TestTwinEvents checks that data keeps every byte, whatever way it comes in
// and goes on.
func TestTwinEvents(t *testing.T) {
	for _, tt := range twinEvents {
		t.Run(tt.typ, func(t *testing.T) {
			subject := ""
			if tt.subject != "" {
				subject = `"subject":"` + tt.subject + `",`
			}
			text := `{"specversion":"1.0","id":"1","type":"` + tt.typ + `","source":"` + tt.source + `","data":` + tt.data + `,` + subject +
				tt.more + `"datacontenttype":"application/json","traceparent":"00-1-2-01"}`
			structured, err := event.DecodeJSON([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			header := map[string][]string{"Content-Type": {"application/json"}, "Ce-Specversion": {"1.0"}, "Ce-Traceparent": {"00-1-2-01"}}
			for name, value := range map[string]string{
				"Ce-Id": structured.ID, "Ce-Type": structured.Type, "Ce-Source": structured.Source,
				"Ce-Subject": structured.Subject, "Ce-Time": structured.Time, "Ce-Dataschema": structured.DataSchema,
			} {
				if value != "" {
					header[name] = []string{event.EncodeHeader(value)}
				}
			}
			binary, err := event.DecodeBinary(header, []byte(tt.data))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(structured, binary); diff != "" {
				t.Errorf("structured and binary differ:\n%s", diff)
			}
			if string(structured.Data) != tt.data {
				t.Errorf("data\n got %s\nwant %s", structured.Data, tt.data)
			}
			if got := structured.TwinKey(); got != tt.key {
				t.Errorf("twin key %q, want %q", got, tt.key)
			}
			requireRoundTrip(t, structured)
		})
	}
}

// TestFixtures decodes the events that lie beside the repository, if they do.
func TestFixtures(t *testing.T) {
	const dir = "../../../shared/fixtures/adt"
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Skip("no fixtures beside the repository")
	}
	for _, file := range files {
		if filepath.Base(file) == "filters.json" {
			continue
		}
		text := readFile(t, file)
		e, err := event.DecodeJSON(text)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
			continue
		}
		if !bytes.Contains(text, e.Data) {
			t.Errorf("%s: data is not what the file says", filepath.Base(file))
		}
		requireRoundTrip(t, e)
	}
	files, _ = filepath.Glob(filepath.Join(dir, "eventgrid", "*.json"))
	for _, file := range files {
		text := readFile(t, file)
		events, err := event.DecodeEventGrid(append(append([]byte{'['}, text...), ']'), "/webhooks/eventgrid")
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
			continue
		}
		v, _ := json.Parse(text)
		want, _ := v.Get("data", "data")
		got := event.UnwrapTwins(events[0])
		if !bytes.Equal(got.Data, want) || got.DataContentType == "" {
			t.Errorf("%s: unwrapped to %s as %q, want %s", filepath.Base(file), got.Data, got.DataContentType, want)
		}
		requireRoundTrip(t, got)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !stdjson.Valid(text) {
		t.Fatalf("%s is not JSON", path)
	}
	return text
}
