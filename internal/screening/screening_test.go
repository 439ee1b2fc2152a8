package screening

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"lethe/internal/i18n"
)

// What is in the way of being read is taken away, and the rule that the plain text breaks refuses it all the same.
func TestNoDisguiseHelps(t *testing.T) {
	for name, text := range map[string]string{
		"plain":                    "他欠我钱不还",
		"traditional":              "他欠我錢不還",
		"blanks and marks":         "他 欠-我*钱。不、还",
		"zero width":               "他欠\u200b我\u2060钱\ufeff不还",
		"bidi":                     "他\u202e欠我\u2066钱不还",
		"full width pinyin":        "ｔａ ｑｉａｎ ｗｏ ｑｉａｎ ｂｕ ｈｕａｎ",
		"pinyin with tones":        "tā qiàn wǒ qián bù huán",
		"pinyin with digits":       "ta1 qian4 wo3 qian2 bu4 huan2",
		"pinyin in one":            "taqianwoqianbuhuan",
		"pinyin split":             "t a q i a n w o q i a n",
		"pinyin in part":           "他qian我钱",
		"initials":                 "qwqbh",
		"initials in part":         "他q我钱",
		"sounds alike":             "他谦我钱",
		"digits that sound alike":  "他欠5钱",
		"halves of characters":     "亻昔我的钅戋",
		"a picture":                "拿了我的💰",
		"words":                    "he owes me money",
		"words split":              "he o.w.e.s m-e m o n e y",
		"digits for letters":       "he 0w3s m3 m0n3y",
		"letters of other scripts": "he оwеs mе",
		"letters of mathematics":   "he 𝐨𝐰𝐞𝐬 𝖒𝖊",
		"small capitals":           "he ᴏᴡᴇs me",
	} {
		if f := Builtin().Screen(text, "unreachable"); f.Category != PrivateDebt {
			t.Errorf("%s: %q is %+v", name, text, f)
		}
	}
}

// Who wants it and what for refuses, in whichever words, and for whichever purpose it is said to be.
func TestWhoWantsItAndWhatFor(t *testing.T) {
	for text, want := range map[string]Category{
		"A former colleague wants his number to catch up": PrivateContact,
		"A recruiter asks for his mobile":                 Recruiting,
		"curious what she earns":                          Curiosity,
		"佢借咗我三千蚊走佬，搵佢屋企人":                                 PrivateDebt,
	} {
		for _, purpose := range append(slices.Collect(maps.Keys(Builtin().Purposes)), "") {
			if f := Builtin().Screen(text, purpose); f.Category != want {
				t.Errorf("%q for %s is %+v", text, purpose, f)
			}
		}
	}
	for text, purpose := range map[string]string{
		"His ex-wife's maintenance order changed, deduction has to be lowered from this month":  "payroll",
		"他被讨债的人捅伤，正在手术，医院要家属签字":                                                                 "medical_emergency",
		"公司要求他返还培训费和签字费，他不肯还，仲裁已受理，需要服务期协议":                                                     "employment_dispute",
		"Recruiter for our firm had a car accident on the way to a job fair, report to insurer": "work_injury",
	} {
		if f := Builtin().Screen(text, purpose); f.Verdict == Refused {
			t.Errorf("%q for %s is %+v", text, purpose, f)
		}
	}
}

// A single word refuses nothing, and nor does what only has the same characters in it.
func TestNeutralWordsNeverRefuse(t *testing.T) {
	purposes := append(slices.Collect(maps.Keys(Builtin().Purposes)), "")
	for _, text := range []string{
		"借调", "债券", "欠薪仲裁", "欠费停机", "借", "欠", "钱", "债", "债权", "客户", "领导", "老板", "经理", "朋友", "招聘", "猎头", "保险", "联系", "电话",
		"信贷经理", "追讨欠薪", "借支备用金", "债券部门", "客户经理", "客户端", "公司对该员工的培训费债权", "员工借调至分公司", "在信贷部门工作", "负责发放贷款的员工",
		"debt securities", "client", "customer", "manager", "boss", "friend", "loan", "money", "recruiter", "phone", "debtor", "account manager", "wages owed",
	} {
		for _, purpose := range purposes {
			if f := Builtin().Screen(text, purpose); f.Verdict == Refused {
				t.Errorf("%q for %s is refused: %v", text, purpose, f.Rules)
			}
		}
	}
}

