package corpus

import (
	"fmt"
	"time"
)

// The keys and witnesses of the corpus. Log key 1 counts up to 200 leaves of the first epoch and key 2 from
// 150 on; of the receipt keys 1 counts up to 250 and 2 from 240 on. Two of three witnesses are needed.
var (
	log1, log2         = newKey("log 1"), newKey("log 2")
	receipt1, receipt2 = newKey("receipt 1"), newKey("receipt 2")
	witness1, witness2 = newKey("witness 1"), newKey("witness 2")
	witness3, stranger = newKey("witness 3"), newKey("somebody else")
)

const (
	w1, w2, w3 = "witness.example/1", "witness.example/2", "witness.example/3"
	signedAt   = 1_769_851_900 // seconds
)

// The sizes of the corpus's epochs: what was signed of the first, what was kept of it, and the second's.
const (
	size1, kept1, size2 = 300, 290, 7
)

// world has two epochs. In the first are entries of 2010, whose content was dropped.
type world struct{ first, second *tree }

func newWorld() *world {
	w := &world{&tree{epoch: 1}, &tree{epoch: 2}}
	old, now := time.UnixMilli(1_262_340_000_123).UTC(), time.UnixMilli(1_769_850_674_811).UTC()
	for n := range size1 {
		at := now.Add(time.Duration(n) * 1001 * time.Millisecond)
		if n < 3 {
			at = old.Add(time.Duration(n) * time.Hour)
		}
		e := newEntry(1, n, at, "departure", fields(n), map[string]string{"n": fmt.Sprint(n), "日期": "二月", "a\"b": "c\\d\n"})
		switch {
		case n < 3:
			e.dropped = true
		case n%5 == 1:
			e.kind, e.texts, e.details = "session", map[string]string{"action": "session.started", "actor_role": "system", "result": "done"}, nil
		}
		w.first.add(e)
	}
	for n := range size2 {
		e := newEntry(2, n, now.Add(time.Hour+time.Duration(n)*time.Second), "account", fields(n), map[string]string{"n": fmt.Sprint(n)})
		switch n {
		case 0:
			e.kind, e.texts["action"] = "ledger", "ledger.epoch_begun"
			e.details = map[string]string{
				"epoch": "2", "previous_size": fmt.Sprint(size1), "previous_root": b64(w.first.root(0, size1)), "kept_size": fmt.Sprint(kept1),
			}
		case 2:
			e.epoch = 1 // it waited when the epoch began
		}
		w.second.add(e)
	}
	return w
}

// fields has a value for every text.
func fields(n int) map[string]string {
	return map[string]string{
		"action": "departure.started", "actor_id": "019c0000-0000-7000-8000-00000000000a", "actor_role": "hr_admin", "authenticated": "password_totp",
		"user_id": "019c0000-0000-7000-8000-00000000000b", "subject_id": "019c0000-0000-7000-8000-00000000000c", "object": fmt.Sprintf("departure/%d", n),
		"requested_by": "上级", "purpose": "audit", "reason": []string{"年度审计", "a \"quoted\" \\ <&>\tand\nlines", "\u2028é\U0001F4DC\u007f"}[n%3],
		"result": "done", "rule": "CN/identity/1", "request_id": "8f14e45f",
	}
}

func (w *world) tree(epoch int) *tree {
	if epoch == 2 {
		return w.second
	}
	return w.first
}

// head is the text of a checkpoint.
func head(epoch, size int, root []byte) string {
	return fmt.Sprintf("%s/%d\n%d\n%s\n", origin, epoch, size, b64(root))
}

// logLine is the log's signature line by the key that counts.
func logLine(epoch, size int, text string) string {
	k := log2
	if epoch == 1 && size < 150 {
		k = log1
	}
	return k.line(fmt.Sprintf("%s/%d", origin, epoch), text)
}

func cosignatures(text string) string {
	return witness1.cosign(w1, text, signedAt) + witness2.cosign(w2, text, signedAt+1)
}

// signed is a checkpoint with the log's signature only.
func (w *world) signed(epoch, size int) string {
	text := head(epoch, size, w.tree(epoch).root(0, size))
	return text + "\n" + logLine(epoch, size, text)
}

// witnessed is a checkpoint with two cosignatures besides.
func (w *world) witnessed(epoch, size int) string {
	text := head(epoch, size, w.tree(epoch).root(0, size))
	return text + "\n" + logLine(epoch, size, text) + cosignatures(text)
}

// receipt is that of an entry.
func (w *world) receipt(epoch, n int) string {
	t := w.tree(epoch)
	text := origin + "/receipt\n" + uuidOf(t.entries[n].id) + "\n" + b64(t.hashes[n]) + "\n"
	return text + "\n" + receipt2.line(origin+"/receipt", text)
}

// policy is the corpus's own.
func policy() *object {
	public := func(k key, more ...string) string {
		return newObject(append([]string{"public_key", text(b64(k.public()))}, more...)...).String()
	}
	at := func(size int) string { return fmt.Sprintf(`{"epoch":1,"size":%d}`, size) }
	witness := func(k key, name string) string {
		return newObject("verifier_key", text(k.verifierKey(name)), "url", text("https://"+name)).String()
	}
	return newObject(
		"format", `"lethe-ledger-policy/1"`, "origin", text(origin),
		"log_keys", "["+public(log1, "until", at(200))+","+public(log2, "from", at(150))+"]",
		"receipt_keys", "["+public(receipt1, "until", at(250))+","+public(receipt2, "from", at(240))+"]",
		"witnesses", "["+witness(witness1, w1)+","+witness(witness2, w2)+","+witness(witness3, w3)+"]",
		"quorum", "2")
}
