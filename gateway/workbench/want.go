package workbench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/headgate/headgate/gateway/plugin"
)

// wanted is what a want.json holds. A kind of which it says nothing is not
// tried, and null in the place of an answer stands for any but a failure.
type wanted struct {
	Refused   map[string]json.RawMessage `json:"refused"`
	Filter    []json.RawMessage          `json:"filter"`
	Transform []json.RawMessage          `json:"transform"`
}

func readWanted(text json.RawMessage) (w wanted, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&w); err != nil {
		return w, fmt.Errorf(`want an object of "filter", "transform" and "refused": %w`, err)
	}
	return w, nil
}

// tries returns those of the kinds that the case is about.
func (c *Case) tries(kinds []plugin.Kind) []plugin.Kind {
	w, err := readWanted(c.Want)
	if c.Want == nil || err != nil || len(w.Refused)+len(w.Filter)+len(w.Transform) == 0 {
		return kinds
	}
	return slices.DeleteFunc(slices.Clone(kinds), func(k plugin.Kind) bool {
		said := map[plugin.Kind][]json.RawMessage{plugin.Filter: w.Filter, plugin.Transform: w.Transform}
		return said[k] == nil && w.Refused[k.String()] == nil
	})
}

// differs shows how what came out differs from what is wanted.
func (c *Case) differs(got Answers) (string, error) {
	w, err := readWanted(c.Want)
	if err != nil {
		return "", err
	}
	out := struct {
		Refused   map[string]string `json:"refused,omitempty"`
		Filter    []any             `json:"filter,omitempty"`
		Transform []any             `json:"transform,omitempty"`
	}{Refused: got.Refused}
	for i, v := range got.Filter {
		out.Filter = append(out.Filter, unlessNull(w.Filter, i, v, v.Error))
	}
	for i, v := range got.Transform {
		out.Transform = append(out.Transform, unlessNull(w.Transform, i, v, v.Error))
	}
	return diffJSON(c.Want, out)
}

// unlessNull is answer number i, or null if that will do.
func unlessNull(want []json.RawMessage, i int, answer any, fault string) any {
	if i < len(want) && string(want[i]) == "null" && fault == "" {
		return nil
	}
	return answer
}
