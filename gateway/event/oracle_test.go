package event_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/binding"
	ce "github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/event"
)

// The CloudEvents Go SDK is the oracle of the decoders: what it accepts they
// accept, with the same attributes and data, but for the differences that
// excusedRefusal and excusedAcceptance list.

// excusedRefusal says why this package may refuse what the SDK accepts.
func excusedRefusal(input []byte, err error) string {
	var field *event.FieldError
	if !errors.As(err, &field) {
		return ""
	}
	switch {
	case !json.Valid(input) || strings.HasPrefix(field.Reason, "is not JSON in UTF-8"):
		return "the SDK stops reading at the end of the first object, and takes control characters, invalid UTF-8 and malformed values that it skips"
	case field.Reason == "is given more than once":
		return "the SDK takes the last of duplicate members, and the first of duplicate headers"
	case field.Field == "specversion":
		return "the SDK also speaks 0.3"
	case strings.HasPrefix(field.Reason, "is not an attribute name"):
		return "the SDK makes upper-case names lower-case, and drops the member with an empty name and what follows it"
	case strings.HasPrefix(field.Reason, "must be an integer of 32 bits"):
		return "the SDK cuts fractions off"
	case strings.HasPrefix(field.Reason, "must be a string"):
		return "the SDK takes other kinds where they come before specversion"
	case field.Field == "time":
		return "Go's time.Parse takes forms that RFC 3339 does not have, such as a comma before the fraction"
	case field.Field == "dataschema":
		return "the SDK drops a dataschema that it cannot parse"
	case field.Field == "data_base64":
		return "the SDK ignores data_base64 where data comes after it, and the other way about"
	case field.Field == "data":
		return "the name is the data's own"
	case field.Reason == "must be an array":
		return "the SDK decodes null to an empty batch"
	case strings.Contains(field.Reason, "percent-decoding"):
		return "the SDK does not percent-decode headers"
	case bytes.Contains(input, []byte(`""`)):
		return "the SDK takes a member with an empty name for the end of the object"
	}
	return ""
}

// excusedAcceptance says why this package may accept what the SDK refuses.
func excusedAcceptance(e *event.Event, sdkErr error) string {
	var badBase64 base64.CorruptInputError
	var invalid ce.ValidationError
	_, timeErr := time.Parse(time.RFC3339Nano, e.Time)
	schema, schemaErr := url.Parse(e.DataSchema)
	source, sourceErr := url.Parse(e.Source)
	media := strings.ToLower(event.MediaType(e.DataContentType))
	switch {
	case errors.As(sdkErr, &badBase64):
		return "the SDK trips over blanks, escapes and null in data_base64"
	case sourceErr != nil || strings.TrimSpace(source.String()) == "":
		return "source may be any string: digital twins write a host name there"
	case e.DataSchema != "" && (schemaErr != nil || !schema.IsAbs()):
		return "what net/url cannot parse may yet be a schema's name"
	case e.Time != "" && timeErr != nil:
		return "RFC 3339 has lower-case letters and leap seconds"
	case strings.HasSuffix(media, "+json"):
		return "the SDK does not know the suffix +json as JSON"
	case e.DataContentType == "" && errors.As(sdkErr, &invalid) && invalid["datacontenttype"] != nil:
		return "the SDK refuses an empty datacontenttype after specversion, and takes it before"
	}
	return ""
}

// same compares what both made of one input.
func same(t *testing.T, got *event.Event, want *ce.Event) {
	t.Helper()
	type attributes struct{ ID, Type, Subject, Source, Schema, ContentType, Extensions string }
	mine := attributes{
		ID: got.ID, Type: got.Type, Subject: got.Subject, ContentType: got.DataContentType,
		Source: reparsed(got.Source), Schema: reparsed(got.DataSchema),
	}
	theirs := attributes{
		ID: want.ID(), Type: want.Type(), Subject: want.Subject(), ContentType: want.DataContentType(),
		Source: want.Source(), Schema: want.DataSchema(),
	}
	ext := map[string]any{}
	for _, x := range got.Extensions {
		switch x.Kind {
		case event.Boolean:
			ext[x.Name] = x.Value == "true"
		case event.Integer:
			ext[x.Name] = json.Number(x.Value)
		default:
			ext[x.Name] = x.Value
		}
	}
	mine.Extensions, theirs.Extensions = marshal(t, ext), marshal(t, want.Extensions())
	if theirs.Extensions == "null" {
		theirs.Extensions = "{}"
	}
	if diff := cmp.Diff(theirs, mine); diff != "" {
		t.Errorf("attributes differ (-sdk +this):\n%s", diff)
	}
	if got.Time != "" {
		when, err := event.ParseTime(got.Time)
		if err != nil || !when.Equal(want.Time()) {
			t.Errorf("time %q is %v, %v; the SDK has %v", got.Time, when, err, want.Time())
		}
	} else if !want.Time().IsZero() {
		t.Errorf("no time; the SDK has %v", want.Time())
	}
	if strings.HasSuffix(strings.ToLower(event.MediaType(got.DataContentType)), "+json") {
		return // see excusedAcceptance
	}
	if !bytes.Equal(bytes.TrimSpace(got.Data), bytes.TrimSpace(want.Data())) {
		t.Errorf("data %q; the SDK has %q", got.Data, want.Data())
	}
}

