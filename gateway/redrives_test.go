package gateway_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headgate/headgate/gateway"
)

// picky is a webhook that refuses what it is told to.
func picky(t *testing.T) (url string, answer func(status int)) {
	var status atomic.Int64
	status.Store(400)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := int(status.Load())
		if id := r.Header.Get("Ce-Id"); s == 400 {
			http.Error(w, fmt.Sprintf("event %q is %d bytes too large", id, len(id)), s)
		} else {
			w.WriteHeader(s)
		}
	}))
	t.Cleanup(hook.Close)
	return hook.URL, func(s int) { status.Store(int64(s)) }
}

func updates(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = update(fmt.Sprint("id-", i), fmt.Sprint("room-", i%50), "/x", "1")
	}
	return list
}

func TestGroupsOfDeadLettersAndTheirRedrive(t *testing.T) {
	url, answer := picky(t)
	dir := t.TempDir()
	s := startWith(t, gateway.Options{Dir: dir})
	s.put("/endpoints/hook", fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q}}`, url))
	s.put("/routes/r", `{"endpointName":"hook"}`)
	const n = 600
	s.send(updates(n)...)
	groups := func(s *server) map[string]any {
		t.Helper()
		return s.api(http.MethodGet, "/dead-letters/groups?endpoint=hook&steps=4", "").want(t, 200).object(t)
	}
	eventually(t, "the letters", func() bool { return groups(s)["letters"] == float64(n) })
	all := groups(s)
	if at(t, all, "items", 0, "count") != float64(n) || len(all["items"].([]any)) != 1 || at(t, all, "items", 0, "routes", 0, "count") != float64(n) {
		t.Fatalf("groups %v, want one", all)
	}
	id := at(t, all, "items", 0, "id").(string)

	// After a restart the groups are the same.
	s.http.Close()
	if err := s.gateway.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = startWith(t, gateway.Options{Dir: dir})
	eventually(t, "the groups of the last run", func() bool { return groups(s)["complete"] == true })
	if all = groups(s); at(t, all, "items", 0, "id") != id || all["letters"] != float64(n) {
		t.Fatalf("groups after a restart: %v", all)
	}
	page := s.api(http.MethodGet, "/dead-letters?limit=500&group="+id, "").want(t, 200).object(t)
	if len(page["items"].([]any)) != 500 || page["next"] == nil {
		t.Errorf("a page of the group has %d letters, next %v", len(page["items"].([]any)), page["next"])
	}
	s.api(http.MethodGet, "/dead-letters?group=nothing", "").problem(t, 404)
	s.api(http.MethodGet, "/dead-letters/groups?endpoint=nothing", "").problem(t, 404)
	s.api(http.MethodPost, "/dead-letters/redrive", `{"group":"nothing"}`).problem(t, 404)

	// Many letters are driven in the background. Those that fail return.
	redrive := func(body string) map[string]any {
		t.Helper()
		return s.api(http.MethodPost, "/dead-letters/redrive", body).want(t, 202).object(t)
	}
	ends := func(job string) (j map[string]any) {
		t.Helper()
		eventually(t, "the end of redrive "+job, func() bool {
			j = s.api(http.MethodGet, "/redrives/"+job, "").want(t, 200).object(t)
			return j["endedAt"] != nil
		})
		return j
	}
	first := redrive(fmt.Sprintf(`{"group":%q}`, id))
	j := ends(at(t, first, "job", "id").(string))
	if first["redriving"] != float64(n) || j["state"] != "done" || j["failed"] != float64(n) || j["delivered"] != 0.0 || j["pending"] != 0.0 {
		t.Errorf("redrive %v ended as %v", first, j)
	}
	if all = groups(s); all["letters"] != float64(n) {
		t.Errorf("%v letters are left, want all", all["letters"])
	}

	answer(204)
	j = ends(at(t, redrive(fmt.Sprintf(`{"group":%q}`, id)), "job", "id").(string))
	if j["state"] != "done" || j["delivered"] != float64(n) {
		t.Errorf("redrive ended as %v", j)
	}
	if all = groups(s); all["letters"] != 0.0 || len(all["items"].([]any)) != 0 {
		t.Errorf("groups %v, want none", all)
	}
	list := s.api(http.MethodGet, "/redrives", "").want(t, 200).object(t)
	if len(list["items"].([]any)) != 2 || at(t, list, "items", 0, "id") != j["id"] {
		t.Errorf("redrives %v, want two, the latest first", list)
	}
}

// TestPurgeThrough removes letters up to one that is named: what came later, which
// nobody saw yet, stays.
func TestPurgeThrough(t *testing.T) {
	for _, of := range []string{"all", "endpoint", "group"} {
		t.Run(of, func(t *testing.T) {
			url, _ := picky(t)
			s := start(t, t.TempDir())
			s.put("/endpoints/hook", fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q}}`, url))
			s.put("/routes/r", `{"endpointName":"hook"}`)
			groups := func() map[string]any {
				return s.api(http.MethodGet, "/dead-letters/groups", "").want(t, 200).object(t)
			}
			if got := groups()["newest"]; got != nil {
				t.Errorf("newest of nothing: %v", got)
			}
			s.send(updates(3)...)
			eventually(t, "three letters", func() bool { return groups()["letters"] == 3.0 })
			seen := groups()
			s.send(updates(2)...)
			eventually(t, "five letters", func() bool { return groups()["letters"] == 5.0 })
			member := map[string]string{"all": `"all":true`, "endpoint": `"endpoint":"hook"`, "group": fmt.Sprintf(`"group":%q`, at(t, seen, "items", 0, "id"))}[of]
			body := fmt.Sprintf(`{%s,"through":%q,"confirm":true}`, member, seen["newest"])
			preview := s.api(http.MethodPost, "/dead-letters/preview", fmt.Sprintf(`{%s,"through":%q}`, member, seen["newest"])).want(t, 200).object(t)
			if preview["selected"] != 3.0 {
				t.Errorf("the preview selects %v, want 3", preview["selected"])
			}
			if got := s.api(http.MethodPost, "/dead-letters/purge", body).want(t, 200).object(t); got["purged"] != 3.0 {
				t.Errorf("purged %v, want 3", got["purged"])
			}
			if got := groups(); got["letters"] != 2.0 || got["newest"] == seen["newest"] {
				t.Errorf("left: %v", got)
			}
			if got := s.api(http.MethodPost, "/dead-letters/purge", body).want(t, 200).object(t); got["purged"] != 0.0 {
				t.Errorf("purged %v once more, want none", got["purged"])
			}
		})
	}
}

