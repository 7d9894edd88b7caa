package event_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	ce "github.com/cloudevents/sdk-go/v2/event"

	"github.com/headgate/headgate/gateway/event"
)

// usual is a twin update of the size that events usually have, 600 bytes.
const usual = `{"specversion":"1.0","id":"b1f2a7de-4d0f-4c8e-9d6e-3a2b1c0d9e8f","type":"Microsoft.DigitalTwins.Twin.Update",` +
	`"source":"factory-north.api.weu.digitaltwins.azure.net","data":{"modelId":"dtmi:com:example:Boiler;2","patch":[` +
	`{"value":71.25,"path":"/Temperature","op":"replace"},{"value":"running","path":"/State","op":"replace"},` +
	`{"value":{"inlet":2.1,"outlet":1.9},"path":"/Pressure","op":"add"}]},"subject":"boiler-0042",` +
	`"time":"2024-05-01T12:30:00.1234567Z","datacontenttype":"application/json",` +
	`"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01","tenant":"north"}`

func BenchmarkDecodeJSON(b *testing.B) {
	text := []byte(usual)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := event.DecodeJSON(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeJSONOracle(b *testing.B) {
	text := []byte(usual)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		var e ce.Event
		if err := json.Unmarshal(text, &e); err != nil {
			b.Fatal(err)
		}
	}
}

func batchOf(n int) []byte {
	return append(append([]byte{'['}, bytes.Join(slicesRepeat([]byte(usual), n), []byte{','})...), ']')
}

func slicesRepeat(b []byte, n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = b
	}
	return out
}

func BenchmarkDecodeBatch100(b *testing.B) {
	text := batchOf(100)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := event.DecodeBatch(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeBatch100Oracle(b *testing.B) {
	text := batchOf(100)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		var list []ce.Event
		if err := json.Unmarshal(text, &list); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeBinary(b *testing.B) {
	header := http.Header{}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "ce-specversion": "1.0", "ce-id": "b1f2a7de", "ce-type": event.TwinUpdate,
		"ce-source": "factory-north.api.weu.digitaltwins.azure.net", "ce-subject": "boiler-0042", "ce-time": "2024-05-01T12:30:00Z",
		"ce-traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "User-Agent": "x", "Accept": "*/*",
	} {
		header.Set(name, value)
	}
	data := []byte(`{"modelId":"dtmi:com:example:Boiler;2","patch":[]}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := event.DecodeBinary(header, data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	e, err := event.DecodeJSON([]byte(usual))
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 2*len(usual))
	b.SetBytes(int64(len(usual)))
	b.ReportAllocs()
	for b.Loop() {
		buf = event.AppendJSON(buf[:0], &e)
	}
}

func BenchmarkAppendRecord(b *testing.B) {
	e, err := event.DecodeJSON([]byte(usual))
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 2*len(usual))
	b.ReportAllocs()
	for b.Loop() {
		buf = event.AppendRecord(buf[:0], &e)
	}
}

func BenchmarkReadRecord(b *testing.B) {
	e, err := event.DecodeJSON([]byte(usual))
	if err != nil {
		b.Fatal(err)
	}
	record := event.AppendRecord(nil, &e)
	b.ReportAllocs()
	for b.Loop() {
		r := event.NewRecordReader(record)
		if r.Event(); r.Err() != nil {
			b.Fatal(r.Err())
		}
	}
}
