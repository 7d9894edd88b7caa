package catalog

import (
	"encoding/json"
	"slices"
	"strings"
)

// Mask stands for a secret in what the API answers; in what it is sent, it
// keeps the stored one.
const Mask = "***"

// part is a piece of a setting's text. The texts of a setting's parts, with
// the secret ones masked or not, make up its text.
type part struct {
	text   string
	secret bool
	// key tells which secret it is, so that it is found again in the stored
	// text; keys that occur twice are told apart by their order.
	key string
}

func (f Form) mask(value json.RawMessage) json.RawMessage {
	if f == Headers {
		return eachHeader(value, func(name, text string) string {
			if secretHeader(name, text) {
				return Mask
			}
			return text
		})
	}
	text, ok := stringValue(value)
	if !ok { // not what the kind allows, so it may be anything
		return quote(Mask)
	}
	parts := f.parts(text)
	for i := range parts {
		if parts[i].secret && parts[i].text != "" {
			parts[i].text = Mask
		}
	}
	return quote(joinParts(parts))
}

func (f Form) unmask(value, stored json.RawMessage) (json.RawMessage, error) {
	if f == Headers {
		return unmaskHeaders(value, stored)
	}
	text, ok := stringValue(value)
	if !ok || !strings.Contains(text, Mask) {
		return value, nil
	}
	storedText, _ := stringValue(stored)
	old, parts := f.parts(storedText), f.parts(text)
	for i, p := range parts {
		if p.text != Mask || !p.secret {
			continue
		}
		j := slices.IndexFunc(old, func(o part) bool { return o.secret && o.text != "" && o.key == p.key })
		if j < 0 {
			return nil, refuse("", `"***" keeps the stored value, and none is stored%s: send the secret itself`, ofKey(p.key))
		}
		parts[i].text = old[j].text
		old = slices.Delete(old, j, j+1)
	}
	return quote(joinParts(parts)), nil
}

func ofKey(key string) string {
	if key == "" {
		return ""
	}
	return " for " + key
}

func joinParts(parts []part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.text)
	}
	return b.String()
}

// parts splits the text of a setting.
func (f Form) parts(text string) []part {
	switch f {
	case ConnectionString:
		return connectionParts(text)
	case URL:
		return urlParts(text)
	}
	return []part{{text: text, secret: true}}
}

// harmlessKeys are the keys of connection strings whose values are no secrets;
// the value of any other key may be one, if only of a misspelt key.
var harmlessKeys = []string{
	"endpoint", "entitypath", "sharedaccesskeyname", "transporttype", "operationtimeout", "usedevelopmentemulator",
	"usedevelopmentstorage", "defaultendpointsprotocol", "accountname", "endpointsuffix", "authentication",
	"blobendpoint", "queueendpoint", "tableendpoint", "fileendpoint",
}

func connectionParts(text string) []part {
	var parts []part
	for i, field := range strings.Split(text, ";") {
		if i > 0 {
			parts = append(parts, part{text: ";"})
		}
		key, value, ok := strings.Cut(field, "=")
		name := strings.ToLower(strings.TrimSpace(key))
		switch {
		case strings.TrimSpace(field) == "":
			parts = append(parts, part{text: field})
		case !ok:
			parts = append(parts, part{text: field, secret: true})
		case slices.Contains(harmlessKeys, name):
			parts = append(append(parts, part{text: key + "="}), urlParts(value)...)
		default:
			parts = append(parts, part{text: key + "="}, part{text: value, secret: true, key: name})
		}
	}
	return parts
}

// urlParts works on the text, since it may hold placeholders that are not a
// URL's yet, and is to come back as it was written.
func urlParts(text string) []part {
	var parts []part
	rest := text
	if scheme, after, ok := strings.Cut(rest, "://"); ok {
		authority := after
		if end := strings.IndexAny(after, "/?#"); end >= 0 {
			authority = after[:end]
		}
		if at := strings.LastIndexByte(authority, '@'); at >= 0 {
			parts = append(parts, part{text: scheme + "://"})
			user, password, both := strings.Cut(authority[:at], ":")
			if both {
				parts = append(parts, part{text: user + ":"}, part{text: password, secret: true, key: "password"})
			} else {
				parts = append(parts, part{text: user, secret: true, key: "user"})
			}
			rest = after[at:]
		}
	}
	base, query, ok := strings.Cut(rest, "?")
	parts = append(parts, part{text: base})
	if !ok {
		return parts
	}
	query, fragment, hasFragment := strings.Cut(query, "#")
	for i, pair := range strings.Split(query, "&") {
		sep := "&"
		if i == 0 {
			sep = "?"
		}
		name, value, ok := strings.Cut(pair, "=")
		if !ok || !secretName(name) {
			parts = append(parts, part{text: sep + pair})
			continue
		}
		parts = append(parts, part{text: sep + name + "="}, part{text: value, secret: true, key: strings.ToLower(name)})
	}
	if hasFragment {
		parts = append(parts, part{text: "#" + fragment})
	}
	return parts
}

// secretWords are what the names of secret query parameters and headers hold.
var secretWords = []string{
	"sig", "code", "key", "token", "secret", "pass", "pwd", "auth", "cookie", "credential", "session", "jwt", "bearer",
}

// harmlessNames hold a secret word and are none.
var harmlessNames = []string{
	"idempotency-key", "partition-key", "partitionkey", "status-code",
}

func secretName(name string) bool {
	name = strings.ToLower(name)
	if slices.Contains(harmlessNames, name) {
		return false
	}
	return slices.ContainsFunc(secretWords, func(w string) bool { return strings.Contains(name, w) })
}

func secretHeader(name, value string) bool {
	scheme, _, two := strings.Cut(value, " ")
	switch strings.ToLower(scheme) {
	case "bearer", "basic", "digest", "sharedaccesssignature", "sharedkey":
		if two {
			return true
		}
	}
	return secretName(name)
}

// eachHeader rewrites the values of an object of header fields.
func eachHeader(value json.RawMessage, rewrite func(name, text string) string) json.RawMessage {
	members, err := readMembers(value)
	if err != nil {
		return quote(Mask)
	}
	for i, m := range members {
		text, ok := stringValue(m.value)
		if !ok {
			text = Mask
		}
		members[i].value = quote(rewrite(m.name, text))
	}
	return appendMembers(nil, members)
}

func unmaskHeaders(value, stored json.RawMessage) (json.RawMessage, error) {
	members, err := readMembers(value)
	if err != nil {
		return value, nil // the kind's validation says what it wants instead
	}
	old, _ := readMembers(stored)
	for i, m := range members {
		text, _ := stringValue(m.value)
		if scheme, rest, ok := strings.Cut(text, " "); ok && strings.TrimSpace(rest) == Mask {
			return nil, refuse(m.name, `%q holds "***" in place of the secret: send the whole value, or "***" alone to keep the stored one`, scheme+" "+Mask)
		}
		if text != Mask {
			continue
		}
		j := slices.IndexFunc(old, func(o member) bool { return strings.EqualFold(o.name, m.name) })
		if j < 0 {
			return nil, refuse(m.name, `"***" keeps the stored value, and none is stored: send the value itself`)
		}
		members[i].value = old[j].value
	}
	return appendMembers(nil, members), nil
}

func stringValue(b json.RawMessage) (string, bool) {
	var s string
	if len(b) == 0 || b[0] != '"' || json.Unmarshal(b, &s) != nil {
		return "", false
	}
	return s, true
}
