package event

import (
	"fmt"
	"strings"
	"time"
)

// ParseTime returns the instant that an event's time names. Unlike time.Parse
// it takes all of RFC 3339: lower-case t and z, and a leap second, which it
// gives as the second after it.
func ParseTime(s string) (time.Time, error) {
	if !isRFC3339(s) {
		return time.Time{}, fmt.Errorf("time %q is not in the form of RFC 3339", s)
	}
	var leap time.Duration
	if s[17:19] == "60" {
		leap = time.Second
		s = s[:17] + "59" + s[19:]
	}
	t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(s))
	return t.Add(leap), err
}

// isRFC3339 reports whether s is a date-time of RFC 3339, section 5.6, and so
// of at least 20 bytes with the fields of date and time in fixed places.
func isRFC3339(s string) bool {
	const form = "dddd-dd-ddTdd:dd:dd"
	if len(s) < len("2006-01-02T15:04:05Z") {
		return false
	}
	for i := range len(form) {
		switch c := s[i]; form[i] {
		case 'd':
			if !isDigit(c) {
				return false
			}
		case 'T':
			if c|0x20 != 't' {
				return false
			}
		default:
			if c != form[i] {
				return false
			}
		}
	}
	month, day := number(s[5:7]), number(s[8:10])
	hour, minute, second := number(s[11:13]), number(s[14:16]), number(s[17:19])
	if month < 1 || month > 12 || day < 1 || day > daysIn(month, number(s[0:4])) {
		return false
	}
	if hour > 23 || minute > 59 || second > 60 || second == 60 && minute != 59 {
		return false
	}
	return isOffset(skipFraction(s[len(form):]))
}

// skipFraction returns what follows the fraction of a second. A point without
// digits is left for the offset to stumble over.
func skipFraction(s string) string {
	if s[0] != '.' {
		return s
	}
	n := 1
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	if n == 1 {
		return s
	}
	return s[n:]
}

func isOffset(s string) bool {
	if s == "Z" || s == "z" {
		return true
	}
	return len(s) == len("+00:00") && (s[0] == '+' || s[0] == '-') && s[3] == ':' &&
		isDigit(s[1]) && isDigit(s[2]) && isDigit(s[4]) && isDigit(s[5]) &&
		number(s[1:3]) <= 23 && number(s[4:6]) <= 59
}

func daysIn(month, year int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// number is the value of a few decimal digits.
func number(s string) int {
	n := 0
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n
}

func isDigit(c byte) bool { return c-'0' <= 9 }
