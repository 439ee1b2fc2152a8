package corpus

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// ordered goes through a table in the order of its names, so that the corpus comes out the same.
func ordered[T any](table map[string]T) iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		for _, name := range slices.Sorted(maps.Keys(table)) {
			if !yield(name, table[name]) {
				return
			}
		}
	}
}

// another is a value of another type.
func another(raw string) string {
	switch {
	case strings.HasPrefix(raw, `"`):
		return "7"
	case strings.HasPrefix(raw, "{"):
		return "[" + raw + "]"
	case strings.HasPrefix(raw, "["):
		return "{}"
	}
	return text(raw)
}

// spellings are other ways to write the integer n, none of which is one.
func spellings(n string) map[string]string {
	return map[string]string{
		"a fraction": n + ".0", "an exponent": n + "e0", "a negative number": "-" + n, "a plus": "+" + n, "a leading zero": "0" + n,
		"a text": text(n), "null": "null", "true": "true", "a large number": "9223372036854775808", "a huge number": strings.Repeat("9", 5000),
		"an array": "[" + n + "]", "hexadecimal": "0x" + n, "nothing": "", "NaN": "NaN", "infinity": "1e999",
	}
}

// encodings are other ways to write base64, none of which is one.
func encodings(s string) map[string]string {
	all := map[string]string{
		"a space before": " " + s, "a space behind": s + " ", "a line end within": s[:8] + "\n" + s[8:], "a line end behind": s + "\n",
		"too short": s[4:], "too long": "AAAA" + s, "twice": s + s, "hexadecimal": strings.Repeat("0", len(s)), "an equals sign more": s + "=", "nothing": "",
		"a star": "*" + s[1:],
	}
	if n := len(s) - 1; s[n] == '=' {
		all["no padding"] = strings.TrimRight(s, "=")
		last := len(strings.TrimRight(s, "=")) - 1
		all["stray bits"] = s[:last] + stray(s[last]) + s[last+1:]
		all["half of the padding"] = s[:n] + "="
		if s[n-1] == '=' {
			all["half of the padding"] = s[:n]
		} else {
			delete(all, "half of the padding")
		}
	}
	return all
}

// ids are other ways to write a UUID, none of which is one.
func ids(s string) map[string]string {
	return map[string]string{
		"in upper case": strings.ToUpper(s[:35]) + "F", "without hyphens": strings.ReplaceAll(s, "-", ""), "in braces": "{" + s + "}", "as a URN": "urn:uuid:" + s,
		"too short": s[:35], "with a space": s + " ", "no hexadecimal": "g" + s[1:], "with its hyphens elsewhere": s[:7] + "-" + s[7:8] + s[9:], "nothing": "",
	}
}

