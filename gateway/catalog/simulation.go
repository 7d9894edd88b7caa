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
	Rate int           // events a second
	For  time.Duration // until they end by themselves
}

// Bounds of a simulation, and what it is when nothing is said.
const (
	usualSimulationRate = 10
	maxSimulationRate   = 1000
	usualSimulationTime = 10 * time.Minute
	maxSimulationTime   = 24 * time.Hour
)

// DecodeSimulation reads {"rate":10,"for":"10m"}, of which each may be left out.
func DecodeSimulation(b []byte) (SimulationRequest, error) {
	o := ReadObject(b)
	req := SimulationRequest{Rate: usualSimulationRate, For: usualSimulationTime}
	o.Int("rate", &req.Rate)
	lasts := Duration(req.For)
	o.Duration("for", &lasts)
	req.For = time.Duration(lasts)
	if req.Rate < 1 || req.Rate > maxSimulationRate {
		o.Refuse("rate", "want events a second, from 1 to %d", maxSimulationRate)
	}
	if req.For < time.Second || req.For > maxSimulationTime {
		o.Refuse("for", "want from 1s to 24h")
	}
	return req, o.Close()
}
