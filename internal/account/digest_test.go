package account

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/google/uuid"

	"lethe/models"
)

// TestI12_EvidenceIsDigestedWhole: each part of each row, as the documentation of the digest says.
func TestI12_EvidenceIsDigestedWhole(t *testing.T) {
	const step = "019c1352-2262-7000-8000-000000000001"
	rows := func() []models.AccountEvidence {
		return []models.AccountEvidence{
			{StepID: uuid.MustParse(step), Attempt: 3, Substep: "disable", Outcome: "ok", Detail: "d"},
			{StepID: uuid.MustParse(step), Attempt: 3, Substep: "read_back", Outcome: "confirmed"},
		}
	}
	sum := sha256.Sum256([]byte(step + "\x003\x00disable\x00ok\x00d\x00" + step + "\x003\x00read_back\x00confirmed\x00\x00"))
	if got := EvidenceDigest(rows()); got != hex.EncodeToString(sum[:]) {
		t.Errorf("digest %s", got)
	}
	for name, change := range map[string]func(r []models.AccountEvidence){
		"step": func(r []models.AccountEvidence) { r[1].StepID = uuid.New() }, "attempt": func(r []models.AccountEvidence) { r[1].Attempt = 4 },
		"sub-step": func(r []models.AccountEvidence) { r[1].Substep = "residue" }, "outcome": func(r []models.AccountEvidence) { r[1].Outcome = "failed" },
		"detail": func(r []models.AccountEvidence) { r[1].Detail = "x" }, "order": func(r []models.AccountEvidence) { r[0], r[1] = r[1], r[0] },
	} {
		changed := rows()
		change(changed)
		if EvidenceDigest(changed) == EvidenceDigest(rows()) {
			t.Errorf("the %s does not matter", name)
		}
	}
}
