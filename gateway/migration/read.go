package migration

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxBytes bounds a file.
const MaxBytes = 64 << 20

// File is a file that was exported.
type File struct {
	Name string
	Text []byte
}

// Read reads files, each of which holds JSON: routes and endpoints in any mix, one
// by one, in lists, or in pages as the APIs answer them, {"value": […]}. Text in
// UTF-16, which PowerShell writes, is read as well. Faults are [*Error]s, all of
// them joined.
func Read(files []File) (*Export, error) {
	export := &Export{}
	var errs []error
	for _, f := range files {
		if len(f.Text) > MaxBytes {
			errs = append(errs, &Error{Place{File: f.Name}, fmt.Sprintf("is larger than %d MiB", MaxBytes>>20)})
			continue
		}
		r := reader{export: export, file: f.Name}
		r.read(f.Text)
		errs = append(errs, r.errs...)
	}
	errs = append(errs, export.unify()...)
	if len(errs) == 0 && len(export.routes)+len(export.endpoints) == 0 {
		names := make([]string, len(files))
		for i, f := range files {
			names[i] = f.Name
		}
		errs = append(errs, &Error{Place{File: strings.Join(names, ", ")}, "holds neither a route nor an endpoint; write it with: az dt route list --dt-name NAME, az dt endpoint list --dt-name NAME"})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return export, nil
}

// reader reads one file.
type reader struct {
	export *Export
	file   string
	text   []byte
	lines  []int // where they begin
	depth  int   // of lists and pages around what is read
	errs   []error
}

func (r *reader) read(text []byte) {
	var err error
	if r.text, err = inUTF8(text); err != nil {
		r.errs = append(r.errs, &Error{Place{File: r.file}, err.Error()})
		return
	}
	r.values(r.text, 0, true)
}

// values reads the JSON values that stand one after the other in text, which
// begins at an offset of the file. Those of a list are read likewise.
func (r *reader) values(text []byte, offset int, top bool) {
	dec := json.NewDecoder(bytes.NewReader(text))
	if !top {
		if _, err := dec.Token(); err != nil {
			return // it was read before as a whole
		}
	}
	for top || dec.More() {
		var v json.RawMessage
		err := dec.Decode(&v)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			r.syntax(err, offset+int(dec.InputOffset()))
			return
		}
		r.value(v, offset+int(dec.InputOffset())-len(v))
	}
}

// syntax reports JSON that is none.
func (r *reader) syntax(err error, offset int) {
	var fault *json.SyntaxError
	if errors.As(err, &fault) {
		offset = int(fault.Offset) - 1
	}
	reason := strings.TrimPrefix(err.Error(), "json: ")
	if errors.Is(err, io.ErrUnexpectedEOF) {
		offset, reason = len(r.text), "the JSON ends too early; the file was cut short"
	}
	r.fail(offset, "is not JSON: %s", reason)
}

// maxDepth is how deep a resource may stand in lists and pages.
const maxDepth = 4

func (r *reader) value(v json.RawMessage, offset int) {
	if r.depth++; r.depth > maxDepth {
		r.fail(offset, "want a route or an endpoint, have lists in lists")
		v = json.RawMessage("[]")
	}
	defer func() { r.depth-- }()
	switch v[0] {
	case '[':
		r.values(v, offset, false)
	case '{':
		r.object(v, offset)
	default:
		r.fail(offset, "want a route or an endpoint, have %.40s", v)
	}
}

// object reads an object: a page, an answer that says an error, or a resource.
func (r *reader) object(v json.RawMessage, offset int) {
	o, ok := r.members(v, offset)
	if !ok {
		return
	}
	switch {
	case o.has("error"):
		e := r.nested(o, "error")
		r.fail(offset, "is an error of Azure, %s: %.200s; export it again", e.text("code"), e.text("message"))
	case o.has("value"):
		m := o.member["value"]
		if m.raw[0] != '[' {
			r.fail(m.offset, "value: want a list")
			return
		}
		if o.text("nextLink") != "" {
			r.export.pages = append(r.export.pages, r.place(o.member["nextlink"].offset))
		}
		r.values(m.raw, m.offset, false)
	case o.has("properties"):
		r.endpoint(o, r.nested(o, "properties"), offset)
	case o.has("endpointName"):
		r.route(o, offset)
	case o.has("endpointType"): // an endpoint whose properties stand by themselves
		r.endpoint(o, o, offset)
	default:
		r.fail(offset, "is neither a route, which has endpointName, nor an endpoint, which has properties")
	}
}

func (r *reader) route(o *object, offset int) {
	route := route{at: r.place(offset), id: o.text("id"), endpointName: o.text("endpointName"), filter: o.text("filter")}
	if route.id == "" {
		r.fail(offset, "the route has no id")
	}
	if route.endpointName == "" {
		r.fail(offset, "the route %q has no endpointName", route.id)
	}
	r.export.routes = append(r.export.routes, route)
}

