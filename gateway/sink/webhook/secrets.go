package webhook

import (
	"fmt"
	"net/url"
	"strings"
)

// secrets says which parts of a setting readers must not see: the value of
// every header, and in the url the password (the user, when there is none) and
// the values of parameters that are named like a credential.
func secrets(setting, value string) map[string][2]int {
	if strings.HasPrefix(setting, "headers.") {
		return map[string][2]int{"": {0, len(value)}}
	}
	if setting != "url" {
		return nil
	}
	parts := map[string][2]int{}
	start, end := authority(value)
	if at := strings.LastIndexByte(value[start:end], '@'); at >= 0 {
		if colon := strings.IndexByte(value[start:start+at], ':'); colon >= 0 {
			parts["password"] = [2]int{start + colon + 1, start + at}
		} else {
			parts["user"] = [2]int{start, start + at}
		}
	}
	query := strings.IndexByte(value, '?')
	if query < 0 {
		return parts
	}
	for from := query + 1; from < len(value); {
		to := len(value)
		if n := strings.IndexByte(value[from:], '&'); n >= 0 {
			to = from + n
		}
		name, text, ok := strings.Cut(value[from:to], "=")
		if ok && namesSecret(name) && !isPlaceholder(text) {
			parts[freeName(parts, name)] = [2]int{to - len(text), to}
		}
		from = to + 1
	}
	return parts
}

// authority returns the range of userinfo, host and port within a URL.
func authority(u string) (start, end int) {
	i := strings.Index(u, "://")
	if i < 0 {
		return 0, 0
	}
	start = i + len("://")
	if n := strings.IndexAny(u[start:], "/?#"); n >= 0 {
		return start, start + n
	}
	return start, len(u)
}

// namesSecret reports whether a query parameter's name is that of a credential.
func namesSecret(name string) bool {
	if plain, err := url.QueryUnescape(name); err == nil {
		name = plain
	}
	name = strings.ToLower(name)
	switch name {
	case "code", "sig", "pwd", "pass":
		return true
	}
	for _, word := range []string{"token", "key", "secret", "password", "signature", "credential", "auth"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

func isPlaceholder(text string) bool {
	return strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}")
}

// freeName numbers a parameter that is given more than once.
func freeName(parts map[string][2]int, name string) string {
	free := "?" + name
	for n := 2; ; n++ {
		if _, taken := parts[free]; !taken {
			return free
		}
		free = fmt.Sprintf("?%s %d", name, n)
	}
}
