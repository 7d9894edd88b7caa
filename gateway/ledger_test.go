package gateway_test

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// ledger is an endpoint that fails in every way, and a book of what it took.
type ledger struct {
	*httptest.Server
	healed atomic.Bool

	mu    sync.Mutex // guards what follows
	took  map[string]int
	first []string // ids in the order in which each was first taken
	wrong []string // batches that are not JSON
}

func newLedger(t *testing.T) *ledger {
	l := &ledger{took: map[string]int{}}
	l.Server = httptest.NewServer(l)
	t.Cleanup(l.Close)
	return l
}

// rejected reports whether the endpoint answers 422 to the event for good, as
// long as it is not healed.
func rejected(id string) bool { return crc32.ChecksumIEEE([]byte(id))%60 == 0 }

func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the gateway was killed
	}
	ids := []string{r.Header.Get("Ce-Id")}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/cloudevents-batch+json") {
		var batch []struct{ ID string }
		if err := json.Unmarshal(body, &batch); err != nil {
			l.mu.Lock()
			l.wrong = append(l.wrong, string(body))
			l.mu.Unlock()
		}
		ids = ids[:0]
		for _, e := range batch {
			ids = append(ids, e.ID)
		}
	}
	if !l.healed.Load() {
		if slices.ContainsFunc(ids, rejected) {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		switch p := rand.IntN(200); {
		case p < 10:
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		case p < 11:
			w.WriteHeader(http.StatusUnauthorized)
			return
		case p < 15: // it takes the events, and the answer is lost
			defer func() { panic(http.ErrAbortHandler) }()
		case p < 19:
			panic(http.ErrAbortHandler)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		if l.took[id]++; l.took[id] == 1 {
			l.first = append(l.first, id)
		}
	}
}

// missing returns the first id that is neither taken nor in letters.
func (l *ledger) missing(ids map[string]bool, letters map[string]bool) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range ids {
		if l.took[id] == 0 && !letters[id] {
			return id
		}
	}
	return ""
}

// requireOrder fails unless each sender's events were first taken in the order
// in which it sent them; what became a dead letter counts for nothing.
func (l *ledger) requireOrder(t *testing.T, name string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	last := map[string]int{}
	for _, id := range l.first {
		sender, n, _ := strings.Cut(id, "-")
		k, _ := strconv.Atoi(n)
		if k < last[sender] && !rejected(id) {
			t.Errorf("%s took %s after %s-%d", name, id, sender, last[sender])
		}
		last[sender] = max(last[sender], k)
	}
}

// get decodes an answer of the API.
func (c *child) get(t *testing.T, path string, into any) {
	t.Helper()
	resp, err := http.Get(c.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %d, %v", path, resp.StatusCode, err)
	}
}

// letters returns the ids of the events in an endpoint's dead letters.
func (c *child) letters(t *testing.T, endpoint string) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	for after := ""; ; {
		var page struct {
			Items []struct{ Event struct{ ID string } }
			Next  string
		}
		c.get(t, "/api/v1/dead-letters?limit=500&endpoint="+endpoint+"&after="+after, &page)
		for _, l := range page.Items {
			ids[l.Event.ID] = true
		}
		if after = page.Next; after == "" {
			return ids
		}
	}
}

