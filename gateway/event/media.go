package event

import "strings"

// IsJSON reports whether contentType, as in the attribute datacontenttype,
// declares JSON: absent, application/json, text/json, or any type with the
// suffix +json. Parameters and case do not matter.
func IsJSON(contentType string) bool {
	if contentType == "" || contentType == "application/json" {
		return true
	}
	media := MediaType(contentType)
	return strings.EqualFold(media, "application/json") ||
		strings.EqualFold(media, "text/json") ||
		hasSuffixFold(media, "+json")
}

// isText reports whether contentType declares characters other than JSON, which
// the JSON format can carry readably as a string.
func isText(contentType string) bool {
	media := MediaType(contentType)
	return len(media) > 5 && strings.EqualFold(media[:5], "text/") ||
		strings.EqualFold(media, "application/xml") ||
		hasSuffixFold(media, "+xml")
}

// MediaType returns contentType without its parameters, in the sender's case.
func MediaType(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.TrimSpace(media)
}

func hasSuffixFold(s, suffix string) bool {
	return len(s) > len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}
