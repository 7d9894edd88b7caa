package catalog

import (
	"encoding/json"
	"time"
)

// Emulated is what lies in the emulator that runs with the server, when one does.
type Emulated struct {
	Running bool              `json:"running"`
	Items   []json.RawMessage `json:"items"` // entities, each with some of its messages
}

// Simulation is a run of simulated twins, whose events are accepted like those
// of a sender.
type Simulation struct {
	Running bool `json:"running"`
	// Rate is in events a second; Sent counts those that were accepted.
	Rate      int       `json:"rate,omitempty"`
	Sent      int       `json:"sent"`
	StartedAt time.Time `json:"startedAt,omitzero"`
	// EndsAt is when it ends by itself, or when it ended.
	EndsAt time.Time `json:"endsAt,omitzero"`
	// Error says why it ended early.
	Error string `json:"error,omitempty"`
}

// SimulationRequest asks for simulated twins.
type SimulationRequest struct {
	Rate int      `json:"rate"` // events a second
	For  Duration `json:"for"`  // until they end by themselves
}

// Bounds of a simulation.
const (
	maxSimulationRate = 1000
	maxSimulationTime = Duration(24 * time.Hour)
)

// UsualSimulation is what is asked for when nothing is said: ten events a
// second for ten minutes.
func UsualSimulation() SimulationRequest {
	return SimulationRequest{Rate: 10, For: Duration(10 * time.Minute)}
}

// DecodeSimulation reads {"rate":10,"for":"10m"}, of which each may be left out.
func DecodeSimulation(b []byte) (SimulationRequest, error) {
	o := ReadObject(b)
	req := UsualSimulation()
	o.Int("rate", &req.Rate)
	o.Duration("for", &req.For)
	if req.Rate < 1 || req.Rate > maxSimulationRate {
		o.Refuse("rate", "want events a second, from 1 to %d", maxSimulationRate)
	}
	if req.For < Duration(time.Second) || req.For > maxSimulationTime {
		o.Refuse("for", "want from 1s to 24h")
	}
	return req, o.Close()
}
