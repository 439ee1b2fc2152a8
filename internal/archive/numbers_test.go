package archive

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lethe/internal/clock"
	"lethe/internal/invalid"
	"lethe/models"
)

var testToday = clock.NewDate(2026, time.March, 1)

func digit(t *rapid.T, name string) byte { return byte('0' + rapid.IntRange(0, 9).Draw(t, name)) }

// resident is a valid number: of the 11 check digits one fits.
func resident(t *rapid.T) (string, clock.Date) {
	born := clock.NewDate(1950, time.January, 1).AddDays(rapid.IntRange(0, 25000).Draw(t, "days"))
	head := fmt.Sprintf("%06d%04d%02d%02d%03d", rapid.IntRange(110000, 659999).Draw(t, "place"), born.Year, born.Month, born.Day, rapid.IntRange(0, 999).Draw(t, "sequence"))
	for _, check := range "0123456789X" {
		if number, _, code := residentNumber(head+string(check), testToday); code == "" {
			return number, born
		}
	}
	t.Fatalf("no check digit fits %s", head)
	return "", born
}

// another is a text with one digit replaced by another one.
func another(t *rapid.T, number string, from int) string {
	at := rapid.IntRange(from, len(number)-1).Filter(func(i int) bool { return number[i] >= '0' && number[i] <= '9' }).Draw(t, "at")
	d := rapid.ByteRange('0', '9').Filter(func(b byte) bool { return b != number[at] }).Draw(t, "digit")
	return number[:at] + string(d) + number[at+1:]
}

// Any digit that is mistyped, and any two neighbours that are exchanged, are found.
func TestResidentNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number, born := resident(t)
		if got, b, code := residentNumber(" "+strings.ToLower(number[:6])+" "+strings.ToLower(number[6:]), testToday); code != "" || got != number || b != born {
			t.Fatalf("%s: %s %s %s", number, got, b, code)
		}
		if wrong := another(t, number, 0); wrong != number {
			if _, _, code := residentNumber(wrong, testToday); code == "" {
				t.Fatalf("%s passes for %s", wrong, number)
			}
		}
		at := rapid.IntRange(0, 15).Draw(t, "swap")
		swapped := []byte(number)
		swapped[at], swapped[at+1] = swapped[at+1], swapped[at]
		if _, _, code := residentNumber(string(swapped), testToday); code == "" && string(swapped) != number {
			t.Fatalf("%s passes for %s", swapped, number)
		}
	})
	for number, want := range map[string]string{
		"11010519491231002X": "", "11010519491231002x": "", "１１０１０５１９４９１２３１００２Ｘ": "",
		"110101199003070000": CodeWrongCheckDigit, "110105491231002": invalid.Malformed, "": invalid.Malformed, "X": invalid.Malformed,
		"110105194912310021": CodeWrongCheckDigit, "1101051949123100XX": invalid.Malformed,
		withCheck("11010519491331002"): CodeNoBirthDate, withCheck("11010518991231002"): CodeNoBirthDate, withCheck("11010520270101002"): CodeNoBirthDate,
	} {
		if _, _, code := residentNumber(number, testToday); code != want {
			t.Errorf("%q: %q, want %q", number, code, want)
		}
	}
}

func withCheck(head string) string {
	for _, check := range "0123456789X" {
		if _, _, code := residentNumber(head+string(check), testToday); code != CodeWrongCheckDigit {
			return head + string(check)
		}
	}
	return head
}

