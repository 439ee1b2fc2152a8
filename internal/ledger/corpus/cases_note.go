package corpus

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// notes are the forms of checkpoints, and of the manifest's signature.
func (m *maker) notes() {
	check := func(name, verdict, section, checkpoint string) {
		m.pack("checkpoint: "+name, verdict, section, m.changed(func(p *pack) { p.checkpoint = checkpoint }))
	}
	text := head(1, 300, m.first.root(0, 300))
	log := logLine(1, 300, text)
	one, two, three := witness1.cosign(w1, text, signedAt), witness2.cosign(w2, text, signedAt), witness3.cosign(w3, text, signedAt)
	good := func(name, section, checkpoint string) { check(name, Verified, section, checkpoint) }
	wrong := func(name, section, checkpoint string) { check(name, Wrong, section, checkpoint) }
	good("three witnesses", secHead, text+"\n"+log+one+two+three)
	good("other two witnesses", secHead, text+"\n"+log+three+one)
	good("the log's signature last", secNote, text+"\n"+one+two+log)
	good("signatures twice", secNote, text+"\n"+log+one+two+log+one)
	good("two cosignatures of one witness, and another's", secCosign, text+"\n"+log+one+witness1.cosign(w1, text, signedAt+9)+two)
	good("the signature of somebody unknown", secNote, text+"\n"+log+one+two+stranger.line("other.example/log", text))
	good("a key with a known name and an unknown id", secNote, text+"\n"+log+one+two+stranger.line(origin+"/1", text))
	good("a wrong signature of somebody unknown", secNote, text+"\n"+log+one+two+stranger.line("other.example/log", "x"))
	good("a signature of another length by somebody unknown", secNote, text+"\n"+log+one+two+"— x "+b64([]byte("12345"))+"\n")
	good("a hundred signatures", secNote, text+"\n"+log+one+two+strings.Repeat("— x "+b64([]byte("12345"))+"\n", 97))
	wrong("a hundred and one signatures", secNote, text+"\n"+log+one+two+strings.Repeat("— x "+b64([]byte("12345"))+"\n", 98))
	extended := text + "extension 1\nеще\n"
	good("with extension lines", secHead, extended+"\n"+logLine(1, 300, extended)+cosignatures(extended))
	wrong("with extension lines that were not signed", secHead, strings.Replace(m.witnessed(1, 300), "\n\n", "\nextension 1\n\n", 1))
	good("the first moment", secCosign, text+"\n"+log+witness1.cosign(w1, text, 1)+two)
	good("the last moment", secCosign, text+"\n"+log+witness1.cosign(w1, text, 1<<63-1)+two)
	wrong("no time", secCosign, text+"\n"+log+witness1.cosign(w1, text, 0)+two+three)
	wrong("a time after the last moment", secCosign, text+"\n"+log+witness1.cosign(w1, text, 1<<63)+two+three)
	wrong("one witness", secHead, text+"\n"+log+one)
	wrong("no witness", secHead, text+"\n"+log)
	wrong("one witness twice", secHead, text+"\n"+log+one+one)
	wrong("one witness at two times", secHead, text+"\n"+log+one+witness1.cosign(w1, text, signedAt+9))
	wrong("witnesses without the log", secHead, text+"\n"+one+two)
	wrong("a wrong signature of the log", secNote, text+"\n"+log2.line(origin+"/1", "x\n")+one+two)
	wrong("a right and a wrong signature of the log", secNote, text+"\n"+log+log2.line(origin+"/1", "x\n")+one+two)
	wrong("two witnesses, and a wrong signature of a third", secNote, text+"\n"+log+one+two+witness3.cosign(w3, "x\n", signedAt))
	wrong("a signature by a key that counts no longer", secHead, text+"\n"+log1.line(origin+"/1", text)+one+two)
	good("a second signature by a key that counts no longer", secHead, text+"\n"+log1.line(origin+"/1", text)+log+one+two)
	wrong("a wrong second signature by a key that counts no longer", secNote, text+"\n"+log1.line(origin+"/1", "x\n")+log+one+two)
	wrong("signed by the receipt key", secHead, text+"\n"+receipt2.line(origin+"/1", text)+one+two)
	wrong("signed for another epoch", secHead, text+"\n"+log2.line(origin+"/2", text)+one+two)
	wrong("a witness's signature of the log's type", secCosign, text+"\n"+log+witness1.line(w1, text)+two)
	wrong("the log's key as a witness", secCosign, text+"\n"+log+log2.cosign(w1, text, signedAt)+two)
	for _, size := range []int{149, 150, 199, 200} {
		tree := head(1, size, m.first.root(0, size))
		for name, k := range ordered(map[string]key{"first": log1, "second": log2}) {
			verdict := Verified
			if name == "first" && size >= 200 || name == "second" && size < 150 {
				verdict = Wrong
			}
			p := firstKeys(m.contiguous(1, size, 3, 5))
			p.checkpoint = tree + "\n" + k.line(origin+"/1", tree) + cosignatures(tree)
			m.pack(fmt.Sprintf("the %s log key at %d leaves", name, size), verdict, secPolicy, p.bytes())
		}
	}
	whole := m.witnessed(1, 300)
	resigned := func(text string) string { return text + "\n" + log2.line(origin+"/1", text) + cosignatures(text) }
	root := b64(m.first.root(0, 300))
	for name, text := range ordered(map[string]string{
		"a size with a zero": strings.Replace(text, "\n300\n", "\n0300\n", 1), "a size with a plus": strings.Replace(text, "\n300\n", "\n+300\n", 1),
		"a size with a space": strings.Replace(text, "\n300\n", "\n300 \n", 1), "a size of nothing": strings.Replace(text, "\n300\n", "\n-\n", 1),
		"a size too large": strings.Replace(text, "\n300\n", "\n9223372036854775808\n", 1), "a size in other digits": strings.Replace(text, "\n300\n", "\n３００\n", 1),
		"a negative size": strings.Replace(text, "\n300\n", "\n-300\n", 1), "another size": strings.Replace(text, "\n300\n", "\n301\n", 1),
		"no root": strings.Replace(text, root+"\n", "", 1), "a root with stray bits": strings.Replace(text, root, root[:42]+stray(root[42])+"=", 1),
		"a root without padding": strings.Replace(text, "=\n", "\n", 1), "a root cut off": strings.Replace(text, root, root[:40], 1),
		"an epoch with a zero": strings.Replace(text, "/1\n", "/01\n", 1), "epoch zero": strings.Replace(text, "/1\n", "/0\n", 1), "no epoch": strings.Replace(text, "/1\n", "\n", 1),
		"another epoch": strings.Replace(text, "/1\n", "/2\n", 1), "another origin": strings.Replace(text, "corpus", "korpus", 1), "a space behind the origin": strings.Replace(text, "/1\n", "/1 \n", 1),
		"an epoch too large": strings.Replace(text, "/1\n", "/4294967297\n", 1), "a slash more": strings.Replace(text, "/1\n", "/1/1\n", 1),
		"a byte order mark": "\ufeff" + text, "a tab": strings.Replace(text, "\n300\n", "\n\t300\n", 1), "line ends of Windows": strings.ReplaceAll(text, "\n", "\r\n"),
		"only two lines": strings.Join(strings.SplitAfter(text, "\n")[:2], ""), "a zero byte": text + "\x00\n", "an empty line": strings.Replace(text, "\n300\n", "\n\n300\n", 1),
		"an empty line at the end": text + "\n", "an empty line at the beginning": "\n" + text, "a control character": text + "\x7f\x1f\n",
	}) {
		wrong("text with "+name, secHead, resigned(text))
	}
	withDelete := head(1, 300, m.first.root(0, 300)) + "x\x7f\u0085\ufeff\n"
	good("an extension line with odd characters", secNote, resigned(withDelete))
	for name, changed := range ordered(map[string]string{
		"no last line end": whole[:len(whole)-1], "a line end more": whole + "\n", "something behind it": whole + "x", "nothing": "", "no signatures": text + "\n", "no empty line": text,
		"only an empty line": "\n\n", "line ends of Windows": strings.ReplaceAll(whole, "\n", "\r\n"), "two empty lines": strings.Replace(whole, "\n\n", "\n\n\n", 1),
		"a hyphen instead of a dash": strings.ReplaceAll(whole, "— ", "- "), "no space behind the dash": strings.Replace(whole, "— ", "—", 1),
		"two spaces": strings.Replace(whole, "— ", "—  ", 1), "a space behind a signature": strings.Replace(whole, "\n— w", " \n— w", 1),
		"no key name": text + "\n— " + log[strings.LastIndex(log, " ")+1:] + one + two, "a key name with a plus": whole + "— a+b " + b64([]byte("12345")) + "\n",
		"a key name with a wide space": whole + "— a\u3000b " + b64([]byte("12345")) + "\n", "a key name with a no-break space": whole + "— a\u00a0b " + b64([]byte("12345")) + "\n",
		"a signature of four bytes": whole + "— x " + b64([]byte("1234")) + "\n", "a signature of none": whole + "— x \n", "a signature that is no base64": whole + "— x !!!!\n",
		"a signature without padding": whole + "— x MTIzNDU\n", "a signature with stray bits": whole + "— x MTIzNDV=\n", "an empty line among signatures": strings.Replace(whole, "\n— w", "\n\n— w", 1),
		"text behind signatures": whole + "text\n", "no UTF-8": whole + "— \xff " + b64([]byte("12345")) + "\n", "a byte order mark": "\ufeff" + whole, "a zero byte": whole + "\x00",
		"the log's signature cut off": strings.Replace(whole, log, log[:len(log)-6]+"\n", 1), "the log's key id alone": text + "\n— " + origin + "/1 " + b64(append(keyID(origin+"/1", 1, log2.public()), 0)) + "\n" + one + two,
	}) {
		wrong("with "+name, secNote, changed)
	}
	spaced := whole + "— a\u200bb " + b64([]byte("12345")) + "\n"
	good("a key name with a space of no width", secNote, spaced)
	m.points()
	m.signatures()
}

