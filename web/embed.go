// Package web hands out the web UI that the binary carries.
//
// It is built before the binary is: the task "web" leaves it in dist/app. A
// binary that was built without it carries none.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files returns the files of the UI: index.html, from which the paths of its
// screens are served too, and assets, whose names change with their content.
// It holds no index.html when the UI was not built.
func Files() fs.FS {
	app, err := fs.Sub(dist, "dist/app")
	if err != nil {
		panic(err) // the path is a constant, and valid
	}
	return app
}
