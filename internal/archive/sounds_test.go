package archive_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/models"
)

func (c *company) named(t *testing.T, no, name string) uuid.UUID {
	t.Helper()
	n := c.zhang()
	n.EmployeeNo, n.Name = no, name
	id, _ := c.hire(t, n)
	return id
}

// finds wants a search to find exactly these people.
func (c *company) finds(t *testing.T, query string, want ...uuid.UUID) {
	t.Helper()
	people, _, err := archive.List(t.Context(), c.Facts, archive.Filter{Actor: c.hr, Query: query})
	must(t, err)
	var got []uuid.UUID
	for _, p := range people {
		got = append(got, p.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q finds %v, want %v", query, got, want)
	}
}

func TestPeopleAreFoundByHowTheirNamesSound(t *testing.T) {
	c := newCompany(t)
	wei, zeng, lu := c.named(t, "1", "张伟"), c.named(t, "2", "曾乐"), c.named(t, "3", "吕小布")
	ouyang, anna, xian := c.named(t, "4", "歐陽麗華"), c.named(t, "5", "李Anna"), c.named(t, "6", "西安")
	for query, want := range map[string][]uuid.UUID{
		"zhangwei": {wei}, "Zhang Wei": {wei}, "ＺＨＡＮＧＷＥＩ": {wei}, "zw": {wei}, "zhang": {wei}, "wei": {wei}, "zhangw": {wei}, "hang": nil, "angwei": nil,
		"zengle": {zeng}, "zengyue": {zeng}, "zy": {zeng}, "lvxiaobu": {lu}, "luxiao": {lu}, "lxb": {lu}, "ouyanglihua": {ouyang}, "oylh": {ouyang}, "lihua": {ouyang},
		"lianna": {anna}, "la": {anna}, "xi'an": {xian}, "z": {wei, zeng}, "张": {wei}, "'": nil, "zhangwei%": nil,
	} {
		c.finds(t, query, want...)
	}
}

// TestI25_FormerNames: a name that changes is kept and found, and a purge leaves neither it nor how the name sounds.
func TestI25_FormerNames(t *testing.T) {
	c := newCompany(t)
	id := c.named(t, "1", "王小明")
	for _, name := range []string{"陳麗華", "Anna Smith", "王小明", "李四"} {
		must(t, c.update(t, id, archive.Patch{Name: &name}))
	}
	view, err := archive.Get(t.Context(), c.Facts, c.hr, id, "zh")
	must(t, err)
	if want := (models.Names{"陳麗華", "Anna Smith", "王小明"}); !slices.Equal(view.FormerNames, want) {
		t.Errorf("the former names are %v", view.FormerNames)
	}
	queries := []string{"李四", "lisi", "ls", "陈丽", "丽华", "clh", "anna", "annasmith", "Anna Smith", "smith", "小明", "wxm"}
	for _, query := range queries {
		c.finds(t, query, id)
	}
	for i := range 12 {
		name := "赵" + string(rune('一'+i))
		must(t, c.update(t, id, archive.Patch{Name: &name}))
	}
	view, err = archive.Get(t.Context(), c.Facts, c.hr, id, "zh")
	must(t, err)
	if len(view.FormerNames) != 10 || view.FormerNames[9] != "赵"+string(rune('一'+10)) {
		t.Errorf("the former names are %v", view.FormerNames)
	}
	name := "李四"
	must(t, c.update(t, id, archive.Patch{Name: &name}))
	c.run(t, func(tx *database.Tx) error {
		for _, s := range []models.EmployeeStatus{"pending_departure", "departed", "purged"} {
			if err := archive.SetStatus(tx, id, s); err != nil {
				return err
			}
		}
		return nil
	})
	c.finds(t, "lisi")
	c.finds(t, "赵")
	c.finds(t, "李四", id) // by the skeleton, as ever
	if view, err = archive.Get(t.Context(), c.Facts, c.hr, id, "zh"); err != nil || len(view.FormerNames) != 0 || view.FormerNames == nil {
		t.Errorf("after the purge: %#v, %v", view.FormerNames, err)
	}
	must(t, archive.HearNames(t.Context(), c.Facts))
	c.finds(t, "lisi")
	c.run(t, func(tx *database.Tx) error { return archive.SetStatus(tx, id, models.StatusActive) })
	c.finds(t, "lisi", id)
}

// TestNamesOfFormerVersionsAreHeard: what a program that knows nothing of this leaves, the next migration hears.
func TestNamesOfFormerVersionsAreHeard(t *testing.T) {
	c := newCompany(t)
	id := c.named(t, "1", "张伟")
	must(t, c.Facts.Read(t.Context()).Exec("UPDATE employees SET name = '李雷' WHERE id = ?", id).Error)
	c.finds(t, "lilei")
	for range 2 {
		must(t, archive.HearNames(t.Context(), c.Facts))
	}
	c.finds(t, "lilei", id)
	c.finds(t, "zw", id)
}

// What a name is found by is bounded, and has each of its beginnings.
func TestFoundByIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.StringMatching(`[一-龥]{1,200}`), rapid.String(), rapid.StringMatching(`([A-Za-z]{1,9} ){1,30}[一-龥]?`)).Draw(t, "name")
		found := archive.FoundBy(name, name)
		if len(found) > 20_000+40*len(name) || strings.Contains(found, "\n\n") || strings.ContainsAny(found, " '") {
			t.Fatalf("%q is found by %d bytes: %q", name, len(found), found)
		}
	})
	var all, people int
	for _, family := range []string{"王", "李", "张", "欧阳", "单", "曾"} {
		for _, given := range []string{"伟", "秀英", "乐", "行之", "晓明", "建国"} {
			all, people = all+len(archive.FoundBy(family+given)), people+1
		}
	}
	t.Logf("%d bytes a person", all/people)
	if all/people > 150 {
		t.Errorf("%d bytes a person", all/people)
	}
}
