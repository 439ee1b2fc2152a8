package demo

import (
	"fmt"
	"strings"
	"time"

	"lethe/internal/clock"
)

// locale is how the people of one legal entity are called and what their files hold. Whatever
// could be taken for a real number, account or address begins with 0000, says that it is a sample,
// ends in the reserved domain "example" (RFC 2606), or is a phone number that is given to nobody (Ofcom keeps
// +44 7700 900000 to 900999 for drama).
type locale struct {
	family, given []string
	join          func(family, given string) string

	place, relative, document string
	address, bank, currency   string
	salary                    int
	housingFund               bool
	interview, handover       string
}

// name pairs the lists so that no pair returns before both have been gone through: their lengths
// have no common divisor.
func (l locale) name(number int) string {
	return l.join(l.family[number%len(l.family)], l.given[number*7%len(l.given)])
}

// fields are the person's sealed values.
func (l locale) fields(p Person, number int) map[string]string {
	lower := strings.ToLower(p.No)
	values := map[string]string{
		"contract_no":    "SAMPLE-" + p.No,
		"contract_type":  "open_ended",
		"contract_start": p.HiredOn.String(),
		"work_location":  l.place,

		"emergency_contact_name":     fmt.Sprintf(l.relative, number),
		"emergency_contact_relation": relations[number%len(relations)],
		"emergency_contact_phone":    fmt.Sprintf("+44 7700 900%03d", number%1000),

		"id_document_type": l.document,
		"id_number":        "SAMPLE-ID-" + p.No,
		"date_of_birth":    birthday(number).String(),
		"home_address":     fmt.Sprintf(l.address, number),
		"personal_phone":   fmt.Sprintf("+44 7700 900%03d", (number+500)%1000),
		"personal_email":   lower + "@private.example",

		"base_salary":  fmt.Sprintf("%d %s", l.salary+number%20*l.salary/20, l.currency),
		"bank_name":    l.bank,
		"bank_account": fmt.Sprintf("0000 0000 0000 %04d", number),

		"social_insurance_no": "SAMPLE-SI-" + p.No,
		"tax_no":              "SAMPLE-TAX-" + p.No,
	}
	if number%3 == 0 {
		values["contract_type"] = "fixed_term"
		values["contract_end"] = clock.NewDate(2030, time.Month(1+number%12), 28).String()
	}
	if l.housingFund {
		values["housing_fund_no"] = "SAMPLE-HF-" + p.No
	}
	if leaves(p.No) {
		values["exit_interview"] = l.interview
		values["handover_note"] = l.handover
		values["forwarding_contact"] = lower + "@forward.example"
	}
	return values
}

var relations = []string{"parent", "spouse", "sibling", "friend"}

func birthday(number int) clock.Date {
	return clock.NewDate(1968+number*13%30, time.Month(1+number*7%12), 1+number*3%28)
}

// words splits a table of names.
func words(s string) []string { return strings.Fields(s) }

func familyFirst(family, given string) string       { return family + given }
func familyFirstSpaced(family, given string) string { return family + " " + given }
func givenFirst(family, given string) string        { return given + " " + family }

var chinese = locale{
	family: words(`王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 高 林 何 郭 马 罗 梁 宋 郑 谢 韩 唐 冯 于 董 萧 程 曹 袁 邓 许 傅 沈 欧阳 司马 上官 诸葛`),
	given: words(`伟 芳 娜 敏 静 丽 强 磊 洋 艳 勇 军 杰 娟 涛 明 超 秀兰 霞 平 刚 桂英 文 辉 建华 雨桐 子轩 梓涵 浩然 欣怡 思远 嘉懿 若曦
		宇航 晨曦 诗涵 俊熙 雪梅 海燕 志强 淑华 云飞 天佑`),
	join:  familyFirst,
	place: "上海市（示例地址）", relative: "示例亲属%04d", document: "other",
	address: "示例市样本区虚构路%d号", bank: "示例银行", currency: "CNY", salary: 12000, housingFund: true,
	interview: "（示例）因个人发展离职，对团队评价良好。", handover: "（示例）交接清单已填写，待接收人确认。",
}

var german = locale{
	family: words(`Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter
		Klein Wolf Schröder Neumann Schwarz`),
	given: words(`Anna Ben Clara David Emma Felix Greta Hannes Ida Jonas Katharina Lukas Marie Niklas Olivia Paul Sophie`),
	join:  givenFirst,
	place: "München (Beispiel)", relative: "Erika Mustermann %04d", document: "national_identity_card",
	address: "Musterstraße %d, 00000 Musterstadt", bank: "Musterbank", currency: "EUR", salary: 4200,
	interview: "(Muster) Wechsel aus persönlichen Gründen.", handover: "(Muster) Übergabeliste liegt vor.",
}

var japanese = locale{
	family: words(`佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 吉田 山田 佐々木`),
	given:  words(`太郎 花子 翔太 美咲 健一 由美 大輔 さくら 直樹 恵子 蓮`),
	join:   familyFirstSpaced,
	place:  "東京都（見本）", relative: "見本 太郎%04d", document: "residence_permit",
	address: "見本県架空市サンプル町%d番地", bank: "見本銀行", currency: "JPY", salary: 320000,
	interview: "（見本）一身上の都合による退職。", handover: "（見本）引継書は作成済み。",
}

var english = locale{
	family: words(`Smith Jones Taylor Brown Williams Wilson 林 Davies 周 Evans 顾`),
	given:  words(`Alice Bob Carol Dan Erin Frank Grace Heidi Ivan Judy 小雨 Mallory 一鸣`),
	join: func(family, given string) string {
		if isHan(family) && isHan(given) {
			return familyFirst(family, given)
		}
		return givenFirst(family, given)
	},
	place: "Demo City (sample)", relative: "Sample Relative %04d", document: "passport",
	address: "%d Sample Street, Demo City", bank: "Sample Bank", currency: "CNY", salary: 10000,
	interview: "(Sample) Leaves on good terms.", handover: "(Sample) The handover list is complete.",
}

// isHan says whether a name is written in Chinese characters.
func isHan(s string) bool { return s[0] >= 0xe4 && s[0] <= 0xe9 }
