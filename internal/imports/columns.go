package imports

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/keyed"
	"lethe/models"
)

// What a column can be beside a field of the catalogue.
const (
	// ColumnLegalEntity tells departments of one name apart.
	ColumnLegalEntity = "legal_entity"
	ColumnTimeZone    = "time_zone"
	ColumnSite        = "site"
	// ColumnLeft is the day on which the employment of somebody who left ended, ColumnKind how.
	ColumnLeft = "left_on"
	ColumnKind = "departure_kind"
	// ColumnProblem is what a report writes beside each row; it is not read again.
	ColumnProblem = "problem"
)

// words are what headers say, besides the catalogue's own labels and keys.
var words = map[string][]string{
	archive.FieldEmployeeNo:      {"工号", "员工编号", "员工号", "职工号", "职工编号", "人员编号", "工作证号", "employee no", "employee id", "emp no", "staff no", "staff id", "personnel number", "number"},
	archive.FieldName:            {"姓名", "员工姓名", "名字", "full name", "employee name"},
	archive.FieldDepartment:      {"部门", "所属部门", "部门名称", "部门编码", "部门代码", "dept", "department code", "department name"},
	archive.FieldPost:            {"岗位", "职位", "职务", "岗位名称", "position", "job title", "title"},
	archive.FieldHiredOn:         {"入职日期", "入职时间", "到岗日期", "hire date", "date of hire", "start date", "joined on", "entry date"},
	"id_document_type":           {"证件类型", "id type"},
	"id_number":                  {"身份证号", "身份证号码", "身份证", "证件号", "证件号码", "id card", "id card number", "identity number", "id no"},
	"date_of_birth":              {"生日", "出生年月日", "birthday", "birth date", "dob"},
	"home_address":               {"住址", "家庭地址", "现住址", "地址", "address"},
	"personal_phone":             {"手机", "手机号", "手机号码", "联系电话", "本人电话", "mobile", "phone", "mobile phone", "cell phone"},
	"personal_email":             {"邮箱", "个人邮箱", "电子邮箱", "email", "e-mail", "private email"},
	"base_salary":                {"工资", "月薪", "salary"},
	"bank_name":                  {"银行", "开户行"},
	"bank_account":               {"银行卡号", "银行卡", "账号", "iban", "account number", "bank card"},
	"social_insurance_no":        {"社保号", "社保账号", "社会保障号", "social security number"},
	"housing_fund_no":            {"公积金账号", "公积金号"},
	"tax_no":                     {"税号", "tax id"},
	"contract_no":                {"合同号"},
	"contract_start":             {"合同起始日期", "合同开始日", "合同起始日", "contract start"},
	"contract_end":               {"合同终止日期", "合同到期日", "合同结束日期", "contract end"},
	"work_location":              {"工作地点", "place of work"},
	"emergency_contact_name":     {"紧急联系人", "紧急联系人姓名", "emergency contact"},
	"emergency_contact_relation": {"与本人关系", "紧急联系人关系", "emergency contact relation"},
	"emergency_contact_phone":    {"紧急联系电话", "紧急联系人手机", "紧急联系人电话", "emergency phone"},
	ColumnLegalEntity:            {"公司", "所属公司", "用人单位", "法人实体", "company", "legal entity"},
	ColumnSite:                   {"地点", "办公地点", "办公场所", "厂区", "office", "plant", "site code"},
	ColumnTimeZone:               {"时区", "time zone", "timezone"},
	ColumnLeft:                   {"离职日期", "离职时间", "离职日", "劳动关系解除日期", "劳动关系终止日期", "termination date", "leaving date", "end date", "left on", "last working day"},
	ColumnKind:                   {"离职类型", "离职方式", "离职类别", "离职种类", "kind of departure", "departure type", "termination type", "leaving type", "reason for leaving"},
	ColumnProblem:                {"问题", "problem"},
}

// folded is a header by which it is compared: width, case, blanks and marks make no difference.
func folded(header string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKC.String(header))
}

// guess is which field each header names; empty: none that is known, or one that an earlier column is already.
func guess(kind models.BatchKind, headers []string, definitions map[string]models.FieldDefinition) []string {
	return matched(headers, knownHeaders(kind, definitions))
}

// knownHeaders are the fields of a kind by what headers say, folded.
func knownHeaders(kind models.BatchKind, definitions map[string]models.FieldDefinition) map[string]string {
	known := map[string]string{}
	if kind == models.BatchDepartures {
		for field, texts := range leaveWords {
			for _, text := range append(slices.Clone(texts), field, ColumnLabel(i18n.Chinese, nil, field), ColumnLabel(i18n.English, nil, field)) {
				known[folded(text)] = field
			}
		}
		return known
	}
	called := func(own bool) {
		for _, key := range slices.Sorted(maps.Keys(definitions)) {
			if d := definitions[key]; d.Own() == own && !d.Retired {
				for _, text := range []string{d.LabelZh, d.LabelEn, d.Key} {
					known[folded(text)] = d.Key
				}
			}
		}
	}
	called(true) // what the program knows by the same word comes before the company's own
	for field, texts := range words {
		for _, text := range append(texts, field) {
			known[folded(text)] = field
		}
	}
	called(false)
	return known
}

