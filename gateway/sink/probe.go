package sink

import "context"

// Prober is a sink that can try its endpoint without delivering anything.
type Prober interface {
	// Probe does what a Send does short of sending, over a connection of its
	// own: it connects, authenticates and asks for the right to send. It says
	// what it found in words for the operator; an error says why a delivery
	// would fail, and no secret. The endpoint's consumers notice nothing.
	Probe(ctx context.Context) (found string, err error)
}
