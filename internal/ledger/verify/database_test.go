package verify

import "testing"

func TestI19_UntouchedLedgersPass(t *testing.T) {
	w := newWorld(t)
	w.write(t, 3)
	r := w.verify(t, Evidence{Policy: w.policy, Receipts: w.receipts, Keys: w.keys})
	wantClean(t, r)
	if r.Entries != 3 || r.Sequenced != 0 || r.Unprotected != 2 {
		t.Errorf("before sequencing: %+v", r)
	}
	for range 3 {
		w.write(t, 25)
		w.sequence(t)
		r = w.verify(t, w.evidence(t))
		wantClean(t, r)
	}
	w.write(t, 2)
	r = w.verify(t, w.evidence(t))
	wantClean(t, r)
	if r.Entries != 80 || r.Sequenced != 78 || r.Contents != 80 || r.Unprotected != 1 || r.Trees[0].Witnessed != 78 || r.Trees[0].At == nil {
		t.Errorf("%+v", r)
	}
	e := w.evidence(t)
	e.Checkpoints, e.Signed, e.Receipts = nil, nil, nil
	if r := w.verify(t, e); !r.Has(MissingCheckpoint) {
		t.Errorf("without anything to compare with: %+v", r)
	}
}
