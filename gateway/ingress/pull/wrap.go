package pull

import (
	"cmp"
	"strings"
)

// Wrap is the rule by which a message that carries no CloudEvent becomes one.
// Each part is text, or a "$" with the name of something in the message, or
// alternatives of these between "|", of which the first that yields something
// counts.
type Wrap struct {
	Off                       bool // such a message is refused instead
	Type, Source, Subject, ID string
}

// The names by which a rule asks for something in a message; "$properties.NAME"
// is an application property.
var references = []string{"$messageId", "$sessionId", "$partitionKey", "$subject", "$correlationId", "$sequenceNumber"}

const propertyReference = "$properties."

// ReadWrap reads the setting wrap: an object of parts, each of which has its
// default in usual, or false.
func ReadWrap(in *Settings, usual Wrap) Wrap {
	w := usual
	if in.members["wrap"] != nil && string(in.members["wrap"]) == "false" {
		in.Raw("wrap")
		return Wrap{Off: true}
	}
	in.Object("wrap", func(in *Settings) {
		for _, part := range []struct {
			name string
			to   *string
		}{{"type", &w.Type}, {"source", &w.Source}, {"subject", &w.Subject}, {"id", &w.ID}} {
			*part.to = cmp.Or(in.Text(part.name), *part.to)
			checkRule(in, part.name, *part.to)
		}
	})
	return w
}

func checkRule(in *Settings, name, rule string) {
alternatives:
	for alternative := range strings.SplitSeq(rule, "|") {
		if !strings.HasPrefix(alternative, "$") || len(alternative) > len(propertyReference) && strings.HasPrefix(alternative, propertyReference) {
			continue
		}
		for _, known := range references {
			if alternative == known {
				continue alternatives
			}
		}
		in.Refuse(name, "asks for "+alternative+", which no message has; there are "+strings.Join(references, ", ")+" and "+propertyReference+"NAME")
	}
}

// resolve returns what a rule yields for m.
func resolve(rule string, m *Message) string {
	for alternative := range strings.SplitSeq(rule, "|") {
		text := alternative
		if strings.HasPrefix(alternative, "$") {
			text = m.lookUp(alternative)
		}
		if strings.TrimSpace(text) != "" {
			return text
		}
	}
	return ""
}

func (m *Message) lookUp(reference string) string {
	switch reference {
	case "$messageId":
		return m.ID
	case "$sessionId":
		return m.Session
	case "$partitionKey":
		return m.PartitionKey
	case "$subject":
		return m.Subject
	case "$correlationId":
		return m.CorrelationID
	case "$sequenceNumber":
		return m.Sequence
	}
	value, _ := m.Properties[strings.TrimPrefix(reference, propertyReference)]
	text, _, _ := textOf(value)
	return text
}
