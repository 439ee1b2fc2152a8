package corpus

import (
	"archive/zip"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strconv"
)

// Forge changes members of a pack of the corpus as its operators could: sizes and digests in the
// manifest, and its signature, fit again.
func Forge(content []byte, change func(members map[string][]byte)) ([]byte, error) {
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, fmt.Errorf("forging a pack: %w", err)
	}
	members := map[string][]byte{}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("forging a pack: %w", err)
		}
		if members[f.Name], err = io.ReadAll(r); err != nil {
			return nil, fmt.Errorf("forging a pack: %w", err)
		}
	}
	change(members)
	manifest := members["manifest.json"]
	for name, member := range members {
		listed := regexp.MustCompile(`"name":"` + regexp.QuoteMeta(name) + `","bytes":\d+,"sha256":"[0-9a-f]*"`)
		fits := `"name":"` + name + `","bytes":` + strconv.Itoa(len(member)) + `,"sha256":"` + hex.EncodeToString(digest(member)) + `"`
		manifest = listed.ReplaceAllLiteral(manifest, []byte(fits))
	}
	members["manifest.json"] = manifest
	members["manifest.sig"] = []byte(signManifest("019c0000-0000-7000-8000-0000000000ff", manifest))
	return (&pack{}).archive(members), nil
}

// Checkpoint is a checkpoint with any text, signed by the log and two witnesses.
func Checkpoint(text string) string {
	return text + "\n" + log2.line(origin+"/1", text) + cosignatures(text)
}
