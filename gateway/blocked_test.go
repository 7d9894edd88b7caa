package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// TestSkipHead follows an event that holds up its twin: it is listed with why,
// skipped, found among the dead letters, and the others of the twin are delivered.
func TestSkipHead(t *testing.T) {
	s := start(t, t.TempDir())
	hook := serveSink(t)
	poison := true
	var mu sync.Mutex
	hook.answer = func(a arrival) (int, http.Header) {
		mu.Lock()
		defer mu.Unlock()
		if poison && a.header.Get("Ce-Id") == "1" {
			return http.StatusServiceUnavailable, nil
		}
		return http.StatusNoContent, nil
	}
	s.put("/endpoints/hook", fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q},"delivery":{"initialBackoff":"1h","maxBackoff":"1h"}}`, hook.URL))
	s.put("/routes/r", `{"endpointName":"hook"}`)
	blocked := func() map[string]any {
		return s.api(http.MethodGet, "/endpoints/hook/blocked", "").want(t, 200).object(t)
	}
	if got := blocked(); got["keys"] != 0.0 || len(got["items"].([]any)) != 0 {
		t.Errorf("nothing is blocked yet: %v", got)
	}
	s.send(update("1", "room", "/x", "1"))
	s.send(update("2", "room", "/x", "2"), update("3", "hall", "/x", "3"), update("4", "room", "/x", "4"))
	eventually(t, "the key to be blocked", func() bool {
		got := blocked()
		return got["keys"] == 1.0 && at(t, got, "items", 0, "behind") == 2.0 && at(t, got, "items", 0, "tries") == 1.0
	})
	head := at(t, blocked(), "items", 0).(map[string]any)
	if !strings.Contains(fmt.Sprint(head["key"]), "room") || head["position"] != "1-0" || head["route"] != "r" || head["output"] != 0.0 || head["underWay"] != nil ||
		!strings.Contains(fmt.Sprint(head["error"]), "503") || head["triedAt"] == nil || head["next"] == nil {
		t.Errorf("blocked: %v", head)
	}

	for name, body := range map[string]string{
		"one behind it": `{"position":"2-0","route":"r","output":0}`,
		"another route": `{"position":"1-0","route":"s","output":0}`,
	} {
		if p := s.api(http.MethodPost, "/endpoints/hook/skip", body).problem(t, 404); !strings.Contains(fmt.Sprint(p["detail"]), "holds up its key") {
			t.Errorf("skip of %s: %v", name, p)
		}
	}
	skipped := s.api(http.MethodPost, "/endpoints/hook/skip", `{"position":"1-0","route":"r","output":0}`).want(t, 202).object(t)
	reason, _ := skipped["reason"].(string)
	if !strings.HasPrefix(reason, "skipped by hand, after it failed with: ") || !strings.Contains(reason, "503") {
		t.Errorf("skipped: %v", skipped)
	}
	eventually(t, "the others to be delivered", func() bool { return s.state("hook")["delivered"] == 3.0 })
	var letters map[string]any
	eventually(t, "the dead letter", func() bool {
		letters = s.api(http.MethodGet, "/dead-letters", "").want(t, 200).object(t)
		return at(t, letters, "items", 0) != nil
	})
	if at(t, letters, "items", 0, "reason") != reason || at(t, letters, "items", 0, "attempts") != 1.0 {
		t.Errorf("dead letters: %v", letters)
	}
	if got := blocked(); got["keys"] != 0.0 {
		t.Errorf("blocked after the skip: %v", got)
	}
	mu.Lock()
	poison = false
	mu.Unlock()
	s.api(http.MethodPost, "/dead-letters/redrive", `{"all":true}`).want(t, 202)
	eventually(t, "the letter to be delivered", func() bool { return s.state("hook")["delivered"] == 4.0 })
}

// TestRetryEndpoint has an endpoint that was mended tried before its backoff is
// over.
func TestRetryEndpoint(t *testing.T) {
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusUnauthorized} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			s := start(t, t.TempDir())
			hook := serveSink(t)
			hook.answers(status)
			s.put("/endpoints/hook", fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q},"delivery":{"initialBackoff":"1h","maxBackoff":"1h"}}`, hook.URL))
			s.put("/routes/r", `{"endpointName":"hook"}`)
			s.send(update("1", "room", "/x", "1"), update("2", "hall", "/x", "2"))
			eventually(t, "both to have failed", func() bool {
				return s.state("hook")["state"] == "failing" && s.state("hook")["waiting"] == 0.0 || status == http.StatusUnauthorized && s.state("hook")["state"] == "failing"
			})
			hook.answers(http.StatusNoContent)
			s.api(http.MethodPost, "/endpoints/hook/retry", "").want(t, 202)
			eventually(t, "both to be delivered", func() bool { return s.state("hook")["delivered"] == 2.0 })
		})
	}
	s := start(t, t.TempDir())
	s.api(http.MethodPost, "/endpoints/nowhere/retry", "").problem(t, 404)
	s.api(http.MethodGet, "/endpoints/nowhere/blocked", "").problem(t, 404)
	s.api(http.MethodPost, "/endpoints/nowhere/skip", `{"position":"1-0","route":"r","output":0}`).problem(t, 404)
}
