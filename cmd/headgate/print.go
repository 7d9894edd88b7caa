package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/event"
)

// printTable writes rows beneath a header in aligned columns.
func printTable(w io.Writer, header string, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.ReplaceAll(header, " ", "\t"))
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	t.Flush()
}

// printJSON writes v, indented, as the API would.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// printLine writes v as one line of JSON.
func printLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// oneLine makes s fit for one line of a terminal: no line breaks and no
// control characters, which an event's sender must not be able to print, and
// at most width runes.
func oneLine(s string, width int) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case r < ' ', r >= 0x7f && r < 0xa0, r == utf8.RuneError, r == '\u2028', r == '\u2029', r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return '\uFFFD'
		}
		return r
	}, s)
	if width <= 1 || utf8.RuneCountInString(clean) <= width {
		return clean
	}
	return string([]rune(clean)[:width-1]) + "…"
}

// shortType is the telling end of an event's type: "Twin.Update" of the types
// of Azure Digital Twins, and others whole.
func shortType(typ string) string {
	if typ == event.Telemetry {
		return "Telemetry"
	}
	return strings.TrimPrefix(typ, "Microsoft.DigitalTwins.")
}

// dataText is the data of e in as few characters as tell what it says.
func dataText(e *event.Event) string {
	if text, ok := patchText(e); ok {
		return text
	}
	if text, ok := twinText(e); ok {
		return text
	}
	var compact bytes.Buffer
	if json.Compact(&compact, e.Data) == nil {
		return compact.String()
	}
	if utf8.Valid(e.Data) {
		return string(e.Data)
	}
	return fmt.Sprintf("(%d bytes)", len(e.Data))
}

// patchText is "/temperature = 21.5" for an update of a twin or relationship.
func patchText(e *event.Event) (string, bool) {
	if e.Type != event.TwinUpdate && e.Type != event.RelationshipUpdate {
		return "", false
	}
	var data struct {
		Patch []struct {
			Op    string          `json:"op"`
			Path  string          `json:"path"`
			Value json.RawMessage `json:"value"`
		} `json:"patch"`
	}
	if json.Unmarshal(e.Data, &data) != nil || len(data.Patch) == 0 {
		return "", false
	}
	var parts []string
	for _, op := range data.Patch {
		if op.Op == "remove" {
			parts = append(parts, "remove "+op.Path)
		} else {
			parts = append(parts, op.Path+" = "+string(op.Value))
		}
	}
	return strings.Join(parts, ", "), true
}

// twinText is "makes → order-1001" for a relationship that begins or ends, and the
// properties of a twin that does, without what every twin has.
func twinText(e *event.Event) (string, bool) {
	var data map[string]json.RawMessage
	switch e.Type {
	case event.RelationshipCreate, event.RelationshipDelete:
		var name, target string
		if json.Unmarshal(e.Data, &data) != nil || json.Unmarshal(data["$relationshipName"], &name) != nil ||
			json.Unmarshal(data["$targetId"], &target) != nil {
			return "", false
		}
		return name + " → " + target, true
	case event.TwinCreate, event.TwinDelete:
		if json.Unmarshal(e.Data, &data) != nil {
			return "", false
		}
		for _, name := range []string{"$dtId", "$etag", "$metadata"} {
			delete(data, name)
		}
		b, err := json.Marshal(data)
		return string(b), err == nil
	}
	return "", false
}

// The forms in which people read times.
const (
	timeOfDay = "15:04:05"
	toMinute  = "2006-01-02 15:04"
	toSecond  = "2006-01-02 15:04:05"
)

// when writes a time for people, where they are.
func (a *app) when(t time.Time, form string) string {
	if a.zone == nil {
		return t.Local().Format(form)
	}
	return t.In(a.zone).Format(form)
}

// isTerminal reports whether w is one, so that lines may be rewritten.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// took writes the duration of an attempt in three digits or fewer.
func took(d catalog.Duration) string {
	t := time.Duration(d)
	switch {
	case t >= time.Second:
		return t.Round(10 * time.Millisecond).String()
	case t >= time.Millisecond:
		return t.Round(100 * time.Microsecond).String()
	}
	return t.Round(time.Microsecond).String()
}