func matched(headers []string, known map[string]string) []string {
	mapping := make([]string, len(headers))
	for i, header := range headers {
		if field := known[folded(header)]; field != "" && !slices.Contains(mapping, field) {
			mapping[i] = field
		}
	}
	return mapping
}

// Codes of what is wrong with a mapping.
const (
	CodeColumnUnknown = "unknown_column"
	CodeFieldUnknown  = "unknown_field"
	CodeFieldTwice    = "field_twice"
	CodeColumnTwice   = "column_twice"
	CodeNoNumber      = "no_employee_no"
)

// MappingError is what is wrong with a mapping: of its columns, by their place in what was sent, or of all (-1).
type MappingError struct {
	At   int
	Code string
}

func (e *MappingError) Error() string {
	return "a mapping that cannot be: " + e.Code + " at " + strconv.Itoa(e.At)
}

// ErrNoNumber is a [MappingError]: without the employee number nobody can be matched.
var errNoNumber = &MappingError{-1, CodeNoNumber}

// complete says whether a file can be checked by a mapping.
func complete(mapping []string) bool { return slices.Contains(mapping, archive.FieldEmployeeNo) }

// Column says of a column, counted from 1, which field it is; without a field it is left out.
type Column struct {
	Column int
	Field  string
}

// mappingOf judges what somebody says of the columns of a file; what is not said stays as it was.
func mappingOf(kind models.BatchKind, before []string, given []Column, definitions map[string]models.FieldDefinition) ([]string, error) {
	mapping := slices.Clone(before)
	var seen []int
	for at, c := range given {
		if c.Column < 1 || c.Column > len(mapping) {
			return nil, &MappingError{at, CodeColumnUnknown}
		}
		if slices.Contains(seen, c.Column) {
			return nil, &MappingError{at, CodeColumnTwice}
		}
		seen = append(seen, c.Column)
		if c.Field != "" && !mappable(kind, c.Field, definitions) {
			return nil, &MappingError{at, CodeFieldUnknown}
		}
		mapping[c.Column-1] = c.Field
	}
	for at, c := range given {
		if c.Field != "" && slices.Index(mapping, c.Field) != lastIndex(mapping, c.Field) {
			return nil, &MappingError{at, CodeFieldTwice}
		}
	}
	if !complete(mapping) {
		return nil, errNoNumber
	}
	return mapping, nil
}

func lastIndex(mapping []string, field string) int {
	for i := len(mapping) - 1; i >= 0; i-- {
		if mapping[i] == field {
			return i
		}
	}
	return -1
}

// mappable says whether a column can be a field.
func mappable(kind models.BatchKind, field string, definitions map[string]models.FieldDefinition) bool {
	if kind == models.BatchDepartures {
		return slices.Contains(LeaveColumns, field)
	}
	d, known := definitions[field]
	return known && !d.Retired || field == ColumnLegalEntity || field == ColumnSite || field == ColumnTimeZone || field == ColumnLeft || field == ColumnKind
}

// headerSet is what a mapping is remembered by: the headers, in whatever order.
func headerSet(kind models.BatchKind, headers []string) []string {
	set := make([]string, len(headers))
	for i, h := range headers {
		set[i] = folded(h)
	}
	slices.Sort(set)
	if kind == models.BatchDepartures {
		return append([]string{"headers of departures"}, set...)
	}
	return append([]string{"headers"}, set...)
}

// places are the columns in the order of a [headerSet].
func places(headers []string) []int {
	order := make([]int, len(headers))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(folded(headers[a]), folded(headers[b])) })
	return order
}

// remembered is the mapping that was used last for the same headers, nil if none was, or fields are gone since.
func remembered(tx *database.Tx, kind models.BatchKind, headers []string, definitions map[string]models.FieldDefinition) ([]string, error) {
	digests, err := keyed.All(tx.Context(), tx, keyed.Imports, headerSet(kind, headers)...)
	if err != nil {
		return nil, err
	}
	row, err := database.First[struct {
		Mapping models.Names `gorm:"type:text[]"`
	}](tx.DB().Table("import_mappings").Where("header_digest IN ?", digests).Order("used_at DESC"))
	if errors.Is(err, database.ErrNotFound) {
		return nil, nil
	}
	if err != nil || len(row.Mapping) != len(headers) {
		return nil, database.Wrap("reading a mapping", err)
	}
	mapping := make([]string, len(headers))
	for i, at := range places(headers) {
		field := row.Mapping[i]
		if field != "" && field != ColumnProblem && field != columnOutcome && !mappable(kind, field, definitions) {
			return nil, nil
		}
		mapping[at] = field
	}
	return mapping, nil
}

// remember keeps a mapping for files with the same headers. Nothing of the headers can be read from it.
func remember(tx *database.Tx, kind models.BatchKind, headers, mapping []string) error {
	digest, err := keyed.Of(tx.Context(), tx, keyed.Imports, headerSet(kind, headers)...)
	if err != nil {
		return err
	}
	sorted := make(models.Names, len(headers))
	for i, at := range places(headers) {
		sorted[i] = mapping[at]
	}
	err = tx.DB().Exec(`INSERT INTO import_mappings (header_digest, mapping) SELECT ?, ?::text[]
		ON CONFLICT (header_digest) DO UPDATE SET mapping = excluded.mapping, used_at = lethe_now()`, digest, sorted).Error
	return database.Wrap("remembering a mapping", err)
}
