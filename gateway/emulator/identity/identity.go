// Package identity reads the tokens of Microsoft Entra as far as an emulator
// can: for whom one is, and until when. It has no means to know whose it is, or
// whether it was made up.
package identity

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Type is what clients of AMQP call such a token.
const Type = "jwt"

// claims are those of a token that matter here.
type claims struct {
	Audience  audience `json:"aud"`
	Expires   float64  `json:"exp"` // seconds since 1970
	NotBefore float64  `json:"nbf"`
}

// audience is a text or an array of them.
type audience []string

// UnmarshalJSON implements [json.Unmarshaler].
func (a *audience) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(b, []byte("[")) {
		return json.Unmarshal(b, (*[]string)(a))
	}
	*a = audience{""}
	return json.Unmarshal(b, &(*a)[0])
}

// Check says what is wrong with a token for one of the resources, such as
// "https://servicebus.azure.net", at now. A slash at the end makes no difference.
func Check(token string, now time.Time, resources ...string) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errors.New("the token is no JSON Web Token: it has not three parts")
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return errors.New("the token is no JSON Web Token: its claims are not base64url")
	}
	var c claims
	if err := json.Unmarshal(text, &c); err != nil {
		return errors.New("the token is no JSON Web Token: its claims are not JSON")
	}
	at := float64(now.Unix())
	switch {
	case !slices.ContainsFunc(c.Audience, func(have string) bool {
		return slices.Contains(resources, strings.TrimSuffix(have, "/"))
	}):
		return fmt.Errorf("the token is for %q, not for %s", []string(c.Audience), strings.Join(resources, " or "))
	case at >= c.Expires:
		return errors.New("the token has expired, or does not say when it will")
	case at < c.NotBefore:
		return errors.New("the token is not valid yet")
	}
	return nil
}
