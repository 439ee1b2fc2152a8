package archive

import (
	"testing"

	"lethe/models"
)

// TestNumbersAreTheSameHoweverTheyAreWritten.
func TestNumbersAreTheSameHoweverTheyAreWritten(t *testing.T) {
	phone, number := models.FieldDefinition{Type: models.FieldPhone}, models.FieldDefinition{Type: models.FieldDocumentNumber}
	for _, c := range []struct {
		of   models.FieldDefinition
		a, b string
		same bool
	}{
		{phone, "13800000000", "+86 138 0000 0000", true},
		{phone, "+8613800000000", "0086-138-0000-0000", true},
		{phone, "13800000000", "１３８００００００００", true},
		{phone, "13800000000", "13800000001", false},
		{phone, "13800000000", "1380000000", false},
		{phone, "13800000000", "8613800000000", false}, // 86 is no prefix without + or 00
		{phone, "01012345678", "+861012345678", false}, // the area's 0 is left out abroad: not known to be the same
		{phone, "+491701234567", "00491701234567", true},
		{number, "11010519491231002X", "11010519491231002x", true},
		{number, "11010519491231002X", "110105 1949 1231 002X", true},
		{number, "0086123", "+86123", false}, // no phone
		{number, "123", "0123", false},
		{number, "", "", true},
	} {
		if got := SameNumber(c.of, c.a, c.b); got != c.same {
			t.Errorf("%q and %q: %v", c.a, c.b, got)
		}
	}
	for key, want := range map[string]bool{"id_number": true, "personal_phone": true, "bank_account": true, "tax_no": true, "date_of_birth": false,
		"base_salary": false, "home_address": false, "contract_scan": false, "bank_name": false} {
		for _, f := range definitions() {
			if f.Key == key && Comparable(f) != want {
				t.Errorf("%s is comparable: %v", key, !want)
			}
		}
	}
}
