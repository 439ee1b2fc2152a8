package archive

import (
	"fmt"
	"strings"
	"time"

	"lethe/internal/i18n"
	"lethe/models"
)

// The kinds of identity documents whose numbers follow GB 11643: eighteen characters with birth date and check digit.
const (
	documentResidentCard   = "resident_identity_card"
	documentHMTPermit      = "hmt_residence_permit"
	documentForeignersCard = "foreigner_permanent_residence"
)

// ContactsMost is how many emergency contacts a file has room for.
const ContactsMost = 5

const contactPrefix = "emergency_contact_"

// contacts are the fields of the emergency contacts. Each contact has fields of its own, numbered from the second on:
// masks, looks, holds and purges reach them as they reach every field, and the first keeps the keys that it has had.
func contacts() []field {
	fields := make([]field, 0, 6*ContactsMost)
	for n := 1; n <= ContactsMost; n++ {
		prefix, zh, en := prefixOf(n), "紧急联系人", "Emergency contact"
		if n > 1 {
			zh, en = fmt.Sprintf("紧急联系人 %d ", n), fmt.Sprintf("Emergency contact %d", n)
		}
		fields = append(fields,
			field{prefix + "name", models.FieldText, text{zh + "姓名", en + "'s name"}, text{}},
			field{prefix + "relation", models.FieldChoice, text{zh + "与本人关系", en + "'s relation to the employee"}, text{}},
			field{prefix + "phone", models.FieldPhone, text{zh + "电话", en + "'s phone"}, text{}},
			field{prefix + "informed", models.FieldChoice, text{zh + "是否已告知", en + " was told"}, text{}},
			field{prefix + "informed_on", models.FieldDate, text{zh + "告知日期", en + " was told on"}, text{}},
			field{prefix + "informed_by", models.FieldChoice, text{zh + "告知方式", en + " was told by"}, text{}})
	}
	return fields
}

// prefixOf is how the keys of a contact's fields begin.
func prefixOf(contact int) string {
	if contact == 1 {
		return contactPrefix
	}
	return fmt.Sprintf("%s%d_", contactPrefix, contact)
}

// further says whether a field is of another emergency contact than the first.
func further(key string) bool {
	rest, ok := strings.CutPrefix(key, contactPrefix)
	return ok && rest[0] >= '2' && rest[0] <= '9'
}

// choices are what may be chosen for a field; none for what is no choice.
func choices(key string) []models.FieldOption {
	if further(key) {
		key = contactPrefix + key[len(contactPrefix)+len("2_"):]
	}
	return options[key]
}

var options = map[string][]models.FieldOption{
	"contract_type": {
		{Code: "fixed_term", Zh: "固定期限劳动合同", En: "Fixed term"},
		{Code: "open_ended", Zh: "无固定期限劳动合同", En: "Open-ended"},
		{Code: "task_based", Zh: "以完成一定工作任务为期限的劳动合同", En: "Until a task is done"},
		{Code: "part_time", Zh: "非全日制用工", En: "Part time"},
		{Code: "other", Zh: "其他", En: "Other"},
	},
	"emergency_contact_relation": {
		{Code: "spouse", Zh: "配偶", En: "Spouse"},
		{Code: "parent", Zh: "父母", En: "Parent"},
		{Code: "child", Zh: "子女", En: "Child"},
		{Code: "sibling", Zh: "兄弟姐妹", En: "Sibling"},
		{Code: "relative", Zh: "其他亲属", En: "Other relative"},
		{Code: "friend", Zh: "朋友", En: "Friend"},
		{Code: "other", Zh: "其他", En: "Other"},
	},
	"emergency_contact_informed": {
		{Code: "yes", Zh: "已告知", En: "Yes"},
		{Code: "no", Zh: "未告知", En: "No"},
	},
	"emergency_contact_informed_by": {
		{Code: "employee", Zh: "由员工本人告知", En: "The employee"},
		{Code: "company_phone", Zh: "由单位电话告知", En: "The company, by phone"},
		{Code: "company_writing", Zh: "由单位书面告知", En: "The company, in writing"},
	},
	"id_document_type": {
		{Code: documentResidentCard, Zh: "居民身份证", En: "Resident identity card (China)"},
		{Code: documentHMTPermit, Zh: "港澳台居民居住证", En: "Residence permit for residents of Hong Kong, Macao and Taiwan"},
		{Code: documentForeignersCard, Zh: "外国人永久居留身份证", En: "Foreigner's permanent residence card (China)"},
		{Code: "passport", Zh: "护照", En: "Passport"},
		{Code: "national_identity_card", Zh: "其他国家或地区的身份证", En: "Identity card of another country"},
		{Code: "residence_permit", Zh: "其他居留许可", En: "Other residence permit"},
		{Code: "other", Zh: "其他", En: "Other"},
	},
}

// ValueText is a value as it is read: of a choice its text, of a day the day as the language writes it, else the value.
func (f LookField) ValueText(l i18n.Language, value string) string {
	if day, err := time.Parse(time.DateOnly, value); f.Type == models.FieldDate && err == nil {
		return l.Day(day)
	}
	for _, o := range f.Choices {
		if o.Code == value {
			return l.Of(o.Zh, o.En)
		}
	}
	return value
}
