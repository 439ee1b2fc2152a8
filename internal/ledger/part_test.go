package ledger

import (
	"os"
	"path/filepath"
	"testing"
)

// TestPartKeyFile: each process finds the keys that it needs, and no others; a part is no whole.
func TestPartKeyFile(t *testing.T) {
	folder := t.TempDir()
	whole := filepath.Join(folder, "ledger.json")
	if err := CreateKeyFile(whole); err != nil {
		t.Fatal(err)
	}
	for part, want := range map[Part][2]bool{PartServe: {false, true}, PartWorker: {true, false}, PartHost: {false, false}} {
		path := filepath.Join(folder, string(part))
		for range 2 { // a rotation replaces it
			if err := PartKeyFile(whole, path, part); err != nil {
				t.Fatal(err)
			}
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", part, info, err)
		}
		keys, err := LoadKeys(path)
		if err != nil {
			t.Fatal(err)
		}
		signers, err := keys.logSigners("lethe/test", 1)
		if err != nil || len(signers) > 0 != want[0] || keys.SignCheckpoints() != want[0] {
			t.Errorf("%s: %d keys sign checkpoints, %v", part, len(signers), err)
		}
		if _, err := signer(ReceiptName("lethe/test"), keys.Writer().receipt); (err == nil) != want[1] {
			t.Errorf("%s: a key for receipts: %v", part, err)
		}
		if len(keys.Writer().mac) != 32 {
			t.Errorf("%s cannot write", part)
		}
		if PartKeyFile(path, path+".again", part) == nil || RotateKeyFile(path) == nil {
			t.Errorf("%s passes for the whole file", part)
		}
	}
}
