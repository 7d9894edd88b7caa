package manifest

import (
	_ "embed"
	"slices"
)

// schema describes documents to editors. Tests hold it together with what is
// read here and by the server.
//
//go:embed schema.json
var schema []byte

// Schema returns a JSON Schema of documents, draft 2020-12.
func Schema() []byte { return slices.Clone(schema) }
