package filter

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// SyntaxError says where a text stops being a filter.
type SyntaxError struct {
	Line     int // from 1
	Position int // of the character in its line, from 1
	Message  string
}

// Error has the form that Azure Digital Twins gives its clients.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("Parsing error, Line=%d, Position=%d, Message=%s", e.Line, e.Position, e.Message)
}

// errorAt reports message at the byte offset in text.
func errorAt(text string, offset int, format string, args ...any) error {
	before := text[:offset]
	line := strings.Count(before, "\n")
	return &SyntaxError{
		Line:     line + 1,
		Position: utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1,
		Message:  fmt.Sprintf(format, args...),
	}
}
