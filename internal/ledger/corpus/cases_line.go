package corpus

import (
	"slices"
	"strings"
	"time"
)

// lines are the forms of entries.jsonl.
func (m *maker) lines() {
	wrong := func(name, section string, change func(l *line)) {
		m.pack("line: "+name, Wrong, section, m.changed(func(p *pack) { change(p.lines[1]) }))
	}
	plain := lineOf(4, m.first.entries[4])
	_ = plain.String()
	for _, x := range plain.members {
		whole := func(l *line) { _ = l.String() } // puts content in
		wrong("without "+x.name, secLine, func(l *line) { whole(l); l.remove(x.name) })
		wrong(x.name+" is null", secLine, func(l *line) { whole(l); l.set(x.name, "null") })
		wrong(x.name+" of another type", secLine, func(l *line) { whole(l); l.set(x.name, another(x.raw)) })
		wrong(x.name+" twice", secJSON, func(l *line) { whole(l); l.repeat(x.name) })
		wrong(x.name+" in another case", secLine, func(l *line) { whole(l); l.rename(x.name, strings.ToUpper(x.name)) })
	}
	wrong("a name more", secLine, func(l *line) { l.set("note", `"x"`) })
	wrong("a name more in content", secLine, func(l *line) { l.content.set("note", `"x"`) })
	content := lineOf(4, m.first.entries[4]).content
	for _, name := range fieldNames {
		whole := func(l *line) { l.content.set("details", l.details.String()); l.details = nil }
		raw := ""
		if i := content.find(name); i >= 0 {
			raw = content.members[i].raw
		}
		wrong("content without "+name, secLine, func(l *line) { whole(l); l.content.remove(name) })
		wrong("content with "+name+" null", secLine, func(l *line) { whole(l); l.content.set(name, "null") })
		wrong("content with "+name+" of another type", secLine, func(l *line) { whole(l); l.content.set(name, another(raw)) })
		wrong("content with "+name+" twice", secJSON, func(l *line) { whole(l); l.content.repeat(name) })
		wrong("content with another "+name, secLine, func(l *line) { whole(l); l.content.set(name, changedValue(name)) })
	}
	for name, change := range ordered(map[string]func(l *line){
		"a detail more":              func(l *line) { l.details.set("more", `""`) },
		"a detail less":              func(l *line) { l.details.remove("n") },
		"a detail that is a number":  func(l *line) { l.details.set("n", "4") },
		"a detail that is null":      func(l *line) { l.details.set("n", "null") },
		"a detail twice":             func(l *line) { l.details.repeat("n") },
		"a detail's name changed":    func(l *line) { l.details.rename("n", "N") },
		"half of a character":        func(l *line) { l.content.set("reason", `"\ud800"`) },
		"a name of half a character": func(l *line) { l.details.set("\ufffd", `""`); l.details.rename("\ufffd", "x") },
		"another salt":               func(l *line) { l.set("salts", text(b64(make([]byte, 224)))) },
		"a salt less":                func(l *line) { l.set("salts", text(b64(make([]byte, 208)))) },
		"another commitment":         func(l *line) { l.set("commitments", text(b64(make([]byte, 448)))) },
		"another leaf hash":          func(l *line) { l.set("leaf_hash", text(b64(named("leaf")))) },
		"another kind":               func(l *line) { l.set("kind", `"account"`) },
		"no kind":                    func(l *line) { l.set("kind", `""`) },
		"a kind of 256 bytes":        func(l *line) { l.set("kind", text(strings.Repeat("x", 256))) },
		"the id of another":          func(l *line) { l.set("id", text(uuidOf(m.first.entries[5].id))) },
		"epoch zero":                 func(l *line) { l.set("epoch", "0") },
		"a later epoch":              func(l *line) { l.set("epoch", "2") },
		"an epoch too large":         func(l *line) { l.set("epoch", "4294967297") },
		"a reason normalised":        func(l *line) { l.content.set("reason", text("\u2028e\u0301\U0001F4DC\u007f")) },
		"a reason with a space more": func(l *line) { l.content.set("reason", text("a \"quoted\" \\ <&>\tand\nlines ")) },
	}) {
		wrong(name, secLine, change)
	}
	for what, spelled := range ordered(spellings("4")) {
		wrong("index is "+what, secWords, func(l *line) { l.set("index", spelled) })
	}
	for what, spelled := range ordered(spellings("1")) {
		wrong("epoch is "+what, secWords, func(l *line) { l.set("epoch", spelled) })
	}
	for _, name := range []string{"leaf_hash", "commitments", "salts"} {
		value := strings.Trim(plain.get(name), `"`)
		for what, spelled := range ordered(encodings(value)) {
			wrong(name+": "+what, secWords, func(l *line) { l.set(name, text(spelled)) })
		}
	}
	for what, spelled := range ordered(ids(uuidOf(m.first.entries[4].id))) {
		wrong("id "+what, secWords, func(l *line) { l.set("id", text(spelled)) })
	}
	for what, spelled := range ordered(ids("019c0000-0000-7000-8000-00000000000a")) {
		wrong("actor_id "+what, secWords, func(l *line) { l.content.set("actor_id", text(spelled)) })
	}
	at := strings.Trim(plain.get("at"), `"`)
	for what, spelled := range ordered(map[string]string{
		"a millisecond later": at[:22] + string('0'+(at[22]-'0'+1)%10) + "Z", "without milliseconds": at[:19] + "Z", "with microseconds": at[:23] + "000Z",
		"with an offset": at[:23] + "+00:00", "with a small z": at[:23] + "z", "with a space": at[:10] + " " + at[11:], "nothing": "",
	}) {
		wrong("at "+what, secLine, func(l *line) { l.set("at", text(spelled)) })
	}
	m.lineForms()
	m.odd()
}

