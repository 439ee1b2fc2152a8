package archive

import (
	"strings"
	"time"

	"lethe/internal/clock"
	"lethe/internal/invalid"
	"lethe/models"
)

// How far apart dates of a file may lie from today.
const (
	farthestDate  = 100 * 366 // days ahead
	aheadOfOthers = 14        // hours: somewhere the next day has begun
)

// judge says what is wrong with a value by the type of its field, and puts it into the form in which it is stored. It
// is asked of what is written: what was there before there were types stays and can be read.
func judge(f models.FieldDefinition, value *string, now time.Time) (code string) {
	today := clock.DateOf(now.UTC().Add(aheadOfOthers * time.Hour))
	switch f.Type {
	case models.FieldDate:
		return judgeDate(f.Key, value, today)
	case models.FieldChoice:
		for _, o := range f.Choices {
			if o.Code == *value && !o.Retired {
				return ""
			}
		}
		return invalid.NotAllowed
	case models.FieldNumber:
		*value, code = decimal(*value)
	case models.FieldMoney:
		*value, code = amount(*value)
	case models.FieldPhone:
		*value, code = phoneNumber(*value)
	case models.FieldDocumentNumber:
		*value, code = documentNumber(*value)
	case models.FieldBankAccount:
		*value, code = bankAccount(*value)
	case models.FieldEmail:
		*value, code = MailAddress(*value)
	case models.FieldText, models.FieldAddress, models.FieldAttachment:
	}
	return code
}

// past are the dates that lie behind, whatever they are about.
var past = map[string]bool{"date_of_birth": true}

func judgeDate(key string, value *string, today clock.Date) (code string) {
	date, err := clock.ParseDate(plain(*value))
	if err != nil {
		return CodeNotADate
	}
	*value = date.String()
	behind := past[key] || strings.HasPrefix(key, contactPrefix)
	switch {
	case behind && date.After(today):
		return invalid.InFuture
	case date.Before(earliestBirth), date.After(today.AddDays(farthestDate)):
		return CodeOutOfRange
	}
	return ""
}

// together judges what values say of each other: a number by the kind of the document, its birth date by the one that
// is given, and the end of a contract by its start. It sees what is written at once and not what is sealed already: to
// compare with that it would have to be opened, and each opening is a look.
func together(fields map[string]*string, now time.Time, found *problems) {
	given := func(key string) string {
		if v := fields[key]; v != nil {
			return *v
		}
		return ""
	}
	if number := given("id_number"); number != "" {
		born, code := personalNumber(given("id_document_type"), fields["id_number"], now)
		if code == "" && !born.IsZero() && given("date_of_birth") != "" && given("date_of_birth") != born.String() {
			code = CodeBirthMismatch
		}
		if code != "" {
			found.Add("fields.id_number", code)
		}
	}
	if start, end := given("contract_start"), given("contract_end"); start != "" && end != "" && end < start {
		found.Add("fields.contract_end", CodeMismatch)
	}
}

// personalNumber judges a number of an identity document. Without the kind of the document one that has the form of
// a Chinese one has to be right, too.
func personalNumber(document string, number *string, now time.Time) (born clock.Date, code string) {
	switch document {
	case documentResidentCard, documentHMTPermit:
	case documentForeignersCard, "": // former cards of foreigners have other numbers
		if !looksResident(*number) {
			return born, ""
		}
	default:
		return born, ""
	}
	*number, born, code = residentNumber(*number, clock.DateOf(now.UTC().Add(aheadOfOthers*time.Hour)))
	return born, code
}