func TestRedriveIsStopped(t *testing.T) {
	url, answer := picky(t)
	s := start(t, t.TempDir())
	s.put("/endpoints/hook", fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q},"delivery":{"initialBackoff":"1h","maxBackoff":"1h"}}`, url))
	s.put("/routes/r", `{"endpointName":"hook"}`)
	const n = 20_000 // more than an endpoint has room for
	for range n / 1000 {
		s.send(updates(1000)...)
	}
	letters := func() float64 {
		return s.api(http.MethodGet, "/dead-letters/groups", "").want(t, 200).object(t)["letters"].(float64)
	}
	eventually(t, "the letters", func() bool { return letters() == n })
	answer(503)
	started := s.api(http.MethodPost, "/dead-letters/redrive", `{"all":true}`).want(t, 202).object(t)
	job := "/redrives/" + at(t, started, "job", "id").(string)
	look := func(method string) map[string]any { return s.api(method, job, "").want(t, 200).object(t) }
	eventually(t, "letters on their way", func() bool { return look(http.MethodGet)["pending"].(float64) > 5000 })
	j := look(http.MethodDelete)
	if j["state"] != "stopping" || j["started"].(float64) >= n {
		t.Fatalf("%v, want it to be stopping", j)
	}
	count := j["started"]
	answer(204)
	s.put("/endpoints/hook", fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q}}`, strings.Replace(url, "127.0.0.1", "localhost", 1))) // and what waits is tried at once
	eventually(t, "the end", func() bool { return look(http.MethodGet)["state"] == "stopped" })
	if j = look(http.MethodGet); j["started"] != count || j["delivered"] != count || letters() != n-count.(float64) {
		t.Errorf("%v, with %v letters left", j, letters())
	}
	if again := look(http.MethodDelete); again["state"] != "stopped" || again["endedAt"] != j["endedAt"] {
		t.Errorf("stopped once more: %v", again)
	}
}

func TestRedriveTellsWhyLettersStay(t *testing.T) {
	url, answer := picky(t)
	s := start(t, t.TempDir())
	s.put("/endpoints/hook", fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q}}`, url))
	s.put("/routes/r", `{"endpointName":"hook"}`)
	s.send(updates(300)...)
	eventually(t, "the letters", func() bool {
		return s.api(http.MethodGet, "/dead-letters/groups", "").want(t, 200).object(t)["letters"] == 300.0
	})
	answer(204)
	s.put("/routes/r", `{"endpointName":"hook","filter":"subject = 'room-1'"}`)
	job := at(t, s.api(http.MethodPost, "/dead-letters/redrive", `{"endpoint":"hook"}`).want(t, 202).object(t), "job", "id").(string)
	var j map[string]any
	eventually(t, "the end", func() bool {
		j = s.api(http.MethodGet, "/redrives/"+job, "").want(t, 200).object(t)
		return j["state"] == "done"
	})
	if j["delivered"] != 6.0 || j["refused"] != 294.0 || at(t, j, "refusals", 0, "count") != 294.0 || !strings.Contains(at(t, j, "refusals", 0, "reason").(string), "sends nothing") {
		t.Errorf("%v", j)
	}
	ended, err := time.Parse(time.RFC3339, j["endedAt"].(string))
	if err != nil || time.Since(ended) > time.Minute || j["rate"].(float64) <= 0 {
		t.Errorf("ended at %v, rate %v", j["endedAt"], j["rate"])
	}
}
