package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"lethe/internal/access"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/ledger"
	"lethe/models"
)

// The sections of a file, in the order in which they are shown.
const (
	SectionBasic            = "basic"
	SectionContract         = "contract"
	SectionEmergencyContact = "emergency_contact"
	SectionIdentity         = "identity"
	SectionPayBank          = "pay_bank"
	SectionSocialInsurance  = "social_insurance"
	SectionDeparture        = "departure"
)

// The basic fields are columns; they have no category and no sealed value.
const (
	FieldName       = "name"
	FieldEmployeeNo = "employee_no"
	FieldDepartment = "department"
	FieldPost       = "post"
	FieldHiredOn    = "hired_on"
)

type text struct{ zh, en string }

// in is the text in a language.
func (t text) in(l i18n.Language) string { return l.Of(t.zh, t.en) }

// section is one part of the file: whose fields share a category, and the notice that they carry
// unless they have one of their own.
type section struct {
	key      string
	label    text
	category models.Category
	notice   text
	fields   []field
}

type field struct {
	key    string
	of     models.FieldType
	label  text
	notice text
}

var catalogue = []section{
	{SectionBasic, text{"基本信息", "Basics"}, "",
		text{"仅限工作联系与组织管理使用", "For work contacts and organisation only"},
		[]field{
			{FieldName, models.FieldText, text{"姓名", "Name"}, text{}},
			{FieldEmployeeNo, models.FieldText, text{"工号", "Employee number"}, text{}},
			{FieldDepartment, models.FieldText, text{"部门", "Department"}, text{}},
			{FieldPost, models.FieldText, text{"岗位", "Post"}, text{}},
			{FieldHiredOn, models.FieldDate, text{"入职日期", "Hired on"}, text{}},
		}},
	{SectionContract, text{"劳动合同", "Contract"}, models.CategoryContract,
		text{"仅限劳动合同管理及劳动争议处理使用", "Only for managing the employment contract and settling disputes about it"},
		[]field{
			{"contract_no", models.FieldText, text{"合同编号", "Contract number"}, text{}},
			{"contract_type", models.FieldChoice, text{"合同类型", "Contract type"}, text{}},
			{"contract_start", models.FieldDate, text{"合同开始日期", "Contract starts on"}, text{}},
			{"contract_end", models.FieldDate, text{"合同到期日期", "Contract ends on"}, text{}},
			{"work_location", models.FieldAddress, text{"约定工作地点", "Agreed place of work"}, text{}},
			{"contract_scan", models.FieldAttachment, text{"劳动合同扫描件", "Scanned contract"}, text{}},
		}},
	{SectionEmergencyContact, text{"紧急联系人", "Emergency contact"}, models.CategoryEmergencyContact,
		text{"仅限员工本人紧急情况联系使用，非经本人同意不得向第三方提供", "Only for the employee's own emergencies; never to be given to anybody else without the employee's consent"},
		contacts()},
	{SectionIdentity, text{"身份信息", "Identity"}, models.CategoryIdentity,
		text{"仅限身份核验及法定用工手续使用，不得复印外传", "Only to verify identity and for filings that the law requires; never to be copied or passed on"},
		[]field{
			{"id_document_type", models.FieldChoice, text{"证件类型", "Identity document"}, text{}},
			{"id_number", models.FieldDocumentNumber, text{"证件号码", "Identity document number"}, text{}},
			{"id_document_scan", models.FieldAttachment, text{"证件扫描件", "Scanned identity document"}, text{}},
			{"date_of_birth", models.FieldDate, text{"出生日期", "Date of birth"}, text{}},
			{"home_address", models.FieldAddress, text{"家庭住址", "Home address"},
				text{"仅限寄送劳动关系文件及员工本人紧急情况使用", "Only to post employment papers and for the employee's own emergencies"}},
			{"personal_phone", models.FieldPhone, text{"个人手机号码", "Personal phone"},
				text{"仅限用人单位与员工本人联系使用，不得提供给他人", "Only for the company to reach the employee; never to be given to anybody else"}},
			{"personal_email", models.FieldEmail, text{"个人电子邮箱", "Personal email"},
				text{"仅限用人单位与员工本人联系使用，不得提供给他人", "Only for the company to reach the employee; never to be given to anybody else"}},
			{"duty_phone", models.FieldPhone, text{"值班电话", "Duty phone"},
				text{"仅限紧急求助时拨打值班人事使用", "Only to call HR on duty in an emergency"}},
			{"duty_email", models.FieldEmail, text{"值班通知邮箱", "Duty email"},
				text{"仅限通知值班人事有紧急求助使用", "Only to tell HR on duty of an emergency call"}},
		}},
	{SectionPayBank, text{"薪酬与银行账户", "Pay and bank"}, models.CategoryPayBank,
		text{"仅限薪酬核算与发放使用", "Only to calculate and pay wages"},
		[]field{
			{"base_salary", models.FieldMoney, text{"基本工资", "Base salary"}, text{}},
			{"bank_name", models.FieldText, text{"开户银行", "Bank"}, text{}},
			{"bank_account", models.FieldBankAccount, text{"银行账号", "Bank account"}, text{}},
		}},
	{SectionSocialInsurance, text{"社会保险与个税", "Social insurance and tax"}, models.CategorySocialInsurance,
		text{"仅限办理社会保险、住房公积金及个人所得税使用", "Only for social insurance, housing fund and income tax"},
		[]field{
			{"social_insurance_no", models.FieldText, text{"社会保险号", "Social insurance number"}, text{}},
			{"housing_fund_no", models.FieldText, text{"住房公积金账号", "Housing fund number"}, text{}},
			{"tax_no", models.FieldText, text{"纳税人识别号", "Tax number"}, text{}},
		}},
	{SectionDeparture, text{"离职信息", "Departure"}, models.CategoryDepartureFile,
		text{"仅限办理离职手续及劳动争议处理使用", "Only to carry out the departure and settle disputes about it"},
		[]field{
			{"exit_interview", models.FieldText, text{"离职面谈记录", "Exit interview"},
				text{"仅限人力资源改进工作使用，不得向原部门透露", "Only for HR's own improvement; never to be shown to the former department"}},
			{"handover_note", models.FieldText, text{"工作交接说明", "Handover note"}, text{}},
			{"forwarding_contact", models.FieldText, text{"离职后联系方式", "Contact after leaving"},
				text{"仅限办理离职后续手续时联系本人使用", "Only to reach the person about formalities after leaving"}},
		}},
}

