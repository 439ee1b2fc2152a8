package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"

	"lethe/web"
)

// consolePath is where the console is; each of its screens has an address below it.
const consolePath = "/console/"

// builtPolicy lets what was built load only what this server serves. Its components write their styles into the page.
const builtPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// file is one of those that were built, plain and compressed.
type file struct {
	media                 string
	plain, zipped, brotli []byte // those that are there
	// fixed: the name has a digest of the content.
	fixed bool
	// tag tells a browser whether what it has is still this.
	tag string
}

func (f file) serve(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", builtPolicy)
	h.Add("Vary", "Accept-Encoding")
	if f.fixed {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache") // kept, and asked for again each time
		h.Set("ETag", f.tag)
		if same(c.GetHeader("If-None-Match"), f.tag) {
			c.Status(http.StatusNotModified)
			return
		}
	}
	content := f.plain
	for _, coding := range []struct {
		name    string
		content []byte
	}{{"br", f.brotli}, {"gzip", f.zipped}} {
		if coding.content != nil && accepts(c.GetHeader("Accept-Encoding"), coding.name) {
			h.Set("Content-Encoding", coding.name)
			content = coding.content
			break
		}
	}
	c.Data(http.StatusOK, f.media, content)
}

// What is embedded is compressed once.
var (
	console       = sync.OnceValues(func() (map[string]file, error) { return builtFiles(web.Console()) })
	documentation = sync.OnceValues(func() (map[string]file, error) { return builtFiles(web.Docs()) })
)

// serveConsole serves the console from the binary. What is no file is one of its screens.
func serveConsole(router *gin.Engine) {
	files, err := console()
	if err != nil {
		panic(fmt.Sprintf("reading the embedded console: %v", err))
	}
	serve := func(c *gin.Context) {
		name := strings.TrimPrefix(path.Clean(c.Param("screen")), "/")
		f, ok := files[name]
		switch {
		case !ok && strings.HasPrefix(name, "assets/"): // of another version
			c.Status(http.StatusNotFound)
			return
		case !ok:
			f = files["index.html"]
		}
		f.serve(c)
	}
	router.GET("/console", func(c *gin.Context) { c.Redirect(http.StatusFound, consolePath) })
	router.GET(consolePath+"*screen", serve)
	router.HEAD(consolePath+"*screen", serve)
}

// same says whether If-None-Match has this tag; proxies that compress weaken tags.
func same(tags, tag string) bool {
	for t := range strings.SplitSeq(tags, ",") {
		if strings.TrimPrefix(strings.TrimSpace(t), "W/") == tag {
			return true
		}
	}
	return false
}

// accepts says whether Accept-Encoding names a coding, in capitals or not, and does not refuse it (RFC 9110, 12.4.2).
func accepts(codings, coding string) bool {
	for c := range strings.SplitSeq(strings.ToLower(codings), ",") {
		name, weight, _ := strings.Cut(c, ";")
		if strings.TrimSpace(name) == coding && strings.Trim(weight, " \t0.") != "q=" {
			return true
		}
	}
	return false
}

// builtFiles reads a folder with its pages. The documentation is a folder of its own in the console's.
func builtFiles(built fs.FS) (map[string]file, error) {
	files := map[string]file{}
	err := fs.WalkDir(built, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name == "docs":
			return fs.SkipDir
		case d.IsDir(), strings.HasSuffix(name, ".br"):
			return nil
		}
		content, err := fs.ReadFile(built, name)
		if err != nil {
			return err
		}
		f := file{media: mediaOf(name), plain: content, fixed: strings.HasPrefix(name, "assets/"), tag: fmt.Sprintf(`"%x"`, sha256.Sum256(content))}
		var zipped bytes.Buffer
		w := gzip.NewWriter(&zipped)
		if _, err := w.Write(content); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		if zipped.Len() < len(content) {
			f.zipped = zipped.Bytes()
		}
		f.brotli, err = fs.ReadFile(built, name+".br")
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		files[name] = f
		return err
	})
	if err == nil && files["index.html"].plain == nil {
		err = fs.ErrNotExist
	}
	return files, err
}

func mediaOf(name string) string {
	if media := mime.TypeByExtension(path.Ext(name)); media != "" {
		return media
	}
	return "text/plain; charset=utf-8" // a licence
}
