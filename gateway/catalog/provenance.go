package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// Provenance says what made an output: which state of a route, with which
// plugins.
type Provenance struct {
	ProducedBy string          `json:"producedBy"` // what [Provenance.ID] returns
	Route      string          `json:"route"`
	Revision   uint64          `json:"revision"` // of the route
	Plugins    []PluginVersion `json:"plugins"`  // in the order of the stages
	Since      time.Time       `json:"since"`    // when it was first in force
}

// PluginVersion names the version of a plugin that a stage ran.
type PluginVersion struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
	Digest  string `json:"digest"`
}

// Provenance returns that of r, a route of s, at s's revision. Its error says
// which plugin is missing.
func (s *Snapshot) Provenance(r Route) (Provenance, error) {
	p := Provenance{Route: r.ID, Revision: r.Revision, Plugins: []PluginVersion{}}
	for _, ref := range r.Refs() {
		v, err := s.Resolve(ref)
		if err != nil {
			return Provenance{}, err
		}
		p.Plugins = append(p.Plugins, PluginVersion{v.Name, v.Version, v.Digest})
	}
	p.ProducedBy = p.ID()
	return p, nil
}

// ProvenanceLike is Provenance, for a route whose provenance was old before: when
// that is what it still is, nothing is computed anew.
func (s *Snapshot) ProvenanceLike(r Route, old Provenance) (Provenance, error) {
	if old.Route != r.ID || old.Revision != r.Revision {
		return s.Provenance(r)
	}
	i := 0
	for _, ref := range r.Refs() {
		v, err := s.Resolve(ref)
		if err != nil {
			return Provenance{}, err
		}
		if i == len(old.Plugins) || old.Plugins[i] != (PluginVersion{v.Name, v.Version, v.Digest}) {
			return s.Provenance(r)
		}
		i++
	}
	if i != len(old.Plugins) {
		return s.Provenance(r)
	}
	return old, nil
}

// ID is the value of the extension attribute producedby: 16 hex digits over
// the route's id and revision and its plugins' digests.
func (p Provenance) ID() string {
	h := sha256.New()
	write := func(s string) {
		h.Write(strconv.AppendInt(nil, int64(len(s)), 10))
		h.Write([]byte{':'})
		h.Write([]byte(s))
	}
	write(p.Route)
	write(strconv.FormatUint(p.Revision, 10))
	for _, v := range p.Plugins {
		write(v.Digest)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
