package sink

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Settings reads the settings of an endpoint strictly: names are compared
// exactly, and what nobody asked for is a fault. The first fault is kept and
// every later answer is a zero value, so that a reader checks once, at the end:
//
//	s := sink.ReadSettings(raw)
//	path := s.Required("path")
//	if err := s.Err(); err != nil { … }
type Settings struct {
	members map[string]json.RawMessage
	known   []string
	err     *SettingError
}

// ReadSettings returns a reader over raw, one JSON object; absent and null are
// the empty object.
func ReadSettings(raw json.RawMessage) *Settings {
	s := &Settings{members: map[string]json.RawMessage{}}
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || string(raw) == "null" {
		return s
	}
	s.members = s.object("", raw)
	return s
}

// Text returns the string at name, and "" when it is absent.
func (s *Settings) Text(name string) string {
	s.known = append(s.known, name)
	raw, ok := s.members[name]
	if !ok {
		return ""
	}
	return s.text(name, raw)
}

// Required returns the string at name, which must be there and not be empty.
func (s *Settings) Required(name string) string {
	text := s.Text(name)
	if text == "" {
		s.Refuse(name, "is required")
	}
	return text
}

// Integer returns the whole number at name, and usual when it is absent. One
// that is not within least and most is a fault.
func (s *Settings) Integer(name string, usual, least, most int64) int64 {
	s.known = append(s.known, name)
	raw, ok := s.members[name]
	if !ok {
		return usual
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < least || n > most {
		s.Refuse(name, fmt.Sprintf("must be a whole number from %d to %d", least, most))
		return usual
	}
	return n
}

// Texts returns the object of strings at name, and nil when it is absent.
func (s *Settings) Texts(name string) map[string]string {
	s.known = append(s.known, name)
	raw, ok := s.members[name]
	if !ok {
		return nil
	}
	texts := map[string]string{}
	for member, value := range s.object(name, raw) {
		texts[member] = s.text(name+"."+member, value)
	}
	return texts
}

// Refuse records a fault of the setting field, unless there was one before.
func (s *Settings) Refuse(field, reason string) {
	if s.err == nil {
		s.err = &SettingError{Field: field, Reason: reason}
	}
}

// Err returns the first fault, a [*SettingError]. A setting that was not asked
// for until now is one.
func (s *Settings) Err() error {
	for _, name := range sortedNames(s.members) {
		if !slices.Contains(s.known, name) {
			s.Refuse(name, "is unknown; this kind has "+strings.Join(s.known, ", "))
		}
	}
	if s.err == nil {
		return nil
	}
	return s.err
}

// object returns the members of raw, each name once.
func (s *Settings) object(field string, raw json.RawMessage) map[string]json.RawMessage {
	members := map[string]json.RawMessage{}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		s.Refuse(field, "must be a JSON object")
		return nil
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			s.Refuse(field, "is not valid JSON: "+err.Error())
			return nil
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			s.Refuse(field, "is not valid JSON: "+err.Error())
			return nil
		}
		key := name.(string) // within an object the decoder yields no other token here
		if _, twice := members[key]; twice {
			s.Refuse(strings.TrimPrefix(field+"."+key, "."), "is given twice")
		}
		members[key] = value
	}
	if _, err := dec.Token(); err != nil {
		s.Refuse(field, "is not valid JSON: "+err.Error())
		return nil
	}
	if _, err := dec.Token(); err != io.EOF {
		s.Refuse(field, "must be one JSON object, without anything after it")
		return nil
	}
	return members
}

func (s *Settings) text(field string, raw json.RawMessage) string {
	var text *string
	if err := json.Unmarshal(raw, &text); err != nil || text == nil {
		s.Refuse(field, fmt.Sprintf("must be a string, not %s", jsonKind(raw)))
		return ""
	}
	return *text
}

// jsonKind names what raw, valid JSON, is.
func jsonKind(raw json.RawMessage) string {
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	case '"':
		return "a string"
	}
	return "a number"
}

func sortedNames(members map[string]json.RawMessage) []string {
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
