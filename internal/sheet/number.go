package sheet

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// digitsKept is how many digits of a number a spreadsheet program keeps; the others become zeros.
const digitsKept = 15

// number is a number of a workbook as text: an integer without a point or an exponent, a day as YYYY-MM-DD. lost says
// that it has more digits than a program keeps, so that the last ones are not what was typed.
func number(value string, isDay, from1904 bool) (text string, lost bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return value, false
	}
	if isDay {
		if text, ok := day(f, from1904); ok {
			return text, false
		}
	}
	if math.Abs(f) >= 1e15 {
		return strconv.FormatFloat(f, 'f', 0, 64), true
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', digitsKept, 64), 64)
	if err != nil {
		return value, false
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64), false
}

// day is the day that a number of days since 1900 or 1904 stands for, with the time if there is one. By the count from
// 1900 there was a 29 February 1900, which there was not.
func day(serial float64, from1904 bool) (string, bool) {
	epoch := time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case from1904:
		epoch = time.Date(1904, time.January, 1, 0, 0, 0, 0, time.UTC)
	case serial < 60:
		serial++
	}
	if serial < 0 || serial >= 2958466 { // the year 10000
		return "", false
	}
	whole := math.Floor(serial)
	seconds := int(math.Round((serial - whole) * 24 * 60 * 60))
	at := epoch.AddDate(0, 0, int(whole)).Add(time.Duration(seconds) * time.Second)
	if seconds == 0 {
		return at.Format(time.DateOnly), true
	}
	return at.Format(time.DateTime), true
}

// builtinDate says whether a format that every program knows shows a day (ECMA-376, 18.8.30, also those for Chinese,
// Japanese and Korean).
func builtinDate(id string) bool {
	n, err := strconv.Atoi(id)
	return err == nil && (n >= 14 && n <= 17 || n == 22 || n >= 27 && n <= 31 || n == 36 || n >= 50 && n <= 54 || n == 57 || n == 58)
}

// dateFormat says whether a format of the workbook's own shows a year or a day.
func dateFormat(code string) bool {
	quoted, bracket := false, false
	for i := 0; i < len(code); i++ {
		switch c := code[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\\' || c == '_' || c == '*':
			i++
		case c == '[':
			bracket = true
		case c == ']':
			bracket = false
		case bracket:
		case c == 'y' || c == 'Y' || c == 'd' || c == 'D':
			return true
		}
	}
	return false
}
