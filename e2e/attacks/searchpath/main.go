// Searchpath attacks the database's triggers as the application's role: it puts tables and functions
// of its own, called like ours, in front of them, and then tries to make a departure purged, a category
// due in years purging, an account disabled without evidence, a fact with an invented entry of the
// ledger. Its login is even given what no login has, the right to make objects. Everything is rolled back.
//
//	go run ./e2e/attacks/searchpath .data/dev.json    (while lethe dev runs)
//	go run ./e2e/attacks/searchpath postgres://…      (the owner of a facts database, who may make logins)
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"

	"lethe/internal/database"
)

func main() {
	target := ".data/dev.json"
	if len(os.Args) > 1 {
		target = os.Args[1]
	}
	failed, err := run(context.Background(), target)
	for _, f := range failed {
		fmt.Println("LET THROUGH:", f)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil || len(failed) > 0 {
		os.Exit(1)
	}
	fmt.Printf("%d attempts, by temporary tables and by a schema in front: each was refused by its trigger\n", 2*len(attempts))
}

// run makes a login that is a member of lethe_app and may make objects, attacks with it, and drops it.
func run(ctx context.Context, target string) (failed []string, err error) {
	address, err := ownerOf(target)
	if err != nil {
		return nil, err
	}
	owner, err := database.Open(ctx, address.String(), database.Options{MaxConnections: 2})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, owner.Close()) }()
	login, password := "lethe_attack_"+strings.ToLower(rand.Text()[:12]), rand.Text()
	if err := database.CreateLogin(ctx, owner, login, password, database.RoleApp); err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, database.Hide(owner.Read(context.WithoutCancel(ctx)).Exec("DROP OWNED BY "+login+"; DROP ROLE "+login).Error))
	}()
	name := pgx.Identifier{strings.TrimPrefix(address.Path, "/")}.Sanitize()
	if err := owner.Read(ctx).Exec("GRANT TEMPORARY, CREATE ON DATABASE " + name + " TO " + login).Error; err != nil {
		return nil, fmt.Errorf("arming the attacker: %w", database.Hide(err))
	}
	address.User = url.UserPassword(login, password)
	conn, err := pgx.Connect(ctx, address.String())
	if err != nil {
		return nil, fmt.Errorf("connecting as the attacker: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	return attack(ctx, conn)
}

func ownerOf(target string) (*url.URL, error) {
	if !strings.Contains(target, "://") {
		content, err := os.ReadFile(target)
		if err != nil {
			return nil, fmt.Errorf("reading the addresses of lethe dev: %w", err)
		}
		var dev struct {
			DatabaseURL string `json:"database_url"`
		}
		if err := json.Unmarshal(content, &dev); err != nil {
			return nil, fmt.Errorf("reading the addresses of lethe dev: %w", err)
		}
		target = dev.DatabaseURL
	}
	address, err := url.Parse(target)
	if err != nil {
		return nil, errors.New("the address of the database is not a URL")
	}
	return address, nil
}

var names = regexp.MustCompile(`@[a-z]+`)

// bind puts the values into a statement: several statements at once take no arguments.
func bind(sql string, values map[string]string) string {
	return names.ReplaceAllStringFunc(sql, func(name string) string { return values[name[1:]] })
}
