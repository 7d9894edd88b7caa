package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The streams; each has one subject of the same name.
const (
	eventStream = "EVENTS"
	markStream  = "MARKS"
	retryStream = "RETRIES"
	deadStream  = "DEADLETTERS"
)

// Time limits. A disk may stall for long, so they are generous: a write error
// is noticed by the server's own word, not by them.
const (
	startTimeout  = 60 * time.Second
	writeTimeout  = 20 * time.Second
	readTimeout   = 20 * time.Second
	probeInterval = 2 * time.Second
	readPause     = 100 * time.Millisecond
)

// engine is one run of the embedded server and the connection to it. After
// its first write error it is of no further use: a stream's store refuses
// every later write until a new server opens it.
type engine struct {
	srv     *server.Server
	conn    *nats.Conn
	js      jetstream.JetStream
	streams map[string]jetstream.Stream

	failOnce sync.Once
	failed   chan struct{} // closed by fail
	cause    error         // why; read after failed is closed
	suspect  chan struct{} // the server logged an error
}

// startEngine starts a server over the store in dir and finds the streams, or
// makes them when create is set.
func startEngine(ctx context.Context, dir string, maxBytes int64, create bool, log *slog.Logger) (*engine, error) {
	e := &engine{
		streams: map[string]jetstream.Stream{},
		failed:  make(chan struct{}),
		suspect: make(chan struct{}, 1),
	}
	srv, err := server.NewServer(&server.Options{
		ServerName:      "headgate",
		DontListen:      true,
		NoSigs:          true,
		NoLog:           true,
		NoSystemAccount: true,
		MaxPayload:      maxEntryBytes + 4<<10,
		WriteDeadline:   writeTimeout,

		JetStream:              true,
		StoreDir:               filepath.Join(dir, "store"),
		SyncAlways:             true,
		DisableJetStreamBanner: true,
		// Explicit, since the default follows the free space and can so keep a
		// stream from being restored. The disk's reserve is watched elsewhere.
		JetStreamMaxStore:  1 << 60,
		JetStreamMaxMemory: 1 << 20,
	})
	if err != nil {
		return nil, fmt.Errorf("embedded server: %w", err)
	}
	e.srv = srv
	words := &serverLog{log: log, suspect: e.suspect}
	srv.SetLoggerV2(words, false, false, false)
	srv.Start()
	if err := e.connect(ctx, maxBytes, create); err != nil {
		e.stop()
		if fatal := words.fatal.Load(); fatal != nil {
			err = errors.New(*fatal)
		}
		return nil, fmt.Errorf("journal in %s: %w", dir, err)
	}
	return e, nil
}

func (e *engine) connect(ctx context.Context, maxBytes int64, create bool) error {
	if !e.srv.ReadyForConnections(startTimeout) {
		return errors.New("the embedded server did not start")
	}
	if !e.srv.JetStreamEnabled() {
		return errors.New("the embedded server could not open its store")
	}
	conn, err := nats.Connect("", nats.InProcessServer(e.srv), nats.NoReconnect(), nats.Timeout(startTimeout))
	if err != nil {
		return err
	}
	e.conn = conn
	if e.js, err = jetstream.New(conn, jetstream.WithDefaultTimeout(startTimeout)); err != nil {
		return err
	}
	for _, cfg := range streamConfigs(maxBytes) {
		if e.streams[cfg.Name], err = e.stream(ctx, cfg, create); err != nil {
			return fmt.Errorf("stream %s: %w", cfg.Name, err)
		}
	}
	return nil
}

func streamConfigs(maxBytes int64) []jetstream.StreamConfig {
	events := streamConfig(eventStream)
	events.MaxBytes = maxBytes
	marks := streamConfig(markStream)
	marks.MaxMsgsPerSubject = 1
	marks.Discard = jetstream.DiscardOld
	return []jetstream.StreamConfig{events, marks, streamConfig(retryStream), streamConfig(deadStream)}
}

// streamConfig is a stream that discards nothing by itself.
func streamConfig(name string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        name,
		Subjects:    []string{name},
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		MaxMsgs:     -1,
		MaxBytes:    -1,
		MaxMsgSize:  -1,
		AllowDirect: true,
	}
}

