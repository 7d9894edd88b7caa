package sdk

import (
	"errors"
	"slices"
	"strings"

	"github.com/headgate/headgate/sdk/json"
)

// Config reads a configuration into variables. A member that is absent leaves
// its variable as it is, so that what a variable holds before is the default:
//
//	keys, limit := "flat", 10.0
//	c := sdk.ReadConfig(config)
//	c.Enum(&keys, "keys", "flat", "nested")
//	c.Float(&limit, "limit")
//	c.Require("limit")
//	if err := c.Err(); err != nil {
//		return nil, err // such as: config: "limit" is a number
//	}
//
// The first fault is kept for Err, in words that name the member.
type Config struct {
	value   json.Value
	within  string // names the objects around
	known   []string
	objects []*Config
	err     error
}

// ReadConfig returns a reader of config, an object.
func ReadConfig(config json.Value) *Config { return &Config{value: config, within: "config: "} }

// String reads a string that is not empty.
func (c *Config) String(to *string, name string) {
	if v, ok := c.Value(name); ok {
		if *to, ok = v.String(); !ok || *to == "" {
			c.Fail(name, "is a text that is not empty")
		}
	}
}

// Strings reads an array of strings that are not empty.
func (c *Config) Strings(to *[]string, name string) {
	v, ok := c.Value(name)
	if !ok {
		return
	}
	*to = nil
	for _, element := range v.Elements() {
		s, _ := element.String()
		*to = append(*to, s)
	}
	if v.Kind() != json.Array || slices.Contains(*to, "") {
		c.Fail(name, "is an array of texts that are not empty")
	}
}

// Map reads an object that has strings, not empty ones, by any name.
func (c *Config) Map(to *map[string]string, name string) {
	v, ok := c.Value(name)
	if !ok {
		return
	}
	if v.Kind() != json.Object {
		c.Fail(name, "is an object")
	}
	*to = map[string]string{}
	for k, member := range v.Members() {
		s, _ := member.String()
		if s == "" {
			c.Fail(name, `has texts that are not empty, and "`+k.String()+`" is none`)
		}
		(*to)[k.String()] = s
	}
}

// Enum reads a string that is one of values.
func (c *Config) Enum(to *string, name string, values ...string) {
	v, ok := c.Value(name)
	if !ok {
		return
	}
	for _, value := range values {
		if v.Is(value) {
			*to = value
			return
		}
	}
	c.Fail(name, "is "+list(values, "or"))
}

// Bool reads true or false.
func (c *Config) Bool(to *bool, name string) {
	if v, ok := c.Value(name); ok {
		if *to, ok = v.Bool(); !ok {
			c.Fail(name, "is true or false")
		}
	}
}

// Int reads a number without a fraction.
func (c *Config) Int(to *int64, name string) {
	if v, ok := c.Value(name); ok {
		if *to, ok = v.Int(); !ok {
			c.Fail(name, "is a whole number")
		}
	}
}

// Float reads a number.
func (c *Config) Float(to *float64, name string) {
	if v, ok := c.Value(name); ok {
		if *to, ok = v.Float(); !ok {
			c.Fail(name, "is a number")
		}
	}
}

// Object returns a reader of a member that is an object, and whether it is there;
// one without members where it is not. Its faults are c's.
func (c *Config) Object(name string) (*Config, bool) {
	o := &Config{within: c.within + `"` + name + `": `}
	c.objects = append(c.objects, o)
	v, ok := c.Value(name)
	if ok && v.Kind() != json.Object {
		c.Fail(name, "is an object")
	}
	o.value = v
	return o, ok
}

// Names returns the names of the members that are there, each once.
func (c *Config) Names() []string {
	var names []string
	for k := range c.value.Members() {
		if name := k.String(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Value returns a member of any kind, for the plugin to read, and whether it is
// there.
func (c *Config) Value(name string) (json.Value, bool) {
	c.known = append(c.known, name)
	return c.value.Get(name)
}

// Require demands members that have no default.
func (c *Config) Require(names ...string) {
	for _, name := range names {
		if _, ok := c.value.Get(name); !ok {
			c.Fail(name, "is required")
		}
	}
}

// Fail says what a member is to be, such as "is the path of a property". Of
// several faults the first counts.
func (c *Config) Fail(name, is string) {
	if c.err == nil {
		c.err = errors.New(c.within + `"` + name + `" ` + is)
	}
}

// Err returns the first fault: what a method found, or a member that none was
// called for.
func (c *Config) Err() error {
	if c.err != nil {
		return c.err
	}
	for k := range c.value.Members() {
		if name := k.String(); !slices.Contains(c.known, name) {
			return errors.New(c.within + `there is no "` + name + `"; it has ` + list(c.known, "and"))
		}
	}
	for _, o := range c.objects {
		if err := o.Err(); err != nil {
			return err
		}
	}
	return nil
}

// list writes names as "a", "b" and "c".
func list(names []string, word string) string {
	if len(names) == 0 {
		return "no members"
	}
	all := `"` + strings.Join(names, `", "`) + `"`
	if i := strings.LastIndex(all, `", "`); i >= 0 {
		all = all[:i] + `" ` + word + ` "` + all[i+len(`", "`):]
	}
	return all
}
