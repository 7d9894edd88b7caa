package eventgrid

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/headgate/headgate/gateway/emulator/identity"
)

// resource is that for which identities get their tokens.
const resource = "https://eventgrid.azure.net"

// authorize checks the key, the shared access signature or the bearer token of
// a request. Without a key of the topic's own everyone may publish who shows
// some credential; so may every identity whose token is for Event Grid.
func authorize(r *http.Request, key string, now time.Time) error {
	shown, signature := r.Header.Get("Aeg-Sas-Key"), r.Header.Get("Aeg-Sas-Token")
	if signature == "" {
		signature, _ = strings.CutPrefix(r.Header.Get("Authorization"), "SharedAccessSignature ")
		if signature == r.Header.Get("Authorization") {
			signature = ""
		}
	}
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	reason := ""
	switch {
	case shown != "":
		if key != "" && subtle.ConstantTimeCompare([]byte(shown), []byte(key)) != 1 {
			reason = "the key is not the topic's"
		}
	case signature != "":
		reason = checkSignature(signature, key, r, now)
	case bearer:
		// Tokens last by real time, however fast the topic's is.
		if err := identity.Check(token, time.Now(), resource); err != nil {
			reason = err.Error()
		}
	default:
		reason = "the request has none of aeg-sas-key, aeg-sas-token and Authorization"
	}
	if reason != "" {
		return &refusal{http.StatusUnauthorized, "Unauthorized", "the request is not authorized for " + r.Host + r.URL.Path + ": " + reason}
	}
	return nil
}

// checkSignature returns what is wrong with a shared access signature, which is
// r=RESOURCE&e=EXPIRY&s=SIGNATURE, each percent-encoded; the signature is an
// HMAC-SHA256 by the key over all that stands before it.
func checkSignature(token, key string, r *http.Request, now time.Time) string {
	unsigned, signed, ok := strings.Cut(token, "&s=")
	values, err := url.ParseQuery(unsigned)
	if !ok || err != nil {
		return "the signature is not of the form r=…&e=…&s=…"
	}
	expiry, ok := parseExpiry(values.Get("e"))
	if !ok || expiry.Before(now) {
		return "the signature has expired, or its expiry is not a time"
	}
	signedFor, err := url.Parse(values.Get("r"))
	if err != nil || !strings.EqualFold(signedFor.Host, r.Host) || !strings.EqualFold(signedFor.Path, r.URL.Path) {
		return "the signature is for another resource"
	}
	if key == "" {
		return ""
	}
	secret, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		return "the topic's key is not base64, so nothing can be signed by it"
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(unsigned))
	got, err := url.QueryUnescape(signed)
	if err != nil || !hmac.Equal([]byte(got), []byte(base64.StdEncoding.EncodeToString(mac.Sum(nil)))) {
		return "the signature is not by the topic's key"
	}
	return ""
}

// parseExpiry reads the forms that publishers use, all in UTC.
func parseExpiry(s string) (time.Time, bool) {
	for _, layout := range []string{"1/2/2006 3:04:05 PM", time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
