package messaging

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// fakeClient is a client without a service, for what takes minutes.
type fakeClient struct {
	deaf   bool // Close ends with its context alone
	closed bool
}

func (c *fakeClient) Close(ctx context.Context) error {
	if c.deaf {
		<-ctx.Done()
	}
	c.closed = true
	return nil
}

// newLinks returns links of clients, and those that were made.
func newLinks(deaf bool) (*links[*fakeClient], *[]*fakeClient) {
	made := &[]*fakeClient{}
	return &links[*fakeClient]{
		target: &Target{},
		create: func(Access) (*fakeClient, error) {
			c := &fakeClient{deaf: deaf}
			*made = append(*made, c)
			return c, nil
		},
		ready: func(context.Context, *fakeClient) error { return nil },
	}, made
}

func acquire(t *testing.T, l *links[*fakeClient]) *link[*fakeClient] {
	t.Helper()
	k, err := l.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestLifetime: an old link is replaced for those who come, and closed when
// those who have it are done.
func TestLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, made := newLinks(false)
		first := acquire(t, l)
		if again := acquire(t, l); again != first {
			t.Error("a second user got another link")
		}
		l.release(first, false)
		time.Sleep(lifetime)
		synctest.Wait()
		second := acquire(t, l)
		if second == first || first.client.closed {
			t.Errorf("after its time: same link %v, closed %v", second == first, first.client.closed)
		}
		l.release(first, false)
		synctest.Wait()
		if !first.client.closed {
			t.Error("the old link stayed open")
		}
		l.release(second, false)
		time.Sleep(lifetime)
		synctest.Wait()
		if !second.client.closed || len(*made) != 2 {
			t.Errorf("idle link closed: %v; %d links were made", second.client.closed, len(*made))
		}
		l.close()
	})
}

// TestLost: a lost link is replaced, once, whoever says so.
func TestLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, made := newLinks(false)
		a, b := acquire(t, l), acquire(t, l)
		l.release(a, true)
		c := acquire(t, l)
		l.release(b, true)
		if d := acquire(t, l); d != c || len(*made) != 2 {
			t.Errorf("%d links were made, want 2", len(*made))
		}
		l.release(c, false)
		l.release(c, false)
		l.close()
		for i, client := range *made {
			if !client.closed {
				t.Errorf("link %d stayed open", i)
			}
		}
		if _, err := l.acquire(t.Context()); !errors.Is(err, errClosed) {
			t.Errorf("after close: %v", err)
		}
	})
}

// TestCloseIsBounded: a service that does not answer a goodbye delays nothing
// for long.
func TestCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := newLinks(true)
		l.release(acquire(t, l), false)
		begin := time.Now()
		l.close()
		l.close()
		if took := time.Since(begin); took != closeTimeout {
			t.Errorf("close took %v, want %v", took, closeTimeout)
		}
	})
}

// TestOpening: who waits for a link waits no longer than it wants, and all
// share a failure.
func TestOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, made := newLinks(false)
		l.ready = func(ctx context.Context, _ *fakeClient) error {
			<-ctx.Done()
			return ctx.Err()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		if _, err := l.acquire(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("acquire = %v after %v", err, time.Since(begin))
		}
		if _, err := l.acquire(t.Context()); err == nil || time.Since(begin) != openTimeout {
			t.Errorf("acquire = %v after %v", err, time.Since(begin))
		}
		if len(*made) != 1 {
			t.Errorf("%d links were begun, want one", len(*made))
		}
		l.close()
	})
}
