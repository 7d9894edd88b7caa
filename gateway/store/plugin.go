package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/headgate/headgate/gateway/catalog"
)

// AddVersion stores module as the next version of the plugin called name,
// which it makes when there is none, and reports whether it did: bytes that
// the plugin has already are the version that they were. The first version of
// a name becomes active. Of v, Kinds and ConfigSchema count; the store sets
// the rest.
//
// Errors: a [*catalog.FieldError] for a name that cannot be one.
func (tx *Tx) AddVersion(name string, v catalog.Version, module []byte) (catalog.Version, bool, error) {
	if err := catalog.CheckName("name", name); err != nil {
		return catalog.Version{}, false, err
	}
	p, err := tx.plugin(name)
	if err != nil {
		return catalog.Version{}, false, err
	}
	if v.ConfigSchema, err = compacted(v.ConfigSchema); err != nil {
		return catalog.Version{}, false, catalog.In("configSchema", err)
	}
	digest := catalog.Digest(module)
	for _, have := range p.Versions {
		if have.Digest == digest {
			return have, false, nil
		}
	}
	v.Name, v.Version, v.Digest, v.Size, v.CreatedAt = name, p.Next, digest, int64(len(module)), tx.now
	p.Next++
	p.Versions = append(slices.Clone(p.Versions), v)
	if p.Active == 0 {
		p.Active = v.Version
	}
	if err := tx.btx.Bucket(moduleBucket).Put([]byte(digest), module); err != nil {
		return catalog.Version{}, false, err
	}
	return v, true, tx.putPlugin(p, "upload", v.Version)
}

// PutPluginSettings replaces the settings of the plugin called name.
//
// Errors: a [*catalog.NotFoundError]; a [*catalog.ConflictError] when pre does
// not hold.
func (tx *Tx) PutPluginSettings(name string, s catalog.PluginSettings, pre catalog.Precondition) (catalog.Plugin, error) {
	p, err := tx.existing(name, pre)
	if err != nil {
		return catalog.Plugin{}, err
	}
	if p.PluginSettings.Same(s) {
		return p.Plugin, nil
	}
	p.PluginSettings = s
	if err := tx.putPlugin(p, "configure", p.Active); err != nil {
		return catalog.Plugin{}, err
	}
	stored, _ := tx.snap.Plugin(name)
	return stored, nil
}

// Activate makes version n the one that references by name mean. The
// revisions of the routes that follow the name stay.
//
// Errors: a [*catalog.NotFoundError] for a plugin or version that does not
// exist; a [*catalog.ConflictError] when pre does not hold; a
// [*catalog.FieldError] when the version cannot do what a route needs.
func (tx *Tx) Activate(name string, n int, pre catalog.Precondition) (catalog.Plugin, error) {
	p, err := tx.existing(name, pre)
	if err != nil {
		return catalog.Plugin{}, err
	}
	if _, ok := p.Version(n); !ok {
		return catalog.Plugin{}, &catalog.NotFoundError{Kind: fmt.Sprintf("version %d of plugin", n), Name: name}
	}
	if p.Active == n {
		return p.Plugin, nil
	}
	p.Active = n
	candidate := tx.snap
	candidate.Plugins = set(slices.Clone(candidate.Plugins), p.Plugin)
	for _, id := range candidate.FollowersOf(name) {
		r, _ := candidate.Route(id)
		if err := candidate.CheckRoute(r); err != nil {
			return catalog.Plugin{}, &catalog.FieldError{
				Field: "version", Reason: fmt.Sprintf("route %q cannot use version %d: %v", id, n, err),
			}
		}
	}
	return tx.setActive(p)
}

// ActivateFirst is [Tx.Activate] before the routes that follow the plugin are
// put right in the same transaction: whether they can use the version is the
// caller's to check when it has done that.
func (tx *Tx) ActivateFirst(name string, n int) (catalog.Plugin, error) {
	p, err := tx.existing(name, catalog.Precondition{})
	if err != nil {
		return catalog.Plugin{}, err
	}
	if _, ok := p.Version(n); !ok {
		return catalog.Plugin{}, &catalog.NotFoundError{Kind: fmt.Sprintf("version %d of plugin", n), Name: name}
	}
	if p.Active == n {
		return p.Plugin, nil
	}
	p.Active = n
	return tx.setActive(p)
}

// setActive stores p, whose active version is another than before.
func (tx *Tx) setActive(p storedPlugin) (catalog.Plugin, error) {
	if err := tx.putPlugin(p, "activate", p.Active); err != nil {
		return catalog.Plugin{}, err
	}
	active, _ := tx.snap.Plugin(p.Name)
	return active, nil
}

