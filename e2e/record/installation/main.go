// Command installation plays departures into every state that they can have, on real servers, stops
// everything, and writes the whole installation down: both databases, key files, tombstones, the
// ledger's folder, Temporal's data and the systems' states. The test of the upgrade goes on from
// there. It is run once for each release, from the released commit.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"lethe/e2e/harness"
	"lethe/e2e/record/archive"
	"lethe/models"
	"lethe/sandbox/control"
)

const playWithin = 15 * time.Minute

func main() {
	out := flag.String("out", "", "archive to write (.tar.gz); it must not exist")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), playWithin)
	err := record(ctx, *out)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "record installation:", err)
		os.Exit(1)
	}
}

// player plays lives and remembers their departures.
type player struct {
	*harness.Stack
	departures map[string]string // by employee number
}

func record(ctx context.Context, out string) (err error) {
	if out == "" {
		return errors.New("say where to write with -out")
	}
	s, err := harness.Open(ctx, harness.Options{OwnPostgres: true, OwnTemporal: true})
	if err != nil {
		return err
	}
	p := &player{s, map[string]string{}}
	defer func() { err = errors.Join(err, s.Close(err != nil)) }()
	for _, play := range []func(context.Context) error{
		p.before, p.accounts, p.taken, p.kept, p.reviewed, p.requests, p.purging,
	} {
		if err := play(ctx); err != nil {
			return err
		}
	}
	return p.write(ctx, out)
}

var immediate = map[string]any{"immediate": true}

// depart hires somebody and begins the departure.
func (p *player) depart(ctx context.Context, h harness.Hire, fields map[string]any) (harness.Person, error) {
	person, err := p.Hire(ctx, h)
	if err != nil {
		return person, err
	}
	return person, p.leave(ctx, person, fields)
}

func (p *player) leave(ctx context.Context, person harness.Person, fields map[string]any) error {
	id, err := p.As(p.Staff.HR).Depart(ctx, person.EmployeeID.String(), fields)
	if err != nil {
		return fmt.Errorf("departure of %s: %w", person.No, err)
	}
	p.departures[person.No] = id
	return nil
}

