package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/headgate/headgate/gateway/problem"
)

const (
	usualLimit    = 100
	mostLimit     = 10_000
	maxFaultBytes = 64 << 10
)

// startControl serves the emulator's own API.
func (e *Emulator) startControl(address string, o Options) error {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	e.addresses[Control] = ln.Addr().String()
	e.control = &http.Server{
		Handler:           e.handler(o.AllowRemote),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // of clients that hang up
	}
	e.serving.Go(func() {
		if err := e.control.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			e.stop(fmt.Errorf("control: %w", err))
		}
	})
	return nil
}

// handler serves the API. Pages of other sites that a browser on this machine
// shows are kept out.
func (e *Emulator) handler(remote bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", e.getConnections)
	mux.HandleFunc("GET /certificate", e.getCertificate)
	mux.HandleFunc("GET /entities", e.getEntities)
	mux.HandleFunc("GET /faults", e.getFaults)
	mux.HandleFunc("POST /faults", e.postFault)
	mux.HandleFunc("DELETE /faults", e.deleteFaults)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, fmt.Errorf("%s %s leads nowhere; there is GET /, /certificate, /entities, /faults, POST /faults, DELETE /faults", r.Method, r.URL.Path))
	})
	safe := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if !remote && !loopback(host) {
			refuse(w, http.StatusForbidden, fmt.Errorf("host %q is not this machine", r.Host))
			return
		}
		if err := safe.Check(r); err != nil {
			refuse(w, http.StatusForbidden, err)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// Connections are what clients are configured with.
type Connections struct {
	ServiceBus string `json:"serviceBus,omitempty"`
	EventHubs  string `json:"eventHubs,omitempty"`
	EventGrid  string `json:"eventGrid,omitempty"`
	Key        string `json:"key"`
}

func (e *Emulator) getConnections(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, Connections{e.ConnectionString(ServiceBus), e.ConnectionString(EventHubs), e.TopicEndpoint(""), e.Key()})
}

func (e *Emulator) getCertificate(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/x-pem-file")
	w.Write(e.cert.PEM)
}

// list is how lists are answered.
type list[T any] struct {
	Items []T `json:"items"`
}

func (e *Emulator) getEntities(w http.ResponseWriter, r *http.Request) {
	query, limit := r.URL.Query(), usualLimit
	if text := query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > mostLimit {
			refuse(w, http.StatusBadRequest, fmt.Errorf("limit %q: want a number from 0 to %d", text, mostLimit))
			return
		}
		limit = n
	}
	all, err := e.Entities(Service(query.Get("service")), query.Get("name"), limit)
	if errors.Is(err, errService) {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	if err != nil {
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	answer(w, http.StatusOK, list[Entity]{all})
}

func (e *Emulator) getFaults(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, list[Fault]{e.Faults()})
}

func (e *Emulator) postFault(w http.ResponseWriter, r *http.Request) {
	var f Fault
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxFaultBytes))
	dec.DisallowUnknownFields()
	err := dec.Decode(&f)
	if err == nil {
		if _, err = dec.Token(); errors.Is(err, io.EOF) {
			err = nil
		} else {
			err = errors.New("more than one JSON object")
		}
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, fmt.Errorf("the body: %w; send a fault such as {\"service\":\"serviceBus\",\"kind\":\"server-busy\",\"entity\":\"orders\",\"times\":3}", err))
		return
	}
	if err := e.Inject(f); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	answer(w, http.StatusCreated, f)
}

func (e *Emulator) deleteFaults(w http.ResponseWriter, r *http.Request) {
	if err := e.ClearFaults(Service(r.URL.Query().Get("service"))); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func refuse(w http.ResponseWriter, status int, err error) {
	_ = problem.Problem{Status: status, Detail: err.Error()}.Write(w) // the client went away
}

func answer(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil { // values of our own encode
		refuse(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}

// Run serves what o asks for until ctx ends. When all is ready it writes what
// clients are configured with to w: a line for each service, beginning with
// its flag's name, and a last line "ready".
func Run(ctx context.Context, o Options, w io.Writer) error {
	e, err := Start(o)
	if err != nil {
		return err
	}
	for _, line := range []struct{ name, text string }{
		{"service-bus", e.ConnectionString(ServiceBus)},
		{"event-hubs", e.ConnectionString(EventHubs)},
		{"event-grid", e.TopicEndpoint("")},
		{"key", e.Key()},
		{"certificate", o.CertFile},
		{"control", e.ControlURL()},
	} {
		if line.text != "" {
			fmt.Fprintf(w, "%s: %s\n", line.name, line.text)
		}
	}
	fmt.Fprintln(w, "ready")
	select {
	case <-ctx.Done():
	case <-e.Broken():
	}
	return e.Close()
}