// DeleteVersion removes version n of the plugin called name. The active one
// stays while there is another; with the last one the plugin goes.
//
// Errors: a [*catalog.NotFoundError]; a [*catalog.ConflictError] when pre does
// not hold; a [*catalog.InUseError] that names the routes that use it.
func (tx *Tx) DeleteVersion(name string, n int, pre catalog.Precondition) error {
	p, err := tx.existing(name, pre)
	if err != nil {
		return err
	}
	v, ok := p.Version(n)
	if !ok {
		return &catalog.NotFoundError{Kind: fmt.Sprintf("version %d of plugin", n), Name: name}
	}
	if len(p.Versions) == 1 {
		return tx.DeletePlugin(name, catalog.Precondition{})
	}
	subject := fmt.Sprintf("%s@%d", name, n)
	if users := tx.snap.UsersOfVersion(v); users != nil {
		return inUse("plugin version", subject, users)
	}
	if p.Active == n {
		return &catalog.InUseError{Kind: "plugin version", Name: subject, Users: []string{"the name " + quoted(name) + ", whose active version it is"}}
	}
	p.Versions = slices.DeleteFunc(slices.Clone(p.Versions), func(o catalog.Version) bool { return o.Version == n })
	if err := tx.putPlugin(p, "delete", n); err != nil {
		return err
	}
	return tx.dropModules([]catalog.Version{v})
}

// DeletePlugin removes the plugin called name with all its versions.
//
// Errors: a [*catalog.NotFoundError]; a [*catalog.ConflictError] when pre does
// not hold; a [*catalog.InUseError] that names the routes that use it.
func (tx *Tx) DeletePlugin(name string, pre catalog.Precondition) error {
	p, err := tx.existing(name, pre)
	if err != nil {
		return err
	}
	if users := tx.snap.UsersOfPlugin(name); users != nil {
		return inUse("plugin", name, users)
	}
	if err := tx.btx.Bucket(pluginBucket).Delete([]byte(name)); err != nil {
		return err
	}
	tx.touch()
	tx.snap.Plugins = unset(own(&tx.ownPlugins, tx.snap.Plugins), name)
	if err := tx.audit("delete", "plugin", name, ""); err != nil {
		return err
	}
	return tx.dropModules(p.Versions)
}

// Module returns the bytes of the module with the digest.
//
// Errors: a [*catalog.NotFoundError]; [ErrDamaged] when the bytes are not
// those that were stored.
func (tx *Tx) Module(digest string) ([]byte, error) {
	b := slices.Clone(tx.btx.Bucket(moduleBucket).Get([]byte(digest)))
	if b == nil {
		return nil, &catalog.NotFoundError{Kind: "module", Name: digest}
	}
	if catalog.Digest(b) != digest {
		return nil, fmt.Errorf("module %s: %w", digest, ErrDamaged)
	}
	return b, nil
}

// plugin returns the plugin called name as stored, or a new one.
func (tx *Tx) plugin(name string) (storedPlugin, error) {
	p := storedPlugin{Plugin: catalog.Plugin{Name: name}, Next: 1}
	if b := tx.btx.Bucket(pluginBucket).Get([]byte(name)); b != nil {
		if err := json.Unmarshal(b, &p); err != nil {
			return storedPlugin{}, fmt.Errorf("plugin %q: %w", name, ErrDamaged)
		}
	}
	return p, nil
}

func (tx *Tx) existing(name string, pre catalog.Precondition) (storedPlugin, error) {
	p, err := tx.plugin(name)
	if err != nil {
		return storedPlugin{}, err
	}
	if p.Revision == 0 {
		return storedPlugin{}, &catalog.NotFoundError{Kind: "plugin", Name: name}
	}
	return p, pre.Check("plugin", name, p.Revision)
}

func (tx *Tx) putPlugin(p storedPlugin, action string, version int) error {
	p.Meta = tx.meta(p.Meta)
	if err := put(tx.btx.Bucket(pluginBucket), []byte(p.Name), p); err != nil {
		return err
	}
	tx.snap.Plugins = set(own(&tx.ownPlugins, tx.snap.Plugins), p.Plugin)
	return tx.audit(action, "plugin", p.Name, fmt.Sprintf("version %d", version))
}

// dropModules removes the modules of versions that are gone, but those that
// another version has too.
func (tx *Tx) dropModules(gone []catalog.Version) error {
	kept := map[string]bool{}
	for _, p := range tx.snap.Plugins {
		for _, v := range p.Versions {
			kept[v.Digest] = true
		}
	}
	for _, v := range gone {
		if kept[v.Digest] {
			continue
		}
		if err := tx.btx.Bucket(moduleBucket).Delete([]byte(v.Digest)); err != nil {
			return err
		}
	}
	return nil
}

// compacted returns JSON as the file gives it back.
func compacted(b json.RawMessage) (json.RawMessage, error) {
	if b == nil {
		return nil, nil
	}
	var buf bytes.Buffer
	err := json.Compact(&buf, b)
	return buf.Bytes(), err
}

func quoted(s string) string { return strconv.Quote(s) }
