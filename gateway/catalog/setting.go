package catalog

// Setting is a setting of the process, as it is in force.
type Setting struct {
	Name string `json:"name"` // its flag, and its key in the file
	Env  string `json:"env"`
	Kind string `json:"kind,omitempty"` // what a value looks like
	// Value is "***" for a secret that is set.
	Value   string `json:"value"`
	Default string `json:"default"`
	Changed bool   `json:"changed"` // it is not the default
	Usage   string `json:"usage"`
	Secret  bool   `json:"secret"`
}

// Settings are those of the process.
type Settings struct {
	Items   []Setting `json:"items"`
	Version string    `json:"version"` // of the server
}