func TestWhatSaysNothing(t *testing.T) {
	notice := "仅限员工本人紧急情况联系使用，非经本人同意不得向第三方提供"
	for _, text := range []string{"", " ", "。", "???", "\u200b", "1", "123456", "哈哈哈哈哈", "asdfgh", "qwertyuiop", "aaaaaaa", "xxx", "无", "test", "N/A", notice, notice + "。" + notice, "如题"} {
		if f := Builtin().Screen(text, "medical_emergency"); f.Doubt != SaysNothing {
			t.Errorf("%q is %+v", text, f)
		}
	}
}

func TestNormalise(t *testing.T) {
	for written, want := range map[string]string{
		"ＡＢＣ　１２３": "abc 123", "Ａ\u0301": "a", "電話號碼": "电话号码", "薴苎苧": "苧苧苧", "раypаl": "paypal", "①": "1", "a\u200bb\u00ad": "ab", "\xff": "",
		"a \n\t b": "a b", "İ": "i", "亻昔": "借", "한국": "한국",
	} {
		if got := Normalise(written); got != want {
			t.Errorf("%q is %q, want %q", written, got, want)
		}
	}
}

// The names in the search and the texts of reasons are folded by one table.
func TestTraditionalCharactersAreThoseOfTheSearch(t *testing.T) {
	sql, err := os.ReadFile("../database/migrations/main/00034_many_people.sql")
	if err != nil {
		t.Fatal(err)
	}
	up, _, _ := strings.Cut(string(sql), "-- +goose Down")
	var lines []string
	for _, begins := range []string{"traditional CONSTANT text :=", "translate(t, traditional,"} {
		_, rest, _ := strings.Cut(up, begins)
		rest, _, _ = strings.Cut(rest, ";")
		line := ""
		for _, m := range regexp.MustCompile(`'([^']*)'`).FindAllStringSubmatch(rest, -1) {
			line += m[1]
		}
		lines = append(lines, line)
	}
	if got := strings.Join(lines, "\n") + "\n"; got != traditional || utf8.RuneCountInString(lines[0]) < 2000 {
		t.Error("traditional.txt is not the table of the migration")
	}
}