// changedValue is another value of the right type.
func changedValue(name string) string {
	switch {
	case name == "details":
		return `{"n":"5"}`
	case strings.HasSuffix(name, "_id") && name != "request_id":
		return `"019c0000-0000-7000-8000-0000000000bb"`
	}
	return `"another"`
}

// lineForms are the freedoms of a line, and what is none.
func (m *maker) lineForms() {
	lines := func(change func(string) string) []byte { return m.changed(func(p *pack) { p.rawLines = change }) }
	each := func(change func(l *line) string) []byte {
		return m.changed(func(p *pack) {
			var all string
			for _, l := range p.lines {
				all += change(l) + "\n"
			}
			p.rawLines = func(string) string { return all }
		})
	}
	for name, content := range ordered(map[string][]byte{
		"names in another order": each(func(l *line) string {
			l.details.reverse()
			l.content.reverse()
			_ = l.String()
			l.reverse()
			return l.String()
		}),
		"white space":        each(func(l *line) string { _ = l.String(); return " \t\r" + l.spaced(" \t\r", "\t ") + "\r" }),
		"names with escapes": lines(func(s string) string { return strings.ReplaceAll(s, `"reason"`, `"reas\u006fn"`) }),
		"texts with escapes": each(func(l *line) string {
			l.set("kind", escaped(strings.Trim(l.get("kind"), `"`)))
			l.content.set("result", `"d\u006fne"`)
			return l.String()
		}),
		"a solidus escaped":               lines(func(s string) string { return strings.ReplaceAll(s, "departure/", `departure\/`) }),
		"characters beyond ASCII escaped": lines(func(s string) string { return strings.ReplaceAll(s, "二月", `\u4E8c\u6708`) }),
		"a pair of surrogates":            lines(func(s string) string { return strings.ReplaceAll(s, "\U0001F4DC", `\ud83d\udcdc`) }),
		"a tab as its short escape":       lines(func(s string) string { return strings.ReplaceAll(s, `\u0009`, `\t`) }),
	}) {
		m.pack("lines: "+name, Verified, secJSON, content)
	}
	for name, change := range ordered(map[string]func(string) string{
		"without the last line end": func(s string) string { return s[:len(s)-1] }, "an empty line": func(s string) string { return strings.Replace(s, "}\n", "}\n\n", 1) },
		"an empty line at the end": func(s string) string { return s + "\n" }, "a line cut off": func(s string) string { return s[:len(s)-9] + "\n" },
		"a byte order mark": func(s string) string { return "\ufeff" + s }, "two objects in a line": func(s string) string { return strings.Replace(s, "}\n", "}", 1) },
		"an array": func(s string) string { return "[" + strings.Replace(s, "}\n", "}]\n", 1) }, "null": func(s string) string { return "null\n" + s },
		"a zero byte": func(s string) string { return s + "\x00\n" }, "line ends of old computers": func(s string) string { return strings.ReplaceAll(s, "\n", "\r") },
		"no UTF-8": func(s string) string { return strings.Replace(s, "二", "\xe4\xba", 1) }, "a comma at the end": func(s string) string { return strings.ReplaceAll(s, "}\n", "},\n") },
		"a line end in a line": func(s string) string { return strings.Replace(s, `,"id"`, ",\n\"id\"", 1) }, "a comment": func(s string) string { return "# lines\n" + s },
	}) {
		m.pack("lines: "+name, Wrong, secLine, lines(change))
	}
}