// signatures are those of a manifest.
func (m *maker) signatures() {
	for name, sign := range ordered(map[string]func(export string, manifest []byte) string{
		"by the other receipt key, which counts no longer": func(export string, manifest []byte) string {
			text := manifestText(export, manifest)
			return text + "\n" + receipt1.line(origin+"/receipt", text)
		},
		"by somebody": func(export string, manifest []byte) string {
			text := manifestText(export, manifest)
			return text + "\n" + stranger.line(origin+"/receipt", text)
		},
		"by the log's key": func(export string, manifest []byte) string {
			text := manifestText(export, manifest)
			return text + "\n" + log2.line(origin+"/1", text)
		},
		"under another name": func(export string, manifest []byte) string {
			text := manifestText(export, manifest)
			return text + "\n" + receipt2.line(origin+"/export", text)
		},
		"over another manifest": func(export string, manifest []byte) string { return signManifest(export, append(manifest, ' ')) },
		"over another export": func(_ string, manifest []byte) string {
			return signManifest("019c0000-0000-7000-8000-0000000000fe", manifest)
		},
		"over an export in upper case": func(export string, manifest []byte) string { return signManifest(strings.ToUpper(export), manifest) },
		"over a text with a line more": func(export string, manifest []byte) string { return signedBy(manifestText(export, manifest) + "x\n") },
		"over a text with a line less": func(export string, manifest []byte) string {
			return signedBy(strings.Join(strings.SplitAfter(manifestText(export, manifest), "\n")[:2], ""))
		},
		"over a text with another first line": func(export string, manifest []byte) string {
			return signedBy(strings.Replace(manifestText(export, manifest), "/export", "/receipt", 1))
		},
		"over a digest with stray bits": func(export string, manifest []byte) string {
			text := manifestText(export, manifest)
			n := len(text) - 3
			return signedBy(text[:n] + stray(text[n]) + text[n+1:])
		},
		"that is empty":        func(string, []byte) string { return "" },
		"that is a checkpoint": func(string, []byte) string { return m.witnessed(1, 300) },
		"that is a receipt":    func(string, []byte) string { return m.receipt(1, 5) },
		"and a wrong one": func(export string, manifest []byte) string {
			return signManifest(export, manifest) + receipt1.line(origin+"/receipt", "x\n")
		},
		"without its line end": func(export string, manifest []byte) string {
			return strings.TrimSuffix(signManifest(export, manifest), "\n")
		},
		"with a line end more": func(export string, manifest []byte) string { return signManifest(export, manifest) + "\n" },
	}) {
		m.pack("a manifest's signature "+name, Wrong, secManifest, m.changed(func(p *pack) { p.signature = sign }))
	}
	both := func(export string, manifest []byte) string {
		return signManifest(export, manifest) + receipt1.line(origin+"/receipt", manifestText(export, manifest))
	}
	m.pack("a manifest's signature by both receipt keys", Verified, secManifest, m.changed(func(p *pack) { p.signature = both }))
	for _, size := range []int{239, 240, 249, 250} {
		for name, k := range ordered(map[string]key{"first": receipt1, "second": receipt2}) {
			verdict := Verified
			if name == "first" && size >= 250 || name == "second" && size < 240 {
				verdict = Wrong
			}
			p := m.contiguous(1, size, 3, 5)
			p.signature = func(export string, manifest []byte) string {
				text := manifestText(export, manifest)
				return text + "\n" + k.line(origin+"/receipt", text)
			}
			m.pack(fmt.Sprintf("the %s receipt key at %d leaves", name, size), verdict, secManifest, p.bytes())
		}
	}
	m.pack("a manifest changed behind its signature", Wrong, secManifest, m.changed(func(p *pack) {
		p.unsigned = func(members map[string][]byte) {
			members["manifest.json"] = bytes.Replace(members["manifest.json"], []byte("auditor"), []byte("auditer"), 1)
		}
	}))
}

