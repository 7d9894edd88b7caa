package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// underlineWidth is how much of a long line underline shows.
const underlineWidth = 100

// underline returns the line of text in which the bytes from start to end
// begin, with a mark beneath them and a message behind the mark.
func underline(text string, start, end int, message string) string {
	start = min(max(start, 0), len(text))
	end = min(max(end, start), len(text))
	begin := strings.LastIndexByte(text[:start], '\n') + 1
	stop := len(text)
	if n := strings.IndexByte(text[start:], '\n'); n >= 0 {
		stop = start + n
	}
	before, marked, after := text[begin:start], text[start:min(end, stop)], text[min(end, stop):stop]
	before = oneLine(tail(before, underlineWidth/2), 0)
	marked = oneLine(marked, underlineWidth/2)
	after = oneLine(after, max(2, underlineWidth-utf8.RuneCountInString(before)-utf8.RuneCountInString(marked)))
	number := ""
	if strings.Contains(strings.TrimSpace(text), "\n") {
		number = fmt.Sprintf("%d: ", strings.Count(text[:start], "\n")+1)
	}
	indent := strings.Repeat(" ", utf8.RuneCountInString(number+before))
	mark := strings.Repeat("^", max(1, utf8.RuneCountInString(marked)))
	line := number + before + marked + strings.TrimRight(after, " \r")
	return line + "\n" + strings.TrimRight(indent+mark+" "+oneLine(message, 300), " ") + "\n"
}

// tail is the end of s, of at most n runes.
func tail(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return "…" + string(runes[len(runes)-n+1:])
}
