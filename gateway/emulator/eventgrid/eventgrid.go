// Package eventgrid is a local Event Grid for tests and demonstrations: topics
// that the official SDKs publish to, and event subscriptions that deliver to
// webhooks with both handshakes, retries and dead letters.
//
// It speaks HTTPS alone, since the SDKs send no key over plain HTTP, by a
// certificate of its own that [Options].CertFile hands to clients. Everything
// lies in memory. Whoever reaches its address may read and change all of it by
// the paths under /emulator/, so it belongs on loopback.
//
// What the service does that is left out: a customer's input schema, filters
// beyond event types and subjects, the slower delivery of new events to
// an endpoint that failed with old ones, and the randomness of its schedule.
// Bearer tokens are taken unread.
package eventgrid

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/headgate/headgate/gateway/emulator/certificate"
)

// Options are the optional inputs of [Listen].
type Options struct {
	// Topics are there from the start.
	Topics []Topic
	// Declared makes a topic that was not declared an error (404). Otherwise
	// the first request to a topic creates it, for the schema of that request.
	Declared bool
	// Key is the access key of topics that declare none; when it is empty too,
	// they take every key.
	Key string
	// CertFile is where the certificate is written to, in PEM; "" is nowhere.
	CertFile string
	// Certificate is the server's; the zero value makes one.
	Certificate certificate.Certificate
	// Clock tells when deliveries are due, expire and are tried again; nil is
	// the real one. How long a subscriber takes to answer is real time always.
	Clock Clock
	// MaxRequestBytes and MaxEventBytes bound what a topic takes; 0 is the
	// service's 1 MiB.
	MaxRequestBytes int
	MaxEventBytes   int
	// Keep bounds the events and dead letters that are kept to be looked at, for
	// each topic and each subscription; 0 is 10,000. Counts go on beyond it.
	Keep int
	// Client makes the requests to subscribers; nil is one that trusts the
	// system's roots and the emulator's own certificate.
	Client *http.Client
}

const (
	defaultTopic = "default"
	oneMiB       = 1 << 20
	keep         = 10_000
	// answerTime is how long a subscriber may take.
	answerTime = 30 * time.Second
)

// Server is a running emulator. It is safe for concurrent use.
type Server struct {
	opts     Options
	clock    Clock
	cert     certificate.Certificate
	url      string
	client   *http.Client
	http     *http.Server
	mux      http.Handler
	serving  sync.WaitGroup // the listener, and requests
	delivery sync.WaitGroup

	background context.Context // ends with Close
	cancel     context.CancelFunc

	mu     sync.Mutex // guards what follows, and what is in it
	closed bool
	topics []*topic // in the order in which they came
}

// Listen binds address, such as 127.0.0.1:0, and serves until Close.
func Listen(address string, opts Options) (*Server, error) {
	s := &Server{opts: opts, clock: opts.Clock, client: opts.Client}
	s.setDefaults()
	for i := range opts.Topics {
		if err := s.declare(opts.Topics[i]); err != nil {
			return nil, err
		}
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	if err := s.start(listener); err != nil {
		listener.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) setDefaults() {
	if s.clock == nil {
		s.clock = realClock{}
	}
	for _, d := range []struct {
		at   *int
		most int
	}{{&s.opts.MaxRequestBytes, oneMiB}, {&s.opts.MaxEventBytes, oneMiB}, {&s.opts.Keep, keep}} {
		if *d.at == 0 {
			*d.at = d.most
		}
	}
}

// start serves listener, and the subscriptions that were declared.
func (s *Server) start(listener net.Listener) error {
	if err := s.certify(listener.Addr()); err != nil {
		return err
	}
	s.url = "https://" + listener.Addr().String()
	if s.client == nil {
		s.client = newClient(s.cert)
	}
	s.background, s.cancel = context.WithCancel(context.Background())
	s.mux = s.handler()
	s.http = &http.Server{
		Handler:           s,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{s.cert.Pair}},
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // of clients that do not trust the certificate
	}
	s.serving.Go(func() {
		if err := s.http.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
			s.cancel() // the listener broke: nothing can come in any more
		}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.topics {
		for _, sub := range t.subscriptions {
			s.delivery.Go(func() { s.validateUntilDone(sub) })
		}
	}
	return nil
}

// certify gives the server its certificate, and writes that where clients
// look for it.
func (s *Server) certify(address net.Addr) error {
	s.cert = s.opts.Certificate
	if s.cert.PEM == nil {
		var hosts []string
		if tcp, ok := address.(*net.TCPAddr); ok && !tcp.IP.IsUnspecified() {
			hosts = append(hosts, tcp.IP.String())
		}
		var err error
		if s.cert, err = certificate.New(hosts...); err != nil {
			return err
		}
	}
	if s.opts.CertFile != "" {
		if err := os.WriteFile(s.opts.CertFile, s.cert.PEM, 0o644); err != nil {
			return fmt.Errorf("write certificate: %w", err)
		}
	}
	return nil
}

// newClient returns a client for deliveries. It follows no redirects.
func newClient(cert certificate.Certificate) *http.Client {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	roots.AddCert(cert.Pair.Leaf)
	return &http.Client{
		Transport: &http.Transport{
			TLSClientConfig:     &tls.Config{RootCAs: roots},
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: concurrent,
			IdleConnTimeout:     30 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// URL is the address, such as https://127.0.0.1:60101.
func (s *Server) URL() string { return s.url }

// Endpoint is what publishers to topic are configured with.
func (s *Server) Endpoint(topic string) string { return s.url + "/" + topic + "/api/events" }

// CertificatePEM is the certificate that clients must trust.
func (s *Server) CertificatePEM() []byte { return slices.Clone(s.cert.PEM) }

// Close ends all requests and deliveries, and waits for them. What is not
// delivered is gone. It may be called more than once.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	err := s.http.Close()
	s.serving.Wait()
	s.delivery.Wait()
	s.client.CloseIdleConnections()
	return err
}
