package ingress_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/ingress"
)

// nowhere is a journal that forgets at once.
type nowhere struct{}

func (nowhere) Append(context.Context, []event.Event) (event.Position, error) {
	return event.Position{Seq: 1}, nil
}

// usual is an event of 600 bytes.
var usual = `{"specversion":"1.0","id":"b1f2a7de-4d0f-4c8e-9d6e-3a2b1c0d9e8f","type":"Microsoft.DigitalTwins.Twin.Update",` +
	`"source":"factory-north.api.weu.digitaltwins.azure.net","subject":"boiler-0042","time":"2024-05-01T12:30:00.1234567Z",` +
	`"datacontenttype":"application/json","traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",` +
	`"data":{"modelId":"dtmi:com:example:Boiler;2","patch":[{"value":71.25,"path":"/Temperature","op":"replace"},` +
	`{"value":"running","path":"/State","op":"replace"},{"value":{"inlet":2.1,"outlet":1.9},"path":"/Pressure","op":"add"}]}}`

// server has the handler at /events, and one that does nothing at /nothing.
func benchServer(b *testing.B) string {
	e := echo.New()
	ingress.New(nowhere{}, ingress.Options{}).Mount(e)
	e.POST("/nothing", func(c echo.Context) error { return c.NoContent(http.StatusAccepted) })
	server := httptest.NewServer(e)
	b.Cleanup(server.Close)
	return server.URL
}

// BenchmarkConnections compares single events with a handler that does nothing,
// over 64 connections of one machine. The client costs as much as the server.
func BenchmarkConnections(b *testing.B) {
	base := benchServer(b)
	for _, path := range []string{"/nothing", "/events"} {
		b.Run(strings.TrimPrefix(path, "/"), func(b *testing.B) {
			const connections = 64
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
			defer client.CloseIdleConnections()
			b.ReportAllocs()
			work := make(chan struct{}, connections)
			var wg sync.WaitGroup
			for range connections {
				wg.Go(func() {
					for range work {
						resp, err := client.Post(base+path, structured, strings.NewReader(usual))
						if err != nil || resp.StatusCode != 202 {
							b.Error(resp, err)
							continue
						}
						_, _ = io.Copy(io.Discard, resp.Body)
						_ = resp.Body.Close()
					}
				})
			}
			for b.Loop() {
				work <- struct{}{}
			}
			close(work)
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
		})
	}
}

// recorder is a ResponseWriter without cost.
type recorder struct{ header http.Header }

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(b []byte) (int, error) { return len(b), nil }
func (r *recorder) WriteHeader(int)             {}

// BenchmarkHandler is the handlers alone, without a network.
func BenchmarkHandler(b *testing.B) {
	h := handler(nowhere{}, ingress.Options{})
	many := "[" + strings.Repeat(usual+",", 99) + usual + "]"
	tests := []struct{ name, contentType, body string }{
		{"structured", structured, usual},
		{"batch of 100", batch, many},
	}
	for _, tt := range tests {
		b.Run(tt.name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodPost, "/events", nil)
			r.Header.Set("Content-Type", tt.contentType)
			r.ContentLength = int64(len(tt.body))
			body := bytes.NewReader([]byte(tt.body))
			r.Body = io.NopCloser(body)
			w := &recorder{http.Header{}}
			b.SetBytes(int64(len(tt.body)))
			b.ReportAllocs()
			for b.Loop() {
				body.Reset([]byte(tt.body))
				h.ServeHTTP(w, r)
			}
		})
	}
}
