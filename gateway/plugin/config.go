package plugin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// config is one kind and configuration of a module. Bindings with the same
// share it, and with it a handle in each instance.
type config struct {
	kind Kind
	text string // compact JSON

	breaker breaker

	users int         // guarded by configs.mu
	gone  atomic.Bool // set when the last user has left
}

// configs are those in use, by identity.
type configs struct {
	mu  sync.Mutex // guards all
	all map[string]*config

	// evictions counts the configs that are gone, so that an instance can tell
	// that it has handles to close.
	evictions atomic.Int64
}

func (c *configs) retain(kind Kind, text []byte) (*config, error) {
	var compact bytes.Buffer
	if len(bytes.TrimSpace(text)) == 0 {
		text = []byte("{}")
	}
	if err := json.Compact(&compact, text); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if compact.Bytes()[0] != '{' {
		return nil, errors.New("want a JSON object")
	}
	key := kind.String() + compact.String()
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.all[key]
	if found == nil {
		found = &config{kind: kind, text: compact.String()}
		if c.all == nil {
			c.all = map[string]*config{}
		}
		c.all[key] = found
	}
	found.users++
	return found, nil
}

func (c *configs) release(cfg *config) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cfg.users--; cfg.users == 0 {
		delete(c.all, cfg.kind.String()+cfg.text)
		cfg.gone.Store(true)
		c.evictions.Add(1)
	}
}
