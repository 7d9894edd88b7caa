package main

import (
	"fmt"
	"io"
	"time"
)

// progress tells on standard error how long work gets on: on a terminal as one
// line that is rewritten, elsewhere as a line now and then. Work that is short
// is not talked about.
type progress struct {
	w        io.Writer
	terminal bool
	next     time.Time // not to be said before
	dirty    bool      // the line must be ended
}

const (
	progressAfter    = time.Second
	progressTerminal = 200 * time.Millisecond
	progressElse     = 10 * time.Second
)

func (a *app) progress() *progress {
	return &progress{w: a.err, terminal: isTerminal(a.err), next: time.Now().Add(progressAfter)}
}

// say tells how the work stands, unless it did so a moment ago.
func (p *progress) say(format string, args ...any) {
	now := time.Now()
	if now.Before(p.next) {
		return
	}
	if !p.terminal {
		p.next = now.Add(progressElse)
		fmt.Fprintf(p.w, format+"\n", args...)
		return
	}
	p.next, p.dirty = now.Add(progressTerminal), true
	fmt.Fprintf(p.w, "\r\033[K"+format, args...)
}

// done ends the line, so that what follows begins on one of its own.
func (p *progress) done() {
	if p.dirty {
		fmt.Fprint(p.w, "\r\033[K")
		p.dirty = false
	}
}
