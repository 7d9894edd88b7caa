package messaging

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

const (
	openTimeout  = 30 * time.Second // for a connection, its claims and its link
	closeTimeout = 2 * time.Second
	// lifetime bounds the use of a connection. The SDKs renew its claims in the
	// background from 5 minutes on, and, with their retries switched off, in a
	// loop without a pause while that fails. So a connection is replaced before,
	// once nothing is under way on it; an idle one is just closed.
	lifetime = 4 * time.Minute
)

var errClosed = errors.New("the sink is closed")

// Client is a client of an SDK.
type Client interface {
	Close(context.Context) error
}

// Access is how a client gets at its entity.
type Access struct {
	Target
	// Dial connects the client.
	Dial func(context.Context) (net.Conn, error)
	// Credential is the gateway's identity; nil with a connection string. It
	// answers while the client is being opened.
	Credential azcore.TokenCredential
}

// links keeps the one link to an entity: opened by the first who needs it and
// shared by all, replaced when it is lost or old. Whoever uses a link when it
// is replaced finishes on it first, so that no acknowledgement is lost for that.
type links[C Client] struct {
	target     *Target
	tls        *tls.Config
	credential azcore.TokenCredential
	create     func(Access) (C, error)
	ready      func(context.Context, C) error

	mu      sync.Mutex
	current *link[C] // the one to use; nil for none
	closed  bool
	running sync.WaitGroup // what opens and closes links
}

// link is a client with its connection. What follows opened is set when that is
// closed, and then fixed.
type link[C Client] struct {
	wire   *wire
	stop   context.CancelFunc // gives up opening
	opened chan struct{}
	client C
	err    error
	old    *time.Timer

	// Guarded by links.mu.
	users   int
	over    bool // nobody else gets it
	closing bool
}

// acquire returns the link, or why there is none. Everyone who waits for a link
// shares its failure; the next one to come tries again.
func (l *links[C]) acquire(ctx context.Context) (*link[C], error) {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil, errClosed
	}
	if l.current == nil {
		l.current = l.begin()
	}
	k := l.current
	k.users++
	l.mu.Unlock()

	select {
	case <-k.opened:
	case <-ctx.Done():
		l.release(k, false)
		return nil, ctx.Err()
	}
	if k.err != nil {
		l.release(k, true)
		return nil, k.err
	}
	return k, nil
}

// release gives a link back; it is not handed out again if it is lost.
func (l *links[C]) release(k *link[C], lost bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k.users--
	l.settle(k, lost)
}

// retire has a link replaced, as if lost.
func (l *links[C]) retire(k *link[C]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.settle(k, true)
	}
}

// settle closes a link that is over when its last user has left. The caller
// holds the lock.
func (l *links[C]) settle(k *link[C], over bool) {
	k.over = k.over || over
	if k.over && l.current == k {
		l.current = nil
	}
	if k.over && k.users == 0 && !k.closing {
		k.closing = true
		l.running.Go(k.close)
	}
}

// begin opens a link. The context is not that of the first who needs it: others
// wait too, and it goes on for the next ones when all of them give up.
func (l *links[C]) begin() *link[C] {
	ctx, stop := context.WithTimeout(context.Background(), openTimeout)
	k := &link[C]{wire: &wire{target: l.target, tls: l.tls}, stop: stop, opened: make(chan struct{})}
	l.running.Go(func() {
		defer stop()
		k.client, k.err = l.openOn(ctx, k.wire)
		if k.err == nil {
			k.old = time.AfterFunc(lifetime, func() { l.retire(k) })
		}
		close(k.opened)
		if k.err != nil {
			l.retire(k)
		}
	})
	return k
}

func (l *links[C]) openOn(ctx context.Context, w *wire) (C, error) {
	// An SDK may be deaf to the context, as while it waits for a lock.
	defer context.AfterFunc(ctx, w.cut)()
	a := Access{Target: *l.target, Dial: w.dial}
	if l.credential != nil {
		a.Credential = during(ctx, l.credential)
	}
	client, err := l.create(a)
	if err != nil {
		return client, err
	}
	if err = l.ready(ctx, client); err != nil {
		closeClient(client, w)
	}
	return client, err
}

// close ends a link that opened.
func (k *link[C]) close() {
	<-k.opened
	if k.err != nil {
		return
	}
	k.old.Stop()
	closeClient(k.client, k.wire)
}

// closeClient says goodbye for a while, and then cuts the connection.
func closeClient[C Client](client C, w *wire) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	defer w.cut()
	defer context.AfterFunc(ctx, w.cut)()
	_ = client.Close(ctx) // what has not been said by now makes no difference
}

// close ends all links. It may be called more than once, when no link is in use.
func (l *links[C]) close() {
	l.mu.Lock()
	l.closed = true
	if k := l.current; k != nil {
		k.stop()
		l.settle(k, true)
	}
	l.mu.Unlock()
	l.running.Wait()
}
