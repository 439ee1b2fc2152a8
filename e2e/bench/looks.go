package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/models"
)

const (
	lookers     = 256
	lookedAt    = 20 // people whom each looker looks at: more are flagged
	looksAtEach = 4  // by one looker: more are flagged
	lookPairs   = 5
	lookFor     = time.Second
)

// disclosures measures judged looks over the real API beside a bare handler that reads one row.
func disclosures(ctx context.Context) error {
	w, err := open(ctx, nil)
	if err != nil {
		return err
	}
	defer w.close()
	tokens, err := w.seedLooks(ctx)
	if err != nil {
		return err
	}
	l, err := w.serveTo(ctx, w.people[0])
	if err != nil {
		return err
	}
	defer l.server.Close()
	bare, end, err := w.bareRow(ctx)
	if err != nil {
		return err
	}
	defer end()
	var n atomic.Int64
	look := func(ctx context.Context) (*http.Request, error) {
		i := int(n.Add(1) - 1)
		if i >= lookers*lookedAt*looksAtEach {
			return nil, errors.New("every looker has looked as often as nobody minds")
		}
		body := fmt.Sprintf(`{"fields": ["id_number"], "purpose": "own_request", "reason": "员工本人来电申请更正身份证信息，已核验身份",
			"evidence": {"confirmed_how": "callback", "confirmed_on": %q}}`, clock.Today(time.Now(), time.UTC))
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.server.URL+"/api/v1/employees/"+w.people[i/lookers%lookedAt].String()+"/disclosures", bytes.NewBufferString(body))
		if err == nil {
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+tokens[i%lookers])
		}
		return r, err
	}
	row := func(ctx context.Context) (*http.Request, error) {
		return http.NewRequestWithContext(ctx, http.MethodGet, bare.URL+"/rows/"+w.people[0].String(), nil)
	}
	for clients, goal := range map[int]float64{16: 0.55, 64: 0.7} {
		if err := comparePairs(ctx, clients, goal, look, row); err != nil {
			return err
		}
	}
	return nil
}

// seedLooks makes people with a file, and as many of HR, each with a token.
func (w *world) seedLooks(ctx context.Context) (tokens []string, err error) {
	department, err := w.seedOrganisation(ctx)
	for n := 0; n < lookedAt+lookers && err == nil; n++ {
		err = database.Run(ctx, w.facts, func(tx *database.Tx) error {
			id, _, err := archive.Create(tx, w.vault, archive.NewEmployee{
				EmployeeNo: number(n), Name: "Bench " + number(n), DepartmentID: department.ID, HiredOn: clock.NewDate(2020, time.March, 1),
				Fields: map[string]string{"id_number": "11010519491231002X"},
			})
			if err != nil || n < lookedAt {
				w.people = append(w.people, id)
				return err
			}
			if _, err := identity.GrantTo(tx, id, models.RoleHRAdmin); err != nil {
				return err
			}
			token, _, err := identity.Issue(tx, id, models.RoleHRAdmin, "bench", time.Hour, true)
			tokens = append(tokens, token)
			return err
		})
	}
	return tokens, err
}

// bareRow serves one row of the database, without anything else.
func (w *world) bareRow(ctx context.Context) (*httptest.Server, func(), error) {
	config, err := pgxpool.ParseConfig(w.postgres.URL("lethe"))
	if err != nil {
		return nil, nil, errors.New("reading the address of the database failed")
	}
	config.MaxConns = 40
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, nil, database.Hide(err)
	}
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.GET("/rows/:id", func(c *gin.Context) {
		var id uuid.UUID
		var name string
		err := pool.QueryRow(c.Request.Context(), "SELECT id, name FROM employees WHERE id = $1", c.Param("id")).Scan(&id, &name)
		if err != nil {
			c.Status(http.StatusInternalServerError)
			return
		}
		c.JSON(http.StatusOK, gin.H{"id": id, "name": name})
	})
	server := httptest.NewServer(router)
	return server, func() { server.Close(); pool.Close() }, nil
}

type request func(ctx context.Context) (*http.Request, error)

// comparePairs measures looks and bare reads in turn.
func comparePairs(ctx context.Context, clients int, goal float64, look, row request) error {
	fmt.Printf("\njudged looks, %d clients\npair   looks/s    rows/s   ratio   p99 of looks   of rows\n", clients)
	var ratios, tails []float64
	for pair := -1; pair < lookPairs; pair++ { // the first one warms up
		var rates, p99 [2]float64
		for i := range rates {
			which := (i + pair + 2) % 2
			var err error
			if rates[which], p99[which], err = rateOf(ctx, clients, []request{look, row}[which]); err != nil {
				return err
			}
		}
		if pair < 0 {
			continue
		}
		ratios, tails = append(ratios, rates[0]/rates[1]), append(tails, p99[0]/p99[1])
		fmt.Printf("%4d %9.0f %9.0f %7.2f %11.1f ms %6.1f ms\n", pair+1, rates[0], rates[1], rates[0]/rates[1], p99[0], p99[1])
	}
	slices.Sort(ratios)
	slices.Sort(tails)
	fmt.Printf("median ratio %.2f (goal: at least %.2f), p99 %.1f times (goal: at most 1.5)\n", ratios[lookPairs/2], goal, tails[lookPairs/2])
	return nil
}

// rateOf is how many requests are answered in a second, and what one in a hundred takes at least, in milliseconds.
func rateOf(ctx context.Context, clients int, next request) (rate, p99 float64, err error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	took, failed := make([][]time.Duration, clients), make([]error, clients)
	began := time.Now()
	for c := range clients {
		wg.Go(func() {
			for time.Since(began) < lookFor && failed[c] == nil {
				sent := time.Now()
				failed[c] = answered(ctx, client, next)
				took[c] = append(took[c], time.Since(sent))
			}
		})
	}
	wg.Wait()
	all := slices.Concat(took...)
	slices.Sort(all)
	return float64(len(all)) / time.Since(began).Seconds(), ms(all[len(all)*99/100]), errors.Join(failed...)
}

func answered(ctx context.Context, client *http.Client, next request) error {
	r, err := next(ctx)
	if err != nil {
		return err
	}
	answer, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("answered %d: %.300s", answer.StatusCode, body)
	}
	return err
}
