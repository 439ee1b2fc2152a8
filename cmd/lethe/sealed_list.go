package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/disclosure"
	"lethe/internal/i18n"
	"lethe/internal/ledger"
	"lethe/internal/vault"
	"lethe/models"
)

// SealedListCmd is about the list of emergency contacts on paper, for the hours in which Lethe cannot be reached. It runs on
// the host: no call of the API gives the contacts of many people at once.
type SealedListCmd struct {
	Make   SealedListMakeCmd   `cmd:"" default:"withargs" help:"Write a list for each department, as pages to print and seal; two people. 为各部门生成紧急联系人名单，打印后封存；需两人共同操作。"`
	Opened SealedListOpenedCmd `cmd:"" help:"Record that an envelope was opened. 登记已启封的名单。"`
	Due    SealedListDueCmd    `cmd:"" help:"Departments that need another list. 列出需要重新生成名单的部门。"`
}

// SealedListMakeCmd writes the lists.
type SealedListMakeCmd struct {
	agreed
	Purpose    string   `help:"medical_emergency, work_injury or death_in_service. 用途。" enum:"medical_emergency,work_injury,death_in_service" required:""`
	Department []string `help:"Code of a department; may be repeated. All of them if left out. 部门编码，可重复；不填为全部部门。" placeholder:"CODE"`
	Out        string   `help:"An empty folder on a disk that is encrypted or in memory. 输出目录（应为空，位于内存盘或加密磁盘）。" required:"" placeholder:"FOLDER"`
	Lang       string   `help:"Language of the pages: zh or en. 名单所用语言：zh 或 en。" enum:"zh,en" default:"zh"`
}

var (
	errNoSuchDepartment = errors.New("there is no department with one of the codes")
	errListThere        = errors.New("there is a list of today in the folder already")
	errListFolder       = errors.New("the folder is open to others: give it the mode 0700")
	errListAsker        = errors.New("the first of the two people is an HR administrator")
	errNotAllListed     = errors.New("not every department has its list")
)

// Run logs both in, and writes one file for each department, each after its entry in the log was committed.
func (c SealedListMakeCmd) Run(ctx context.Context) error {
	if info, err := os.Stat(c.Out); err != nil || !info.IsDir() || info.Mode().Perm()&0o077 != 0 {
		return errors.Join(errListFolder, err)
	}
	reason, err := disclosure.ListReason(c.Reason, access.Purpose(c.Purpose))
	if err != nil {
		return err
	}
	c.Reason = reason
	h, people, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	by, err := h.logIn(ctx, people)
	if err != nil {
		return err
	}
	if by[0].Actor.Role != models.RoleHRAdmin {
		return errListAsker
	}
	departments, err := listed(ctx, h.facts, c.Department)
	if err != nil {
		return err
	}
	sealer, closeKeys, err := h.vault(ctx)
	if err != nil {
		return err
	}
	defer closeKeys()
	missing := false
	for _, d := range departments {
		order := disclosure.ListOrder{
			Department: d.Department, By: by[0].Actor, Purpose: access.Purpose(c.Purpose), Reason: c.Reason, Language: i18n.Language(c.Lang), Zone: d.zone,
		}
		err := c.write(ctx, h, sealer, order, d, func(fn func(tx *database.Tx) error) error {
			return c.carryOut(ctx, h, by, func(tx *database.Tx, _ ledger.Entry) error { return fn(tx) })
		})
		switch {
		case errors.Is(err, disclosure.ErrNobodyListed):
			fmt.Printf("%s: nobody works there, no list\n%s：无在职员工，不生成名单\n", d.Code, d.Code)
		case errors.Is(err, disclosure.ErrNotPermitted):
			missing = true
			fmt.Printf("%s: the permissions hide the emergency contacts for this purpose, no list\n%s：权限设置不允许为此用途查阅紧急联系人，不生成名单\n", d.Code, d.Code)
		case err != nil:
			return err
		}
	}
	fmt.Print("Print each, seal it in its own envelope, sign over the flap with two people; then destroy the files: shred -u FOLDER/*.pdf. Shred the former lists (DIN 66399, P-4).\n" +
		"请逐份打印、分别装入信封，两人在封口处签字；随后销毁文件：shred -u 目录/*.pdf。旧名单须用碎纸机销毁（DIN 66399，P-4）。\n")
	if missing {
		return errNotAllListed
	}
	return nil
}

