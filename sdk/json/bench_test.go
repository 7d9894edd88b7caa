package json_test

import (
	stdjson "encoding/json"
	"testing"

	"github.com/headgate/headgate/sdk/json"
)

// twinUpdate is an event of the size and shape that Azure Digital Twins sends.
const twinUpdate = `{"specversion":"1.0","id":"7c7f2f0e-51d0-4b0f-9d5e-5a3f0a0b7c11","type":"Microsoft.DigitalTwins.Twin.Update",` +
	`"source":"plant-7.api.weu.digitaltwins.azure.net","data":{"modelId":"dtmi:com:example:Boiler;3","patch":[` +
	`{"value":81.25,"path":"/Temperature","op":"replace"},{"value":"running","path":"/State","op":"replace"},` +
	`{"value":{"inlet":3.1,"outlet":2.9},"path":"/Circuit/Pressure","op":"add"}]},"subject":"boiler-0042",` +
	`"time":"2024-03-05T07:11:42.1234567Z","datacontenttype":"application/json",` +
	`"traceparent":"00-1f0a4c0de1b84f2c8a2f6f1b1c8d9e10-00f067aa0ba902b7-01"}`

func BenchmarkParse(b *testing.B) {
	text := []byte(twinUpdate)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseStandard(b *testing.B) {
	text := []byte(twinUpdate)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if !stdjson.Valid(text) {
			b.Fatal("not valid")
		}
	}
}

func BenchmarkGet(b *testing.B) {
	v, _ := json.Parse([]byte(twinUpdate))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := v.Get("data", "modelId"); !ok {
			b.Fatal("no modelId")
		}
	}
}

// BenchmarkGetStandard is the least that encoding/json can do for one member.
func BenchmarkGetStandard(b *testing.B) {
	text := []byte(twinUpdate)
	b.ReportAllocs()
	for b.Loop() {
		var e struct{ Data struct{ ModelID string } }
		if err := stdjson.Unmarshal(text, &e); err != nil || e.Data.ModelID == "" {
			b.Fatal("no modelId")
		}
	}
}

func BenchmarkMembers(b *testing.B) {
	v, _ := json.Parse([]byte(twinUpdate))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for k := range v.Members() {
			n += len(k)
		}
		if n == 0 {
			b.Fatal("no members")
		}
	}
}

func BenchmarkFloat(b *testing.B) {
	v := json.Value("81.25")
	b.ReportAllocs()
	for b.Loop() {
		if f, _ := v.Float(); f != 81.25 {
			b.Fatal(f)
		}
	}
}