// reparsed is what the SDK keeps of a URI.
func reparsed(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return s
	}
	return u.String()
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func FuzzDecodeJSONOracle(f *testing.F) {
	for _, s := range structuredSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		got, err := event.DecodeJSON(bytes.Clone(input))
		want := new(ce.Event)
		sdkErr := unmarshal(want, input)
		judge(t, input, got, err, want, sdkErr)
	})
}

// unmarshal is the SDK's decoder and validation. A panic of the SDK is a refusal.
func unmarshal(e *ce.Event, b []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("the SDK panics")
		}
	}()
	if err := e.UnmarshalJSON(b); err != nil {
		return err
	}
	return e.Validate()
}

func judge(t *testing.T, input []byte, got event.Event, err error, want *ce.Event, sdkErr error) {
	t.Helper()
	switch {
	case err != nil && sdkErr != nil:
	case err != nil:
		if excusedRefusal(input, err) == "" {
			t.Errorf("refused: %v; the SDK accepts it", err)
		}
	case sdkErr != nil:
		if excusedAcceptance(&got, sdkErr) == "" {
			t.Errorf("accepted; the SDK refuses it: %v", sdkErr)
		}
	case excusedAcceptance(&got, nil) == "":
		same(t, &got, want)
	}
}

func FuzzDecodeBatchOracle(f *testing.F) {
	f.Add([]byte(`[]`))
	for i, s := range structuredSeeds {
		f.Add([]byte("[" + s + "," + structuredSeeds[len(structuredSeeds)-1-i] + "]"))
		f.Add([]byte("[" + structuredSeeds[0] + "," + s + "]"))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		got, err := event.DecodeBatch(bytes.Clone(input))
		if err != nil {
			return // which single event is refused is the other fuzz test's matter
		}
		var want []ce.Event
		sdkErr := json.Unmarshal(input, &want)
		for i := range got {
			if excusedAcceptance(&got[i], sdkErr) != "" {
				return
			}
		}
		if sdkErr != nil {
			t.Fatalf("accepted; the SDK refuses it: %v", sdkErr)
		}
		if len(got) != len(want) {
			t.Fatalf("%d events; the SDK has %d", len(got), len(want))
		}
		for i := range got {
			if err := want[i].Validate(); err != nil {
				t.Fatalf("accepted event %d; the SDK refuses it: %v", i, err)
			}
			same(t, &got[i], &want[i])
		}
	})
}

func FuzzDecodeBinaryOracle(f *testing.F) {
	f.Add("1", "/source", "a.type", "room-1", "2024-05-01T12:30:00Z", "application/json", "dtmi:com:example:Room;1", "traceparent", "00-1-2-01", []byte(`{"a":1}`))
	f.Add("1", "%", "a b", "", "", "", "", "x", "", []byte(nil))
	f.Add(" ", "s", "t", " ", "2024-05-01t12:30:00z", "text/plain; charset", "x", "Data", "v", []byte("x"))
	f.Fuzz(func(t *testing.T, id, source, typ, subject, when, contentType, schema, extName, ext string, data []byte) {
		header := http.Header{"Ce-Specversion": {"1.0"}}
		for name, value := range map[string]string{
			"Ce-Id": id, "Ce-Source": source, "Ce-Type": typ, "Ce-Subject": subject, "Ce-Time": when,
			"Content-Type": contentType, "Ce-Dataschema": schema,
		} {
			if value != "" {
				header[name] = []string{value}
			}
		}
		key := http.CanonicalHeaderKey("ce-" + extName)
		if _, taken := header[key]; !taken && strings.HasPrefix(key, "Ce-") && len(key) > 3 {
			header[key] = []string{ext}
		}
		for _, values := range header {
			if strings.ContainsAny(values[0], `%"`) || values[0] != strings.ToValidUTF8(values[0], "") {
				return // header encoding, which the SDK lacks, has a table of its own
			}
		}
		if mediaType := event.MediaType(contentType); strings.HasPrefix(mediaType, "application/cloudevents") {
			return // not the binary mode
		}
		got, err := event.DecodeBinary(header, data)
		message := cehttp.NewMessage(header, io.NopCloser(bytes.NewReader(data)))
		want, sdkErr := binding.ToEvent(context.Background(), message)
		if sdkErr == nil {
			sdkErr = want.Validate()
		}
		judge(t, []byte("{}"), got, err, want, sdkErr)
	})
}
