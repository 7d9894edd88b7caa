package broker

import (
	"fmt"
	"strings"
)

// maxAddress is the longest entity path.
const maxAddress = 260

type box int

const (
	boxNone box = iota
	boxLetters
	boxTransfer
)

// address is an entity path in its parts.
type address struct {
	entity       string
	subscription string // of a topic, or ""
	box          box
}

// parseAddress takes a path apart. Names may hold slashes, as the service's do.
func parseAddress(s string) (address, error) {
	rest := strings.Trim(s, "/")
	if len(rest) > maxAddress {
		return address{}, fmt.Errorf("%w: an entity path of %d characters: at most %d", ErrNotFound, len(rest), maxAddress)
	}
	var a address
	if head, ok := cutSuffixFold(rest, "/$Transfer/$DeadLetterQueue"); ok {
		rest, a.box = head, boxTransfer
	} else if head, ok := cutSuffixFold(rest, "/$DeadLetterQueue"); ok {
		rest, a.box = head, boxLetters
	}
	if !validName(rest) {
		return address{}, fmt.Errorf("%w: %q is not the name of an entity", ErrNotFound, rest)
	}
	const between = "/subscriptions/"
	a.entity = rest
	if at := strings.LastIndex(strings.ToLower(rest), between); at >= 0 && at+len(between) <= len(rest) {
		a.entity, a.subscription = rest[:at], rest[at+len(between):]
		if !validName(a.subscription) || strings.Contains(a.subscription, "/") {
			return address{}, fmt.Errorf("%w: %q is not the name of a subscription", ErrNotFound, a.subscription)
		}
	}
	if !validName(a.entity) {
		return address{}, fmt.Errorf("%w: %q is not the name of an entity", ErrNotFound, a.entity)
	}
	return a, nil
}

// validName allows what the service allows: letters, digits, dots, hyphens,
// underscores and slashes, with a letter or a digit at both ends.
func validName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c != '.' && c != '-' && c != '_' && c != '/':
			return false
		case c == '_' || 0 < i && i < len(s)-1:
		default:
			return false
		}
	}
	return s != ""
}

func cutSuffixFold(s, suffix string) (string, bool) {
	at := len(s) - len(suffix)
	if at < 0 || !strings.EqualFold(s[at:], suffix) {
		return s, false
	}
	return s[:at], true
}
