package identity_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway/emulator/identity"
)

func token(claims string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2lnbmF0dXJl"
}

func TestCheck(t *testing.T) {
	tests := []struct{ name, token, want string }{
		{"good", token(`{"aud":"https://servicebus.azure.net","exp":1001}`), ""},
		{"with a slash", token(`{"aud":"https://servicebus.azure.net/","exp":1001.5,"nbf":1000}`), ""},
		{"one of several", token(`{"aud":["https://other.example","https://servicebus.azure.net"],"exp":1001}`), ""},
		{"for another resource", token(`{"aud":"https://storage.azure.com","exp":1001}`), `for ["https://storage.azure.com"]`},
		{"for nobody", token(`{"exp":1001}`), "the token is for []"},
		{"expired", token(`{"aud":"https://servicebus.azure.net","exp":1000}`), "has expired"},
		{"for ever", token(`{"aud":"https://servicebus.azure.net"}`), "does not say when"},
		{"of the future", token(`{"aud":"https://servicebus.azure.net","exp":2000,"nbf":1001}`), "not valid yet"},
		{"empty", "", "three parts"},
		{"a signature", "SharedAccessSignature sr=a.b&sig=c.d", "base64url"},
		{"not base64", "a.!.c", "base64url"},
		{"not JSON", "a." + base64.RawURLEncoding.EncodeToString([]byte("{")) + ".c", "not JSON"},
		{"odd claims", token(`{"aud":{"a":1},"exp":1001}`), "not JSON"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := identity.Check(tt.token, time.Unix(1000, 0), "https://servicebus.azure.net")
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("Check = %v, want nil", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("Check = %v, want %q", err, tt.want)
			}
		})
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(token(`{"aud":"https://servicebus.azure.net","exp":1001}`))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, text string) {
		if identity.Check(text, time.Unix(1000, 0), "https://servicebus.azure.net") == nil && !strings.Contains(text, ".") {
			t.Errorf("%q is good", text)
		}
	})
}
