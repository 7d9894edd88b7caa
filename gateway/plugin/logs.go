package plugin

import (
	"bytes"
	"fmt"

	"github.com/headgate/headgate/sdk/abi"
)

// logs forwards an instance's lines, bounded for each call.
type logs struct {
	send func(abi.Level, string)
	left int // bytes that this call may still log
	lost int // lines of this call that were not kept

	stdout, stderr stream
}

// stream is a guest's standard output or error. It forwards whole lines and
// remembers the first bytes of the call.
type stream struct {
	logs  *logs
	level abi.Level
	line  []byte // not yet ended
	head  []byte
}

// maxHead is how much of a call's standard error is kept to explain a trap.
const maxHead = 4 << 10

func newLogs(send func(abi.Level, string)) *logs {
	l := &logs{send: send}
	l.stdout = stream{logs: l, level: abi.Info}
	l.stderr = stream{logs: l, level: abi.Error}
	return l
}

// begin starts a call, which may log so many bytes.
func (l *logs) begin(limit int) {
	l.left, l.lost = limit, 0
	l.stderr.head = l.stderr.head[:0]
}

// end forwards what is left of the call's lines.
func (l *logs) end() {
	l.stdout.flush()
	l.stderr.flush()
	if l.lost > 0 {
		l.send(abi.Warn, fmt.Sprintf("%d more lines were written in this call and not kept", l.lost))
		l.lost = 0
	}
}

func (l *logs) line(level abi.Level, text string) {
	if len(text) > l.left {
		l.lost++
		return
	}
	l.left -= max(len(text), 1)
	l.send(level, text)
}

// Write takes what the guest wrote. It never fails.
func (s *stream) Write(p []byte) (int, error) {
	s.head = append(s.head, p[:min(len(p), maxHead-len(s.head))]...)
	for rest := p; len(rest) > 0; {
		line, after, ended := bytes.Cut(rest, []byte{'\n'})
		s.line = append(s.line, line[:min(len(line), maxLine-len(s.line))]...)
		if ended {
			s.flush()
		}
		rest = after
	}
	return len(p), nil
}

func (s *stream) flush() {
	if len(s.line) > 0 {
		s.logs.line(s.level, clean(s.line))
		s.line = s.line[:0]
	}
}