// TestKillLedger kills a gateway many times while its endpoints fail in every
// way and its routes and endpoints are changed. Numbered claims:
//
//  1. every event that was answered 202 reached each endpoint, or lies among its
//     dead letters, and those that an endpoint did not reject do reach it;
//  2. the events of one twin are first taken in the order in which they were sent;
//  3. a redrive, once the endpoints are well, delivers all dead letters.
//
// The number of kills is HEADGATE_TEST_KILLS, by default 10.
func TestKillLedger(t *testing.T) {
	kills, _ := strconv.Atoi(os.Getenv("HEADGATE_TEST_KILLS"))
	if kills == 0 {
		kills = 10
	}
	if testing.Short() {
		kills = 3
	}
	dir, file := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "shaped.ndjson")
	single, batch := newLedger(t), newLedger(t)
	c := startChild(t, dir)
	put := func(path, body string) error {
		return c.request(http.MethodPut, "/api/v1"+path, "application/json", body)
	}
	webhook := func(l *ledger, mode string, turn int) string {
		return fmt.Sprintf(`{"kind":"webhook","settings":{"url":%q,"mode":%q,"headers":{"X-Turn":"%d"}},"delivery":{"initialBackoff":"10ms","maxBackoff":"50ms"}}`, l.URL, mode, turn)
	}
	// All filters let all events pass.
	filters := []string{"true", "type = 'Microsoft.DigitalTwins.Twin.Update'", "NOT type = 'other'", "PATCH('/x') > 0"}
	changes := []func(turn int) error{
		func(turn int) error { return put("/endpoints/single", webhook(single, "binary", turn)) },
		func(turn int) error { return put("/endpoints/batch", webhook(batch, "batch", turn)) },
		func(int) error {
			return put("/endpoints/shaped", fmt.Sprintf(`{"kind":"file","settings":{"path":%q}}`, file))
		},
		func(turn int) error {
			return put("/routes/single", fmt.Sprintf(`{"endpointName":"single","filter":%q}`, filters[turn%len(filters)]))
		},
		func(turn int) error {
			return put("/routes/batch", fmt.Sprintf(`{"endpointName":"batch","filter":%q}`, filters[(turn+1)%len(filters)]))
		},
		func(turn int) error {
			return put("/routes/shaped", fmt.Sprintf(`{"endpointName":"shaped","filter":%q,"transforms":[{"plugin":"shape"}]}`, filters[turn%len(filters)]))
		},
		func(turn int) error { // an endpoint that comes and goes
			if turn%2 == 0 {
				if err := put("/endpoints/guest", webhook(single, "structured", turn)); err != nil {
					return err
				}
				return put("/routes/guest", `{"endpointName":"guest","filter":"subject = 'nobody'"}`)
			}
			c.request(http.MethodDelete, "/api/v1/routes/guest", "", "")
			return c.request(http.MethodDelete, "/api/v1/endpoints/guest", "", "")
		},
	}
	if err := c.request(http.MethodPost, "/api/v1/plugins/shape/versions", "application/wasm", string(guest(t, "../plugins/tsi"))); err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		if err := change(0); err != nil {
			t.Fatal(err)
		}
	}

	var mu sync.Mutex
	accepted := map[string]bool{}
	next := make([]int, 4) // per sender
	turn := 0
	for range kills {
		var busy sync.WaitGroup
		for sender := range next {
			busy.Go(func() {
				for range 25 {
					var events, ids []string
					for range 1 + sender*5 {
						next[sender]++
						id := fmt.Sprintf("%d-%d", sender, next[sender])
						ids = append(ids, id)
						events = append(events, update(id, fmt.Sprint("twin-", sender), "/x", strconv.Itoa(next[sender])))
					}
					if err := c.request(http.MethodPost, "/events", "application/cloudevents-batch+json", "["+strings.Join(events, ",")+"]"); err != nil {
						return // it was killed
					}
					mu.Lock()
					for _, id := range ids {
						accepted[id] = true
					}
					mu.Unlock()
				}
			})
		}
		busy.Go(func() {
			for {
				turn++
				if changes[turn%len(changes)](turn/len(changes)) != nil {
					return
				}
			}
		})
		<-time.After(time.Duration(50+rand.IntN(300)) * time.Millisecond)
		c.kill()
		busy.Wait()
		c = startChild(t, dir)
	}
	t.Logf("%d events acknowledged and %d changes made over %d kills", len(accepted), turn, kills)

	hooks := map[string]*ledger{"single": single, "batch": batch}
	for name, l := range hooks {
		lost := ""
		eventually(t, "the events of "+name, func() bool {
			lost = l.missing(accepted, c.letters(t, name))
			return lost == ""
		})
		for id := range c.letters(t, name) {
			if !rejected(id) {
				t.Errorf("event %s is among the dead letters of %s, which did not reject it", id, name)
			}
		}
		l.requireOrder(t, name)
	}
	eventually(t, "the events of the file", func() bool {
		got := map[string]bool{}
		for _, e := range readLines(t, file) {
			got[e["id"].(string)] = true
		}
		for id := range accepted {
			if !got[id] {
				return false
			}
		}
		return true
	})
	for name, l := range hooks {
		l.healed.Store(true)
		if err := c.request(http.MethodPost, "/api/v1/dead-letters/redrive", "application/json", fmt.Sprintf(`{"endpoint":%q}`, name)); err != nil {
			t.Error(err)
		}
		eventually(t, "the redrive to "+name, func() bool { return len(c.letters(t, name)) == 0 })
		if id := l.missing(accepted, nil); id != "" {
			t.Errorf("event %s never reached %s", id, name)
		}
		if l.mu.Lock(); len(l.wrong) > 0 {
			t.Errorf("%s got batches that are not JSON: %.200q", name, l.wrong)
		}
		l.mu.Unlock()
	}
}
