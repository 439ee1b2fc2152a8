// Copies attacks what a purge leaves behind, as somebody who owns the facts database and knows all of a
// text but a few digits: it hashes every text that it could have been in many ways and compares with
// every digest in every column, looks for the text in every column in clear, and in every file of a
// folder (Postgres' data folder with its pages and write-ahead log, the folder of evidence packs, a backup).
//
//	go run ./e2e/attacks/copies .data/dev.json known.txt [folder…]
//	go run ./e2e/attacks/copies postgres://… known.txt [folder…]
//
// Each line of known.txt is a text with # in place of each digit that is not known, six at most: a note,
// the body of a request, an address of the network, a login. It ends with status 1 if it found something.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"lethe/internal/database"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: copies .data/dev.json|postgres://… known.txt [folder…]")
		os.Exit(2)
	}
	found, err := run(context.Background(), os.Args[1], os.Args[2], os.Args[3:])
	for _, f := range found {
		fmt.Println("FOUND:", f)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil || len(found) > 0 {
		os.Exit(1)
	}
	fmt.Println("nothing was guessed, and nothing lies in clear")
}

func run(ctx context.Context, target, knownFile string, folders []string) ([]string, error) {
	content, err := os.ReadFile(knownFile)
	if err != nil {
		return nil, fmt.Errorf("reading what is known: %w", err)
	}
	var known []string
	for _, line := range strings.Split(string(content), "\n") {
		if line = strings.TrimRight(line, "\r"); line != "" {
			known = append(known, line)
		}
	}
	address, err := factsOf(target)
	if err != nil {
		return nil, err
	}
	facts, err := database.Open(ctx, address, database.Options{MaxConnections: 2})
	if err != nil {
		return nil, err
	}
	defer func() { _ = facts.Close() }()
	return attack(ctx, facts, known, folders)
}

func factsOf(target string) (string, error) {
	if strings.Contains(target, "://") {
		return target, nil
	}
	content, err := os.ReadFile(target)
	if err != nil {
		return "", fmt.Errorf("reading the addresses of lethe dev: %w", err)
	}
	var dev struct {
		DatabaseURL string `json:"database_url"`
	}
	if json.Unmarshal(content, &dev) != nil || dev.DatabaseURL == "" {
		return "", errors.New("there is no address of a database in the file")
	}
	return dev.DatabaseURL, nil
}
