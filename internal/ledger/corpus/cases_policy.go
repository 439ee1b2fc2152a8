package corpus

import (
	"fmt"
	"strings"
)

// policies are the forms of a policy, each with one good pack.
func (m *maker) policies() {
	good := m.blob(m.contiguous(1, 300, 3, 6).bytes())
	unwitnessed := m.contiguous(1, 300, 3, 6)
	unwitnessed.checkpoint = m.signed(1, 300)
	alone := m.blob(unwitnessed.bytes())
	try := func(name, verdict string, raw string, pack int) {
		m.add(Case{Name: "policy: " + name, Mode: "pack", Verdict: verdict, Section: secPolicy, Policy: m.blob([]byte(raw)), File: &pack})
	}
	with := func(change func(p *object)) string {
		p := policy()
		change(p)
		return p.String()
	}
	unusable := func(name, raw string) { try(name, Unusable, raw, good) }
	for _, x := range policy().members {
		unusable("without "+x.name, with(func(p *object) { p.remove(x.name) }))
		if x.name != "witnesses" {
			unusable(x.name+" is null", with(func(p *object) { p.set(x.name, "null") }))
		}
		unusable(x.name+" of another type", with(func(p *object) { p.set(x.name, another(x.raw)) }))
		unusable(x.name+" twice", with(func(p *object) { p.repeat(x.name) }))
		unusable(x.name+" in another case", with(func(p *object) { p.rename(x.name, strings.ToUpper(x.name)) }))
	}
	// A fork that no witness has seen, and policies that seem to ask for witnesses.
	for _, raw := range []string{with(func(p *object) { p.remove("quorum") }), with(func(p *object) { p.set("quorum", "null") })} {
		fork := m.contiguous(1, 300, 3, 6)
		fork.checkpoint = m.signed(1, 300)
		try(fmt.Sprintf("nothing of a quorum (%d bytes), and a pack without witnesses", len(raw)), Unusable, raw, m.blob(fork.bytes()))
	}
	for what, spelled := range ordered(spellings("2")) {
		unusable("quorum is "+what, with(func(p *object) { p.set("quorum", spelled) }))
	}
	unusable("a quorum of 4", with(func(p *object) { p.set("quorum", "4") }))
	try("a quorum of 3, of which two have signed", Wrong, with(func(p *object) { p.set("quorum", "3") }), good)
	try("a quorum of 0", Verified, with(func(p *object) { p.set("quorum", "0") }), alone)
	try("a quorum of 1, of which none has signed", Wrong, with(func(p *object) { p.set("quorum", "1") }), alone)
	try("no witnesses and a quorum of 0", Verified, with(func(p *object) { p.set("witnesses", "[]"); p.set("quorum", "0") }), alone)
	try("null for no witnesses and a quorum of 0", Verified, with(func(p *object) { p.set("witnesses", "null"); p.set("quorum", "0") }), good)
	unusable("null for no witnesses", with(func(p *object) { p.set("witnesses", "null") }))
	unusable("another format", with(func(p *object) { p.set("format", `"lethe-ledger-policy/2"`) }))
	unusable("a name more", with(func(p *object) { p.set("note", `"x"`) }))
	unusable("a name misspelled", with(func(p *object) { p.rename("quorum", "qourum") }))
	try("its members in another order", Verified, with(func(p *object) { p.reverse() }), good)
	try("with white space", Verified, " \r\n"+policy().spaced("\t", " ")+"\n\n", good)
	try("with escapes", Verified, strings.Replace(policy().String(), "corpus", `corp\u0075s`, 1), good)
	for name, raw := range ordered(map[string]string{
		"nothing": "", "something behind it": policy().String() + "{}", "a byte order mark": "\ufeff" + policy().String(), "an array": "[" + policy().String() + "]", "a text": `"x"`,
		"cut off": policy().String()[:100], "no UTF-8": strings.Replace(policy().String(), "https", "\xff", 1), "half of a character": strings.Replace(policy().String(), "https", `\udfff`, 1),
		"a comment": "// x\n" + policy().String(), "a comma too many": strings.Replace(policy().String(), "{", "{,", 1),
	}) {
		unusable("is "+name, raw)
	}
	for name, o := range ordered(map[string]string{
		"nothing": "", "a plus": "a+b", "a space": "a b", "a wide space": "a\u3000b", "a line end": "a\n", "a tab": "a\t", "a zero": "a\x00", "256 bytes": strings.Repeat("x", 256),
	}) {
		unusable("an origin with "+name, with(func(p *object) { p.set("origin", strings.ReplaceAll(text(o), "\x00", `\u0000`)) }))
	}
	try("another origin", Wrong, with(func(p *object) { p.set("origin", `"ledger.example/other"`) }), good)
	m.policyKeys(unusable, try, good)
}

