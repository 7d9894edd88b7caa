package main // white-box: a command exports nothing

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadEvents(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
		wantErr    string
	}{
		{"nothing", " \n", nil, ""},
		{"one", "{\n \"id\": \"1\"\n}\n", []string{"{\n \"id\": \"1\"\n}"}, ""},
		{"lines", "{\"a\":1}\n\n{\"b\":2}", []string{`{"a":1}`, `{"b":2}`}, ""},
		{"an array", " [ {\"a\":1} , {\"b\":2} ]\n", []string{`{"a":1}`, `{"b":2}`}, ""},
		{"an empty array", "[]", nil, ""},
		{"a bad line", "{\"a\":1}\n{\"b\":\n", []string{`{"a":1}`}, "event 2: unexpected EOF"},
		{"an array cut off", `[{"a":1},`, []string{`{"a":1}`}, "event 2: unexpected EOF"},
		{"an array not closed", `[{"a":1}`, []string{`{"a":1}`}, "event 2: unexpected EOF"},
		{"not an object", `[{"a":1}, 7]`, []string{`{"a":1}`}, "event 2: want a CloudEvent, a JSON object, have 7"},
		{"not JSON", "id=1", nil, "event 1: invalid character 'i' looking for beginning of value"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			var failed error
			for e, err := range readEvents(strings.NewReader(tt.text)) {
				if err != nil {
					failed = err
				} else {
					got = append(got, string(e))
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if errorText(failed) != tt.wantErr {
				t.Errorf("error %q, want %q", errorText(failed), tt.wantErr)
			}
		})
	}
}

func TestBatches(t *testing.T) {
	events := func(yield func(json.RawMessage, error) bool) {
		for _, size := range []int{2, 2, 2, 9, 2, 5, 2} {
			if !yield(json.RawMessage(strings.Repeat("x", size)), nil) {
				return
			}
		}
	}
	var got [][]int
	for batch := range batches(events, 2, 8) {
		var sizes []int
		for _, e := range batch {
			sizes = append(sizes, len(e))
		}
		got = append(got, sizes)
	}
	if diff := cmp.Diff([][]int{{2, 2}, {2}, {9}, {2, 5}, {2}}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
