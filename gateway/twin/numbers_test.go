package twin_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/twin"
)

func numbers(e event.Event) []string {
	var got []string
	for path, v := range twin.Numbers(&e) {
		got = append(got, fmt.Sprint(path, " = ", v))
	}
	return got
}

func TestNumbers(t *testing.T) {
	for _, tt := range []struct {
		name, typ, subject, data string
		want                     []string
	}{
		{"a patch", event.TwinUpdate, "room-1", `{"modelId":"m","patch":[{"op":"replace","path":"/Temperature","value":21.5},{"op":"add","path":"/Front","value":{"Humidity":40,"Name":"x","Inner":{"Deep":-1e3}}},
			{"op":"remove","path":"/Old"},{"op":"test","path":"/Old","value":1},{"op":"add","path":"/$metadata/x","value":1},{"op":"replace","path":"Odd","value":1},{"op":"replace","path":"/On","value":true},{"op":"replace","path":"/List","value":[1,2]}]}`,
			[]string{"/Temperature = 21.5", "/Front/Humidity = 40", "/Front/Inner/Deep = -1000"}},
		{"a whole twin", event.TwinCreate, "room-1", `{"$dtId":"room-1","$metadata":{"x":1},"Temperature":20,"a/b~c":3,"comp":{"$metadata":{"y":2},"v":7}}`,
			[]string{"/Temperature = 20", "/a~1b~0c = 3", "/comp/v = 7"}},
		{"a twin that goes", event.TwinDelete, "room-1", `{"Temperature":20}`, nil},
		{"telemetry", event.Telemetry, "", `{"t":1,"acc":{"x":0.5}}`, []string{"/telemetry/t = 1", "/telemetry/acc/x = 0.5"}},
		{"telemetry of a component", event.Telemetry, "left", `{"t":1}`, []string{"/telemetry/left/t = 1"}},
		{"a relationship", event.RelationshipUpdate, "room-1/relationships/r/7", `{"patch":[{"op":"replace","path":"/weight","value":2}]}`, []string{"/relationships/r~17/weight = 2"}},
		{"another event", "note", "room-1", `{"t":22,"s":"22"}`, []string{"/t = 22"}},
		{"a number alone", "note", "room-1", `5`, []string{" = 5"}},
		{"no JSON", "note", "room-1", `{"t":`, nil},
		{"no data", "note", "room-1", ``, nil},
		{"a patch that is none", event.TwinUpdate, "room-1", `{"patch":7}`, nil},
		{"a number beyond all bounds", "note", "room-1", `{"a":1e999,"b":1}`, []string{"/b = 1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, numbers(event.Event{Type: tt.typ, Subject: tt.subject, Data: []byte(tt.data)})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestNumbersAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, `,"p%d":%d`, i, i)
	}
	if n := len(numbers(event.Event{Type: "note", Data: []byte("{" + b.String()[1:] + "}")})); n != 500 {
		t.Errorf("%d numbers, want 500", n)
	}
	deep := strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)
	if got := numbers(event.Event{Type: "note", Data: []byte(deep)}); got != nil {
		t.Errorf("%v, want nothing so deep", got)
	}
	for range twin.Numbers(&event.Event{Type: "note", Data: []byte(`{"a":1,"b":{"c":2},"d":3}`)}) {
		break
	}
}

func FuzzNumbers(f *testing.F) {
	f.Add(event.TwinUpdate, "s", []byte(`{"patch":[{"op":"add","path":"/a","value":{"b":1}}]}`))
	f.Add(event.Telemetry, "", []byte(`{"a":[1,{"b":2}]}`))
	f.Fuzz(func(t *testing.T, typ, subject string, data []byte) {
		n := 0
		for path := range twin.Numbers(&event.Event{Type: typ, Subject: subject, Data: data}) {
			if n++; n > 500 || len(path) > 512 {
				t.Fatalf("number %d at %q", n, path)
			}
		}
	})
}