func (m *maker) policyKeys(unusable func(name, raw string), try func(name, verdict, raw string, pack int), good int) {
	with := func(change func(p *object)) string {
		p := policy()
		change(p)
		return p.String()
	}
	entry := func(k key) *object { return newObject("public_key", text(b64(k.public()))) }
	for _, list := range []string{"log_keys", "receipt_keys"} {
		k := map[string]key{"log_keys": log2, "receipt_keys": receipt2}[list]
		set := func(raw string) string { return with(func(p *object) { p.set(list, raw) }) }
		unusable(list+" without a key", set("[]"))
		unusable(list+" with a key twice", set("["+entry(k).String()+","+entry(k).String()+"]"))
		unusable(list+" with null", set("[null]"))
		unusable(list+" with a name more", set("["+newObject("public_key", text(b64(k.public())), "x", "1").String()+"]"))
		unusable(list+" without public_key", set("[{}]"))
		try(list+" without ranges", Verified, set("["+entry(k).String()+"]"), good)
		try(list+" of somebody else", Wrong, set("["+entry(stranger).String()+"]"), good)
		try(list+" that is no point", Wrong, set("["+newObject("public_key", text(b64(append([]byte{2}, make([]byte, 31)...)))).String()+"]"), good)
		for what, spelled := range ordered(encodings(b64(k.public()))) {
			unusable(list+": "+what, set("["+newObject("public_key", text(spelled)).String()+"]"))
		}
		for what, place := range ordered(map[string]string{
			"null": "null", "a number": "3", "no size": `{"epoch":1}`, "no epoch": `{"size":1}`, "a name more": `{"epoch":1,"size":1,"x":1}`, "a size below zero": `{"epoch":1,"size":-1}`,
			"a size of a text": `{"epoch":1,"size":"1"}`, "an epoch too large": `{"epoch":2147483648,"size":1}`, "a size too large": `{"epoch":1,"size":9223372036854775808}`,
			"a size with a fraction": `{"epoch":1,"size":1.0}`, "an epoch twice": `{"epoch":1,"epoch":1,"size":1}`,
		}) {
			unusable(list+" from "+what, set("["+newObject("public_key", text(b64(k.public())), "from", place).String()+"]"))
			unusable(list+" until "+what, set("["+newObject("public_key", text(b64(k.public())), "until", place).String()+"]"))
		}
		for what, c := range ordered(map[string][3]string{
			"from here on": {"from", `{"epoch":1,"size":300}`, Verified}, "from later on": {"from", `{"epoch":1,"size":301}`, Wrong}, "until here": {"until", `{"epoch":1,"size":300}`, Wrong},
			"until later": {"until", `{"epoch":1,"size":301}`, Verified}, "until the next epoch": {"until", `{"epoch":2,"size":0}`, Verified}, "from the next epoch on": {"from", `{"epoch":2,"size":0}`, Wrong},
			"from the beginning": {"from", `{"epoch":0,"size":0}`, Verified},
		}) {
			try(list+" "+what, c[2], set("["+newObject("public_key", text(b64(k.public())), c[0], c[1]).String()+"]"), good)
		}
	}
	whole := witness1.verifierKey(w1)
	for what, vkey := range ordered(map[string]string{
		"nothing": "", "no id": strings.Replace(whole, "+", "", 1), "an id in upper case": upperID(whole), "another id": strings.Replace(whole, "+", "+0", 1), "no key": whole[:strings.LastIndex(whole, "+")],
		"a key without padding": whole + "=", "of the log's type": w1 + "+00000000+" + b64(append([]byte{1}, witness1.public()...)), "with a space": w1 + " " + whole[len(w1):],
		"of another key": witness2.verifierKey(w1)[:len(w1)+10] + whole[len(w1)+10:],
	}) {
		unusable("a witness's key that is "+what, with(func(p *object) {
			p.set("witnesses", "["+newObject("verifier_key", text(vkey)).String()+"]")
			p.set("quorum", "1")
		}))
	}
	witnesses := func(all ...*object) string { return "[" + joined(all) + "]" }
	w := func(k key, name string, more ...string) *object {
		return newObject(append([]string{"verifier_key", text(k.verifierKey(name))}, more...)...)
	}
	unusable("a witness twice", with(func(p *object) { p.set("witnesses", witnesses(w(witness1, w1), w(witness1, w1))) }))
	unusable("a witness under two names", with(func(p *object) { p.set("witnesses", witnesses(w(witness1, w1), w(witness1, w2))) }))
	unusable("a witness with a name more", with(func(p *object) { p.set("witnesses", witnesses(w(witness1, w1, "x", "1"), w(witness2, w2))) }))
	unusable("a witness whose url is null", with(func(p *object) { p.set("witnesses", witnesses(w(witness1, w1, "url", "null"), w(witness2, w2))) }))
	unusable("a witness without a key", with(func(p *object) { p.set("witnesses", witnesses(newObject("url", `"x"`), w(witness2, w2))) }))
	try("witnesses without addresses", Verified, with(func(p *object) { p.set("witnesses", witnesses(w(witness1, w1), w(witness2, w2))) }), good)
	try("a witness that counts no longer", Wrong, with(func(p *object) {
		p.set("witnesses", witnesses(w(witness1, w1, "until", `{"epoch":1,"size":300}`), w(witness2, w2)))
	}), good)
	try("a witness with an empty address", Verified, with(func(p *object) { p.set("witnesses", witnesses(w(witness1, w1, "url", `""`), w(witness2, w2))) }), good)
	// Two keys of one witness are one witness.
	p := m.contiguous(1, 300, 3, 6)
	text := head(1, 300, m.first.root(0, 300))
	p.checkpoint = text + "\n" + logLine(1, 300, text) + witness1.cosign(w1, text, signedAt) + witness2.cosign(w1, text, signedAt)
	try("a witness with two keys, and nobody else", Wrong, with(func(p *object) { p.set("witnesses", witnesses(w(witness1, w1), w(witness2, w1))) }), m.blob(p.bytes()))
}

// upperID writes the id of a key in upper case; the id of witness 1 has letters.
func upperID(vkey string) string {
	at := strings.Index(vkey, "+")
	return vkey[:at] + strings.ToUpper(vkey[at:at+9]) + vkey[at+9:]
}
