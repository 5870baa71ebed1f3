package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/functions/internal/program"
	"github.com/sessionstamp/sessionstamp/functions/internal/programtest"
	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	programtest.CheckFaults(t, func(env program.Environment) error {
		_, err := start(t.Context(), env)
		return err
	}, 15)
}

// The function fails where the sweep does, so that the platform counts it.
func TestFails(t *testing.T) {
	t.Parallel()
	env, _, metrics := programtest.New(t, programtest.Variables(), programtest.Denied)
	handler, err := start(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := programtest.Invoke(t, handler, `{"dry-run":true}`); leaktest.Seen(t, err) == nil || !strings.Contains(err.Error(), "dryRun") {
		t.Errorf("a wrong order: got %v", err)
	}
	if _, err := programtest.Invoke(t, handler, `{}`); leaktest.Seen(t, err) == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(metrics.String(), `"SweepFinished":0`) {
		t.Errorf("metrics:\n%s", metrics.String())
	}
}

// stub notes what it is ordered.
type stub struct {
	orders []sweep.Order
	left   time.Duration // until the context's deadline
	err    error
}

func (s *stub) Do(ctx context.Context, o sweep.Order) (sweep.Answer, error) {
	s.orders = append(s.orders, o)
	if deadline, ok := ctx.Deadline(); ok {
		s.left = time.Until(deadline)
	}
	return sweep.Answer{Report: &sweep.Report{Candidates: 7}}, s.err
}

func TestOrders(t *testing.T) {
	t.Parallel()
	tests := []struct {
		event string
		want  sweep.Order
		fault bool
	}{
		{`{}`, sweep.Order{}, false},
		{`{"version":"0","id":"x","detail-type":"Scheduled Event","source":"aws.scheduler","account":"1","time":"t","region":"r","resources":[],"detail":"{}"}`, sweep.Order{}, false},
		{`{"dryRun":true}`, sweep.Order{DryRun: true}, false},
		{`{"full":true}`, sweep.Order{Full: true}, false},
		{`{"lift":true}`, sweep.Order{Lift: true}, false},
		{`{"dry_run":true}`, sweep.Order{}, true},
		{`"full"`, sweep.Order{}, true},
	}
	for _, test := range tests {
		t.Run(test.event, func(t *testing.T) {
			t.Parallel()
			s := new(stub)
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			answer, err := (&function{sweeper: s}).serve(ctx, json.RawMessage(test.event))
			if test.fault {
				if leaktest.Seen(t, err) == nil || len(s.orders) > 0 || !strings.Contains(err.Error(), `"dryRun"`) {
					t.Errorf("got %v after the orders %v", err, s.orders)
				}
				return
			}
			if err != nil || len(s.orders) != 1 || s.orders[0] != test.want || answer.Report.Candidates != 7 {
				t.Errorf("got %+v and %v after the orders %v, want %v", answer, err, s.orders, test.want)
			}
			if s.left > time.Hour-program.Margin {
				t.Errorf("the sweep may take %s, which leaves no margin", s.left)
			}
			s.err = errors.New("down")
			if _, err := (&function{sweeper: s}).serve(ctx, json.RawMessage(test.event)); !errors.Is(leaktest.Seen(t, err), s.err) {
				t.Errorf("got %v, want %v", err, s.err)
			}
		})
	}
}

// counter counts sign-ins that failed.
type counter struct{ failures int }

func (c *counter) ObserveSignInFailure() { c.failures++ }

// Whoever starts a sweep whose app can't sign in reads what to do, as does the log. What
// ends by itself does not ring.
func TestSignInFailure(t *testing.T) {
	t.Parallel()
	token := func(status int, err error) error {
		return fmt.Errorf("list users: %w", &directory.Error{Operation: directory.Token, StatusCode: status, NotDone: true, Err: err})
	}
	for name, test := range map[string]struct {
		err         error
		late        bool
		told, count int
	}{
		"refused":               {err: token(401, nil), told: 1, count: 1},
		"a moment of Entra's":   {err: token(503, nil), told: 1},
		"reset":                 {err: token(0, syscall.ECONNRESET), told: 1},
		"no room":               {err: token(429, nil), told: 1},
		"out of one's own time": {err: token(0, context.DeadlineExceeded), late: true},
		"Graph fails":           {err: errors.New("down")},
		"well":                  {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			left := time.Hour
			if test.late {
				left = program.Margin
			}
			ctx, cancel := context.WithTimeout(t.Context(), left)
			defer cancel()
			var log bytes.Buffer
			counts := new(counter)
			f := &function{sweeper: &stub{err: test.err}, reporter: signin.Reporter{
				Adviser: subscription.Adviser{ClientID: "app-id"}, Metrics: counts, Log: slog.New(slog.NewTextHandler(leaktest.Writer(t, &log), nil))}}
			_, err := f.serve(ctx, json.RawMessage(`{}`))
			if !errors.Is(leaktest.Seen(t, err), test.err) || counts.failures != test.count || strings.Count(log.String(), "level=ERROR") != test.told {
				t.Errorf("got %v, %d failures counted, want %d; want %d records in the log:\n%s", err, counts.failures, test.count, test.told, log.String())
			}
			if _, explained := errors.AsType[*subscription.Advice](err); explained != (test.told > 0) {
				t.Errorf("got %v, explained: %t", err, explained)
			}
		})
	}
}
