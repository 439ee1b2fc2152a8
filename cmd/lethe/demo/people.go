// Package demo is the company that `lethe dev` starts with: 200 people who do not exist, in four
// legal entities, with accounts in three systems and departures in different stages. All of it
// follows from the tables in this package; nothing is drawn at random.
package demo

import (
	"fmt"
	"time"

	"lethe/internal/clock"
	"lethe/models"
)

// Person is one demo employee.
type Person struct {
	No         string // such as "CN-0001"
	Name       string
	Department string // its code
	Post       string
	HiredOn    clock.Date
	Fields     map[string]string // values of sealed fields by the catalogue's keys
}

// Systems are the connected systems; each has the name of its kind, and everybody an account in each.
var Systems = []string{"mail", "finance", "attendance"}

// Bearers are the people whose tokens `lethe dev` issues, each in one role.
var Bearers = map[models.Role]string{
	models.RoleHRAdmin:        "CN-0001",
	models.RoleReviewer:       "CN-0002",
	models.RoleAuditor:        "CN-0074",
	models.RoleITOps:          "CN-0092",
	models.RoleDepartmentHead: "DEMO-0001",
	models.RoleEmployee:       "DEMO-0002",
}

// Another is somebody else with a role that Bearers has already, under a name of its own.
type Another struct {
	Name string
	Role models.Role
	No   string
}

// Others are those whom the steps of two people need: somebody who did not ask, and two reviewers
// beside the one who rejected.
var Others = []Another{
	{"second_hr_admin", models.RoleHRAdmin, "CN-0003"},
	{"second_reviewer", models.RoleReviewer, "CN-0004"},
	{"third_reviewer", models.RoleReviewer, "CN-0005"},
}

// entity is a legal entity. People are numbered within it.
type entity struct {
	code, nameZh, nameEn, jurisdiction, zone string
	values                                   locale
	departments                              []department
}

// department is part of a legal entity; its first person is its head.
type department struct {
	code, nameZh, nameEn string
	size                 int
	head                 string
	posts                []string
}

var company = []entity{
	{"CN", "忘川示例科技（上海）有限公司", "Lethe Sample Technology (Shanghai)", "CN", "Asia/Shanghai", chinese, []department{
		{"CN-HR", "人力资源部", "Human Resources", 14, "人事总监", []string{"人事专员", "薪酬专员", "招聘专员"}},
		{"CN-RD", "研发中心", "Research and Development", 58, "研发总监", []string{"软件工程师", "测试工程师", "产品经理", "架构师"}},
		{"CN-FIN", "财务部", "Finance", 18, "财务总监", []string{"内部审计", "会计", "出纳", "税务专员"}},
		{"CN-IT", "信息技术部", "Information Technology", 20, "信息技术总监", []string{"运维工程师", "网络工程师", "桌面支持"}},
	}},
	{"DE", "忘川示例（慕尼黑）有限公司", "Lethe Muster GmbH", "DE", "Europe/Berlin", german, []department{
		{"DE-ENG", "德国工程部", "Engineering Germany", 20, "Leitung Technik", []string{"Softwareentwicklung", "Qualitätssicherung"}},
		{"DE-SALES", "德国销售部", "Sales Germany", 15, "Vertriebsleitung", []string{"Vertrieb", "Kundenbetreuung"}},
	}},
	{"JP", "忘川示例（东京）株式会社", "Lethe Mihon K.K.", "JP", "Asia/Tokyo", japanese, []department{
		{"JP-SALES", "日本营业部", "Sales Japan", 30, "営業部長", []string{"営業", "カスタマーサポート", "経理"}},
	}},
	{"DEMO", "忘川演示公司", "Lethe Demonstration", models.DemoJurisdiction, "Asia/Shanghai", english, []department{
		{"DEMO", "演示部", "Demonstration", 25, "Head of Demonstration", []string{"Demonstrator", "演示专员"}},
	}},
}

// People are all of them, in the order of their numbers within each legal entity.
func People() []Person {
	var all []Person
	for _, e := range company {
		number := 0
		for _, d := range e.departments {
			for i := range d.size {
				number++
				all = append(all, e.person(d, number, i))
			}
		}
	}
	return all
}

// person is the person with a number, the i-th of the department.
func (e entity) person(d department, number, i int) Person {
	post := d.head
	if i > 0 {
		post = d.posts[(i-1)%len(d.posts)]
	}
	p := Person{
		No: fmt.Sprintf("%s-%04d", e.code, number), Name: e.values.name(number),
		Department: d.code, Post: post, HiredOn: hiredOn(number),
	}
	p.Fields = e.values.fields(p, number)
	return p
}

// hiredOn spreads the hirings over the years 2012 to 2022.
func hiredOn(number int) clock.Date {
	return clock.NewDate(2012+number*7%11, time.Month(1+number*5%12), 1+number*11%28)
}
