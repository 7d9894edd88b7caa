package eventgrid_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"testing"
)

// signature makes a shared access signature as the documentation describes it.
func signature(t *testing.T, resource, expiry, key string) string {
	t.Helper()
	secret, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	unsigned := "r=" + url.QueryEscape(resource) + "&e=" + url.QueryEscape(expiry)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(unsigned))
	return unsigned + "&s=" + url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}
