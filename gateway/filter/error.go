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
	// Start and End are what is at fault, as byte offsets: up to Start the text
	// may become a filter, whatever follows. At the end of the text both are its
	// length.
	Start, End int
}

// Error has the form that Azure Digital Twins gives its clients.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("Parsing error, Line=%d, Position=%d, Message=%s", e.Line, e.Position, e.Message)
}

// errorAt reports message of what stands at [start:end] in text.
func errorAt(text string, start, end int, format string, args ...any) error {
	before := text[:start]
	line := strings.Count(before, "\n")
	return &SyntaxError{
		Line:     line + 1,
		Position: utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1,
		Message:  fmt.Sprintf(format, args...),
		Start:    start,
		End:      end,
	}
}