func (m *maker) manifests() {
	wrong := func(name, section string, change func(p *pack)) {
		m.pack("manifest: "+name, Wrong, section, m.changed(change))
	}
	good := func(name string, change func(p *pack)) {
		m.pack("manifest: "+name, Verified, secJSON, m.changed(change))
	}
	plain := m.contiguous(1, 300, 3, 6)
	plain.bytes()
	for _, x := range plain.manifest.members {
		name := x.name
		nested := func(p *pack) { // what is only put together later
			for _, sub := range []struct {
				name string
				o    *object
			}{{"requested_by", p.by}, {"selection", p.selection}} {
				p.manifest.set(sub.name, sub.o.String())
			}
		}
		wrong("without "+name, secManifest, func(p *pack) { nested(p); p.manifest.remove(name) })
		wrong(name+" is null", secManifest, func(p *pack) { p.manifest.set(name, "null") })
		wrong(name+" of another type", secManifest, func(p *pack) { p.manifest.set(name, another(x.raw)) })
		wrong(name+" twice", secJSON, func(p *pack) {
			nested(p)
			p.manifest.set("files", plain.manifest.get("files"))
			p.manifest.repeat(name)
		})
		wrong(name+" in another case", secManifest, func(p *pack) {
			nested(p)
			p.manifest.set("files", plain.manifest.get("files"))
			p.manifest.rename(name, strings.ToUpper(name[:1])+name[1:])
		})
	}
	wrong("a name more", secManifest, func(p *pack) { p.manifest.set("note", `"x"`) })
	wrong("another format", secManifest, func(p *pack) { p.manifest.set("format", `"lethe-evidence-pack/2"`) })
	for part, of := range ordered(map[string]func(p *pack) *object{
		"requested_by": func(p *pack) *object { return p.by }, "selection": func(p *pack) *object { return p.selection },
	}) {
		wrong("a name more in "+part, secManifest, func(p *pack) { of(p).set("note", `"x"`) })
		for _, x := range of(m.contiguous(1, 300, 3, 6)).members {
			wrong(fmt.Sprintf("%s without %s", part, x.name), secManifest, func(p *pack) { of(p).remove(x.name) })
			wrong(fmt.Sprintf("%s with %s of another type", part, x.name), secManifest, func(p *pack) { of(p).set(x.name, another(x.raw)) })
			wrong(fmt.Sprintf("%s with %s null", part, x.name), secManifest, func(p *pack) { of(p).set(x.name, "null") })
			wrong(fmt.Sprintf("%s with %s twice", part, x.name), secJSON, func(p *pack) { of(p).repeat(x.name) })
		}
	}
	m.filters()
	m.fileLists()
	for what, spelled := range ordered(spellings("3")) {
		for _, name := range []string{"count", "first_index"} {
			wrong(fmt.Sprintf("%s is %s", name, what), secWords, func(p *pack) { p.manifest.set(name, spelled) })
		}
	}
	for what, spelled := range ordered(spellings("1")) {
		wrong("epoch is "+what, secWords, func(p *pack) { p.manifest.set("epoch", spelled) })
	}
	wrong("a negative zero", secWords, func(p *pack) { p.manifest.set("dropped", "-0") })
	wrong("epoch zero", secWords, func(p *pack) { p.manifest.set("epoch", "0") })
	wrong("tree_size zero", secManifest, func(p *pack) { p.manifest.set("tree_size", "0") })
	for what, spelled := range ordered(encodings(b64(m.first.root(0, 300)))) {
		wrong("root: "+what, secWords, func(p *pack) { p.manifest.set("root", text(spelled)) })
	}
	for what, spelled := range ordered(ids("019c0000-0000-7000-8000-0000000000ff")) {
		wrong("export_id "+what, secWords, func(p *pack) { p.manifest.set("export_id", text(spelled)) })
	}
	wrong("request_entry of version 4", secWords, func(p *pack) { p.manifest.set("request_entry", `"8f14e45f-ceea-467f-9d2c-1b2f3c4d5e6f"`) })
	wrong("request_entry of another variant", secWords, func(p *pack) { p.manifest.set("request_entry", `"019c1352-2262-7000-c000-000000000002"`) })
	m.instants()
	m.spelled(good, wrong)
}

