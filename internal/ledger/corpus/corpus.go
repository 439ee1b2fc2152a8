package corpus

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

// The verdicts of the page.
const (
	Verified = "verified"
	Wrong    = "wrong"
	Unusable = "unusable"
)

// Case is one of the corpus. The contents of its files are numbers of blobs.
type Case struct {
	Name string `json:"name"`
	// Mode is what is checked: "pack", "folder" or "proof".
	Mode string `json:"mode"`
	// Verdict is the page's, and Section the heading under which it says so.
	Verdict string `json:"verdict"`
	Section string `json:"section"`
	Policy  int    `json:"policy"`
	// File is the pack or the proof.
	File *int `json:"file,omitempty"`
	// Folder has the files of a folder by their names.
	Folder      map[string]int `json:"folder,omitempty"`
	Checkpoints []int          `json:"checkpoints,omitempty"`
	Receipts    []int          `json:"receipts,omitempty"`
	Packs       []int          `json:"packs,omitempty"`
}

// Corpus is all of it.
type Corpus struct {
	Cases []Case
	Blobs [][]byte

	numbers map[string]int
	names   map[string]bool
	written []byte // blobs.jsonl
	windows map[string][2]int
}

// Build makes the corpus.
func Build() *Corpus {
	c := &Corpus{numbers: map[string]int{}, names: map[string]bool{}, windows: map[string][2]int{}}
	m := &maker{Corpus: c, world: newWorld()}
	m.policy = c.blob([]byte(policy().String()))
	m.packs()
	m.manifests()
	m.lines()
	m.notes()
	m.zips()
	m.policies()
	m.folders()
	m.proofs()
	return c
}

// maker makes cases, most of them against the corpus's own policy.
type maker struct {
	*Corpus
	*world
	policy int
}

func (c *Corpus) add(x Case) {
	for c.names[x.Name] {
		x.Name += ", again"
	}
	c.names[x.Name] = true
	c.Cases = append(c.Cases, x)
}

// pack adds the case of a pack.
func (m *maker) pack(name, verdict, section string, content []byte, held ...string) {
	file := m.blob(content)
	m.add(Case{Name: name, Mode: "pack", Verdict: verdict, Section: section, Policy: m.policy, File: &file, Checkpoints: m.texts(held)})
}

func (m *maker) texts(all []string) (blobs []int) {
	for _, s := range all {
		blobs = append(blobs, m.blob([]byte(s)))
	}
	return blobs
}

// blob keeps bytes once, and says their number.
func (c *Corpus) blob(content []byte) int {
	key := string(digest(content))
	if n, known := c.numbers[key]; known {
		return n
	}
	n := len(c.Blobs)
	c.numbers[key] = n
	c.Blobs = append(c.Blobs, content)
	c.write(n, content)
	return n
}

// window is how many bytes must be alike to be copied from an earlier blob.
const window = 24

// write writes a blob as parts: base64 of its own bytes, or [blob, from, length] out of an earlier one.
func (c *Corpus) write(n int, content []byte) {
	parts := []any{}
	from := 0
	own := func(to int) {
		if to > from {
			parts = append(parts, base64.StdEncoding.EncodeToString(content[from:to]))
			for i := from; i+window <= to; i += window / 3 {
				if key := string(content[i : i+window]); c.windows[key] == [2]int{} {
					c.windows[key] = [2]int{n + 1, i}
				}
			}
		}
	}
	for i := 0; i+window <= len(content); {
		found := c.windows[string(content[i:i+window])]
		if found[0] == 0 || found[0] == n+1 {
			i++
			continue
		}
		earlier, at := c.Blobs[found[0]-1], found[1]
		for i > from && at > 0 && content[i-1] == earlier[at-1] {
			i, at = i-1, at-1
		}
		length := 0
		for i+length < len(content) && at+length < len(earlier) && content[i+length] == earlier[at+length] {
			length++
		}
		own(i)
		parts = append(parts, [3]int{found[0] - 1, at, length})
		i += length
		from = i
	}
	own(len(content))
	line, _ := json.Marshal(map[string]any{"blob": n, "sha256": hex.EncodeToString(digest(content)), "parts": parts}) // plain values
	c.written = append(append(c.written, line...), '\n')
}

// Files are those of docs/ledger-corpus that are made, by their names.
func (c *Corpus) Files() map[string][]byte {
	var cases bytes.Buffer
	e := json.NewEncoder(&cases)
	e.SetEscapeHTML(false)
	for _, x := range c.Cases {
		_ = e.Encode(x) // plain values
	}
	return map[string][]byte{"cases.jsonl": cases.Bytes(), "blobs.jsonl": slices.Clone(c.written)}
}

// Read reads the published corpus, as README.md beside it says.
func Read(cases, blobs []byte) (*Corpus, error) {
	c := &Corpus{}
	for _, raw := range bytes.Split(bytes.TrimSuffix(blobs, []byte("\n")), []byte("\n")) {
		var blob struct {
			Blob   int               `json:"blob"`
			SHA256 string            `json:"sha256"`
			Parts  []json.RawMessage `json:"parts"`
		}
		if err := json.Unmarshal(raw, &blob); err != nil {
			return nil, fmt.Errorf("reading a blob: %w", err)
		}
		content := []byte{}
		for _, part := range blob.Parts {
			var own []byte
			var copied [3]int
			var err error
			if part[0] == '"' {
				err = json.Unmarshal(part, &own)
			} else if err = json.Unmarshal(part, &copied); err == nil {
				own = c.Blobs[copied[0]][copied[1] : copied[1]+copied[2]]
			}
			if err != nil {
				return nil, fmt.Errorf("reading a blob: %w", err)
			}
			content = append(content, own...)
		}
		if blob.Blob != len(c.Blobs) || hex.EncodeToString(digest(content)) != blob.SHA256 {
			return nil, fmt.Errorf("blob %d is not what its digest says", blob.Blob)
		}
		c.Blobs = append(c.Blobs, content)
	}
	for _, raw := range bytes.Split(bytes.TrimSuffix(cases, []byte("\n")), []byte("\n")) {
		var x Case
		if err := json.Unmarshal(raw, &x); err != nil {
			return nil, fmt.Errorf("reading a case: %w", err)
		}
		c.Cases = append(c.Cases, x)
	}
	return c, nil
}