// builtinField finds one of the program's fields.
func builtinField(key string) (field, bool) {
	for _, s := range catalogue {
		for _, f := range s.fields {
			if f.key == key {
				return f, true
			}
		}
	}
	return field{}, false
}

// Labels are what the fields of the file are called: those that the company added, beside the program's.
type Labels map[string]text

// LabelsNow reads those of the company's own fields.
func LabelsNow(g *gorm.DB) (Labels, error) {
	var rows []models.FieldDefinition
	if err := g.Select("key", "label_zh", "label_en").Where("purposes IS NOT NULL").Find(&rows).Error; err != nil {
		return nil, database.Wrap("reading what fields are called", err)
	}
	labels := make(Labels, len(rows))
	for _, r := range rows {
		labels[r.Key] = text{r.LabelZh, r.LabelEn}
	}
	return labels, nil
}

// LabelsOf is [LabelsNow] for some fields, and reads nothing where none of them is the company's own.
func LabelsOf(g *gorm.DB, keys []string) (Labels, error) {
	if !slices.ContainsFunc(keys, ownKey.MatchString) {
		return nil, nil //nolint:nilnil // the program's labels need none
	}
	return LabelsNow(g)
}

// Of is what a field is called; what is no field is not known.
func (l Labels) Of(language i18n.Language, key string) (label string, ok bool) {
	if own, ok := l[key]; ok {
		return own.in(language), true
	}
	f, ok := builtinField(key)
	return f.label.in(language), ok
}

// sectionLabel is what the section of a field is called.
func sectionLabel(f models.FieldDefinition, language i18n.Language) string {
	if f.Own() {
		return language.Of(f.SectionZh, f.SectionEn)
	}
	return sectionLabels[f.Section].in(language)
}

// noticeOf says what a field's value may be used for. What a company says stands in the place of the program's text; of
// the emergency contacts that one stays, and the company's follows.
func noticeOf(f models.FieldDefinition, language i18n.Language) string {
	notice, own := language.Of(f.NoticeZh, f.NoticeEn), language.Of(f.OwnNoticeZh, f.OwnNoticeEn)
	switch {
	case own == "":
		return notice
	case f.Section == SectionEmergencyContact:
		return notice + language.Of("；", "; ") + own
	}
	return own
}

var sectionLabels = func() map[string]text {
	labels := map[string]text{}
	for _, s := range catalogue {
		labels[s.key] = s.label
	}
	return labels
}()

// definitions are the catalogue's rows.
func definitions() []models.FieldDefinition {
	var rows []models.FieldDefinition
	for _, s := range catalogue {
		sensitivity := access.Sensitive
		if s.category == "" {
			sensitivity = access.Basic
		}
		for _, f := range s.fields {
			notice := s.notice
			if f.notice != (text{}) {
				notice = f.notice
			}
			rows = append(rows, models.FieldDefinition{
				Key: f.key, Section: s.key, Position: 10 * (len(rows) + 1), Category: s.category, Sensitivity: sensitivity,
				Type: f.of, Choices: choices(f.key),
				LabelZh: f.label.zh, LabelEn: f.label.en, NoticeZh: notice.zh, NoticeEn: notice.en,
			})
		}
	}
	return rows
}

// InstallCatalogue writes the field catalogue; what is there already gets the texts of this program.
func InstallCatalogue(tx *database.Tx) error {
	err := tx.DB().Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "key"}},
		DoUpdates: clause.AssignmentColumns([]string{
			"section", "position", "category", "sensitivity", "type", "choices", "label_zh", "label_en", "notice_zh", "notice_en"}),
	}).Create(definitions()).Error
	if err != nil {
		return database.Wrap("installing the field catalogue", err)
	}
	_, err = ledger.RecordConfiguration(tx, "field_catalogue", digestOf(definitions()), nil)
	return err
}

// digestOf is the SHA-256, in hex, over the catalogue's rows.
func digestOf(rows []models.FieldDefinition) string {
	h := sha256.New()
	for _, r := range rows {
		var options []struct{ Code, Zh, En string }
		for _, o := range r.Choices {
			options = append(options, struct{ Code, Zh, En string }{o.Code, o.Zh, o.En})
		}
		_, _ = fmt.Fprintf(h, "%q %q\n", []string{r.Key, r.Section, strconv.Itoa(r.Position), string(r.Category), r.Sensitivity,
			r.LabelZh, r.LabelEn, r.NoticeZh, r.NoticeEn, string(r.Type)}, options)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// BothLabels is what one of the program's fields is called, in both languages ([i18n.Both]).
func BothLabels(key string) string {
	f, _ := builtinField(key)
	return i18n.Both(f.label.zh, f.label.en)
}
