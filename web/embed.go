// Package web is the console as it was built from src, so that running Lethe needs no Node.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var built embed.FS

// Console is what `npm run build` made: index.html, and assets whose names change with their content.
func Console() fs.FS { return folder("dist") }

// Docs is the page that shows the API's description and tries its calls out, a part of what was built.
func Docs() fs.FS { return folder("dist/docs") }

func folder(name string) fs.FS {
	dist, err := fs.Sub(built, name)
	if err != nil {
		panic(err) // the folder is embedded
	}
	return dist
}
