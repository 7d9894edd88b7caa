package gateway

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/delivery"
	"github.com/headgate/headgate/gateway/event"
	"github.com/headgate/headgate/gateway/sink/blob"
	"github.com/headgate/headgate/gateway/store"
)

// copies brings the dead letters of the endpoints that ask for it to their
// containers, beside keeping them. What was copied is noted, so that a start
// begins where the last run ended; a few may be copied again, to the same name.
type copies struct {
	mu      sync.Mutex // guards what follows
	running map[string]*copying
}

// copying is the copying of one endpoint's letters.
type copying struct {
	uri  string
	stop context.CancelFunc

	mu  sync.Mutex // guards what follows
	err error      // why it does not go on
}

// copyLetters starts and stops copying as snapshot says.
func (g *Gateway) copyLetters(snapshot *catalog.Snapshot) {
	g.copies.mu.Lock()
	defer g.copies.mu.Unlock()
	if g.copies.running == nil {
		g.copies.running = map[string]*copying{}
	}
	for name, c := range g.copies.running {
		e, ok := snapshot.Endpoint(name)
		if _, uri, _ := splitSettings(e.Settings); !ok || uri != c.uri {
			c.stop()
			delete(g.copies.running, name)
		}
	}
	for _, e := range snapshot.Endpoints {
		_, uri, _ := splitSettings(e.Settings)
		if uri == "" || g.copies.running[e.Name] != nil {
			continue
		}
		ctx, stop := context.WithCancel(g.background)
		c := &copying{uri: uri, stop: stop}
		g.copies.running[e.Name] = c
		g.wg.Go(func() { g.runCopies(ctx, e.Name, c) })
	}
}

// copyError is why the letters of an endpoint are not copied; empty when they are.
func (g *Gateway) copyError(endpoint string) string {
	g.copies.mu.Lock()
	c := g.copies.running[endpoint]
	g.copies.mu.Unlock()
	if c == nil {
		return ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		return ""
	}
	return c.err.Error()
}

// Pace of copying.
const (
	copyInterval = time.Second     // between two looks for new letters
	copyPage     = 64              // letters between two notes of how far it came
	maxCopyPause = 5 * time.Minute // between two tries of one that fails
)

// runCopies copies the letters of an endpoint, the oldest first, until ctx ends.
func (g *Gateway) runCopies(ctx context.Context, endpoint string, c *copying) {
	letters, err := blob.NewLetters(deadLetterURI, c.uri, blob.Options{UserAgent: "headgate/" + g.opts.Version})
	if err != nil {
		c.fail(err) // it was valid when it was put
		return
	}
	defer letters.Close()
	after := g.copiedTo(endpoint)
	pause := copyInterval
	for {
		n, err := g.copyPage(ctx, endpoint, letters, &after)
		if ctx.Err() != nil {
			return
		}
		if err != nil && c.fail(err) {
			g.log.Error("dead letters are not copied; trying again and again", "endpoint", endpoint, "err", err)
		}
		switch {
		case err != nil:
			pause = min(2*pause, maxCopyPause)
		case n == copyPage:
			c.fail(nil)
			pause = copyInterval
			continue
		default:
			c.fail(nil)
			pause = copyInterval
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// fail notes why copying does not go on, and reports whether that is news.
func (c *copying) fail(err error) (news bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	news = err != nil && c.err == nil
	c.err = err
	return news
}

// copyPage copies the next letters behind after, and notes how far it came.
func (g *Gateway) copyPage(ctx context.Context, endpoint string, letters *blob.Letters, after *delivery.Ref) (n int, err error) {
	page, err := g.letters.Page(ctx, *after, copyPage, endpoint)
	if err != nil {
		return 0, err
	}
	for _, kept := range page {
		if err = letters.Put(ctx, kept.DeadLetter); err != nil {
			break
		}
		*after = kept.Ref
		n++
	}
	if n > 0 {
		if e := g.store.Update(func(tx *store.Tx) error { return tx.PutSetting(copiedSetting+endpoint, []byte(after.String())) }); e != nil && err == nil {
			err = fmt.Errorf("note how far it came: %w", e)
		}
	}
	return n, err
}

// copiedSetting, followed by the name of an endpoint, is where the store keeps
// the last letter that was copied.
const copiedSetting = "copied dead letters of "

func (g *Gateway) copiedTo(endpoint string) (ref delivery.Ref) {
	err := g.store.View(func(tx *store.Tx) error {
		text := string(tx.Setting(copiedSetting + endpoint))
		if text == "" {
			return nil
		}
		var err error
		ref, err = event.ParsePosition(strings.TrimSpace(text))
		return err
	})
	if err != nil {
		g.log.Warn("nobody knows which dead letters were copied; all are", "endpoint", endpoint, "err", err)
		return delivery.Ref{}
	}
	return ref
}
