package pull

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Settings reads the settings of a source strictly: names are compared exactly,
// and what nobody asked for is a fault. The first fault is kept and every later
// answer is a zero value, so that a reader checks once, at the end.
type Settings struct {
	prefix  string // of the names in errors
	members map[string]json.RawMessage
	known   []string
	err     *SettingError
}

// ReadSettings returns a reader over raw, one JSON object; absent and null are
// the empty object.
func ReadSettings(raw json.RawMessage) *Settings {
	s := &Settings{}
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || string(raw) == "null" {
		return s
	}
	if raw[0] != '{' || json.Unmarshal(raw, &s.members) != nil {
		s.err = &SettingError{Reason: "must be a JSON object"}
	}
	return s
}

// Text returns the string at name, and "" when it is absent.
func (s *Settings) Text(name string) string {
	raw, ok := s.take(name)
	if !ok {
		return ""
	}
	var text *string
	if json.Unmarshal(raw, &text) != nil || text == nil {
		s.Refuse(name, "must be a string")
		return ""
	}
	return *text
}

// OneOf returns the string at name, which must be one of those, and the first
// when it is absent.
func (s *Settings) OneOf(name string, values ...string) string {
	text := s.Text(name)
	if text == "" {
		return values[0]
	}
	if !slices.Contains(values, text) {
		s.Refuse(name, "must be one of "+strings.Join(values, ", "))
	}
	return text
}

// Integer returns the whole number at name, and usual when it is absent. One
// that is not within least and most is a fault.
func (s *Settings) Integer(name string, usual, least, most int) int {
	raw, ok := s.take(name)
	if !ok {
		return usual
	}
	n, err := strconv.Atoi(string(raw))
	if err != nil || n < least || n > most {
		s.Refuse(name, fmt.Sprintf("must be a whole number from %d to %d", least, most))
		return usual
	}
	return n
}

// Raw returns the JSON value at name, nil when it is absent.
func (s *Settings) Raw(name string) json.RawMessage {
	raw, _ := s.take(name)
	return raw
}

// Object calls read with the object at name, unless it is absent.
func (s *Settings) Object(name string, read func(*Settings)) {
	raw, ok := s.take(name)
	if !ok {
		return
	}
	if raw[0] != '{' {
		s.Refuse(name, "must be a JSON object")
		return
	}
	inner := ReadSettings(raw)
	inner.prefix = s.prefix + name + "."
	read(inner)
	if err := inner.finish(); s.err == nil {
		s.err = err
	}
}

func (s *Settings) take(name string) (json.RawMessage, bool) {
	s.known = append(s.known, name)
	raw, ok := s.members[name]
	return raw, ok && string(raw) != "null"
}

// Refuse records a fault of the setting called name, unless there was one before.
func (s *Settings) Refuse(name, reason string) {
	if s.err == nil {
		s.err = &SettingError{Field: s.prefix + name, Reason: reason}
	}
}

// Err returns the first fault, a [*SettingError]. A setting that was not asked
// for until now is one.
func (s *Settings) Err() error {
	if err := s.finish(); err != nil {
		return err
	}
	return nil
}

func (s *Settings) finish() *SettingError {
	for _, name := range slices.Sorted(maps.Keys(s.members)) {
		if !slices.Contains(s.known, name) {
			s.Refuse(name, "is unknown; there are "+strings.Join(s.known, ", "))
		}
	}
	return s.err
}
