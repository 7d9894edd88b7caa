package migration

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/headgate/headgate/gateway/catalog"
	"github.com/headgate/headgate/gateway/filter"
)

// importer makes documents, and notes what they do not say.
type importer struct {
	export    *Export
	documents []Document
	report    Report
	names     map[string]bool   // of endpoints, that are taken
	ids       map[string]bool   // of routes
	variables map[string]bool   // of the environment
	renamed   map[string]string // endpoints of the export, in lower case, to documents
	broken    map[string]bool   // endpoints of the export, in lower case, that Azure does not send to
}

// Import makes documents of the export: its endpoints, then its routes, each in
// the order of the files. The report says what is left to do.
func (e *Export) Import() ([]Document, *Report) {
	m := importer{
		export: e, names: map[string]bool{}, ids: map[string]bool{}, variables: map[string]bool{},
		renamed: map[string]string{}, broken: map[string]bool{},
	}
	for _, at := range e.pages {
		m.report.note(at, "the list goes on elsewhere (nextLink): export the whole of it, or add the files of its other pages")
	}
	for i := range e.endpoints {
		m.endpoint(&e.endpoints[i])
	}
	for i := range e.routes {
		m.route(&e.routes[i])
	}
	return m.documents, &m.report
}

func (m *importer) route(r *route) {
	text := r.filter
	if strings.TrimSpace(text) == "" {
		text = "true"
		m.report.note(r.at, "route %s has no filter; it is taken to be true, which every event meets", r.id)
	}
	f, err := filter.Parse(text)
	if err != nil {
		m.report.leave(r.at, "route %s: its filter is not valid here: %v", r.id, err)
		return
	}
	endpoint, known := m.renamed[strings.ToLower(r.endpointName)]
	switch {
	case known:
		if m.broken[strings.ToLower(r.endpointName)] {
			m.report.note(r.at, "route %s: Azure sends nothing to endpoint %s, see there", r.id, r.endpointName)
		}
	case len(m.export.endpoints) > 0:
		m.report.leave(r.at, "route %s names the endpoint %s, which is in none of the files: export all endpoints, or leave it behind", r.id, r.endpointName)
		return
	default:
		endpoint = r.endpointName
		if err := catalog.CheckName("endpointName", endpoint); err != nil {
			m.report.leave(r.at, "route %s: %v", r.id, err)
			return
		}
		m.report.missing(endpoint)
	}
	id := m.name(r.at, "route", r.id, m.ids, routeID)
	m.noteFilter(r, f)
	m.documents = append(m.documents, Document{"Route", id, []Member{{"endpointName", endpoint}, {"filter", escapeReferences(text)}}})
	m.report.Routes++
}

// noteFilter says of a filter what its author may not expect.
func (m *importer) noteFilter(r *route, f *filter.Filter) {
	said := false
	for _, field := range f.Fields() {
		name := field.String()
		switch {
		case strings.Contains(name, "["), strings.HasPrefix(name, "$body.patch."), name == "$body.patch":
			said = true
			m.report.note(r.at, "route %s: %s is, or is in, an array, which no filter can look into; CHANGED and PATCH ask what an update changed, such as CHANGED('/Temperature')", r.id, name)
		case field.From == filter.Nothing:
			said = true
			m.report.note(r.at, "route %s: %s is accepted, as by Azure, and no event has it, so that a condition on it is never met%s", r.id, name, advice(name))
		}
	}
	if f.Requirement().Kind == filter.Never && !said {
		m.report.note(r.at, "route %s: its filter lets no event pass, here as at Azure", r.id)
	}
}

// advice is what the author of a name that means nothing may have meant.
func advice(name string) string {
	switch {
	case strings.EqualFold(name, "$eventType"):
		return "; the event's type is the field type"
	case strings.HasPrefix(name, "Microsoft.DigitalTwins."):
		return "; a type stands in quotes: '" + name + "'"
	}
	return ""
}

// name returns the name of a resource that is called name at Azure: the same where
// that is allowed and free.
func (m *importer) name(at Place, kind, name string, taken map[string]bool, allowed func(string) string) string {
	base := allowed(name)
	out := base
	for n := 2; taken[out]; n++ {
		out = allowed(fmt.Sprintf("%s-%d", cut(base, 100), n))
	}
	taken[out] = true
	if out != name {
		m.report.note(at, "%s %q is called %q here, whose names have other rules", kind, name, out)
	}
	return out
}

// routeID is the id for a route that is most like id.
func routeID(id string) string {
	id = strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r == utf8.RuneError || !unicode.IsPrint(r) {
			return '-'
		}
		return r
	}, id)
	id = strings.Trim(cut(strings.Trim(id, " "), catalog.MaxRouteIDBytes), " ")
	if catalog.CheckRouteID("id", id) != nil {
		return "route"
	}
	return id
}

// endpointName is the name for an endpoint that is most like name.
func endpointName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' || r == '_' || r == '-') {
			return r
		}
		return '-'
	}, name)
	name = cut(strings.TrimLeft(name, "._-"), catalog.MaxNameBytes)
	if name == "" {
		return "endpoint"
	}
	return name
}

// cut returns the first n bytes of s, or a little less.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// variable returns a name for a variable of the environment.
func (m *importer) variable(endpoint, suffix string) string {
	upper := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		}
		return '_'
	}, endpoint)
	if upper[0] >= '0' && upper[0] <= '9' {
		upper = "_" + upper
	}
	name := upper + "_" + suffix
	for n := 2; m.variables[name]; n++ {
		name = fmt.Sprintf("%s_%d_%s", upper, n, suffix)
	}
	m.variables[name] = true
	return name
}

// escapeReferences writes what documents would read as a reference.
func escapeReferences(s string) string { return strings.ReplaceAll(s, "${", "$${") }

// appendNew appends s unless list has it.
func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