func TestAFaultyPackIsRefused(t *testing.T) {
	const good = `version: "1"
groups: {neutral: [借调], nothing: [无], vague: [有事], formal: [今天], denial: [不是], pretext: [是借口], debt: [欠…钱, owes me], ask: [电话]}
purposes: {unreachable: {facts: [ask]}}
rules: [{name: a, category: private_debt, text: {zh: 甲, en: A}, all: [debt]}]
`
	if _, err := Parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct{ old, new, says string }{
		{`version: "1"`, ``, "no version"},
		{`vague: [有事], `, ``, "the group vague has no phrases"},
		{`ask: [电话]`, `facts: [电话]`, "no group can be called facts"},
		{`facts: [ask]`, `facts: [asks]`, `purpose unreachable: there is no group "asks"`},
		{`name: a, `, ``, "no name of its own"},
		{`all: [debt]}`, `all: [debt]}, {name: a, category: curiosity, text: {zh: 甲, en: A}, all: [debt]}`, "rule 2 has no name of its own"},
		{`private_debt`, `debts`, `rule a: there is no category "debts"`},
		{`zh: 甲, `, ``, "rule a: it has no sentence in zh"},
		{`all: [debt]`, `all: []`, "rule a: it asks for nothing"},
		{`all: [debt]`, `all: [debt|owed]`, `rule a: there is no group "owed"`},
		{`all: [debt]`, `all: [debt], unless: [facts, excuse]`, `rule a: there is no group "excuse"`},
		{`all: [debt]`, `all: [debt], not_for: [payrol]`, `rule a: there is no purpose "payrol"`},
		{`all: [debt]`, `all: [debt], within: -1`, "rule a: within -1"},
		{`all: [debt]`, `any: [debt]`, "field any not found"},
		{`借调`, `借調`, `group neutral: "借調" is not written as it is looked for, which is "借调"`},
		{`[电话]`, `[电话, 电话]`, `group ask: "电话" stands twice`},
		{`[电话]`, `[电话…]`, "1 to 60 characters"},
		{`[电话]`, `["电话a"]`, "neither a word nor spoken"},
		{`[电话]`, `["%"]`, "something other than words"},
		{`[电话]`, `["~ %"]`, "something other than syllables"},
		{good, good + "---\n" + good, "something follows it"},
		{good, ``, "reading the pack"},
		{`rules: [`, `sounds: {欠钱: 谦}` + "\nrules: [", `sounds: "欠钱" is not one character`},
		{`ask: [电话]`, `told: [电话]`, "no group can be called told"},
		{`rules: [`, `dialects: {owes: 欠}` + "\nrules: [", `dialects: "owes" is not in Chinese characters`},
		{`rules: [`, `dialects: {爭我: 欠我}` + "\nrules: [", `dialects: "爭我" or "欠我" is not written as it is looked for`},
		{`rules: [`, `dialects: {佢: 他, 他: 佢}` + "\nrules: [", "is not written as it is looked for"},
		{`rules: [`, `dialects: {佢: ""}` + "\nrules: [", `dialects: "佢" or "" is not written`},
		{`ask: [电话]`, `ask: [佢电话]` + "}\ndialects: {佢: 他", `group ask: "佢电话" is not written as it is looked for, which is "他电话"`},
	} {
		faulty := strings.Replace(good, k.old, k.new, 1)
		if _, err := Parse([]byte(faulty)); err == nil || !strings.Contains(err.Error(), k.says) {
			t.Errorf("%q instead of %q: %v, want %q", k.new, k.old, err, k.says)
		}
	}
}

