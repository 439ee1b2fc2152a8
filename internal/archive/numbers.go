package archive

import (
	"net/mail"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"lethe/internal/clock"
	"lethe/internal/invalid"
)

// The forms of numbers. The functions here are pure; each returns the form in which a number is stored, and a code of
// what is wrong with it.

// plain is a number as it is compared: half-width, without blanks.
func plain(s string) string { return strings.Join(strings.Fields(norm.NFKC.String(s)), "") }

var residentForm = regexp.MustCompile(`^[0-9]{17}[0-9X]$`)

// looksResident says whether a number has the form of GB 11643.
func looksResident(s string) bool { return residentForm.MatchString(strings.ToUpper(plain(s))) }

// residentNumber judges a number after GB 11643-1999: six digits of a place, the birth date, three of a sequence, and
// the check digit of ISO 7064 (mod 11-2). today is the last day on which somebody may be born.
func residentNumber(s string, today clock.Date) (number string, born clock.Date, code string) {
	number = strings.ToUpper(plain(s))
	if !residentForm.MatchString(number) {
		return s, born, invalid.Malformed
	}
	sum := 0
	for i := range 17 {
		sum += int(number[i]-'0') * (1 << (17 - i) % 11)
	}
	if "10X98765432"[sum%11] != number[17] {
		return s, born, CodeWrongCheckDigit
	}
	born, err := clock.ParseDate(number[6:10] + "-" + number[10:12] + "-" + number[12:14])
	if err != nil || born.Before(earliestBirth) || born.After(today) {
		return s, born, CodeNoBirthDate
	}
	return number, born, ""
}

var earliestBirth = clock.NewDate(1900, time.January, 1)

// otherDocument is the number of a document of which nothing else is known.
var otherDocument = regexp.MustCompile(`^[\p{L}0-9()/.-]{1,64}$`)

func documentNumber(s string) (string, string) {
	if number := plain(s); otherDocument.MatchString(number) {
		return number, ""
	}
	return s, invalid.Malformed
}

// MailAddress judges an address of mail: one of RFC 5322, 3.4.1, by itself, at a domain that has a dot. The second is why it is none.
func MailAddress(s string) (string, string) {
	written := plain(s)
	a, err := mail.ParseAddress(written)
	if err != nil || a.Name != "" || a.Address != written || len(written) > maxMailAddress {
		return s, invalid.Malformed
	}
	if at := strings.LastIndexByte(written, '@'); !strings.Contains(strings.Trim(written[at+1:], "."), ".") {
		return s, invalid.Malformed
	}
	return written, ""
}

// maxMailAddress is in bytes: RFC 5321, 4.5.3.1.3.
const maxMailAddress = 254

var (
	ibanForm    = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[0-9A-Z]{6,30}$`)
	cardForm    = regexp.MustCompile(`^62[0-9]{14,17}$`)
	accountForm = regexp.MustCompile(`^[\p{L}0-9-]{4,64}$`)
)

// ibanLengths are those of the register of ISO 13616 for where IBANs are used; others have any.
var ibanLengths = func() map[string]int {
	lengths := map[string]int{}
	for entry := range strings.FieldsSeq(`AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28
		EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32
		LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24
		SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20`) {
		lengths[entry[:2]], _ = strconv.Atoi(entry[2:])
	}
	return lengths
}()

// bankAccount judges the number of an account. What has the form of an IBAN has to be one. A card of UnionPay (16 to
// 19 digits that begin with 62) has a check digit; other numbers, such as those of passbooks and of accounts of firms,
// have none that all banks share, and are taken as they are.
func bankAccount(s string) (string, string) {
	written := plain(s)
	number := strings.ToUpper(strings.ReplaceAll(written, "-", ""))
	switch {
	case ibanForm.MatchString(number):
		if long, known := ibanLengths[number[:2]]; known && len(number) != long {
			return s, invalid.Malformed
		}
		if !ibanHolds(number) {
			return s, CodeWrongCheckDigit
		}
		return number, ""
	case cardForm.MatchString(number):
		if !luhn(number) {
			return s, CodeWrongCheckDigit
		}
		return number, ""
	case accountForm.MatchString(written):
		return written, ""
	}
	return s, invalid.Malformed
}

// ibanHolds checks mod 97 (ISO 7064).
func ibanHolds(number string) bool {
	rest := 0
	for _, r := range number[4:] + number[:4] {
		if r >= 'A' {
			rest = (rest*100 + int(r-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(r-'0')) % 97
		}
	}
	return rest == 1
}

// luhn checks the last digit of ISO/IEC 7812.
func luhn(number string) bool {
	sum := 0
	for i := range len(number) {
		d := int(number[len(number)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

var (
	phoneMarks    = strings.NewReplacer("-", "", "‐", "", "‑", "", "–", "", "—", "", "−", "", "(", "", ")", "", ".", "", "·", "")
	phoneForm     = regexp.MustCompile(`^(\+[1-9][0-9]{6,14}|1[3-9][0-9]{9}|0[1-9][0-9]{7,11})$`)
	chineseAbroad = regexp.MustCompile(`^\+86(1[3-9][0-9]{9}|(10|2[0-9])[0-9]{8}|[3-9][0-9]{2}[0-9]{7,8})$`)
)

// phoneNumber judges a phone number: E.164 with its country (+86 138 0000 0000, 0086…), a Chinese mobile number, or one
// with an area code as it is dialled within its country (010-1234 5678, 089 123456). Blanks, dashes and brackets go.
func phoneNumber(s string) (string, string) {
	number := phoneMarks.Replace(plain(s))
	if abroad, ok := strings.CutPrefix(number, "00"); ok {
		number = "+" + abroad
	}
	if !phoneForm.MatchString(number) || strings.HasPrefix(number, "+86") && !chineseAbroad.MatchString(number) {
		return s, CodeNotAPhone
	}
	return number, ""
}

var (
	numberForm = regexp.MustCompile(`^-?[0-9]{1,15}(\.[0-9]{1,6})?$`)
	moneyForm  = regexp.MustCompile(`^([0-9]{1,13}(?:\.[0-9]{1,4})?)([A-Z]{3})?$`)
	thousands  = regexp.MustCompile(`^[0-9]{1,3}(,[0-9]{3})+(\.|[A-Z]|$)`)
)

// decimal judges a number: digits, with a point where it has decimals.
func decimal(s string) (string, string) {
	if number := ungrouped(plain(s)); numberForm.MatchString(number) {
		return number, ""
	}
	return s, CodeNotANumber
}

// amount judges an amount of money, with or without its currency (ISO 4217): 12,000.50 CNY.
func amount(s string) (string, string) {
	m := moneyForm.FindStringSubmatch(ungrouped(strings.ToUpper(plain(s))))
	if m == nil {
		return s, CodeNotANumber
	}
	return strings.TrimSpace(m[1] + " " + m[2]), ""
}

// ungrouped leaves out commas that group thousands; others stay, and are refused.
func ungrouped(s string) string {
	if thousands.MatchString(s) {
		return strings.ReplaceAll(s, ",", "")
	}
	return s
}