// write makes the list of one department: what it names is never printed, and its file is there once the entry is.
func (c SealedListMakeCmd) write(ctx context.Context, h *onHost, opener vault.Opener, o disclosure.ListOrder, d listedDepartment, agreed func(func(tx *database.Tx) error) error) error {
	now, err := h.facts.Now(ctx)
	if err != nil {
		return err
	}
	path := filepath.Join(c.Out, "sealed-list-"+d.file()+"-"+clock.Today(now, d.zone).String()+".pdf")
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return errors.Join(errListThere, err)
	}
	var list disclosure.SealedList
	err = agreed(func(tx *database.Tx) (err error) {
		list, err = disclosure.MakeList(tx, opener, o)
		return err
	})
	if errors.Is(err, disclosure.ErrNotPermitted) {
		return errors.Join(err, agreed(func(tx *database.Tx) error { return disclosure.RecordNotListed(tx, o) }))
	}
	if err != nil {
		return err
	}
	content, err := sealedListPages(list, d, o.Language)
	if err != nil {
		return err
	}
	if err := writeOnce(path, content); err != nil {
		return err
	}
	fmt.Printf("%s: %d people, holds to %s, %s\n%s：%d 人，有效期至 %s，%s\n", d.Code, len(list.People), list.HoldsTo, path, d.Code, len(list.People), list.HoldsTo, path)
	return nil
}

// writeOnce writes a file that only its owner reads and that was not there.
func writeOnce(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}

// listedDepartment is a department with where it is.
type listedDepartment struct {
	models.Department
	entity models.LegalEntity
	zone   *time.Location
}

// file is what its file is called by: a code that could name another folder is not.
func (d listedDepartment) file() string {
	if filepath.Base(d.Code) == d.Code && d.Code[0] != '.' {
		return d.Code
	}
	return d.ID.String()
}

// listed are the departments of codes, or all.
func listed(ctx context.Context, facts *database.DB, codes []string) (all []listedDepartment, err error) {
	var departments []models.Department
	if len(codes) == 0 {
		if departments, err = database.Find[models.Department](facts.Read(ctx), "the departments", "true"); err != nil {
			return nil, err
		}
	}
	for _, code := range codes {
		d, err := database.First[models.Department](archive.ByCode(facts.Read(ctx), code))
		if err != nil {
			return nil, errors.Join(errNoSuchDepartment, err)
		}
		if !slices.ContainsFunc(departments, func(o models.Department) bool { return o.ID == d.ID }) { // named twice
			departments = append(departments, d)
		}
	}
	for _, d := range departments {
		entity, err := database.First[models.LegalEntity](facts.Read(ctx).Where("id = ?", d.LegalEntityID))
		if err != nil {
			return nil, err
		}
		zone, err := clock.LoadZone(entity.TimeZone)
		if err != nil {
			return nil, err
		}
		all = append(all, listedDepartment{d, entity, zone})
	}
	return all, nil
}

// SealedListOpenedCmd records an opening.
type SealedListOpenedCmd struct {
	Department string `arg:"" help:"Code of the department whose envelope was opened. 已启封名单所属部门的编码。"`
	Reason     string `help:"What happened and when, for the ledger; no names of people. 原因与时间（写入账本，请勿包含人名）。" required:""`
	About      string `help:"Employee number of whose card was read: they see it among who looked. 被查看人员的工号，本人可看到此记录。" placeholder:"NUMBER"`
}

// Run records it, as whoever administers the host.
func (c SealedListOpenedCmd) Run(ctx context.Context) error {
	reason, err := disclosure.ListReason(c.Reason, access.MedicalEmergency)
	if err != nil {
		return err
	}
	h, err := openOwned(ctx, "admin")
	if err != nil {
		return err
	}
	defer h.close()
	departments, err := listed(ctx, h.facts, []string{c.Department})
	if err != nil {
		return err
	}
	err = database.Run(byHost(ctx), h.facts, func(tx *database.Tx) error {
		about := uuid.Nil
		if c.About != "" {
			person, err := archive.EmployeeByNo(tx.DB(), c.About)
			if err != nil {
				return err
			}
			about = person.ID
		}
		return disclosure.RecordListOpened(tx, departments[0].ID, about, reason)
	})
	if err != nil {
		return err
	}
	code := departments[0].Code
	fmt.Printf("recorded. The list of %s is void: shred it, and make another: lethe sealed-list --department %s …\n已登记。%s 的名单作废，请销毁并重新生成：lethe sealed-list --department %s …\n", code, code, code, code)
	return nil
}

// SealedListDueCmd lists which departments need another list.
type SealedListDueCmd struct{}

// Run prints their codes and why.
func (SealedListDueCmd) Run(ctx context.Context) error {
	h, err := openOwned(ctx, "admin")
	if err != nil {
		return err
	}
	defer h.close()
	now, err := h.facts.Now(ctx)
	if err != nil {
		return err
	}
	stands, err := disclosure.ListsStand(ctx, h.facts)
	if err != nil {
		return err
	}
	for _, s := range stands {
		switch {
		case !s.Due(clock.Today(now, time.UTC)):
		case s.Opened():
			fmt.Printf("%s\topened\t已启封\n", s.Code)
		case s.Until != nil:
			fmt.Printf("%s\tover since %s\t已于 %s 到期\n", s.Code, s.Until, s.Until)
		default:
			fmt.Printf("%s\tnone yet\t尚无名单\n", s.Code)
		}
	}
	return nil
}
