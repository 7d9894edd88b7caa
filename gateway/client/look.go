package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/headgate/headgate/gateway/catalog"
)

// PluginLogs returns up to limit of the latest lines of the plugin called name,
// the latest first: of one version unless that is 0, and of a level or above
// unless that is empty.
func (c *Client) PluginLogs(ctx context.Context, name string, version int, level string, limit int) (catalog.PluginLogs, error) {
	r := at(http.MethodGet, "plugins", name, "logs")
	r.query = url.Values{"limit": {strconv.Itoa(limit)}}
	if version != 0 {
		r.query.Set("version", strconv.Itoa(version))
	}
	if level != "" {
		r.query.Set("level", level)
	}
	var out catalog.PluginLogs
	_, err := c.call(ctx, r, &out)
	return out, err
}

// TrapGroups lists the traps that are kept of the plugin called name, or of all,
// by their cause, the latest first.
func (c *Client) TrapGroups(ctx context.Context, name string) ([]catalog.TrapGroup, error) {
	r := at(http.MethodGet, "traps", "groups")
	if name != "" {
		r.query = url.Values{"plugin": {name}}
	}
	var p page[catalog.TrapGroup]
	_, err := c.call(ctx, r, &p)
	return p.Items, err
}

// Settings returns the configuration of the server's process, secrets masked.
func (c *Client) Settings(ctx context.Context) (catalog.Settings, error) {
	return get[catalog.Settings](ctx, c, "config")
}

// Emulated returns the entities of the emulator that runs with the server, if one
// does, each with at most limit of its messages; those of one service, unless that
// is empty.
func (c *Client) Emulated(ctx context.Context, service string, limit int) (catalog.Emulated, error) {
	r := at(http.MethodGet, "emulator")
	r.query = url.Values{"limit": {strconv.Itoa(limit)}}
	if service != "" {
		r.query.Set("service", service)
	}
	var out catalog.Emulated
	_, err := c.call(ctx, r, &out)
	return out, err
}

// Simulation tells of the simulated twins that send events to the server, or
// did last.
func (c *Client) Simulation(ctx context.Context) (catalog.Simulation, error) {
	return get[catalog.Simulation](ctx, c, "simulation")
}

// Simulate starts simulated twins, in place of those that run.
func (c *Client) Simulate(ctx context.Context, req catalog.SimulationRequest) (catalog.Simulation, error) {
	s, _, err := put[catalog.Simulation](ctx, c, at(http.MethodPut, "simulation"), req)
	return s, err
}

// StopSimulation ends the simulated twins, and tells what they were.
func (c *Client) StopSimulation(ctx context.Context) (catalog.Simulation, error) {
	var out catalog.Simulation
	_, err := c.call(ctx, at(http.MethodDelete, "simulation"), &out)
	return out, err
}