func signedBy(text string) string { return text + "\n" + receipt2.line(origin+"/receipt", text) }

// points are keys and signatures in encodings that not every library refuses. The neutral point of the
// curve, y = 1, signs everything with R = itself and S = 0.
func (m *maker) points() {
	neutral := append([]byte{1}, make([]byte, 31)...)
	again := slices.Concat([]byte{0xee}, bytes.Repeat([]byte{0xff}, 30), []byte{0x7f}) // y = p + 1
	signed := bytes.Clone(neutral)
	signed[31] |= 0x80 // x = 0 with a sign
	text := head(1, 300, m.first.root(0, 300))
	// order is that of the group, least significant byte first.
	order := []byte{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 31: 0x10}
	zero := make([]byte, 32)
	for name, x := range ordered(map[string]struct {
		public, r, s []byte
		verdict      string
	}{
		"the neutral point":                        {neutral, neutral, zero, Verified},
		"the neutral point in another encoding":    {again, neutral, zero, Wrong},
		"the neutral point with a sign":            {signed, neutral, zero, Wrong},
		"the neutral point, R in another encoding": {neutral, again, zero, Wrong},
		"the neutral point, S too large":           {neutral, neutral, order, Wrong},
	}) {
		p := policy()
		p.set("log_keys", "["+newObject("public_key", `"`+b64(x.public)+`"`).String()+"]")
		pack := m.contiguous(1, 300, 3, 6)
		pack.checkpoint = text + "\n— " + origin + "/1 " + b64(slices.Concat(keyID(origin+"/1", 1, x.public), x.r, x.s)) + "\n" + cosignatures(text)
		file := m.blob(pack.bytes())
		m.add(Case{Name: "a log key that is " + name, Mode: "pack", Verdict: x.verdict, Section: secNote, Policy: m.blob([]byte(p.String())), File: &file})
	}
}
