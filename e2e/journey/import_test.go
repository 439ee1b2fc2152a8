package journey

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lethe/e2e/harness"
	"lethe/models"
)

// TestI10_AKilledWorkerImportsEverybodyOnce: a file of several parts is checked and entered by workers that are killed
// again and again; everybody is there once, with one entry, progress never goes back, and nothing of the file is in what
// the processes wrote.
func TestI10_AKilledWorkerImportsEverybodyOnce(t *testing.T) {
	t.Parallel()
	const people = 12000
	stack := harness.Start(t, harness.Options{})
	j := on(t, stack, harness.Hire{})
	var file strings.Builder
	file.WriteString("工号,姓名,部门,入职日期,手机号码\n")
	for i := range people {
		fmt.Fprintf(&file, "IMP%05d,导入人,D-%s,2024-01-02,139%08d\n", i, models.DemoJurisdiction, i)
	}
	v := j.sendFile(file.String())
	v.until("checked", false)
	if v.Plan.Create != people {
		t.Fatalf("the dry run: %+v", v)
	}
	v.run()
	v.until("done", true)
	var once, entries int64
	j.must(stack.Facts.Read(j.ctx).Raw("SELECT count(*) FROM employees WHERE employee_no LIKE 'IMP%'").Scan(&once).Error,
		stack.Facts.Read(j.ctx).Raw("SELECT count(DISTINCT subject_id) FROM ledger_content WHERE action = 'employee.created' AND request_id = ?", "employee_import/"+v.ID).Scan(&entries).Error)
	if v.Result.Created != people || once != people || entries != people {
		t.Errorf("%d reported, %d people, %d entries", v.Result.Created, once, entries)
	}
	for _, d := range []*harness.Daemon{stack.Serve, stack.Worker} {
		logs, err := d.Logs()
		j.must(err)
		for _, line := range logs {
			if strings.Contains(line, "IMP0") || strings.Contains(line, "导入人") || strings.Contains(line, "1390000") {
				t.Fatalf("a log holds a value: %s", line)
			}
		}
	}
}

// anImport is a file on its way.
type anImport struct {
	*journey
	ID, State    string
	Checked, Ran int
	Plan         struct{ Create, Begin, Faulty int }
	Result       struct{ Created, Departed, Begun, Refused int }
	base         string
}

func (j *journey) sendFile(file string) *anImport { return j.sendTo("/api/v1/employee-imports", file) }

// sendTo sends a file to where files of its kind go.
func (j *journey) sendTo(base, file string) *anImport {
	j.Helper()
	v := &anImport{journey: j, base: base}
	a, err := j.hr.Do(j.ctx, http.MethodPost, base, []byte(file), "Content-Type", "text/csv")
	j.must(err, json.Unmarshal(a.Body, v))
	return v
}

// run has it entered, with whoever has to agree.
func (v *anImport) run() {
	v.Helper()
	a, err := v.hr.Do(v.ctx, http.MethodPost, v.base+"/"+v.ID+"/run", map[string]any{})
	v.must(err, v.stack.Agree(v.ctx, a))
}

func (v *anImport) read() error {
	a, err := v.hr.Do(v.ctx, http.MethodGet, v.base+"/"+v.ID, nil)
	if err != nil {
		return err
	}
	before := v.Checked + v.Ran
	if err := json.Unmarshal(a.Body, v); err != nil {
		return err
	}
	if v.Checked+v.Ran < before {
		return harness.Final(fmt.Errorf("progress went back from %d to %d", before, v.Checked+v.Ran))
	}
	return nil
}

// until waits for a state; kill: the worker dies again and again meanwhile.
func (v *anImport) until(state string, kill bool) {
	v.Helper()
	last, kills := -1, 0
	v.must(harness.Eventually(v.ctx, max(90*time.Second, time.Duration(rowsOfBatch())*100*time.Millisecond), func() error {
		if err := v.read(); err != nil {
			return err
		}
		if v.State == state {
			return nil
		}
		if kill && v.Ran > last && kills < 3 {
			last, kills = v.Ran, kills+1
			if err := v.stack.Worker.Kill(); err != nil {
				return err
			}
			if err := v.stack.Worker.Launch(); err != nil {
				return err
			}
		}
		return fmt.Errorf("it is %s: %d checked, %d run", v.State, v.Checked, v.Ran)
	}))
	if kill && kills == 0 {
		v.Error("it was over before a worker was killed")
	}
}

// The command line takes a file through: it shows what would be done, writes what was left out, and ends with 3 where a
// second person decides.
func TestTheCommandLineImports(t *testing.T) {
	j := here(t, harness.Hire{})
	program, err := harness.Binary()
	j.must(err)
	folder := t.TempDir()
	for name, c := range map[string]struct {
		file, says, report string
		code               int
	}{
		"a change":                   {"工号,岗位,手机号码\n" + j.person.No + ",顾问,\nNOBODY-1,,123\n", "已完成", "NOBODY-1", 0},
		"a newcomer":                 {"工号,姓名,部门,入职日期\nCLI-1,张伟,D-" + models.DemoJurisdiction + ",2026/3/5\n", "尚未执行，须经另一人审核", "", 3},
		"nothing new":                {"工号,岗位,爱好\n" + j.person.No + ",,下棋\n", "没有需要更改的内容", "", 0},
		"a column that nobody reads": {"工号,岗位,爱好\n" + j.person.No + ",,下棋\n", "不读取的列：爱好", "", 0},
		"an open quote":              {"工号,姓名\n1,\"x\n", "第 2 行：", "", 2},
		"no people":                  {"工号,姓名\n", "文件里没有人员", "", 2},
		"no table":                   {"\x89PNG\x00", "无法读取该文件", "", 2},
	} {
		file, report := filepath.Join(folder, name), filepath.Join(folder, name+".csv")
		j.must(os.WriteFile(file, []byte(c.file), 0o600))
		command := exec.CommandContext(j.ctx, program, "import", file, "--yes", "--lang=zh", "--report="+report)
		command.Env = append(os.Environ(), "LETHE_API="+j.stack.API, "LETHE_TOKEN="+j.stack.Staff.HR)
		out, err := command.CombinedOutput()
		if code := command.ProcessState.ExitCode(); code != c.code || !strings.Contains(string(out), c.says) {
			t.Errorf("%s: exit %d, %v\n%s", name, code, err, out)
		}
		if written, _ := os.ReadFile(report); !strings.Contains(string(written), c.report) {
			t.Errorf("%s: the report is %q", name, written)
		}
	}
}