func TestBankAccount(t *testing.T) {
	for number, want := range map[string]string{
		"DE89 3704 0044 0532 0130 00": "DE89370400440532013000", "gb29-nwbk-6016-1331-9268-19": "GB29NWBK60161331926819",
		"6222 0202 0011 2233 440": "", "62220000000000000": "", "0000 0000 0000 0001": "0000000000000001", "1234567": "1234567", "3500-7700-1": "3500-7700-1",
		"DE8937040044053201300": "", "DE88370400440532013000": "", "abc": "", "12 34": "1234", "62;DROP": "",
	} {
		got, code := bankAccount(number)
		if want == "" != (code != "") || want != "" && got != want {
			t.Errorf("%q: %q, %q; want %q", number, got, code, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		country := rapid.SampledFrom([]string{"DE22", "FR27", "NL18", "CH21"}).Draw(t, "country")
		var long int
		_, _ = fmt.Sscanf(country[2:], "%d", &long)
		body := make([]byte, long-4)
		for i := range body {
			body[i] = digit(t, "body")
		}
		number := ""
		for check := range 97 {
			if number = fmt.Sprintf("%s%02d%s", country[:2], check+2, body); ibanHolds(number) {
				break
			}
		}
		if got, code := bankAccount(strings.ToLower(number[:9]) + " " + number[9:]); code != "" || got != number {
			t.Fatalf("%s: %s, %s", number, got, code)
		}
		if wrong := another(t, number, 2); wrong != number {
			if _, code := bankAccount(wrong); code == "" {
				t.Fatalf("%s passes for %s", wrong, number)
			}
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		card := "62"
		for range rapid.IntRange(13, 16).Draw(t, "long") {
			card += string(digit(t, "card"))
		}
		for check := range 10 {
			if c := fmt.Sprintf("%s%d", card, check); luhn(c) {
				card = c
				break
			}
		}
		if got, code := bankAccount(card[:4] + " " + card[4:]); code != "" || got != card {
			t.Fatalf("%s: %s, %s", card, got, code)
		}
		if wrong := another(t, card, 2); wrong != card {
			if _, code := bankAccount(wrong); code == "" {
				t.Fatalf("%s passes for %s", wrong, card)
			}
		}
	})
}

func TestPhoneNumber(t *testing.T) {
	for number, want := range map[string]string{
		"138 0000-0000": "13800000000", "+86 138 0000 0000": "+8613800000000", "0086 13800000000": "+8613800000000", "＋86（10）1234-5678": "+861012345678",
		"010-12345678": "01012345678", "0755 1234567": "07551234567", "089 1234567": "0891234567", "03-1234-5678": "0312345678",
		"+44 7700 900123": "+447700900123", "+1 (202) 555-0100": "+12025550100",
		"12800000000": "", "1380000000": "", "138000000000": "", "12345678": "", "+86 12800000000": "", "+86 138 0000": "", "+8613800000000000000": "",
		"000-0000-0001": "", "张三": "", "": "", "+": "", "138OOOOOOOO": "", "+0123456789": "",
	} {
		got, code := phoneNumber(number)
		if want == "" != (code != "") || want != "" && got != want {
			t.Errorf("%q: %q, %q; want %q", number, got, code, want)
		}
	}
}

func TestAmountsNumbersAndDates(t *testing.T) {
	for value, want := range map[string]string{
		"20000": "20000", "12,000.50 cny": "12000.50 CNY", "12000CNY": "12000 CNY", "１２": "12", "0": "0",
		"-1": "", "1,2": "", "12.": "", "1e9": "", "CNY": "", "12 YUAN": "", "1.23456": "", "": "",
	} {
		if got, code := amount(value); want == "" != (code != "") || want != "" && got != want {
			t.Errorf("%q: %q, %q; want %q", value, got, code, want)
		}
	}
	for value, want := range map[string]string{"-1.5": "-1.5", "1,000": "1000", "1,00": "", "a": "", "--1": ""} {
		if got, code := decimal(value); want == "" != (code != "") || want != "" && got != want {
			t.Errorf("%q: %q, %q; want %q", value, got, code, want)
		}
	}
	for _, test := range []struct{ key, value, code string }{
		{"date_of_birth", "1990-02-28", ""}, {"date_of_birth", "1990-02-29", CodeNotADate}, {"date_of_birth", "28.2.1990", CodeNotADate},
		{"date_of_birth", "2026-03-02", invalid.InFuture}, {"date_of_birth", "1899-12-31", CodeOutOfRange}, {"contract_end", "2030-01-31", ""},
		{"contract_end", "2200-01-31", CodeOutOfRange}, {"emergency_contact_3_informed_on", "2026-03-02", invalid.InFuture},
	} {
		if code := judgeDate(test.key, &test.value, testToday); code != test.code {
			t.Errorf("%s %s: %q, want %q", test.key, test.value, code, test.code)
		}
	}
}

// What is stored is stored again as it is: the form in which a value is kept is its own.
func TestTheFormInWhichAValueIsKeptIsItsOwn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.String(), rapid.StringMatching(`[+0-9A-Z ,.()（）-]{1,24}`), rapid.StringMatching(`0?[0-9]{5,12}`)).Draw(t, "value")
		of := rapid.SampledFrom(models.FieldTypes).Draw(t, "type")
		now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		f := models.FieldDefinition{Key: "f", Type: of, Choices: choices("contract_type")}
		given := value
		if judge(f, &value, now) != "" {
			if value != given {
				t.Fatalf("a refused value of %s changed", of)
			}
			return
		}
		if again := value; judge(f, &again, now) != "" || again != value {
			t.Fatalf("%s: %q becomes %q", of, value, again)
		}
	})
}

// TestMailAddresses: what no mail could reach is refused when it is written, not when the mail comes back.
func TestMailAddresses(t *testing.T) {
	for written, want := range map[string]string{
		"wang@example.com": "wang@example.com", " wang@example.com ": "wang@example.com", "ｗang@example.com": "wang@example.com", "王@例子.公司": "王@例子.公司",
		"wang@": "", "not an email": "", "@example.com": "", "wang@example": "", "wang@.com.": "", "Wang <wang@example.com>": "", "a@example.com, b@example.com": "",
		strings.Repeat("x", 250) + "@example.com": "",
	} {
		got, code := MailAddress(written)
		if want == "" && code != invalid.Malformed || want != "" && (got != want || code != "") {
			t.Errorf("%q becomes %q, %s", written, got, code)
		}
	}
}
