package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/api/imports"
	"lethe/internal/sheet"
	"lethe/models"
)

// ImportCmd imports people from a file through the API.
type ImportCmd struct {
	File   string            `arg:"" type:"existingfile" help:"CSV or XLSX, with a header in the first row. 首行为表头的 CSV 或 XLSX 文件。"`
	Map    map[string]string `placeholder:"COLUMN=FIELD" help:"Which field of the catalogue a column (1, 2, …) is; may be given several times. 指定某列（从 1 起）对应的档案字段，可多次使用。"`
	Report string            `placeholder:"FILE" help:"Where to write the rows with something wrong in them (.csv or .xlsx). 将有问题的行写入此文件。"`
	Reason string            `help:"Why, for the second person if one decides. 提交审核时的原因。"`
	consent
	spoken
}

// importsPath is where imports are.
const importsPath = "/api/v1/employee-imports"

// Run has the file checked, says what would be done, asks, and follows the run.
func (i ImportCmd) Run(ctx context.Context) error {
	client, err := newClient(i.spoken, models.RoleHRAdmin)
	if err != nil {
		return err
	}
	return i.run(ctx, client)
}

func (i ImportCmd) run(ctx context.Context, client *apiClient) error {
	if err := i.possible(client); err != nil {
		return err
	}
	v, err := i.upload(ctx, client)
	if err == nil && len(i.Map) > 0 {
		v, err = i.remap(ctx, client, v)
	}
	if err != nil {
		return err
	}
	if v.State == models.BatchMapping {
		_ = client.showColumns(os.Stderr, v)
		return client.usage("the column with the employee number is not known: say which one it is, such as --map 1=employee_no",
			"无法识别工号列：请指明，例如 --map 1=employee_no")
	}
	if v, err = client.followImport(ctx, v); err != nil {
		return err
	}
	if err := client.showImport(os.Stderr, v); err != nil {
		return err
	}
	if v.Plan.Create+v.Plan.Change == 0 && v.Plan.Faulty == 0 { // sent again: all of it is there
		_, _ = fmt.Fprintln(os.Stderr, client.say("there is nothing to change", "没有需要更改的内容"))
		return nil
	}
	if v.Plan.Create+v.Plan.Change == 0 {
		return errors.Join(i.report(ctx, client, v), errors.New(client.say("there is nothing to enter", "没有可导入的内容")))
	}
	if err := i.ask(ctx, client, client.say("Enter them?", "是否导入？")); err != nil {
		return errors.Join(err, i.report(ctx, client, v))
	}
	body := map[string]any{}
	if i.Reason != "" {
		body["approval_reason"] = i.Reason
	}
	err = client.carryOut(ctx, sent{path: importsPath + "/" + v.ID.String() + "/run", body: body, keyed: true}, &v)
	if err == nil {
		v, err = client.followImport(ctx, v)
	}
	if err != nil {
		return errors.Join(err, i.report(ctx, client, v))
	}
	return errors.Join(client.showImport(os.Stdout, v), i.report(ctx, client, v))
}