func (e *engine) stream(ctx context.Context, cfg jetstream.StreamConfig, create bool) (jetstream.Stream, error) {
	s, err := e.js.Stream(ctx, cfg.Name)
	switch {
	case err == nil:
		if s.CachedInfo().Config.MaxBytes == cfg.MaxBytes {
			return s, nil
		}
		return e.js.UpdateStream(ctx, cfg)
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, err
	case !create:
		return nil, errors.New("it is missing or cannot be read, and was there before; restore the directory from a backup, or move it away to begin with an empty journal")
	}
	return e.js.CreateStream(ctx, cfg)
}

// publish stores a message and returns its sequence once it is durable. When
// a write failed, or nothing is known of it in time, e has failed too.
func (e *engine) publish(stream string, payload []byte) (uint64, error) {
	ack, err := e.js.PublishMsgAsync(&nats.Msg{Subject: stream, Data: payload}, jetstream.WithRetryAttempts(1))
	if err != nil {
		return 0, e.fail(fmt.Errorf("publish to %s: %w", stream, err))
	}
	probe := time.NewTicker(probeInterval)
	defer probe.Stop()
	for deadline := time.Now().Add(writeTimeout); ; {
		select {
		case ok := <-ack.Ok():
			return ok.Sequence, nil
		case err := <-ack.Err():
			var api *jetstream.APIError
			if stream == eventStream && errors.As(err, &api) && api.ErrorCode == codeStoreFailed {
				return 0, later(ErrFull, 5*time.Second)
			}
			return 0, e.fail(fmt.Errorf("publish to %s: %w", stream, err))
		case <-e.failed:
			return 0, later(fmt.Errorf("%w: %w", ErrUnavailable, e.cause), time.Second)
		case <-e.suspect:
		case <-probe.C:
		}
		// A store that failed answers nothing at all, so it has to be asked.
		if err := e.writeError(); err != nil {
			return 0, e.fail(err)
		}
		if time.Now().After(deadline) {
			return 0, e.fail(fmt.Errorf("publish to %s: no answer within %v", stream, writeTimeout))
		}
	}
}

// purge drops the messages of a stream below a sequence. When nothing is known
// of it in time, as on a disk that somebody filled meanwhile, e has failed: the
// store would keep waiting for itself.
func (e *engine) purge(ctx context.Context, stream string, below uint64) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	err := e.streams[stream].Purge(ctx, jetstream.WithPurgeSequence(below))
	if errors.Is(err, context.DeadlineExceeded) {
		return e.fail(fmt.Errorf("purge of %s: no answer within %v", stream, writeTimeout))
	}
	return err
}

// codeStoreFailed is what the server answers for a message that the size
// limit of its stream refuses.
const codeStoreFailed = 10077

// writeError is the write error that a store failed with, if one did.
func (e *engine) writeError() error {
	if h := e.srv.Healthz(&server.HealthzOptions{}); h.Error != "" {
		return errors.New(h.Error)
	}
	return nil
}

// fail notes the first error that makes e useless, and returns it in the form
// for those who wait.
func (e *engine) fail(cause error) error {
	e.failOnce.Do(func() {
		e.cause = cause
		close(e.failed)
	})
	return later(fmt.Errorf("%w: %w", ErrUnavailable, e.cause), time.Second)
}

func (e *engine) stop() {
	if e.conn != nil {
		e.conn.Close()
	}
	e.srv.Shutdown()
	e.srv.WaitForShutdown()
}

// serverLog hands the embedded server's words on, and raises suspicion at an error.
type serverLog struct {
	log     *slog.Logger
	suspect chan struct{}
	fatal   atomic.Pointer[string]
}

func (l *serverLog) say(level slog.Level, format string, v []any) {
	if l.log.Enabled(context.Background(), level) {
		l.log.Log(context.Background(), level, "journal server: "+fmt.Sprintf(format, v...))
	}
}

func (l *serverLog) Noticef(format string, v ...any) { l.say(slog.LevelDebug, format, v) }
func (l *serverLog) Debugf(string, ...any)           {}
func (l *serverLog) Tracef(string, ...any)           {}

func (l *serverLog) Warnf(format string, v ...any) {
	level := slog.LevelWarn
	if strings.HasPrefix(format, "Maximum payloads over") {
		level = slog.LevelDebug // it is meant for servers with clients of their own
	}
	l.say(level, format, v)
}

func (l *serverLog) Errorf(format string, v ...any) {
	l.say(slog.LevelError, format, v)
	select {
	case l.suspect <- struct{}{}:
	default:
	}
}

func (l *serverLog) Fatalf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.fatal.CompareAndSwap(nil, &text)
	l.Errorf(format, v...)
}