// odd are entries that fit everything and are unusual, or are in no leaf of this format.
func (m *maker) odd() {
	with := func(change func(e *entry)) []byte {
		w := newWorld()
		e := *w.first.entries[299]
		e.texts, e.details = copied(e.texts), copied(e.details)
		change(&e)
		w.first.entries[299], w.first.leaves[299], w.first.hashes[299] = &e, e.leaf(), digest([]byte{0}, e.leaf())
		return w.contiguous(1, 300, 298, 300).bytes()
	}
	for name, change := range ordered(map[string]func(e *entry){
		"a kind of 255 bytes":        func(e *entry) { e.kind = strings.Repeat("k", 255) },
		"a kind with spaces":         func(e *entry) { e.kind = " 其他 \n" },
		"a zero in a text":           func(e *entry) { e.texts["reason"] = "a\x00b" },
		"no text at all":             func(e *entry) { e.texts, e.details = nil, nil },
		"details with an empty name": func(e *entry) { e.details = map[string]string{"": "", "a": ""} },
		"details whose names differ in their order as UTF-16": func(e *entry) { e.details = map[string]string{"\U0001F4DC": "1", "\uff01": "2", "z": "3"} },
		"a long text":              func(e *entry) { e.texts["reason"] = strings.Repeat("x", 70000) },
		"an actor of no version":   func(e *entry) { e.texts["actor_id"] = "ffffffff-ffff-ffff-ffff-ffffffffffff" },
		"the last moment of 9999":  func(e *entry) { dated(e, 253402300799999) },
		"the first moment of 1970": func(e *entry) { dated(e, 0) },
	}) {
		m.pack("an entry with "+name, Verified, secLine, with(change))
	}
	for name, change := range ordered(map[string]func(e *entry){
		"a moment after 9999":      func(e *entry) { dated(e, 253402300800000) },
		"an id of version 4":       func(e *entry) { e.id = slices.Clone(e.id); e.id[6] = 0x40 },
		"an id of another variant": func(e *entry) { e.id = slices.Clone(e.id); e.id[8] = 0xc0 },
		"an actor in upper case":   func(e *entry) { e.texts["actor_id"] = strings.ToUpper(e.texts["actor_id"]) },
		"an actor that is no id":   func(e *entry) { e.texts["actor_id"] = "somebody" },
		"epoch zero":               func(e *entry) { e.epoch = 0 },
		"a later epoch":            func(e *entry) { e.epoch = 2 },
		"no kind":                  func(e *entry) { e.kind = "" },
	}) {
		m.pack("an entry with "+name, Wrong, secLine, with(change))
	}
}

// dated gives an entry another time, in milliseconds.
func dated(e *entry, ms int64) {
	e.id = slices.Clone(e.id)
	for i := range 6 {
		e.id[i] = byte(ms >> (40 - 8*i))
	}
	e.at = time.UnixMilli(ms).UTC()
}
