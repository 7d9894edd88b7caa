package journal

import (
	"context"
	"time"
)

// Waits between attempts to reopen the store; a store that fails again soon
// after it was reopened waits, too.
const (
	minReopenWait = 100 * time.Millisecond
	maxReopenWait = time.Second
	steady        = 10 * time.Second
)

// supervise owns the engine: it replaces e, and those after it, when they
// fail, and stops the last one when ctx ends.
func (j *Journal) supervise(ctx context.Context, e *engine) {
	var wait time.Duration
	for e != nil {
		opened := time.Now()
		select {
		case <-ctx.Done():
			e.stop()
			return
		case <-e.failed:
		}
		j.drop(e)
		j.opt.Logger.Error("journal: a write failed; reopening the store", "err", e.cause)
		e.stop()
		if time.Since(opened) > steady {
			wait = 0
		}
		e, wait = j.reopen(ctx, wait)
	}
}

// drop takes e, which failed, out of use.
func (j *Journal) drop(e *engine) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.engine == e {
		j.engine, j.cause = nil, e.cause
		j.changed.raise()
	}
}

// reopen starts engines until one is up, and returns it and how long to wait
// should it fail soon. It returns nil when ctx ends first.
func (j *Journal) reopen(ctx context.Context, wait time.Duration) (*engine, time.Duration) {
	for {
		if wait > 0 {
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return nil, 0
			}
		}
		wait = min(max(2*wait, minReopenWait), maxReopenWait)
		e, err := j.replace(ctx)
		if err == nil {
			j.opt.Logger.Info("journal: the store is open again")
			return e, wait
		}
		if ctx.Err() != nil {
			return nil, 0
		}
		j.opt.Logger.Error("journal: the store cannot be reopened yet", "err", err, "wait", wait)
		j.mu.Lock()
		j.cause = err
		j.mu.Unlock()
	}
}

// replace puts a new engine into use.
func (j *Journal) replace(ctx context.Context) (*engine, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	e, err := startEngine(ctx, j.dir.path, j.opt.MaxBytes, false, j.opt.Logger)
	if err != nil {
		return nil, err
	}
	if err := j.recover(ctx, e); err != nil {
		e.stop()
		return nil, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.engine, j.cause = e, nil
	j.changed.raise()
	return e, nil
}
