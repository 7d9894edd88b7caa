// Package catalog defines the resources of the control plane in their JSON
// form, and what makes one valid: what an operator configures ([Endpoint],
// [Route], [Plugin]) and what an operator looks at ([StoredEvent],
// [DeadLetter], [TestResult], [Status]).
//
// Decoding is strict: an unknown member, a member named twice, or a value of
// the wrong type is a [*FieldError] that names its path. Values that were
// decoded are immutable; copies share their slices.
package catalog

import (
	"cmp"
	"slices"
	"strings"
)

// Snapshot is the whole catalog at one revision. It is immutable: its slices
// are shared by everyone who asked for it.
type Snapshot struct {
	// Revision counts the changes of the catalog.
	Revision  uint64
	Endpoints []Endpoint // sorted by name
	Routes    []Route    // sorted by id
	Plugins   []Plugin   // sorted by name
	Sources   []Source   // sorted by name
}

// Endpoint returns the endpoint called name, and whether there is one.
func (s *Snapshot) Endpoint(name string) (Endpoint, bool) { return find(s.Endpoints, name) }

// Route returns the route with the id, and whether there is one.
func (s *Snapshot) Route(id string) (Route, bool) { return find(s.Routes, id) }

// Plugin returns the plugin called name, and whether there is one.
func (s *Snapshot) Plugin(name string) (Plugin, bool) { return find(s.Plugins, name) }

// Source returns the source called name, and whether there is one.
func (s *Snapshot) Source(name string) (Source, bool) { return find(s.Sources, name) }

// Resolve returns the version that ref means at this revision. Its error is a
// [*FieldError] without a path.
func (s *Snapshot) Resolve(ref Ref) (Version, error) {
	p, ok := s.Plugin(ref.Name)
	if !ok {
		return Version{}, refuse("", "there is no plugin %q; upload it first", ref.Name)
	}
	for _, v := range p.Versions {
		if ref.means(v, p.Active) {
			return v, nil
		}
	}
	if ref.Digest != "" {
		return Version{}, refuse("", "plugin %q has no version with digest %s", ref.Name, ref.Digest)
	}
	return Version{}, refuse("", "plugin %q has no version %d", ref.Name, cmp.Or(ref.Version, p.Active))
}

// UsersOfEndpoint returns the ids of the routes that name the endpoint.
func (s *Snapshot) UsersOfEndpoint(name string) []string {
	var ids []string
	for i := range s.Routes {
		if s.Routes[i].EndpointName == name {
			ids = append(ids, s.Routes[i].ID)
		}
	}
	return ids
}

// UsersOfPlugin returns the ids of the routes that refer to the plugin,
// whatever the version.
func (s *Snapshot) UsersOfPlugin(name string) []string {
	return s.users(func(r Ref) bool { return r.Name == name })
}

// UsersOfVersion returns the ids of the routes whose references mean v now.
func (s *Snapshot) UsersOfVersion(v Version) []string {
	p, _ := s.Plugin(v.Name)
	return s.users(func(r Ref) bool { return r.Name == v.Name && r.means(v, p.Active) })
}

// FollowersOf returns the ids of the routes that use the plugin's active
// version, whichever it is.
func (s *Snapshot) FollowersOf(plugin string) []string {
	return s.users(func(r Ref) bool { return r.Name == plugin && r.Follows() })
}

// CheckRoute returns a [*FieldError] unless r's endpoint and plugins exist in
// s, and the plugins can do what r asks of them.
func (s *Snapshot) CheckRoute(r Route) error {
	if _, ok := s.Endpoint(r.EndpointName); !ok {
		return refuse("endpointName", "there is no endpoint %q; create it first", r.EndpointName)
	}
	return s.CheckPlugins(r)
}

// CheckPlugins is [Snapshot.CheckRoute] without the endpoint, for a route
// that is only tried out.
func (s *Snapshot) CheckPlugins(r Route) error {
	for _, stages := range []struct {
		field, kind string
		refs        []PluginRef
	}{{"filters", "filter", r.Filters}, {"transforms", "transform", r.Transforms}} {
		for i, ref := range stages.refs {
			field := stages.field + index(i) + ".plugin"
			v, err := s.Resolve(ref.Plugin)
			if err != nil {
				return In(field, err)
			}
			if !slices.Contains(v.Kinds, stages.kind) {
				return refuse(field, "version %d of plugin %q is no %s; it can be a %s",
					v.Version, v.Name, stages.kind, strings.Join(v.Kinds, " or a "))
			}
		}
	}
	return nil
}

func (s *Snapshot) users(uses func(Ref) bool) []string {
	var ids []string
	for i := range s.Routes {
		if slices.ContainsFunc(s.Routes[i].Refs(), uses) {
			ids = append(ids, s.Routes[i].ID)
		}
	}
	return ids
}

// keyed is a resource with a unique key, by which its list is sorted.
type keyed interface{ Key() string }

func find[T keyed](list []T, key string) (T, bool) {
	i, ok := slices.BinarySearchFunc(list, key, func(t T, k string) int { return cmp.Compare(t.Key(), k) })
	if !ok {
		var none T
		return none, false
	}
	return list[i], true
}