func (p *player) until(ctx context.Context, no, what string, holds func(harness.Departure) bool) error {
	err := harness.Eventually(ctx, 3*time.Minute, func() error {
		d, err := p.As(p.Staff.HR).Departure(ctx, p.departures[no])
		if err == nil && !holds(d) {
			err = fmt.Errorf("stage %s, accounts %s %v", d.Stage, d.AccountsState, d.AccountStates())
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("waiting for %s to be %s: %w", no, what, err)
	}
	return nil
}

func (p *player) settled(ctx context.Context, no string) error {
	return p.until(ctx, no, "settled", func(d harness.Departure) bool { return d.AccountsState == "settled" })
}

func (p *player) faulty(ctx context.Context, system string, rules ...control.Rule) error {
	return p.System(system).SetFaults(ctx, control.Faults{Rules: rules})
}

// before are departures whose cutoff has not come.
func (p *player) before(ctx context.Context) error {
	now, err := p.Facts.Now(ctx)
	if err != nil {
		return err
	}
	month := now.AddDate(0, 1, 0).Format(time.DateOnly)
	if _, err := p.depart(ctx, harness.Hire{No: "U-PENDING", Jurisdiction: "CN"}, map[string]any{
		"last_working_day": month, "legal_ground": "劳动合同法第三十六条", "reason_code": "family",
	}); err != nil {
		return err
	}
	_, err = p.depart(ctx, harness.Hire{No: "U-PENDING-DEMO"}, map[string]any{"last_working_day": month})
	return err
}

// accounts are departures whose accounts are in each of their states.
func (p *player) accounts(ctx context.Context) error {
	match := func(no string) control.Match { return control.Match{EmployeeNo: no} }
	if err := p.faulty(ctx, "attendance",
		control.Rule{Match: match("U-STUCK"), Kind: "lie"}, control.Rule{Match: match("U-WAIVER"), Kind: "lie"},
	); err != nil {
		return err
	}
	if err := p.faulty(ctx, "finance", control.Rule{Match: match("U-ACCEPTED"), Kind: "accept_later", After: control.Duration(time.Hour), Count: 1}); err != nil {
		return err
	}
	if err := p.faulty(ctx, "mail", control.Rule{Match: match("U-RETRY"), Kind: "status", Status: 503}); err != nil {
		return err
	}
	for _, no := range []string{"U-STUCK", "U-WAIVER", "U-ACCEPTED", "U-SETTLED"} {
		if _, err := p.depart(ctx, harness.Hire{No: no, Jurisdiction: "CN"}, immediate); err != nil {
			return err
		}
	}
	// Nobody registered this one's accounts, and mail has the number.
	person, err := p.Hire(ctx, harness.Hire{No: "U-UNREGISTERED", Jurisdiction: "CN", Systems: []string{}})
	if err != nil {
		return err
	}
	if _, err := p.System("mail").Plant(ctx, control.Plant{EmployeeNo: person.No, Groups: []string{"staff"}, Sessions: 1}); err != nil {
		return err
	}
	if err := p.leave(ctx, person, immediate); err != nil {
		return err
	}
	for _, no := range []string{"U-STUCK", "U-WAIVER"} {
		if err := p.until(ctx, no, "stuck", func(d harness.Departure) bool { return d.AccountsState == "needs_attention" }); err != nil {
			return err
		}
	}
	for _, no := range []string{"U-SETTLED", "U-UNREGISTERED"} {
		if err := p.settled(ctx, no); err != nil {
			return err
		}
	}
	d, err := p.As(p.Staff.HR).Departure(ctx, p.departures["U-WAIVER"])
	if err != nil {
		return err
	}
	for _, w := range d.Waiting {
		if w.SupportCaseID != "" {
			if err := p.As(p.Staff.ITOps).Resolve(ctx, w.SupportCaseID, models.ResolutionWaive); err != nil {
				return err
			}
		}
	}
	return p.until(ctx, "U-ACCEPTED", "accepted", func(d harness.Departure) bool { return d.AccountStates()["finance"] == "accepted" })
}

// taken are departures that were taken back, one of them not wholly.
func (p *player) taken(ctx context.Context) error {
	for _, no := range []string{"U-ANNULLED", "U-ANNULMENT-ASKED", "U-RELINK-STUCK"} {
		if _, err := p.depart(ctx, harness.Hire{No: no, Jurisdiction: "CN"}, immediate); err != nil {
			return err
		}
		if err := p.settled(ctx, no); err != nil {
			return err
		}
	}
	if err := p.faulty(ctx, "attendance", control.Rule{Match: control.Match{EmployeeNo: "U-RELINK-STUCK"}, Kind: "status", Status: 403}); err != nil {
		return err
	}
	for _, no := range []string{"U-ANNULLED", "U-ANNULMENT-ASKED", "U-RELINK-STUCK"} {
		if err := p.As(p.Staff.HR).AskAnnulment(ctx, p.departures[no], "the wrong person"); err != nil {
			return err
		}
		if no == "U-ANNULMENT-ASKED" {
			continue
		}
		if err := p.ConfirmAnnulment(ctx, p.departures[no]); err != nil {
			return err
		}
	}
	if err := p.until(ctx, "U-ANNULLED", "relinked", func(d harness.Departure) bool { return d.AccountsState == "relinked" }); err != nil {
		return err
	}
	if err := p.until(ctx, "U-RELINK-STUCK", "stuck", func(d harness.Departure) bool { return d.AccountsState == "needs_attention" }); err != nil {
		return err
	}
	now, err := p.Facts.Now(ctx)
	if err != nil {
		return err
	}
	if _, err := p.depart(ctx, harness.Hire{No: "U-WITHDRAWN", Jurisdiction: "CN"}, map[string]any{
		"last_working_day": now.AddDate(0, 1, 0).Format(time.DateOnly),
	}); err != nil {
		return err
	}
	return p.Withdraw(ctx, p.departures["U-WITHDRAWN"], "stays after all")
}

// kept are departures in retention, under hold, and wholly purged.
func (p *player) kept(ctx context.Context) error {
	for _, h := range []harness.Hire{{No: "U-HELD", Jurisdiction: "CN"}, {No: "U-HELD-DEMO"}, {No: "U-PURGED"}} {
		if h.No == "U-HELD-DEMO" {
			person, err := p.Hire(ctx, h)
			if err != nil {
				return err
			}
			if err := p.hold(ctx, person); err != nil {
				return err
			}
			if err := p.leave(ctx, person, immediate); err != nil {
				return err
			}
			continue
		}
		person, err := p.depart(ctx, h, immediate)
		if err != nil {
			return err
		}
		if h.No == "U-HELD" {
			if err := p.hold(ctx, person); err != nil {
				return err
			}
		}
	}
	return p.until(ctx, "U-PURGED", "purged", func(d harness.Departure) bool { return d.Stage == "purged" && d.AccountsState == "settled" })
}

func (p *player) hold(ctx context.Context, person harness.Person) error {
	return p.want(ctx, p.As(p.Staff.HR), "/api/v1/holds", map[string]any{"employee_id": person.EmployeeID, "matter": "U-2026-1"})
}

func (p *player) want(ctx context.Context, c *harness.Client, path string, body any) error {
	a, err := c.Do(ctx, http.MethodPost, path, body)
	if err == nil && a.Status/100 != 2 {
		err = fmt.Errorf("POST %s: %d %s", path, a.Status, a.Body)
	}
	return err
}

// reviewed are purges that wait for a reviewer, and one that was rejected: their dates lie so far
// back that everything is due at once.
func (p *player) reviewed(ctx context.Context) error {
	past := map[string]any{"last_working_day": "2020-03-02", "employment_end_date": "2020-03-02", "confirm_past": true}
	for _, no := range []string{"U-IN-REVIEW", "U-REJECTED"} {
		if _, err := p.depart(ctx, harness.Hire{No: no, Jurisdiction: "CN"}, past); err != nil {
			return err
		}
		if err := p.until(ctx, no, "in review", func(d harness.Departure) bool {
			for _, r := range d.Retention {
				if r.State == "in_review" {
					return true
				}
			}
			return false
		}); err != nil {
			return err
		}
	}
	reviewer, err := p.Reviewer(ctx)
	if err != nil {
		return err
	}
	var purges []string
	err = p.Facts.Read(ctx).Raw("SELECT id::text FROM purges WHERE departure_id = ? AND state = 'in_review'", p.departures["U-REJECTED"]).Scan(&purges).Error
	if err != nil {
		return err
	}
	for _, purge := range purges {
		if err := p.want(ctx, reviewer, "/api/v1/purges/"+purge+"/decision", map[string]any{"decision": models.DecisionRejected}); err != nil {
			return err
		}
	}
	return nil
}

// requests are requests that wait for a second person, and an evidence pack.
func (p *player) requests(ctx context.Context) error {
	hr, err := p.SessionOf(ctx, p.Staff.HRPerson, models.RoleHRAdmin)
	if err != nil {
		return err
	}
	person, err := p.Hire(ctx, harness.Hire{No: "U-DETACH", Jurisdiction: "CN"})
	if err != nil {
		return err
	}
	body := map[string]any{"employee_id": person.EmployeeID, "mode": "detach", "all_or_nothing": false}
	if err := p.want(ctx, p.As(p.Staff.ITOps), "/api/v1/account-unlinkings", body); err != nil {
		return err
	}
	if err := p.want(ctx, p.As(p.Staff.Auditor), "/api/v1/query-log/exports", map[string]any{
		"filters": map[string]any{"kind": "departure"}, "reason": "annual audit",
	}); err != nil {
		return err
	}
	// Two people whose numbers differ by case only.
	for _, no := range []string{"U-Case-1", "u-case-1"} {
		if _, err := p.Hire(ctx, harness.Hire{No: no, Jurisdiction: "CN", Systems: []string{}}); err != nil {
			return err
		}
	}
	if err := p.want(ctx, hr, "/api/v1/departures", map[string]any{"employee_id": person.EmployeeID, "kind": "resignation", "immediate": true}); err != nil {
		return err
	}
	// Mail goes on refusing this one: everything stops in the middle of its retries.
	if err := p.faulty(ctx, "mail", control.Rule{Match: control.Match{EmployeeNo: "U-RETRY"}, Kind: "status", Status: 503}); err != nil {
		return err
	}
	_, err = p.depart(ctx, harness.Hire{No: "U-RETRY", Jurisdiction: "CN"}, immediate)
	return err
}

// purging is somebody whose first categories are destroyed and whose last are not, when everything stops.
func (p *player) purging(ctx context.Context) error {
	if _, err := p.depart(ctx, harness.Hire{No: "U-PURGING"}, immediate); err != nil {
		return err
	}
	err := harness.Eventually(ctx, 3*time.Minute, func() error {
		d, err := p.As(p.Staff.HR).Departure(ctx, p.departures["U-PURGING"])
		if err == nil && d.Stage != "purging" {
			err = fmt.Errorf("stage %s", d.Stage)
		}
		return err
	})
	if err != nil {
		return err
	}
	return errors.Join(p.Worker.KillForGood(), p.Serve.Stop(ctx))
}

// write stops what still runs and packs everything.
func (p *player) write(ctx context.Context, out string) error {
	stopped, err := p.Facts.Now(ctx)
	if err != nil {
		return err
	}
	dump := filepath.Join(p.Folder, archive.Dump)
	tool, err := archive.PostgresTool("pg_dumpall")
	if err != nil {
		return err
	}
	address, err := url.Parse(p.FactsURL())
	if err != nil {
		return errors.New("the address of the facts is not a URL")
	}
	password, _ := address.User.Password()
	dumping := exec.CommandContext(ctx, tool, "--no-role-passwords", "--dbname", p.FactsURL(), "--file", dump)
	dumping.Env = append(os.Environ(), "PGPASSWORD="+password) // it connects to each database anew
	text, err := dumping.CombinedOutput()
	if err != nil {
		return fmt.Errorf("dumping the databases: %w: %s", err, text)
	}
	if err := p.KillTemporal(); err != nil {
		return err
	}
	name := strings.TrimPrefix(address.Path, "/")
	return archive.Write(out, p.Folder, archive.Installation{
		RecordedAt: stopped.UTC(), FactsDatabase: name, KeysDatabase: strings.TrimSuffix(name, "_facts") + "_keys",
		Namespace: p.Namespace(), QueuePrefix: p.QueuePrefix(), Departures: p.departures,
		HR: p.Staff.HR, SecondHR: p.Staff.SecondHR, Reviewer: p.Staff.Reviewer, ITOps: p.Staff.ITOps, Auditor: p.Staff.Auditor,
		HRPerson: p.Staff.HRPerson,
	})
}
