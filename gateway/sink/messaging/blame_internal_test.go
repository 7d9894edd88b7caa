package messaging

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Azure/go-amqp"
)

// TestConditionInText finds the condition in an error that wraps without an
// Unwrap, as those of the SDKs do.
func TestConditionInText(t *testing.T) {
	cause := &amqp.Error{Condition: "com.microsoft:argument-error", Description: "a, b: {c}, Info: \nd", Info: map[string]any{"x": 1}}
	got := conditionOf(fmt.Errorf("(connlost): %s", cause))
	if want := (condition{cause.Condition, cause.Description, false}); got != want {
		t.Errorf("conditionOf = %+v, want %+v", got, want)
	}
	if got := conditionOf(errors.New("(connlost): EOF")); got != (condition{}) {
		t.Errorf("conditionOf = %+v, want none", got)
	}
}

// TestStatusInText finds the status in an error that wraps without an Unwrap.
func TestStatusInText(t *testing.T) {
	for text, want := range map[string]int{
		"(connlost): rpc: failed, status code 403 and description: no":    403,
		"rpc: failed, status code 500 and description: ":                  500,
		"rpc: failed, status code 99999999999999999999 and description: ": 0,
		"(connlost): EOF": 0,
	} {
		if got := statusOf(errors.New(text)); got != want {
			t.Errorf("statusOf(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestWaitOf(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"Please wait 2 seconds and try again.": 2 * time.Second,
		"Wait 1 second":                        time.Second,
		"wait 99999 seconds":                   0,
		"wait a while":                         0,
		"await 5 seconds":                      0,
		"":                                     0,
	} {
		if got := waitOf(text); got != want {
			t.Errorf("waitOf(%q) = %v, want %v", text, got, want)
		}
	}
}

// FuzzWords: whatever a service says, it is one line without the secrets.
func FuzzWords(f *testing.F) {
	const secret = "bm90IGEga2V5+/="
	target := Target{secrets: secretsOf(map[string]string{keyKey: secret, keySignature: "sr=h&sig=" + "c2lnbmVkIG5vd2hlcmU%3D" + "&se=1"})}
	f.Add("(connlost): *Error{Condition: amqp:not-allowed, Description: "+secret+", Info: map[]}", 3)
	f.Add("wait 3 seconds c2lnbmVkIG5vd2hlcmU=\n", 0)
	f.Fuzz(func(t *testing.T, said string, at int) {
		at = min(max(at, 0), len(said))
		for _, inside := range []string{secret, "c2lnbmVkIG5vd2hlcmU%3D", "c2lnbmVkIG5vd2hlcmU="} {
			text := said[:at] + inside + said[at:]
			c := conditionOf(errors.New(text))
			waitOf(text)
			for _, words := range []string{target.clean(text), target.clean(c.description)} {
				if strings.Contains(words, inside) || strings.ContainsAny(words, "\r\n") {
					t.Errorf("%q became %q", text, words)
				}
			}
		}
	})
}
