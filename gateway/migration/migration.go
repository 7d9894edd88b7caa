// Package migration turns what the command line of Azure shows of the event
// routes and endpoints of Azure Digital Twins into Headgate's documents.
//
// [Read] takes the files, [Export.Import] makes the documents and a [Report] of
// what is left to do by hand. No secret is written, also where a file holds one:
// documents refer to it by the name of a variable of the environment.
package migration

import (
	"encoding/json"
	"fmt"
)

// Place is where in a file something stands. Line and Column count from 1; both
// are 0 for the file as a whole.
type Place struct {
	File         string
	Line, Column int
}

// String is "file:line:column".
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Error is a fault of a file.
type Error struct {
	Place  Place
	Reason string
}

// Error is the place and the reason.
func (e *Error) Error() string { return e.Place.String() + ": " + e.Reason }

// Export is what Azure Digital Twins has shown.
type Export struct {
	routes    []route
	endpoints []endpoint
	pages     []Place // lists that say that they go on elsewhere
}

// route is an event route.
type route struct {
	at                       Place
	id, endpointName, filter string
}

// endpoint is a resource of Azure Resource Manager.
type endpoint struct {
	at                      Place
	name, resourceID        string
	kind                    string // its endpointType
	state                   string
	identityBased           bool
	userAssigned            string // the id of the identity
	connection, accessKey   string // as far as they were shown
	endpointURI, entityPath string
	topicEndpoint           string
	deadLetterSecret        bool
	deadLetterSAS           string // the secret, as far as it was shown
	deadLetterURI           string
}

// Document is a resource of Headgate, as a file keeps it.
type Document struct {
	Kind string // Endpoint or Route
	Name string
	Spec []Member
}

// Member is a member of an object. Its value is a string or a []Member.
type Member struct {
	Name  string
	Value any
}

// MarshalJSON is the document in JSON, its members in their order.
func (d Document) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Kind string          `json:"kind"`
		Name string          `json:"name"`
		Spec json.RawMessage `json:"spec"`
	}{d.Kind, d.Name, appendJSON(nil, d.Spec)})
}

func appendJSON(b []byte, value any) []byte {
	members, ok := value.([]Member)
	if !ok {
		return append(b, quote(value.(string))...)
	}
	b = append(b, '{')
	for i, m := range members {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, quote(m.Name)...), ':'), appendJSON(nil, m.Value)...)
	}
	return append(b, '}')
}
