package admin

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/headgate/headgate/gateway/catalog"
)

// queries returns the query parameters that openapi.json has, by operation:
// "METHOD path", with the path as [Server.operations] writes it.
func queries() map[string][]string {
	var doc struct {
		Paths      map[string]map[string]struct{ Parameters []map[string]any }
		Components struct {
			Parameters map[string]map[string]any
		}
	}
	if err := json.Unmarshal(openAPI, &doc); err != nil {
		panic(err) // it is part of the binary
	}
	names := map[string][]string{}
	for path, operations := range doc.Paths {
		if before, _, ok := strings.Cut(path, "}:"); ok {
			path = before + "}" // Echo has no path with something behind a parameter
		}
		path = strings.NewReplacer(":", `\:`, "{", ":", "}", "").Replace(path)
		for method, op := range operations {
			key := strings.ToUpper(method) + " " + path
			for _, p := range op.Parameters {
				if ref, ok := p["$ref"].(string); ok {
					p = doc.Components.Parameters[strings.TrimPrefix(ref, "#/components/parameters/")]
				}
				if name, _ := p["name"].(string); p["in"] == "query" {
					names[key] = append(names[key], name)
				}
			}
		}
	}
	return names
}

// knowing refuses a request with query parameters other than names: one that is
// misspelled would be as good as left out, and its answer about something else.
func knowing(names []string, next echo.HandlerFunc) echo.HandlerFunc {
	known := "it has none"
	if len(names) > 0 {
		known = "known are " + strings.Join(names, ", ")
	}
	return func(c echo.Context) error {
		var faults catalog.FieldErrors
		for _, name := range slices.Sorted(maps.Keys(c.QueryParams())) {
			if !slices.Contains(names, name) {
				faults = append(faults, &catalog.FieldError{Field: name, Reason: "is no query parameter of this path; " + known})
			}
		}
		if err := faults.Err(); err != nil {
			return err
		}
		return next(c)
	}
}
