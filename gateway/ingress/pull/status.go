package pull

import (
	"log/slog"
	"sync"
	"time"
)

// State is how a source fares.
type State string

// The states of a source.
const (
	Connecting State = "connecting" // for the first time
	Running    State = "running"
	Waiting    State = "waiting" // for the journal, which takes no events now
	Failing    State = "failing" // the connection failed, and is made again
	Stopped    State = "stopped"
)

// Status is how a source fares, and what it has done since it was started.
type Status struct {
	State  State
	Reason string // in words, unless the source runs
	Since  time.Time
	// Received counts events that became durable, Refused messages that were none.
	Received, Refused uint64
	LastReceivedAt    time.Time
	LastRefusal       string // why, and which message
}

// Monitor is where the parts of a source say how they fare. It is safe for
// concurrent use; make one with [NewMonitor].
type Monitor struct {
	log *slog.Logger

	mu      sync.Mutex // guards what follows
	status  Status
	waiting int // parts that wait for the journal
	logged  time.Time
	silent  uint64 // refusals that were not logged
}

// NewMonitor returns a monitor of a source that connects.
func NewMonitor(log *slog.Logger) *Monitor {
	return &Monitor{log: log, status: Status{State: Connecting, Since: time.Now()}}
}

// Status returns a look at the source.
func (m *Monitor) Status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.status
}

// Running says that the source is connected.
func (m *Monitor) Running() { m.set(Running, "") }

func (m *Monitor) set(state State, reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if state == Running && m.waiting > 0 {
		return
	}
	m.change(state, reason)
}

// change logs what is new. The caller holds the lock.
func (m *Monitor) change(state State, reason string) {
	if reason != "" && reason != m.status.Reason {
		m.log.Warn("source is "+string(state), "err", reason)
	}
	if m.status.State != state {
		if state == Running && m.status.State != Connecting {
			m.log.Info("source is running again")
		}
		m.status.State, m.status.Since = state, time.Now()
	}
	m.status.Reason = reason
}

func (m *Monitor) received(events int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status.Received += uint64(events)
	m.status.LastReceivedAt = time.Now()
}

// wait notes that a part waits for the journal, or does no more.
func (m *Monitor) wait(parts int, reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting += parts
	switch {
	case m.waiting > 0 && m.status.State != Failing:
		m.change(Waiting, reason)
	case m.waiting == 0 && m.status.State == Waiting:
		m.change(Running, "")
	}
}

// refusalPause is how often a refusal is logged at most; the status counts all.
const refusalPause = time.Second

// Refused notes that a message is no event.
func (m *Monitor) Refused(message string, reason error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	text := message + ": " + Line(reason.Error())
	m.status.Refused++
	m.status.LastRefusal = text
	if now := time.Now(); now.Sub(m.logged) >= refusalPause {
		m.log.Error("source got a message that is no event", "message", message, "err", Line(reason.Error()), "not_logged", m.silent)
		m.logged, m.silent = now, 0
	} else {
		m.silent++
	}
}