// filters are of no meaning, as long as they are an object.
func (m *maker) filters() {
	selection := func(filters string) []byte {
		p := m.filtered(1, 300, 3, 5)
		p.selection.set("filters", filters)
		return p.bytes()
	}
	nested := func(levels int) string { return strings.Repeat(`{"a":[`, levels) + strings.Repeat("]}", levels) }
	for what, filters := range ordered(map[string]string{
		"none": "{}", "numbers of every form": `{"a":-0,"b":1e400,"c":0.5E-7,"d":` + strings.Repeat("9", 5000) + `}`, "nested 32 deep": nested(15),
		"every escape": `{"a":"\"\\\/\b\f\n\r\t\u0000\ud83d\udcdc"}`, "an empty name": `{"":null,"a":[true,false]}`,
	}) {
		m.pack("filters: "+what, Verified, secJSON, selection(filters))
	}
	for what, filters := range ordered(map[string]string{
		"an array": "[]", "a text": `"x"`, "null": "null", "nested 33 deep": nested(15)[:90] + "{}" + nested(15)[90:], "nested 5000 deep": nested(2500),
		"a name twice": `{"a":1,"a":1}`, "a name twice, once with an escape": `{"a":1,"\u0061":1}`, "a name twice deep within": `{"a":[{"b":1,"b":2}]}`,
		"half of a character": `{"a":"\ud800"}`, "the other half": `{"a":"\udc00"}`, "halves exchanged": `{"a":"\udc00\ud800"}`, "half of a name": `{"\ud800":1}`,
		"half and another character": `{"a":"\ud800\u0041"}`, "a control character": "{\"a\":\"\x01\"}", "a tab": "{\"a\":\"\t\"}", "a comma too many": `{"a":1,}`,
		"a comment": `{/* x */"a":1}`, "quotes of another kind": `{'a':1}`, "no quotes": `{a:1}`, "NaN": `{"a":NaN}`, "a leading zero": `{"a":01}`, "a leading point": `{"a":.5}`,
		"an unknown escape": `{"a":"\x41"}`, "an escape too short": `{"a":"\u041"}`, "an escape with a sign": `{"a":"\u+041"}`, "no UTF-8": "{\"a\":\"\xc3\x28\"}",
		"an encoded surrogate": "{\"a\":\"\xed\xa0\x80\"}", "an overlong form": "{\"a\":\"\xc0\xaf\"}", "a space of another kind": "{\u00a0\"a\":1}", "True": `{"a":True}`,
		"a trailing point": `{"a":1.}`, "an exponent without a number": `{"a":1e}`,
	}) {
		m.pack("filters: "+what, Wrong, secJSON, selection(filters))
	}
	p := m.filtered(1, 300, 3, 5)
	p.selection.set("kind", `"Filtered"`)
	m.pack("a selection of another kind", Wrong, secManifest, p.bytes())
	both := m.contiguous(1, 300, 3, 6)
	both.selection.set("filters", "{}")
	m.pack("a range with filters", Wrong, secManifest, both.bytes())
	claimed := m.filtered(1, 300, 3, 5)
	claimed.selection = newObject("kind", `"contiguous"`, "first_index", "3", "end_index", "6")
	m.pack("a selection that is called a range", Wrong, secPack, claimed.bytes())
}

func (m *maker) fileLists() {
	for what, change := range ordered(map[string]func(files []*object) []*object{
		"a file twice": func(f []*object) []*object { return append(f, f[0]) },
		"a file that is missing": func(f []*object) []*object {
			return append(f, newObject("name", `"entries.csv"`, "bytes", "0", "sha256", f[0].get("sha256")))
		},
		"the manifest itself": func(f []*object) []*object {
			return append(f, newObject("name", `"manifest.json"`, "bytes", "0", "sha256", f[0].get("sha256")))
		},
		"the signature": func(f []*object) []*object {
			return append(f, newObject("name", `"manifest.sig"`, "bytes", "0", "sha256", f[0].get("sha256")))
		},
		"a file that no pack has": func(f []*object) []*object {
			return append(f, newObject("name", `"x"`, "bytes", "0", "sha256", f[0].get("sha256")))
		},
		"a file left out":      func(f []*object) []*object { return f[:len(f)-1] },
		"no file":              func([]*object) []*object { return nil },
		"a name more":          func(f []*object) []*object { f[0].set("crc", "0"); return f },
		"no name":              func(f []*object) []*object { f[0].remove("name"); return f },
		"no bytes":             func(f []*object) []*object { f[0].remove("bytes"); return f },
		"no sha256":            func(f []*object) []*object { f[0].remove("sha256"); return f },
		"other bytes":          func(f []*object) []*object { f[0].set("bytes", "1"); return f },
		"bytes below zero":     func(f []*object) []*object { f[0].set("bytes", "-1"); return f },
		"sha256 in upper case": func(f []*object) []*object { f[0].set("sha256", strings.ToUpper(f[0].get("sha256"))); return f },
		"sha256 too short":     func(f []*object) []*object { f[0].set("sha256", f[0].get("sha256")[:63]+`"`); return f },
		"another sha256":       func(f []*object) []*object { f[0].set("sha256", f[1].get("sha256")); return f },
		"another name":         func(f []*object) []*object { f[0].set("name", `"entries.JSONL"`); return f },
		"a text for a file":    func(f []*object) []*object { return append(f, nil) },
	}) {
		m.pack("files: "+what, Wrong, secManifest, m.changed(func(p *pack) {
			p.files = change
			if what == "a text for a file" {
				p.files = nil
				p.rawManifest = func(s string) string { return strings.Replace(s, `[{"name"`, `["x",{"name"`, 1) }
			}
		}))
	}
	m.pack("files in another order", Verified, secManifest, m.changed(func(p *pack) {
		p.files = func(f []*object) []*object { slices.Reverse(f); return f }
	}))
}

