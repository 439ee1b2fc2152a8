package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"

	"go.yaml.in/yaml/v3"

	"lethe/api/employees"
	"lethe/models"
)

// FieldsCmd is about the fields that files have.
type FieldsCmd struct {
	List   FieldListCmd   `cmd:"" default:"withargs" help:"List the fields that files have. 列出档案字段。"`
	Export FieldExportCmd `cmd:"" help:"Print the company's own sections, fields and notices, to be edited. 导出自定义栏目、字段和使用提示，供编辑。"`
	Change FieldChangeCmd `cmd:"" help:"Ask for what an edited file says; a second person decides. 按编辑后的文件申请变更，由另一人审核。"`
}

const catalogueAddress = "/api/v1/field-catalogue"

// FieldListCmd lists fields.
type FieldListCmd struct {
	Own bool `help:"Only those that the company added. 只列出自定义字段。"`
	spoken
}

// Run prints a line for each.
func (l FieldListCmd) Run(ctx context.Context) error {
	client, err := newClient(l.spoken, models.RoleHRAdmin)
	if err != nil {
		return err
	}
	var c employees.CatalogueView
	if err := client.call(ctx, http.MethodGet, catalogueAddress, nil, &c); err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, client.say("field\tname\tsection\ttype\tkept as\topened for", "字段\t名称\t栏目\t类型\t保存类别\t可查阅的用途"))
	for _, f := range c.Items {
		if l.Own && !f.Own {
			continue
		}
		label := f.Label
		if f.Retired {
			label += client.say(" (retired)", "（已停用）")
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", f.Key, label, f.SectionLabel, f.TypeText, f.CategoryText, client.language.List(f.PurposesText))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	return nil
}

// edited is what is edited: a draft with the version that it is made from.
type edited struct {
	BaseVersion int `json:"base_version"`
	employees.OwnDraft
}

func (c *apiClient) ownFields(ctx context.Context) (edited, error) {
	var v employees.CatalogueView
	err := c.call(ctx, http.MethodGet, catalogueAddress, nil, &v)
	if err == nil && v.Own == nil {
		err = errors.New(c.say("HR administrators, reviewers and auditors read what the company added", "仅人事管理员、审核人和审计人员可以查看自定义内容"))
	}
	if err != nil {
		return edited{}, err
	}
	return edited{v.Own.Version, v.Own.OwnDraft}, nil
}

// FieldExportCmd prints what is in force.
type FieldExportCmd struct{ spoken }

// Run prints it as JSON, which is YAML too.
func (e FieldExportCmd) Run(ctx context.Context) error {
	client, err := newClient(e.spoken, models.RoleHRAdmin)
	if err != nil {
		return err
	}
	own, err := client.ownFields(ctx)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(own, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the fields: %w", err)
	}
	_, _ = fmt.Fprintln(os.Stdout, string(text))
	return nil
}

// FieldChangeCmd asks for what a file says.
type FieldChangeCmd struct {
	File   string `arg:"" type:"existingfile" help:"What lethe fields export printed, edited: JSON or YAML. 由 lethe fields export 导出并编辑的文件（JSON 或 YAML）。"`
	Reason string `help:"Why, for the second person. 提交审核时的原因。"`
	consent
	spoken
}

// Run says what would change, asks, and sends it.
func (f FieldChangeCmd) Run(ctx context.Context) error {
	client, err := newClient(f.spoken, models.RoleHRAdmin)
	if err != nil {
		return err
	}
	return f.run(ctx, client)
}

func (f FieldChangeCmd) run(ctx context.Context, client *apiClient) error {
	if err := f.possible(client); err != nil {
		return err
	}
	body, err := f.read(client)
	if err != nil {
		return err
	}
	before, err := client.ownFields(ctx)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(os.Stderr, client.fieldChanges(before.OwnDraft, body))
	if err := f.ask(ctx, client, client.say("Ask for this?", "是否提交审核？")); err != nil {
		return err
	}
	if f.Reason != "" {
		body["approval_reason"] = f.Reason
	}
	var answer any
	return client.carryOut(ctx, sent{method: http.MethodPut, path: catalogueAddress, body: body}, &answer)
}

// read reads the file; what it means is for the API to judge.
func (f FieldChangeCmd) read(client *apiClient) (body map[string]any, err error) {
	content, err := os.ReadFile(f.File)
	if err != nil {
		return nil, errors.New(client.say("the file cannot be read", "无法读取该文件"))
	}
	if err := yaml.Unmarshal(content, &body); err != nil || body == nil {
		return nil, client.usage("the file is neither JSON nor YAML as `lethe fields export` prints it", "该文件不是 `lethe fields export` 导出格式的 JSON 或 YAML")
	}
	return body, nil
}

// fieldChanges names the fields that a file adds, and those that it retires.
func (c *apiClient) fieldChanges(before employees.OwnDraft, body map[string]any) string {
	known := map[string]bool{}
	for _, f := range before.Fields {
		known[f.Key] = true
	}
	var added, retired []string
	fields, _ := body["fields"].([]any)
	for _, it := range fields {
		f, _ := it.(map[string]any)
		key, _ := f["key"].(string)
		if is, _ := f["retired"].(bool); is {
			retired = append(retired, key)
		} else if key != "" && !known[key] {
			added = append(added, key)
		}
	}
	none := c.say("none", "无")
	text := func(keys []string) string {
		if len(keys) == 0 {
			return none
		}
		return onTerminal(strings.Join(keys, c.say(", ", "、")))
	}
	return c.say("new fields: ", "新增字段：") + text(added) + c.say("; retired: ", "；停用：") + text(retired)
}
