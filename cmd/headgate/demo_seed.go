package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/headgate/headgate/gateway/catalog"
)

// The endpoints of the example.
const (
	readingsEndpoint = "readings"
	deskEndpoint     = "desk"
)

// tailEverything asks the live tail for all that happens.
var tailEverything = catalog.EventQuery{}

// seedRoute is a route of the example.
type seedRoute struct {
	id, endpoint, filter, transform string
	about                           string
}

func seedRoutes() []seedRoute {
	const update = "type = 'Microsoft.DigitalTwins.Twin.Update'"
	return []seedRoute{
		{"series", readingsEndpoint, update, "tsi", "every twin update, shaped by the plugin tsi into a flat time series event"},
		{"occupied", deskEndpoint, "CHANGED('/occupied')", "", "CHANGED('/occupied'): a room filled or emptied"},
		{"hot", deskEndpoint, update + " AND PATCH('/temperature') > 26", "", "PATCH('/temperature') > 26: it is too hot"},
		{"alarms", deskEndpoint, "type = 'Microsoft.DigitalTwins.Twin.Create' OR type = 'Microsoft.DigitalTwins.Twin.Delete'", "",
			"twins that come and go: the alarms"},
	}
}

// seed puts the example's endpoints and routes into the gateway.
func (d *demonstration) seed(ctx context.Context) error {
	for name, doc := range map[string]any{
		readingsEndpoint: map[string]any{"kind": "file", "settings": map[string]string{"path": d.readings}},
		deskEndpoint:     map[string]any{"kind": "webhook", "settings": map[string]string{"url": d.receiver.url}},
	} {
		b, err := json.Marshal(doc)
		if err != nil {
			return err
		}
		if _, _, err := d.client.PutEndpointJSON(ctx, name, b, catalog.Precondition{}); err != nil {
			return err
		}
	}
	for _, r := range seedRoutes() {
		doc := map[string]any{"endpointName": r.endpoint, "filter": r.filter}
		if r.transform != "" {
			doc["transforms"] = []map[string]string{{"plugin": r.transform}}
		}
		b, err := json.Marshal(doc)
		if err != nil {
			return err
		}
		if _, _, err := d.client.PutRouteJSON(ctx, r.id, b, catalog.Precondition{}); err != nil {
			return err
		}
	}
	return nil
}

// receiver is the webhook of the example, on a port of this machine.
type receiver struct {
	url    string
	board  *board
	server *http.Server
	done   chan struct{} // closed when the server has stopped
}

func newReceiver(b *board) (*receiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{url: "http://" + l.Addr().String() + "/desk", board: b, done: make(chan struct{})}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		defer close(r.done)
		_ = r.server.Serve(l) // it ends by close
	}()
	return r, nil
}

// ServeHTTP takes a CloudEvent in binary mode.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, 1<<20))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.board.output(deskEndpoint, req.Header.Get("ce-id"), "POST "+req.URL.Path+" "+string(body))
	w.WriteHeader(http.StatusNoContent)
}

func (r *receiver) close() {
	r.server.Close()
	<-r.done
}

// readyWriter waits for the line that says where a gateway serves.
type readyWriter struct {
	line []byte
	url  chan string
}

// Write implements io.Writer.
func (w *readyWriter) Write(p []byte) (int, error) {
	w.line = append(w.line, p...)
	if url, ok := bytes.CutPrefix(w.line, []byte("listening on ")); ok {
		if url, _, ok := bytes.Cut(url, []byte("\n")); ok {
			w.line = nil
			w.url <- string(url)
		}
	}
	return len(p), nil
}

// lineReader reads the lines that are added to a file.
type lineReader struct {
	path string
	f    *os.File
	part []byte // of a line whose end is not there yet
}

func newLineReader(path string) *lineReader { return &lineReader{path: path} }

// each calls fn for every whole line that was added since the last call. fn
// must not keep the line. A file that is not there yet has none.
func (r *lineReader) each(fn func(line []byte)) {
	if r.f == nil {
		f, err := os.Open(r.path)
		if err != nil {
			return
		}
		r.f = f
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := r.f.Read(buf)
		r.part = append(r.part, buf[:n]...)
		for {
			line, rest, ok := bytes.Cut(r.part, []byte("\n"))
			if !ok {
				break
			}
			fn(line)
			r.part = rest
		}
		if err != nil || n == 0 {
			r.part = bytes.Clone(r.part)
			return
		}
	}
}

func (r *lineReader) close() {
	if r.f != nil {
		r.f.Close()
	}
}
