package file

import (
	"context"
	"os"

	"github.com/headgate/headgate/gateway/sink"
)

var _ sink.Prober = (*Sink)(nil)

// Probe opens the file for writing, flushes it, and adds nothing to it.
func (s *Sink) Probe(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := context.Cause(ctx)
	switch {
	case err != nil:
	case s.closed:
		err = os.ErrClosed
	default:
		if err = s.append(ctx, nil); err != nil {
			s.drop()
		}
	}
	if err != nil {
		return "", outcome(s.path, err).Err
	}
	return s.path + " can be written", nil
}
