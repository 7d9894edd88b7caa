package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/http-wasm/http-wasm-host-go/handler"
	httpwasm "github.com/http-wasm/http-wasm-host-go/handler/nethttp"
	"github.com/tetratelabs/wazero"

	"github.com/headgate/headgate/gateway/event"
)

// httpWasm runs in http-wasm's middleware for net/http, without a connection:
// its handler is called with a request that was made beforehand.
type httpWasm struct {
	middleware httpwasm.Middleware
	handler    http.Handler
	request    *http.Request
	body       body
	data       []byte
	how        kind
	through    bool // the next handler was called
	failed     bool // an answer was written, which only an error does
	header     http.Header
}

func openHTTPWasm(w work, how kind) opener {
	return func(ctx context.Context, k *kit) (guest, error) {
		wasm, config := httpWasmNoop(how != unread), "filter"
		if w != rawNoop {
			var err error
			if wasm, err = k.build(ctx, "httpwasm"); err != nil {
				return nil, err
			}
			switch {
			case how == unread:
				config = "unread"
			case w == goNoop:
				config = "no-op"
			}
		}
		newRuntime := handler.DefaultRuntime
		if how == limited {
			newRuntime = func(ctx context.Context) (wazero.Runtime, error) {
				return wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCloseOnContextDone(true)), nil
			}
		}
		m, err := httpwasm.NewMiddleware(ctx, wasm, handler.Runtime(newRuntime), handler.GuestConfig([]byte(config)),
			handler.ModuleConfig(wazero.NewModuleConfig().WithStartFunctions("_initialize")))
		if err != nil {
			return nil, err
		}
		h := &httpWasm{middleware: m, how: how, header: make(http.Header)}
		h.handler = m.NewHandler(ctx, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { h.through = true }))
		return h, nil
	}
}

// prepare makes the request of one event in the binary mode of CloudEvents.
func (h *httpWasm) prepare(events []event.Event) error {
	e := events[0]
	r, err := http.NewRequest(http.MethodPost, "http://localhost/events", nil)
	if err != nil {
		return err
	}
	for name, value := range map[string]string{"Id": e.ID, "Source": e.Source, "Specversion": "1.0", "Type": e.Type, "Subject": e.Subject, "Time": e.Time} {
		r.Header.Set("Ce-"+name, value)
	}
	for _, x := range e.Extensions {
		r.Header.Set("Ce-"+x.Name, x.Value)
	}
	r.Header.Set("Content-Type", e.DataContentType)
	h.request, h.data = r, e.Data
	return nil
}

func (h *httpWasm) call() error {
	h.through, h.failed = false, false
	h.body.Reset(h.data)
	h.request.Body = &h.body
	r := h.request
	if h.how == limited {
		ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
		defer cancel()
		r = r.WithContext(ctx)
	}
	h.handler.ServeHTTP(h, r)
	if h.failed {
		return errors.New("the middleware answered the request, which it does for errors")
	}
	return nil
}

func (h *httpWasm) passed(int) bool { return h.through }

func (h *httpWasm) close() error { return h.middleware.Close(context.Background()) }

// What follows makes it the http.ResponseWriter of its calls.

func (h *httpWasm) Header() http.Header { return h.header }

func (h *httpWasm) Write(b []byte) (int, error) {
	h.failed = true
	return len(b), nil
}

func (h *httpWasm) WriteHeader(int) { h.failed = true }

// body is a request's, to be used again.
type body struct{ bytes.Reader }

func (*body) Close() error { return nil }

// httpWasmNoop lets every request go on: after it had type and data written
// into its memory, if read, since this host gives what is asked for only.
func httpWasmNoop(read bool) []byte {
	const ofRequest, header = 0, "ce-type"
	drop := []byte{0x1a}
	m := raw{data: header, funcs: []rawFunc{
		{name: "handle_request", typ: ">l", body: i64(1)},
		{name: "handle_response", typ: "ii>"},
	}}
	if read {
		m.imports = []rawFunc{
			{module: "http_handler", name: "get_header_values", typ: "iiiii>l"},
			{module: "http_handler", name: "read_body", typ: "iii>l"},
		}
		m.funcs[0].body = slices.Concat(
			i32(ofRequest), i32(rawData), i32(int64(len(header))), i32(rawRoom), i32(256), call(0), drop,
			i32(ofRequest), i32(rawRoom), i32(rawRoom), call(1), drop,
			i64(1))
	}
	return m.bytes()
}
