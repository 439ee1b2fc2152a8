// Package web is the console as it was built from src, so that running Lethe needs no Node.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var built embed.FS

// Console is what `npm run build` made: index.html, and assets whose names change with their content.
func Console() fs.FS {
	dist, err := fs.Sub(built, "dist")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return dist
}
