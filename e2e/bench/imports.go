package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/identity"
	"lethe/internal/imports"
	"lethe/internal/ledger"
	"lethe/internal/sheet"
	"lethe/models"
)

// importPeople measures the import of many people: reading and sealing the file, the dry run, the run, the same file
// again, and a file that changes everybody. The goal is two minutes from the file to the last person on two cores, below
// 300 MB, with the sequencer beside it. Temporal adds one activity in fifteen seconds, and is left out.
func importPeople(ctx context.Context, people int) error {
	w, err := open(ctx, nil)
	if err != nil {
		return err
	}
	defer w.close()
	caller, err := w.seedImporter(ctx)
	if err != nil {
		return err
	}
	ctx = models.WithCaller(ctx, caller)
	for _, format := range []sheet.Format{sheet.XLSX, sheet.CSV} {
		file, err := peopleFile(format, people, "E", 0)
		if err != nil {
			return err
		}
		fmt.Printf("%s of %d people, %.1f MB\n", format, people, float64(len(file))/1e6)
		if err := w.importFile(ctx, file, "new"); err != nil {
			return err
		}
		if format == sheet.CSV { // the same people, from the other format: every value is as it was
			break
		}
	}
	file, err := peopleFile(sheet.CSV, people, "E", 1)
	if err != nil {
		return err
	}
	return w.importFile(ctx, file, "with another phone number each")
}

func (w *world) seedImporter(ctx context.Context) (c models.Caller, err error) {
	department, err := w.seedOrganisation(ctx)
	if err != nil {
		return c, err
	}
	err = database.Run(ctx, w.facts, func(tx *database.Tx) error {
		id, _, err := archive.Create(tx, w.vault, archive.NewEmployee{
			EmployeeNo: "HR-1", Name: "Bench", DepartmentID: department.ID, HiredOn: clock.NewDate(2020, time.March, 1),
		})
		if err != nil {
			return err
		}
		user, err := identity.GrantTo(tx, id, models.RoleHRAdmin)
		c = models.Caller{Actor: models.Actor{EmployeeID: id, Role: models.RoleHRAdmin}, UserID: user.ID, Authenticated: models.ByTOTP}
		if err == nil {
			err = database.Hide(tx.DB().Exec("UPDATE departments SET code = 'T' WHERE id = ?", department.ID).Error)
		}
		return err
	})
	return c, err
}

// peopleFile has people with the fields that most companies send.
func peopleFile(format sheet.Format, people int, prefix string, salt int) ([]byte, error) {
	var b bytes.Buffer
	w, err := sheet.NewWriter(&b, format)
	if err != nil {
		return nil, err
	}
	err = w.Write([]string{"工号", "姓名", "部门", "岗位", "入职日期", "证件类型", "证件号码", "手机号码", "家庭住址", "紧急联系人姓名", "紧急联系人与本人关系", "紧急联系人电话", "开户银行", "银行账号", "合同编号", "合同开始日期"})
	for i := 0; err == nil && i < people; i++ {
		err = w.Write([]string{
			prefix + strconv.Itoa(i), personName(i), "T", "工程师", "2020-03-01", "护照", fmt.Sprintf("P%08d", i), fmt.Sprintf("139%08d", (i+salt)%100_000_000),
			"浦东新区测试路" + strconv.Itoa(i) + "号", personName(i + 7), "配偶", fmt.Sprintf("138%08d", i), "工商银行", fmt.Sprintf("0012%08d", i), "HT-" + strconv.Itoa(i), "2020-03-01",
		})
	}
	if err == nil {
		err = w.Close()
	}
	return b.Bytes(), err
}

func (w *world) importFile(ctx context.Context, file []byte, what string) error {
	sequencing, stop := context.WithCancel(ctx)
	defer stop()
	sequencer, err := w.sequencer()
	if err != nil {
		return err
	}
	go sequencer.Run(sequencing)
	began := time.Now()
	lap := func(step string) {
		fmt.Printf("  %-28s %6.1f s\n", step, time.Since(began).Seconds())
	}
	up, err := imports.Read(ctx, w.vault, models.BatchImport, file)
	if err != nil {
		return err
	}
	lap("read and sealed")
	var id uuid.UUID
	err = database.Run(ctx, w.facts, func(tx *database.Tx) (err error) {
		id, err = imports.Begin(tx, up)
		return err
	})
	if err != nil {
		return err
	}
	walker := imports.Worker{DB: w.facts, Vault: w.vault, Leavers: departure.Leavers{LookUps: 10}}
	for range 2 { // the second time finds the end
		if _, err := walker.Walk(ctx, id, time.Now().Add(time.Hour)); err != nil {
			return err
		}
	}
	lap("checked")
	err = database.Run(ctx, w.facts, func(tx *database.Tx) error { return imports.Run(tx, models.BatchImport, id, imports.Agreement{}) })
	if err != nil && !errors.Is(err, imports.ErrNothingToDo) {
		return err
	}
	if _, err := walker.Walk(ctx, id, time.Now().Add(time.Hour)); err != nil {
		return err
	}
	lap("run, " + what)
	b, err := imports.Get(ctx, w.facts, models.BatchImport, id)
	if err != nil {
		return err
	}
	fmt.Printf("  %s: %d new, %d changed, %d unchanged, %d left out; plan %d/%d/%d/%d; peak memory %s\n", b.State, b.Created, b.Changed, b.Unchanged, b.Refused,
		b.ToCreate, b.ToChange, b.Same, b.Faulty, peak())
	return nil
}

// peak is the most memory that this process has had.
func peak() string {
	runtime.GC()
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "unknown"
	}
	if m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status); m != nil {
		kb, _ := strconv.Atoi(string(m[1]))
		return fmt.Sprintf("%d MB", kb/1024)
	}
	return "unknown"
}

func (w *world) sequencer() (*ledger.Sequencer, error) {
	storage, err := ledger.OpenStorage(filepath.Join(w.scratch.Path, "ledger"))
	if err != nil {
		return nil, err
	}
	return ledger.NewSequencer(w.facts, storage, w.ledgerKeys, ledger.Options{Origin: w.origin, Log: quiet()}), nil
}