// What of a rule decides, decides: its groups near together, what excuses, what is excepted, and for which purpose.
func TestARule(t *testing.T) {
	pack, err := Parse([]byte(`version: "1"
groups: {neutral: [借调], nothing: [无], vague: [有事], formal: [今天], denial: [不是], pretext: [是借口], debt: [欠…钱, 借], ask: [电话], fact: [晕倒], except: [借书证], pass: [月票卡], bill: [账单], mate: [哥们]}
purposes: {medical_emergency: {facts: [fact]}, payroll: {}}
dialects: {争我: 欠我, 嘅: 的}
rules:
  - {name: a, category: private_debt, text: {zh: 甲, en: A}, all: [debt, ask], unless: [facts], except: [except], not_for: [payroll], within: 12}
  - {name: b, category: private_debt, text: {zh: 甲, en: A}, all: [amount, ask], within: 4}
  - {name: c, category: private_debt, text: {zh: 甲, en: A}, all: [pass, ask], unless: [told]}
  - {name: d, category: private_debt, text: {zh: 甲, en: A}, all: [bill], weak: true}
  - {name: e, category: private_debt, text: {zh: 甲, en: A}, all: [bill, mate], weak: true}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct {
		text, purpose string
		refused       bool
	}{
		{"他欠了我钱，要电话", "medical_emergency", true},
		{"要电话，他欠了我钱", "medical_emergency", true},
		{"他欠了我钱", "medical_emergency", false},
		{"他欠了我钱，甲乙丙丁戊己庚辛壬癸，电话", "medical_emergency", false},
		{"他欠甲乙丙丁戊己庚辛壬癸钱，电话", "medical_emergency", false},
		{"他欠了我钱，要电话，今天他晕倒了", "medical_emergency", false},
		{"他欠了我钱，借的，要电话，今天他晕倒了", "medical_emergency", true},
		{"他欠了我钱，要电话，今天他晕倒了", "unreachable", true},
		{"他欠了我钱，要电话", "payroll", false},
		{"借调的人的电话", "medical_emergency", false},
		{"借书证上的电话", "medical_emergency", false},
		{"借调，借，电话", "medical_emergency", true},
		{"他欠了我钱，要电话，不是今天晕倒的", "medical_emergency", true},
		{"他欠了我钱，要电话，今天晕倒是借口", "medical_emergency", true},
		{"佢爭我好多钱，要电话", "medical_emergency", true},
		{"佢爭我嘅钱，要电话，今天他晕倒了", "medical_emergency", false},
		{"月票卡，要电话", "medical_emergency", true},
		{"月票卡，要电话，晕倒了", "medical_emergency", false},
		{"月票卡，要电话，晕倒了", "payroll", true},
		{"要电话，$900", "medical_emergency", true},
		{"要电话，£90", "medical_emergency", true},
		{"要电话，两千块", "medical_emergency", true},
		{"要电话，5w", "medical_emergency", true},
		{"要电话，900", "medical_emergency", false},
		{"要电话，三天", "medical_emergency", false},
		{"他的账单还在这里", "payroll", false},
		{"他的账单还在哥们那里", "payroll", true},
		{"账单，要电话，月票卡", "payroll", true},
	} {
		if f := pack.Screen(k.text, k.purpose); (f.Verdict == Refused) != k.refused {
			t.Errorf("%q for %s: %+v", k.text, k.purpose, f)
		}
	}
	if f := pack.Screen("他的账单还在这里", "payroll"); f.Verdict != Review || f.Doubt != Unclear || len(f.Rules) > 0 {
		t.Errorf("what a weak rule alone finds is %+v", f)
	}
	if pack.Sentence("a", i18n.Chinese) != "甲" || pack.Sentence("z", i18n.English) != "" {
		t.Error("the sentences are others")
	}
}

// The time is linear in the text: what would take seconds if it were not is done at once.
func TestALongTextTakesNoLongerThanItIs(t *testing.T) {
	Builtin().Screen("", "")
	for _, text := range []string{"欠", "欠我钱", "qian", "q", "q ", "owes me ", "1", "e\u0301", "\u0301", "他欠我…", "aaaaaaaaab", "-", "客户领导朋友猎头", "𝐨"} {
		long := strings.Repeat(text, 20_000/utf8.RuneCountInString(text))
		start := time.Now()
		Builtin().Screen(long, "unreachable")
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("20,000 characters of %q took %s", text, took)
		}
	}
}

func FuzzScreen(f *testing.F) {
	for _, text := range []string{"他欠我钱不还", "ta qian wo qian", "he 0wes me", "。", "\xff\u202e", "亻\u200b昔", "xi'an", "İ①㍿ﷺ", "q w q 5 8", "~…"} {
		f.Add(text, "unreachable")
	}
	f.Fuzz(func(t *testing.T, text, purpose string) {
		once := Normalise(text)
		if twice := Normalise(once); twice != once {
			t.Fatalf("%q becomes %q and then %q", text, once, twice)
		}
		found := Builtin().Screen(text, purpose)
		if again := Builtin().Screen(once, purpose); again.Verdict != found.Verdict || again.Doubt != found.Doubt || !slices.Equal(again.Rules, found.Rules) {
			t.Fatalf("%q is %+v, normalised %+v", text, found, again)
		}
		if (found.Verdict == Refused) != (len(found.Rules) > 0 && found.Category != "") || (found.Verdict == Review) != (found.Doubt != "") {
			t.Fatalf("%q is %+v", text, found)
		}
	})
}
