package corpus

import (
	"fmt"
	"strings"
)

// proof is the proof of an entry in the first so many leaves of its epoch.
func (w *world) proof(epoch, size, index int) string {
	t := w.tree(epoch)
	return proofText(t.leaves[index], fmt.Sprint(index), t.path(index, 0, size), w.witnessed(epoch, size))
}

func proofText(leaf []byte, index string, path [][]byte, checkpoint string) string {
	s := "c2sp.org/tlog-proof@v1\nextra " + b64(leaf) + "\nindex " + index + "\n"
	for _, h := range path {
		s += b64(h) + "\n"
	}
	return s + "\n" + checkpoint
}

func (m *maker) proofs() {
	try := func(name, verdict, content string) {
		file := m.blob([]byte(content))
		m.add(Case{Name: "proof: " + name, Mode: "proof", Verdict: verdict, Section: secProof, Policy: m.policy, File: &file})
	}
	for _, index := range []int{0, 1, 2, 127, 128, 255, 256, 257, 298, 299} {
		try(fmt.Sprintf("entry %d of 300", index), Verified, m.proof(1, 300, index))
	}
	for size := 1; size <= 7; size++ {
		for index := range size {
			try(fmt.Sprintf("entry %d of %d of the second epoch", index, size), Verified, m.proof(2, size, index))
		}
	}
	whole := m.proof(1, 300, 17)
	t := m.first
	lines := strings.SplitAfter(whole, "\n")
	path := t.path(17, 0, 300)
	signed := m.witnessed(1, 300)
	for name, content := range ordered(map[string]string{
		"another index": strings.Replace(whole, "index 17", "index 18", 1), "an index beyond the tree": strings.Replace(whole, "index 17", "index 300", 1),
		"an index with a zero": strings.Replace(whole, "index 17", "index 017", 1), "an index with a plus": strings.Replace(whole, "index 17", "index +17", 1),
		"a negative index": strings.Replace(whole, "index 17", "index -17", 1), "an index too large": strings.Replace(whole, "index 17", "index 9223372036854775808", 1),
		"two spaces": strings.Replace(whole, "index 17", "index  17", 1), "no index": strings.Replace(whole, "index 17\n", "", 1), "no extra": strings.Join(append([]string{lines[0]}, lines[2:]...), ""),
		"extra behind index": lines[0] + lines[2] + lines[1] + strings.Join(lines[3:], ""), "another first line": strings.Replace(whole, "@v1", "@v2", 1), "no first line": strings.Join(lines[1:], ""),
		"a hash too few": proofText(t.leaves[17], "17", path[:len(path)-1], signed), "a hash too many": proofText(t.leaves[17], "17", append(path[:len(path):len(path)], named("x")), signed),
		"hashes exchanged": proofText(t.leaves[17], "17", append([][]byte{path[1], path[0]}, path[2:]...), signed), "no hashes": proofText(t.leaves[17], "17", nil, signed),
		"another leaf": proofText(t.leaves[18], "17", path, signed), "a leaf that is cut off": proofText(t.leaves[17][:500], "17", path, signed), "no leaf": proofText(nil, "17", path, signed),
		"another checkpoint": proofText(t.leaves[17], "17", path, m.witnessed(1, 299)), "a checkpoint that was not witnessed": proofText(t.leaves[17], "17", path, m.signed(1, 300)),
		"a forked checkpoint": proofText(t.leaves[17], "17", path, forked(300)), "no checkpoint": proofText(t.leaves[17], "17", path, ""), "the checkpoint of another epoch": proofText(t.leaves[17], "17", path, m.witnessed(2, 7)),
		"no empty line": strings.Replace(whole, "\n\n", "\n", 1), "two empty lines": strings.Replace(whole, "\n\n", "\n\n\n", 1), "line ends of Windows": strings.ReplaceAll(whole, "\n", "\r\n"),
		"a byte order mark": "\ufeff" + whole, "nothing": "", "a line end more": whole + "\n", "a hash with stray bits": strings.Replace(whole, lines[3], lines[3][:42]+stray(lines[3][42])+"=\n", 1),
		"a hash of 31 bytes": strings.Replace(whole, lines[3], b64(named("x")[:31])+"\n", 1), "a line more": strings.Replace(whole, "\n\n", "\nx\n\n", 1), "a leaf without padding": strings.Replace(whole, "==\n", "\n", 1),
		"a pack": string(m.contiguous(1, 300, 3, 6).bytes()), "no UTF-8": strings.Replace(whole, "index", "\xffindex", 1),
	}) {
		try(name, Wrong, content)
	}
	later := newWorld()
	e := later.first.entries[299]
	later.first.leaves[299] = leafOf(origin, 2, e.id, e.kind, e.commitments())
	later.first.hashes[299] = digest([]byte{0}, later.first.leaves[299])
	try("a leaf of a later epoch", Wrong, later.proof(1, 300, 299))
}
