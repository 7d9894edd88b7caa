// Command eventgrid is a transform plugin: it maps events to the Event Grid
// schema, as Azure Digital Twins does for topics of that schema, and back.
package main

import (
	"strings"

	"github.com/headgate/headgate/sdk"
	"github.com/headgate/headgate/sdk/json"
)

func init() {
	sdk.Register(sdk.Plugin{Name: "eventgrid", Description: description, Config: schema, Transform: open})
}

func main() {}

// mapper is the transform with its configuration. What it writes of one event
// is kept as memory for the next.
type mapper struct {
	options
	versions, end []byte // parts of every Event Grid event
	version       string // the data's, of the event at hand
	text          []byte
}

func open(config json.Value) (sdk.TransformFunc, error) {
	o, err := parseOptions(config)
	if err != nil {
		return nil, err
	}
	m := &mapper{options: o, versions: appendVersions(nil, o.dataVersion), end: appendEnd(nil, o.topic)}
	if o.back {
		return m.toCloudEvents, nil
	}
	return m.toEventGrid, nil
}

// applicationJSON is the content type of JSON that Azure Digital Twins writes.
const applicationJSON = "application/json"

// Members of the envelope that wraps data, beside the extension attributes.
const (
	memberData        = "data"
	memberContentType = "contenttype"
	memberDataSchema  = "dataschema"
)

// dataVersion is the extension attribute in which CloudEvents carry the
// dataVersion of the Event Grid schema.
const dataVersion = "dataversion"

// isJSON reports whether data of a content type is JSON, which it is without one.
func isJSON(contentType string) bool {
	if contentType == "" || contentType == applicationJSON {
		return true
	}
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return media == applicationJSON || media == "text/json" || strings.HasSuffix(media, "+json")
}
