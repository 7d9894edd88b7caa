package eventgrid

import (
	"context"

	"github.com/headgate/headgate/gateway/delivery"
)

const untried = "; no event was sent, so that the topic's rules on size and quota were not tried"

// Probe publishes no events: a request with an empty array, for which the topic
// wants the same rights as for one with events.
func (s *Sink) Probe(ctx context.Context) (string, error) {
	out := s.do(ctx, []byte("[]"))
	switch {
	case out.Blame == delivery.None:
		return "the topic took a request without events" + untried, nil
	case out.Blame == delivery.Event: // 400: whoever may not publish is told so before
		return "the topic let the gateway in, and found a request without events too short" + untried, nil
	}
	return "", out.Err
}
