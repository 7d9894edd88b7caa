package amqp

import (
	"slices"
	"time"
)

// enough is how many bytes are written at once, if there are so many: transfers
// wait in their sessions, as what the broker handed over, until then.
const enough = 256 << 10

// write writes what is queued until the connection is over. When nothing is
// queued for a third of the client's idle timeout, it writes a heartbeat: the
// client may miss one and still hear one each half of it.
func (c *Conn) write() {
	var beat <-chan time.Time
	every := max(time.Duration(c.peer.IdleTimeout)*time.Millisecond/3, time.Millisecond)
	timer := time.NewTimer(every)
	defer timer.Stop()
	if c.peer.IdleTimeout > 0 {
		beat = timer.C
	}
	var buf []byte
	for {
		select {
		case <-c.wake:
		case <-beat:
			c.mu.Lock()
			c.queue(0, nil)
			c.mu.Unlock()
		}
		var last bool
		if buf, last = c.flush(buf); last {
			return
		}
		timer.Reset(every)
	}
}

// flush writes all that may be written. It returns true when nothing will follow.
func (c *Conn) flush(buf []byte) (_ []byte, last bool) {
	for {
		c.mu.Lock()
		c.fill()
		buf, c.out = c.out, buf[:0]
		if last = c.closing; !last {
			_ = c.nc.SetWriteDeadline(time.Now().Add(c.s.o.IdleTimeout))
		}
		c.mu.Unlock()
		if len(buf) == 0 {
			return buf, last
		}
		if _, err := c.nc.Write(buf); err != nil {
			c.nc.Close() // which the reader notices
			return buf, true
		}
	}
}

// fill moves transfers from the sessions to c.out, one of each in turn, as long
// as there is room and the client's windows allow. The caller holds c.mu.
func (c *Conn) fill() {
	for !c.closing && len(c.out) < enough && len(c.ready) > 0 {
		s := c.ready[0]
		c.ready = slices.Delete(c.ready, 0, 1)
		s.listed = false
		if s.writeOne() {
			s.list()
		}
	}
}