func (m *maker) instants() {
	at := func(s string) []byte { return m.changed(func(p *pack) { p.manifest.set("created_at", text(s)) }) }
	for _, s := range []string{"2026-02-01T00:00:00Z", "2026-02-01T23:59:59.123456789Z", "2028-02-29T00:00:00.0Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"} {
		m.pack("created_at "+s, Verified, secWords, at(s))
	}
	for _, s := range []string{
		"2026-02-01T00:00:00", "2026-02-01T00:00:00+00:00", "2026-02-01T00:00:00z", "2026-02-01t00:00:00Z", "2026-02-01 00:00:00Z", "2026-02-30T00:00:00Z",
		"2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-02-01T24:00:00Z", "2026-02-01T23:59:60Z", "2026-02-01T00:00:00.Z", "2026-02-01T00:00:00,5Z",
		"2026-02-01T00:00:00.1234567890Z", "2026-2-1T00:00:00Z", "0000-01-01T00:00:00Z", "12026-02-01T00:00:00Z", "2026-02-01T00:00Z", "2026-02-01", "", " 2026-02-01T00:00:00Z",
		"2026-02-01T00:00:00Z\n", "２０２６-02-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-00T00:00:00Z", "2026-02-01T00:61:00Z",
	} {
		m.pack(fmt.Sprintf("created_at %q", s), Wrong, secWords, at(s))
	}
}

// spelled are the freedoms of JSON, and what is none.
func (m *maker) spelled(good func(string, func(p *pack)), wrong func(string, string, func(p *pack))) {
	raw := func(change func(string) string) func(p *pack) { return func(p *pack) { p.rawManifest = change } }
	good("its members in another order", func(p *pack) { p.manifest.reverse() })
	good("without white space", func(p *pack) { p.rawManifest = func(string) string { return p.manifest.String() } })
	good("with much white space", func(p *pack) {
		p.rawManifest = func(string) string { return " \t\r\n" + p.manifest.spaced(" \t\r\n", " \t\r\n") + " \t\r\n" }
	})
	good("every character of a text escaped", func(p *pack) {
		p.manifest.set("reason", escaped("劳动仲裁 \U0001F4DC"))
		p.manifest.set("origin", escaped(origin))
	})
	good("names with escapes", raw(func(s string) string { return strings.Replace(s, `"count"`, `"\u0063ount"`, 1) }))
	good("escapes in upper case", raw(func(s string) string { return strings.Replace(s, "<", `\u003C`, 1) }))
	good("solidus escaped", raw(func(s string) string { return strings.Replace(s, "lethe-evidence-pack/1", `lethe-evidence-pack\/1`, 1) }))
	good("a zero in a text", func(p *pack) { p.manifest.set("reason", `"\u0000"`) })
	good("line separators in a text", func(p *pack) { p.manifest.set("reason", "\"\u2028\u2029\u0085\"") })
	good("no white space at the end", raw(strings.TrimSpace))
	for what, change := range ordered(map[string]func(string) string{
		"a byte order mark": func(s string) string { return "\ufeff" + s }, "something behind it": func(s string) string { return s + "{}" },
		"a zero byte behind it": func(s string) string { return s + "\x00" }, "a form feed before it": func(s string) string { return "\f" + s },
		"cut off": func(s string) string { return s[:len(s)-3] }, "nothing": func(string) string { return "" }, "null": func(string) string { return "null" },
		"an array": func(s string) string { return "[" + s + "]" }, "a text": func(string) string { return `"x"` },
		"UTF-16":               func(s string) string { return "\xff\xfe" + strings.Join(strings.Split(s, ""), "\x00") },
		"no UTF-8":             func(s string) string { return strings.Replace(s, "劳", "\xe5\x8a", 1) },
		"half of a character":  func(s string) string { return strings.Replace(s, "劳", `\ud800`, 1) },
		"a line end in a text": func(s string) string { return strings.Replace(s, "劳", "\n", 1) },
		"a comma too many":     func(s string) string { return strings.Replace(s, "{", "{,", 1) },
		"a comma too few":      func(s string) string { return strings.Replace(s, `",`, `"`, 1) },
		"a colon too few":      func(s string) string { return strings.Replace(s, `":`, `"`, 1) },
	}) {
		wrong(what, secJSON, raw(change))
	}
}
