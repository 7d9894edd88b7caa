package webhook_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/headgate/headgate/gateway/sink"
	"github.com/headgate/headgate/gateway/sink/webhook"
)

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name, settings, field, reason string
	}{
		{"no url", `{}`, "url", "is required"},
		{"unknown setting", `{"url":"http://h","uri":"x"}`, "uri", "is unknown; this kind has url, mode, method, headers"},
		{"no scheme", `{"url":"h/path"}`, "url", "must begin with http:// or https://"},
		{"other scheme", `{"url":"ftp://h"}`, "url", "must begin with http:// or https://"},
		{"no host", `{"url":"http:///path"}`, "url", "names no host"},
		{"port alone", `{"url":"http://:80"}`, "url", "names no host"},
		{"port that is none", `{"url":"http://h:x"}`, "url", "is not a URL"},
		{"blank in the host", `{"url":"http://a b"}`, "url", "is not a URL"},
		{"broken escape", `{"url":"http://h/%zz"}`, "url", `is not a URL: invalid URL escape "%zz"`},
		{"line break", `{"url":"http://h/\n"}`, "url", "is not a URL"},
		{"fragment", `{"url":"http://h/#top"}`, "url", "has a fragment"},
		{"unknown mode", `{"url":"http://h","mode":"Binary"}`, "mode", `"Binary" is not one of binary, structured, batch, raw`},
		{"unknown method", `{"url":"http://h","mode":"raw","method":"put"}`, "method", `"put" is not one of POST, PUT, PATCH, DELETE`},
		{"method without raw", `{"url":"http://h","method":"PUT"}`, "method", "needs mode raw"},
		{"placeholder without raw", `{"url":"http://h/{subject}"}`, "url", "holds a placeholder, which needs mode raw"},
		{"placeholder in the scheme", `{"url":"{type}://h","mode":"raw"}`, "url", "in its scheme, user, host or port"},
		{"placeholder in the host", `{"url":"http://{subject}.h/","mode":"raw"}`, "url", "in its scheme, user, host or port"},
		{"placeholder after the host", `{"url":"http://h{subject}","mode":"raw"}`, "url", "in its scheme, user, host or port"},
		{"placeholder behind a backslash", `{"url":"http://h\\{subject}","mode":"raw"}`, "url", "in its scheme, user, host or port"},
		{"placeholder in the port", `{"url":"http://h:{subject}/","mode":"raw"}`, "url", "in its scheme, user, host or port"},
		{"placeholder in the user", `{"url":"http://{subject}@h/","mode":"raw"}`, "url", "in its scheme, user, host or port"},
		{"placeholder that names nothing", `{"url":"http://h/{}","mode":"raw"}`, "url", "holds {}, which names no attribute"},
		{"placeholder in upper case", `{"url":"http://h/{Subject}","mode":"raw"}`, "url", "holds {Subject}, which names no attribute"},
		{"placeholder left open", `{"url":"http://h/{subject","mode":"raw"}`, "url", "holds a brace without its partner"},
		{"brace alone", `{"url":"http://h/}","mode":"raw"}`, "url", "holds a brace without its partner"},
		{"placeholder in the fragment", `{"url":"http://h/#{id}","mode":"raw"}`, "url", "has a fragment"},
		{"dots beside a placeholder", `{"url":"http://h/a/../{id}","mode":"raw"}`, "url", "has a part that is . or .."},
		{"header name", `{"url":"http://h","headers":{"a b":"x"}}`, "headers.a b", "is not the name of a header"},
		{"header value", `{"url":"http://h","headers":{"A":"x\r\nB: y"}}`, "headers.A", "holds a line break"},
		{"header twice", `{"url":"http://h","headers":{"A":"1","a":"2"}}`, "headers.a", "is given twice"},
		{"framing", `{"url":"http://h","headers":{"transfer-encoding":"x"}}`, "headers.transfer-encoding", "cannot be set"},
		{"host", `{"url":"http://h","headers":{"Host":"x"}}`, "headers.Host", "cannot be set"},
		{"content type", `{"url":"http://h","headers":{"content-type":"x"}}`, "headers.content-type", "follows from the mode"},
		{"attribute", `{"url":"http://h","headers":{"ce-id":"x"}}`, "headers.ce-id", "would contradict the event"},
		{"much header", `{"url":"http://h","headers":{"A":"` + strings.Repeat("x", 9000) + `"}}`, "headers", "are larger than 8192 bytes"},
		{"two credentials", `{"url":"http://u:p@h","headers":{"authorization":"x"}}`, "url", "names a user while headers.Authorization is set"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := webhook.New(json.RawMessage(tt.settings), webhook.Options{})
			var fault *sink.SettingError
			if !errors.As(err, &fault) || fault.Field != tt.field || !strings.Contains(fault.Reason, tt.reason) {
				t.Errorf("New = %v, want %s: …%s…", err, tt.field, tt.reason)
			}
			if again := webhook.Kind().Validate(json.RawMessage(tt.settings)); again == nil {
				t.Error("Validate takes what New refuses")
			}
		})
	}
}

// TestNewKeepsSecrets holds a url that is refused to the rule of all errors.
func TestNewKeepsSecrets(t *testing.T) {
	for _, address := range []string{
		"http://user:s3cret@h:port/", "http://h/%zz?code=s3cret", "http://s3cret@h/\x7f", "ftp://user:s3cret@h", "http://h/?sig=s3cret#x",
	} {
		settings, err := json.Marshal(map[string]string{"url": address})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = webhook.New(settings, webhook.Options{}); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("New(%q) = %v, want an error without the secret", address, err)
		}
	}
}

func FuzzNew(f *testing.F) {
	f.Add("http://u:p@h:80/{subject}?a={id}&code=x", "raw", "A", "b")
	f.Add("https://[::1%25eth0]/%7B", "", "Authorization", "Bearer x")
	f.Fuzz(func(t *testing.T, address, mode, name, value string) {
		settings, err := json.Marshal(map[string]any{"url": address, "mode": mode, "headers": map[string]string{name: value}})
		if err != nil {
			t.Fatal(err)
		}
		s, err := webhook.New(settings, webhook.Options{})
		var fault *sink.SettingError
		switch {
		case err == nil:
			s.Close()
		case !errors.As(err, &fault):
			t.Errorf("New = %v, want a SettingError", err)
		}
	})
}
