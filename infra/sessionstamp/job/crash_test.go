package job_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// runFor runs an order, and kills the process after a while.
func (p *process) runFor(d time.Duration, o job.Order) {
	ctx, cancel := context.WithCancel(p.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = p.engine.Run(ctx, o, job.RunOptions{}) // the next life finds out
	}()
	time.Sleep(d)
	p.kill()
	cancel()
	<-ended
}

// order is what a person who finds the process dead gives next: what is told as unfinished,
// or the same stamps afresh.
func (p *process) order(wanted job.Wanted, afresh bool) job.Order {
	p.t.Helper()
	if o, ok, err := p.engine.Unfinished(p.t.Context()); err != nil {
		p.t.Fatalf("Unfinished: %v", err)
	} else if ok && (!afresh || wanted.Verb == job.SignOut) {
		return o
	}
	if wanted.Verb == job.SignOut { // a new one, once nothing is left of the last
		time.Sleep(stamp.DefaultPolicy.CallWindow + stamp.DefaultPolicy.ReplicationLag + time.Second)
		p.allowAgain()
	}
	return p.plan(wanted).Order(0)
}

// users is how many have to be called.
var users = flag.Int("users", 1000, "how many users are to be called between ten deaths")

// Many users, ten deaths at any moment, on a bad day.
func TestNobodyIsLostOrSignedOutTwice(t *testing.T) {
	t.Parallel()
	for _, verb := range []job.Verb{job.Stamp, job.SignOut} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("%s/%d", verb, seed), func(t *testing.T) {
				t.Parallel()
				inWorld(t, func(t *testing.T, w *world) { dieTenTimes(t, w, verb, seed) })
			})
		}
	}
}

func dieTenTimes(t *testing.T, w *world, verb job.Verb, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 7))
	w.random, w.fault = rand.New(rand.NewPCG(seed, 8)), badDay
	excluded := func(c *job.Config) { c.ExcludedGroups = []string{group} }
	ids := w.addMany(*users, func(p *person) {
		if verb == job.SignOut {
			p.user.SignInSessionsValidFrom = time.Now().Add(-1000 * time.Hour)
		}
	})
	alone := w.addMany(30, func(p *person) { p.group = true })
	wanted := job.Wanted{Verb: verb, All: true}
	for range 10 {
		p := w.start(excluded)
		o := p.order(wanted, random.IntN(2) == 0)
		most := job.Duration(*users) * 2 / 5
		if random.IntN(4) == 0 {
			most = 8 * time.Minute // while stamps are read back
		}
		p.runFor(time.Duration(random.Int64N(int64(most))), o)
		synctest.Wait()
		time.Sleep(time.Duration(random.Int64N(int64(2 * time.Minute))))
	}
	p := w.start(excluded)
	defer p.end()
	result := p.run(p.order(wanted, true), job.RunOptions{})
	if failed := w.untouched(result); len(failed) > 0 { // the first and the late call were both lost: a person orders again
		result = p.run(p.plan(job.Wanted{Verb: verb, Users: failed}).Order(0), job.RunOptions{})
	}
	wantFate(t, result, job.Failed, 0)
	wantFate(t, result, job.Open, 0)
	w.want(0, alone...)
	w.wantCured(ids, p)
}

// untouched returns who has failed, and checks that they were never signed out.
func (w *world) untouched(result job.Result) (failed []string) {
	w.t.Helper()
	for _, end := range result.Users {
		if end.Fate != job.Failed {
			continue
		}
		failed = append(failed, end.User)
		if n := len(w.people[end.User].revoked) - w.again[end.User]; n > 0 {
			w.t.Errorf("user %s was signed out %d times, and has failed for %s", end.User, n, end.Reason)
		}
	}
	return failed
}

// wantCured checks that everybody was signed out, and that the ledger knows it.
func (w *world) wantCured(ids []string, p *process) {
	w.t.Helper()
	entries, err := bolt.NewLedger(p.file).Entries(w.t.Context(), tenant, ids)
	if err != nil {
		w.t.Fatalf("read the ledger: %v", err)
	}
	left := 0
	for _, id := range ids {
		if len(w.people[id].revoked) <= w.again[id] || entries[id].State != stamp.StateStamped {
			left++
		}
	}
	if left > 0 {
		w.t.Errorf("%d of %d users were left out", left, len(ids))
	}
}