func (r *reader) endpoint(o, p *object, offset int) {
	e := endpoint{
		at: r.place(offset), name: o.text("name"), resourceID: o.text("id"),
		kind: p.text("endpointType"), state: p.text("provisioningState"),
		endpointURI: p.text("endpointUri"), entityPath: p.text("entityPath"), topicEndpoint: p.text("TopicEndpoint"),
		deadLetterSAS: p.text("deadLetterSecret"), deadLetterURI: p.text("deadLetterUri"),
	}
	e.connection = p.text("connectionStringPrimaryKey") + p.text("primaryConnectionString")
	e.accessKey = p.text("accessKey1")
	e.deadLetterSecret = e.deadLetterSAS != ""
	if p.has("identity") {
		e.userAssigned = r.nested(p, "identity").text("userAssignedIdentity")
	}
	if e.name == "" { // the last part of the id is the name
		e.name = e.resourceID[strings.LastIndexByte(e.resourceID, '/')+1:]
	}
	if e.name == "" {
		r.fail(offset, "the endpoint has no name")
		return
	}
	kinds := []string{eventHub, serviceBus, eventGrid}
	i := slices.IndexFunc(kinds, func(k string) bool { return strings.EqualFold(k, e.kind) })
	if i < 0 {
		r.fail(offset, "the endpoint %q has the endpointType %q, which is none of %s", e.name, e.kind, strings.Join(kinds, ", "))
		return
	}
	e.kind = kinds[i]
	switch authentication := p.text("authenticationType"); {
	case strings.EqualFold(authentication, "IdentityBased"):
		e.identityBased = true
	case authentication != "" && !strings.EqualFold(authentication, "KeyBased"):
		r.fail(offset, "the endpoint %q has the authenticationType %q, which is neither KeyBased nor IdentityBased", e.name, authentication)
	}
	switch {
	case e.kind == eventGrid && e.topicEndpoint == "":
		r.fail(offset, "the endpoint %q has no TopicEndpoint", e.name)
	case e.kind != eventGrid && e.identityBased && (e.endpointURI == "" || e.entityPath == ""):
		r.fail(offset, "the endpoint %q is IdentityBased and has no endpointUri or no entityPath", e.name)
	}
	r.export.endpoints = append(r.export.endpoints, e)
}

// object is a JSON object, whose members are found without regard to case: the
// command line of Azure writes topicEndpoint where the service says TopicEndpoint.
type object struct {
	reader *reader
	member map[string]member // by name in lower case
}

type member struct {
	raw    json.RawMessage
	offset int
}

// members splits an object; of members of one name the last counts.
func (r *reader) members(v json.RawMessage, offset int) (*object, bool) {
	o := &object{reader: r, member: map[string]member{}}
	if v[0] != '{' {
		r.fail(offset, "want an object, have %.40s", v)
		return o, false
	}
	dec := json.NewDecoder(bytes.NewReader(v))
	if _, err := dec.Token(); err != nil {
		return o, false
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			break
		}
		var m member
		if err := dec.Decode(&m.raw); err != nil {
			break
		}
		m.offset = offset + int(dec.InputOffset()) - len(m.raw)
		o.member[strings.ToLower(name.(string))] = m
	}
	return o, true
}

// has reports whether there is a member called name that is not null.
func (o *object) has(name string) bool {
	m, ok := o.member[strings.ToLower(name)]
	return ok && string(m.raw) != "null"
}

// text is the string called name, and "" when there is none. A value that is no
// string is a fault.
func (o *object) text(name string) (text string) {
	m, ok := o.member[strings.ToLower(name)]
	if !ok {
		return ""
	}
	if err := json.Unmarshal(m.raw, &text); err != nil {
		o.reader.fail(m.offset, "%s: want a string", name)
	}
	return text
}

// nested is the object called name.
func (r *reader) nested(o *object, name string) *object {
	m := o.member[strings.ToLower(name)]
	n, _ := r.members(m.raw, m.offset)
	return n
}

func (r *reader) fail(offset int, format string, args ...any) {
	r.errs = append(r.errs, &Error{r.place(offset), fmt.Sprintf(format, args...)})
}

// place is where an offset of the file is.
func (r *reader) place(offset int) Place {
	offset = min(max(offset, 0), len(r.text))
	if r.lines == nil {
		r.lines = []int{0}
		for i, c := range r.text {
			if c == '\n' {
				r.lines = append(r.lines, i+1)
			}
		}
	}
	line := sort.SearchInts(r.lines, offset+1)
	return Place{r.file, line, 1 + utf8.RuneCount(r.text[r.lines[line-1]:offset])}
}

// inUTF8 returns text without its byte order mark, and in UTF-8.
func inUTF8(text []byte) ([]byte, error) {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(text, []byte("\xef\xbb\xbf")):
		text = text[3:]
	case bytes.HasPrefix(text, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(text, []byte("\xfe\xff")):
		order = binary.BigEndian
	}
	if order == nil {
		if !utf8.Valid(text) {
			return nil, errors.New("is neither UTF-8 nor UTF-16 with a byte order mark")
		}
		return text, nil
	}
	if len(text)%2 != 0 {
		return nil, errors.New("is UTF-16 that ends within a character; the file was cut short")
	}
	units := make([]uint16, len(text)/2-1)
	for i := range units {
		units[i] = order.Uint16(text[2+2*i:])
	}
	return []byte(string(utf16.Decode(units))), nil
}

// unify drops what two files say alike, and reports what they say differently.
func (e *Export) unify() (errs []error) {
	routes := map[string]route{}
	e.routes = slices.DeleteFunc(e.routes, func(r route) bool {
		first, ok := routes[r.id]
		if !ok {
			routes[r.id] = r
			return false
		}
		if first.endpointName != r.endpointName || first.filter != r.filter {
			errs = append(errs, &Error{r.at, fmt.Sprintf("the route %q is another one at %s; import one instance of Azure Digital Twins at a time", r.id, first.at)})
		}
		return true
	})
	endpoints := map[string]endpoint{}
	e.endpoints = slices.DeleteFunc(e.endpoints, func(p endpoint) bool {
		key := strings.ToLower(p.name)
		first, ok := endpoints[key]
		if !ok {
			endpoints[key] = p
			return false
		}
		at := p.at
		if p.at = first.at; p != first {
			errs = append(errs, &Error{at, fmt.Sprintf("the endpoint %q is another one at %s; import one instance of Azure Digital Twins at a time", p.name, first.at)})
		}
		return true
	})
	return errs
}
