package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/demo"
	"github.com/headgate/headgate/gateway/event"
)

// simulation is the one run of simulated twins that there may be at a time.
type simulation struct {
	mu     sync.Mutex // guards what follows
	state  catalog.Simulation
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when it has ended
	closed bool
}

// errSimulated ends a simulation that is not to go on, without being a fault.
var errSimulated = errors.New("the simulation is over")

// Simulation says how the simulated twins fare; see [admin.Simulations].
func (g *Gateway) Simulation() catalog.Simulation {
	g.simulation.mu.Lock()
	defer g.simulation.mu.Unlock()
	return g.simulation.state
}

// Simulate lets simulated twins live in place of those that do; see
// [admin.Simulations].
func (g *Gateway) Simulate(req catalog.SimulationRequest) catalog.Simulation {
	g.StopSimulation()
	s := &g.simulation
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.state.Running {
		return s.state
	}
	now := time.Now().UTC()
	s.state = catalog.Simulation{Running: true, Rate: req.Rate, StartedAt: now, EndsAt: now.Add(time.Duration(req.For))}
	s.done = make(chan struct{})
	ctx, cancel := context.WithCancelCause(g.background)
	s.cancel = cancel
	go g.simulate(ctx, req, s.done)
	return s.state
}

// StopSimulation ends the simulated twins, and waits until they have ended.
func (g *Gateway) StopSimulation() {
	s := &g.simulation
	s.mu.Lock()
	cancel, done := s.cancel, s.done
	s.mu.Unlock()
	if cancel != nil {
		cancel(errSimulated)
		<-done
	}
}

func (g *Gateway) simulate(ctx context.Context, req catalog.SimulationRequest, done chan<- struct{}) {
	defer close(done)
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(req.For), errSimulated)
	defer cancel()
	factory := demo.New(uint64(time.Now().UnixNano()))
	err := factory.Live(ctx, float64(req.Rate), func(ctx context.Context, events []event.Event) error {
		if _, err := (counting{g}).Append(ctx, events); err != nil {
			return err
		}
		g.simulation.mu.Lock()
		defer g.simulation.mu.Unlock()
		g.simulation.state.Sent += len(events)
		return nil
	})
	s := &g.simulation
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Running, s.state.EndsAt = false, time.Now().UTC()
	if ctx.Err() == nil {
		s.state.Error = err.Error()
	}
}

// closeSimulation ends the simulated twins for good.
func (g *Gateway) closeSimulation(context.Context) error {
	g.simulation.mu.Lock()
	g.simulation.closed = true
	g.simulation.mu.Unlock()
	g.StopSimulation()
	return nil
}
