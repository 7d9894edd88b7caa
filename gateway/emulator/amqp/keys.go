package amqp

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Keys are shared access keys by their names. They claim every address.
type Keys map[string]string

var errKey = errors.New("the shared access signature is not valid")

// Authorize checks a shared access signature: that a key of ours signed it,
// for the token's audience or what is above it, and that it has not expired.
func (k Keys) Authorize(t Token) error {
	text, ok := strings.CutPrefix(t.Value, "SharedAccessSignature ")
	if !ok {
		return errors.New("the token is no shared access signature")
	}
	fields, err := url.ParseQuery(text)
	if err != nil {
		return errKey
	}
	key, ok := k[fields.Get("skn")]
	if !ok {
		return errKey
	}
	// What is signed is the resource as the token writes it, still escaped.
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(raw(text, "sr") + "\n" + fields.Get("se")))
	sum := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if !hmac.Equal([]byte(sum), []byte(fields.Get("sig"))) {
		return errKey
	}
	until, err := strconv.ParseInt(fields.Get("se"), 10, 64)
	if err != nil || time.Now().Unix() >= until {
		return errors.New("the shared access signature has expired")
	}
	if resource := (Token{Audience: fields.Get("sr")}); !covers(resource.Address(), t.Address()) {
		return errors.New("the shared access signature is for another address")
	}
	return nil
}

// Authenticate checks a user and password, which are a key's name and the key.
func (k Keys) Authenticate(user, password string) error {
	key, ok := k[user]
	if !ok || subtle.ConstantTimeCompare([]byte(key), []byte(password)) != 1 {
		return errors.New("no such key")
	}
	return nil
}

// raw is the value of a field as it is written.
func raw(query, name string) string {
	for field := range strings.SplitSeq(query, "&") {
		if v, ok := strings.CutPrefix(field, name+"="); ok {
			return v
		}
	}
	return ""
}
