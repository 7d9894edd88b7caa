package catalog

import (
	"unicode"
	"unicode/utf8"
)

// Limits of names.
const (
	// MaxNameBytes bounds the names of endpoints and plugins.
	MaxNameBytes = 128
	// MaxRouteIDBytes bounds the ids of routes.
	MaxRouteIDBytes = 256
)

// CheckName returns a [*FieldError] unless name can name an endpoint or a
// plugin: 1 to 128 letters, digits, ".", "_" and "-" of ASCII, the first of
// them a letter or a digit. Every name that Azure Digital Twins allows for an
// endpoint is one. Case matters.
func CheckName(field, name string) error {
	if name == "" {
		return refuse(field, "is required")
	}
	if len(name) > MaxNameBytes {
		return refuse(field, "is %d bytes long; %d are allowed", len(name), MaxNameBytes)
	}
	for i := range len(name) {
		c := name[i]
		alnum := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !alnum && (i == 0 || c != '.' && c != '_' && c != '-') {
			return refuse(field, `%q is not a name: use letters, digits, ".", "_" and "-", and begin with a letter or a digit`, name)
		}
	}
	return nil
}

// CheckRouteID returns a [*FieldError] unless id can be the id of a route: 1
// to 256 bytes of printable UTF-8 without "/" and "\", which proxies rewrite,
// without a blank at either end, and not "." or "..". Azure Digital Twins
// publishes no rule, so this one is wide. Case matters.
func CheckRouteID(field, id string) error {
	switch {
	case id == "":
		return refuse(field, "is required")
	case len(id) > MaxRouteIDBytes:
		return refuse(field, "is %d bytes long; %d are allowed", len(id), MaxRouteIDBytes)
	case !utf8.ValidString(id):
		return refuse(field, "is not UTF-8")
	case id == "." || id == "..":
		return refuse(field, "%q is not an id: it means something else in a path", id)
	case id[0] == ' ' || id[len(id)-1] == ' ':
		return refuse(field, "%q begins or ends with a blank", id)
	}
	for _, r := range id {
		if r == '/' || r == '\\' || !unicode.IsPrint(r) {
			return refuse(field, "%q holds %q, which an id may not", id, r)
		}
	}
	return nil
}