// upload sends the file as it is. It carries a key: sent again, it is the same import.
func (i ImportCmd) upload(ctx context.Context, client *apiClient) (v imports.ImportView, err error) {
	file, err := os.ReadFile(i.File)
	if err != nil {
		return v, errors.New(client.say("the file cannot be read", "无法读取该文件"))
	}
	if len(file) > sheet.MaxBytes {
		return v, client.usage("a file may have at most 64 MB", "文件最大 64 MB")
	}
	r, err := client.request(ctx, http.MethodPost, importsPath, nil)
	if err != nil {
		return v, err
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(file)), int64(len(file))
	r.Header.Set("Content-Type", "application/octet-stream")
	r.Header.Set("Idempotency-Key", uuid.NewString())
	response, err := client.http.Do(r)
	if err != nil {
		return v, client.unanswered(ctx, false, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= http.StatusBadRequest {
		return v, client.refused(response)
	}
	if err := json.NewDecoder(response.Body).Decode(&v); err != nil {
		return v, fmt.Errorf("reading the API's answer: %w", err)
	}
	return v, nil
}

func (i ImportCmd) remap(ctx context.Context, client *apiClient, v imports.ImportView) (imports.ImportView, error) {
	v, err := client.followImport(ctx, v)
	if err != nil {
		return v, err
	}
	var columns []imports.MappedColumn
	for column, field := range i.Map {
		n, err := strconv.Atoi(column)
		if err != nil {
			return v, client.usage("--map takes the number of a column and a field, such as 3=department", "--map 应为列号=字段，例如 3=department")
		}
		columns = append(columns, imports.MappedColumn{Column: n, Field: field})
	}
	err = client.call(ctx, http.MethodPut, importsPath+"/"+v.ID.String()+"/mapping", imports.ImportMapping{Columns: columns}, &v)
	return v, err
}

// report writes the rows with something wrong in them, if a file was named.
func (i ImportCmd) report(ctx context.Context, client *apiClient, v imports.ImportView) error {
	if i.Report == "" || v.File == "" {
		return nil
	}
	format := sheet.CSV
	if strings.EqualFold(filepath.Ext(i.Report), ".xlsx") {
		format = sheet.XLSX
	}
	r, err := client.request(ctx, http.MethodGet, v.File+"?format="+string(format), nil)
	if err != nil {
		return err
	}
	response, err := client.http.Do(r)
	if err != nil {
		return client.unanswered(ctx, true, err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= http.StatusBadRequest {
		return client.refused(response)
	}
	content, err := io.ReadAll(response.Body)
	if err == nil {
		err = os.WriteFile(i.Report, content, 0o600)
	}
	if err != nil {
		return errors.New(client.say("the report could not be written", "无法写入报告文件"))
	}
	_, _ = fmt.Fprintln(os.Stderr, client.say("the rows with something wrong are in ", "有问题的行已写入 ")+i.Report)
	return nil
}

// importPoll is the pause between two looks.
const importPoll = 500 * time.Millisecond

// followImport waits until nothing goes on by itself.
func (c *apiClient) followImport(ctx context.Context, v imports.ImportView) (imports.ImportView, error) {
	for v.State == models.BatchChecking || v.State == models.BatchRunning {
		select {
		case <-ctx.Done():
			return v, told{c.say("stopped; the import goes on by itself", "已中止显示，导入会继续进行"), errStopped}
		case <-time.After(importPoll):
		}
		if err := c.call(ctx, http.MethodGet, importsPath+"/"+v.ID.String(), nil, &v); err != nil {
			return v, err
		}
	}
	return v, nil
}

// showImport prints how an import stands.
func (c *apiClient) showImport(w io.Writer, v imports.ImportView) error {
	_, _ = fmt.Fprintf(w, "%s, %s\n", v.StateText, v.ID)
	created, changed, same, faulty := v.Plan.Create, v.Plan.Change, v.Plan.Same, v.Plan.Faulty
	if v.Ran > 0 {
		created, changed, same, faulty = v.Result.Created, v.Result.Changed, v.Result.Unchanged, v.Result.Refused
	}
	var unread []string
	for _, column := range v.Columns {
		if column.Field == "" {
			unread = append(unread, column.Header)
		}
	}
	if len(unread) > 0 && v.Ran == 0 {
		_, _ = fmt.Fprintln(w, c.say("columns that are not read: ", "不读取的列：")+c.language.List(unread))
	}
	left, due := v.Result.Departed, 0
	if v.Ran == 0 && v.Plan.Left != nil {
		left, due = v.Plan.Left.People, v.Plan.Left.DuePeople
	}
	lines := [][2]string{
		{c.say("rows", "行数"), strconv.Itoa(v.Rows)},
		{c.say("new people", "新增"), strconv.Itoa(created)},
	}
	if left > 0 {
		lines = append(lines, [2]string{c.say("of them, people who had left", "其中已离职"), strconv.Itoa(left)})
	}
	if due > 0 {
		lines = append(lines, [2]string{c.say("of them, with data due to be deleted after a review", "其中有资料已到期，审核后删除"), strconv.Itoa(due)})
	}
	return show(w, append(lines,
		[2]string{c.say("changed", "更新"), strconv.Itoa(changed)},
		[2]string{c.say("as they are", "不变"), strconv.Itoa(same)},
		[2]string{c.say("with something wrong, left out", "有问题，不导入"), strconv.Itoa(faulty)})...)
}

func (c *apiClient) showColumns(w io.Writer, v imports.ImportView) error {
	var lines [][2]string
	for _, column := range v.Columns {
		label := column.Label
		if label == "" {
			label = c.say("(not read)", "（不读取）")
		}
		lines = append(lines, [2]string{strconv.Itoa(column.Column) + " " + column.Header, label})
	}
	return show(w, lines...)
}
