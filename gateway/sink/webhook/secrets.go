package webhook

import (
	"net/url"
	"slices"
	"strings"
)

// secretWords are what the names of parameters hold that carry credentials.
var secretWords = []string{
	"sig", "code", "key", "token", "secret", "pass", "pwd", "auth", "credential", "session", "jwt",
}

// urlSecrets returns what no error may tell of a URL, in the forms in which an
// endpoint might echo it: its userinfo and the parameters that look like
// credentials.
func urlSecrets(u *url.URL) []string {
	var found []string
	if u.User != nil {
		password, both := u.User.Password()
		if !both {
			password = u.User.Username()
		}
		found = append(found, echoes(password)...)
	}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name = strings.ToLower(name)
		if slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(name, word) }) {
			found = append(found, echoes(value)...)
		}
	}
	return found
}

// echoes returns the forms in which an endpoint might echo a secret: whole,
// its credential alone as after "Bearer ", and percent-decoded. Shorter than 4
// bytes it is no secret but would garble every text.
func echoes(secret string) []string {
	forms := []string{secret}
	if i := strings.LastIndexByte(secret, ' '); i >= 0 {
		forms = append(forms, secret[i+1:])
	}
	if plain, err := url.QueryUnescape(secret); err == nil && plain != secret {
		forms = append(forms, plain)
	}
	return slices.DeleteFunc(forms, func(form string) bool { return len(form) < 4 })
}
