package blob_test

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink/blob"
	"github.com/headgate/headgate/gateway/sink/sinktest"
)

// endpoint is a container behind a proxy that fails on demand.
type endpoint struct {
	t     testing.TB
	owner *container.Client
	name  string
	proxy *httptest.Server

	mu      sync.Mutex // guards what follows
	tries   int
	fault   sinktest.Fault
	unheard bool // requests are served, and their answers lost
	ids     []string
	resumed chan struct{} // closed when stalled requests may go on
}

func newEndpoint(t testing.TB) *endpoint {
	t.Helper()
	address, owner := newContainer(t)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	e := &endpoint{t: t, owner: owner, name: path.Base(address), resumed: make(chan struct{})}
	transport := &http.Transport{}
	forward := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = u.Scheme, u.Host
	}}
	e.proxy = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.serve(forward, w, r) }))
	t.Cleanup(transport.CloseIdleConnections)
	t.Cleanup(e.proxy.Close)
	t.Cleanup(func() { e.Fail(sinktest.Take) })
	return e
}

func (e *endpoint) serve(forward http.Handler, w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	e.tries++
	fault, ids, resumed, unheard := e.fault, e.ids, e.resumed, e.unheard
	e.mu.Unlock()
	if fault == sinktest.Stall {
		select {
		case <-r.Context().Done():
		case <-resumed:
		}
		panic(http.ErrAbortHandler)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if len(ids) > 0 && !slices.ContainsFunc(readLines(e.t, body), func(x event.Event) bool { return slices.Contains(ids, x.ID) }) {
		fault = sinktest.Take
	}
	switch fault {
	case sinktest.Take:
		r.Body = io.NopCloser(bytes.NewReader(body))
		if unheard {
			forward.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		forward.ServeHTTP(w, r)
	case sinktest.Refuse:
		answer(w, 403, "AuthorizationPermissionMismatch")
	case sinktest.Busy:
		w.Header().Set("Retry-After", "7")
		answer(w, 503, "ServerBusy")
	default:
		panic(http.ErrAbortHandler)
	}
}

// answer is how the service says no.
func answer(w http.ResponseWriter, status int, code string) {
	w.Header().Set("x-ms-error-code", code)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>string to sign: %s</Message></Error>", code, key)
}

func (e *endpoint) Received() []event.Event {
	var events []event.Event
	for _, name := range e.files() {
		events = append(events, readLines(e.t, e.read(name))...)
	}
	return events
}

func (e *endpoint) Tries() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tries
}

func (e *endpoint) Fail(fault sinktest.Fault, ids ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	close(e.resumed)
	e.fault, e.ids, e.resumed = fault, ids, make(chan struct{})
}

// files are the names of all blobs, in order.
func (e *endpoint) files() []string { return list(e.t, e.owner) }

func list(t testing.TB, c *container.Client) []string {
	t.Helper()
	var names []string
	for pages := c.NewListBlobsFlatPager(nil); pages.More(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Segment.BlobItems {
			names = append(names, *item.Name)
		}
	}
	slices.Sort(names)
	return names
}

func (e *endpoint) read(name string) []byte { return download(e.t, e.owner, name) }

func download(t testing.TB, c *container.Client, name string) []byte {
	t.Helper()
	got, err := c.NewBlobClient(name).DownloadStream(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	content, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// settings are those of an endpoint for e, by the account's key.
func (e *endpoint) settings(more string) string {
	return `{"connectionString":"DefaultEndpointsProtocol=http;AccountName=` + account + `;AccountKey=` + key + `;BlobEndpoint=` +
		e.proxy.URL + `/` + account + `;","container":"` + e.name + `"` + more + `}`
}

// open returns a sink that is closed with t.
func open(t testing.TB, settings string, o blob.Options) *blob.Sink {
	t.Helper()
	s, err := blob.New(json.RawMessage(settings), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

var fileName = regexp.MustCompile(`^date=\d{4}-\d\d-\d\d/hour=\d\d/\d{8}T\d{6}\.\d{9}Z-[A-Z2-7]{26}\.ndjson$`)

// readLines decodes the lines of a file, each of which must be whole.
func readLines(t testing.TB, content []byte) []event.Event {
	t.Helper()
	var events []event.Event
	for line := range bytes.Lines(content) {
		if !bytes.HasSuffix(line, []byte("\n")) || bytes.ContainsRune(line, '\r') {
			t.Fatalf("line %d is not whole: %.100q", len(events)+1, line)
		}
		events = append(events, decode(t, line))
	}
	return events
}

// decode reads a structured CloudEvent by means of its own.
func decode(t testing.TB, line []byte) event.Event {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(line, &members); err != nil {
		t.Fatalf("line %.100q: %v", line, err)
	}
	var e event.Event
	fields := map[string]*string{
		"id": &e.ID, "source": &e.Source, "type": &e.Type, "subject": &e.Subject, "time": &e.Time,
		"dataschema": &e.DataSchema, "datacontenttype": &e.DataContentType,
	}
	text := func(raw json.RawMessage) (s string) {
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatalf("line %.100q: %v", line, err)
		}
		return s
	}
	for name, raw := range members {
		switch field := fields[name]; {
		case field != nil:
			*field = text(raw)
		case name == "specversion" || name == "data" || name == "data_base64":
		case strings.HasPrefix(string(raw), `"`):
			e.Extensions = append(e.Extensions, event.Extension{Name: name, Value: text(raw)})
		case string(raw) == "true" || string(raw) == "false":
			e.Extensions = append(e.Extensions, event.Extension{Name: name, Value: string(raw), Kind: event.Boolean})
		default:
			e.Extensions = append(e.Extensions, event.Extension{Name: name, Value: string(raw), Kind: event.Integer})
		}
	}
	if raw, ok := members["data_base64"]; ok {
		e.Data, _ = base64.StdEncoding.DecodeString(text(raw))
	}
	if raw, ok := members["data"]; ok {
		if e.Data = raw; !event.IsJSON(e.DataContentType) {
			e.Data = []byte(text(raw))
		}
	}
	slices.SortFunc(e.Extensions, func(a, b event.Extension) int { return cmp.Compare(a.Name, b.Name) })
	return e
}
