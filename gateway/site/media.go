package site

import (
	"net/http"
	"path"
	"strconv"
	"strings"
)

// mediaTypes are those of the files of a UI: what the machine's own table says
// of them differs from one machine to the next.
var mediaTypes = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".map":         "application/json",
	".mjs":         "text/javascript; charset=utf-8",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".wasm":        "application/wasm",
	".webmanifest": "application/manifest+json",
	".woff2":       "font/woff2",
}

func mediaType(name string) string {
	if t := mediaTypes[strings.ToLower(path.Ext(name))]; t != "" {
		return t
	}
	return "application/octet-stream"
}

// accepted reports which encodings a client takes.
func accepted(h http.Header) (br, gzip bool) {
	any, named := false, map[string]bool{}
	for part := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		coding, params, _ := strings.Cut(part, ";")
		coding = strings.ToLower(strings.TrimSpace(coding))
		ok := quality(params) > 0
		if coding == "*" {
			any = ok
			continue
		}
		named[coding] = ok
	}
	takes := func(coding string) bool {
		ok, said := named[coding]
		return ok || !said && any
	}
	return takes("br"), takes("gzip")
}

// quality is the weight among a coding's parameters; 1 where there is none.
func quality(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				return 0
			}
			return q
		}
	}
	return 1
}
