package job_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

const (
	tenant    = "11111111-1111-4111-8111-111111111111"
	group     = "22222222-2222-4222-8222-222222222222"
	federated = "corp.example"
	managed   = "contoso.onmicrosoft.com"
)

// person is a user of the fake directory, and what was done to them.
type person struct {
	user      directory.User
	group     bool        // excluded by it
	protected bool        // by a role
	refused   int         // calls
	forgets   bool        // the stamp of a call
	hidden    bool        // delta never tells of them
	shown     time.Time   // when the stamp is to be seen everywhere
	before    time.Time   // the stamp that is seen until then
	revoked   []time.Time // by us
}

// A world is a fake Graph that judges, and the file on this machine.
type world struct {
	t       *testing.T
	folder  string
	mu      sync.Mutex
	random  *rand.Rand
	people  map[string]*person
	changes []string // ids, in the order in which delta tells
	latency time.Duration
	// fault decides what goes wrong with a call; nil: nothing.
	fault func(random *rand.Rand, call string) (before, after error)
	calls map[string]int
	waves []time.Time // when users were signed out
	// again allows users to be signed out anew, since a person wants it.
	again map[string]int
}

// inWorld runs a test in virtual time.
func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		test(t, &world{
			t: t, folder: folder, random: rand.New(rand.NewPCG(1, 2)), people: make(map[string]*person),
			latency: 400 * time.Millisecond, calls: make(map[string]int), again: make(map[string]int),
		})
	})
}

// add adds a member without a stamp, as change wants to have it, and returns the id.
func (w *world) add(change func(p *person)) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.people)
	p := &person{user: directory.User{
		ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", n), UserPrincipalName: fmt.Sprintf("u%d@%s", n, federated),
		UserType: "Member", Created: time.Now().Add(-time.Duration(n) * time.Hour), StampKnown: true,
	}}
	if change != nil {
		change(p)
	}
	w.people[p.user.ID] = p
	if !p.hidden {
		w.changes = append(w.changes, p.user.ID)
	}
	return p.user.ID
}

func (w *world) addMany(n int, change func(p *person)) (ids []string) {
	for range n {
		ids = append(ids, w.add(change))
	}
	return ids
}

// revoke signs a user out, and judges.
func (w *world) revoke(id string) {
	p, now := w.people[id], time.Now()
	if p == nil || p.group || !strings.HasSuffix(p.user.UserPrincipalName, "@"+federated) || p.user.UserType != "Member" {
		w.t.Errorf("user %s is out of scope and was signed out", id)
		return
	}
	if n := len(p.revoked); n > w.again[id] && now.Sub(p.revoked[w.again[id]]) > time.Minute {
		w.t.Errorf("user %s was signed out again after %s", id, now.Sub(p.revoked[w.again[id]]))
	}
	if !now.Before(p.shown) {
		p.before = p.user.SignInSessionsValidFrom
	}
	if !p.forgets {
		p.user.SignInSessionsValidFrom = now.UTC().Truncate(time.Second)
	}
	p.shown = now.Add(time.Duration(w.random.Int64N(int64(stamp.DefaultPolicy.ReplicationLag - 10*time.Second))))
	p.revoked = append(p.revoked, now)
	w.waves = append(w.waves, now)
	w.changes = append(w.changes, id)
}

// allowAgain lets everybody be signed out once more.
func (w *world) allowAgain() {
	for id, p := range w.people {
		w.again[id] = len(p.revoked)
	}
}

// see is the user as a replica shows it.
func (p *person) see() directory.User {
	u := p.user
	if time.Now().Before(p.shown) {
		u.SignInSessionsValidFrom = p.before
	}
	return u
}

// want checks how often each user was signed out.
func (w *world) want(times int, ids ...string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	wrong := 0
	for _, id := range ids {
		if len(w.people[id].revoked) != times {
			wrong++
		}
	}
	if wrong > 0 {
		w.t.Errorf("%d of %d users were not signed out %d times", wrong, len(ids), times)
	}
}

// busiest is the largest number of users signed out within a second.
func (w *world) busiest() (most int) {
	slices.SortFunc(w.waves, time.Time.Compare)
	from := 0
	for i, at := range w.waves {
		for at.Sub(w.waves[from]) >= time.Second {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

// A process is one life of the command. What it has of Graph ends with it.
type process struct {
	*world
	engine *job.Engine
	file   *bolt.File
	dead   atomic.Bool
}

// start begins a life, as options want to have it.
func (w *world) start(options ...func(*job.Config)) *process {
	w.t.Helper()
	p := &process{world: w}
	var err error
	if p.file, err = bolt.Open(w.t.Context(), w.folder, tenant); err != nil {
		w.t.Fatalf("open the file: %v", err)
	}
	c := job.Config{
		Tenant: tenant, Graph: p, File: p.file, Policy: stamp.DefaultPolicy,
		Log: slog.New(slog.DiscardHandler), Now: time.Now,
	}
	for _, option := range options {
		option(&c)
	}
	p.engine = job.New(c)
	return p
}

// end ends it as it should.
func (p *process) end() {
	p.t.Helper()
	if err := p.file.Close(); err != nil {
		p.t.Errorf("close the file: %v", err)
	}
}

// kill ends it at once: whatever it still does has no effect.
func (p *process) kill() {
	p.dead.Store(true)
	p.end()
}

// plan makes a plan on a good day: the client of Graph repeats what only reads.
func (p *process) plan(wanted job.Wanted) job.Plan {
	p.t.Helper()
	fault := p.fault
	p.fault = nil
	defer func() { p.fault = fault }()
	plan, err := p.engine.Plan(p.t.Context(), wanted)
	if err != nil {
		p.t.Fatalf("Plan: %v", err)
	}
	return plan
}

// run carries an order out to its end.
func (p *process) run(o job.Order, options job.RunOptions) job.Result {
	p.t.Helper()
	result, err := p.engine.Run(p.t.Context(), o, options)
	if err != nil {
		p.t.Fatalf("Run: %v", err)
	}
	return result
}

var errDead = errors.New("the process is dead")

// at makes one call of Graph.
func (p *process) at(ctx context.Context, call string, effect func()) error {
	if err := p.travel(ctx); err != nil {
		return &directory.Error{Operation: call, NotDone: true, Err: err}
	}
	if p.dead.Load() {
		return &directory.Error{Operation: call, Err: errDead}
	}
	p.mu.Lock()
	p.calls[call]++
	var before, after error
	if p.fault != nil {
		before, after = p.fault(p.random, call)
	}
	if before == nil {
		effect()
	}
	p.mu.Unlock()
	if err := errors.Join(before, after); err != nil {
		e, _ := errors.AsType[*directory.Error](err)
		return e
	}
	if err := p.travel(ctx); err != nil {
		return &directory.Error{Operation: call, Err: err}
	}
	return nil
}

func (p *process) travel(ctx context.Context) error {
	select {
	case <-time.After(p.latency / 2):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *process) ReadUsers(ctx context.Context, ids []string) (reads []directory.Read, err error) {
	reads = make([]directory.Read, len(ids))
	return reads, p.at(ctx, "getUser", func() {
		for i, id := range ids {
			if known := p.people[id]; known != nil {
				reads[i].User = known.see()
			} else {
				reads[i].Err = &directory.Error{Operation: "getUser", StatusCode: http.StatusNotFound, NotDone: true}
			}
		}
	})
}

func (p *process) MemberOf(ctx context.Context, ids, groups []string) (in []directory.Membership, err error) {
	in = make([]directory.Membership, len(ids))
	return in, p.at(ctx, "checkMemberGroups", func() {
		for i, id := range ids {
			if p.people[id].group {
				in[i].Groups = groups
			}
		}
	})
}

func (p *process) RevokeSignInSessions(ctx context.Context, ids []string) ([]error, error) {
	errs := make([]error, len(ids))
	return errs, p.at(ctx, "revokeSignInSessions", func() {
		for i, id := range ids {
			if known := p.people[id]; known != nil && known.protected {
				known.refused++
				errs[i] = &directory.Error{Operation: "revokeSignInSessions", StatusCode: http.StatusForbidden, NotDone: true}
				continue
			}
			p.revoke(id)
		}
	})
}

// Domains takes no time: others wait for its answer at a mutex, where virtual time stands
// still.
func (p *process) Domains(context.Context) ([]directory.Domain, error) {
	if p.dead.Load() {
		return nil, errDead
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault != nil {
		if before, after := p.fault(p.random, "listDomains"); before != nil || after != nil {
			return nil, lost("listDomains")
		}
	}
	return []directory.Domain{{Name: federated, Federated: true, Verified: true}, {Name: managed, Verified: true}}, nil
}

func (p *process) LatestDelta(ctx context.Context) (link string, err error) {
	err = p.at(ctx, "delta", func() { link = strconv.Itoa(len(p.changes)) })
	return link, err
}

func (p *process) DeltaPage(ctx context.Context, link string) (page directory.UserPage, err error) {
	err = p.at(ctx, "delta", func() {
		from, _ := strconv.Atoi(link)
		for _, id := range p.changes[from:] {
			page.Users = append(page.Users, p.people[id].see())
		}
		page.Delta = strconv.Itoa(len(p.changes))
	})
	return page, err
}

func (p *process) UserPage(ctx context.Context, next string) (page directory.UserPage, err error) {
	const size = 100
	err = p.at(ctx, "listUsers", func() {
		from, _ := strconv.Atoi(next)
		ids := make([]string, 0, len(p.people))
		for id := range p.people {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		for _, id := range ids[from:min(from+size, len(ids))] {
			page.Users = append(page.Users, p.people[id].see())
		}
		if from+size < len(ids) {
			page.Next = strconv.Itoa(from + size)
		}
	})
	return page, err
}

// lost is an answer that never came, throttled one that asks to wait.
func lost(call string) error { return &directory.Error{Operation: call} }

func throttled(call string) error {
	return &directory.Error{Operation: call, StatusCode: http.StatusTooManyRequests, NotDone: true, RetryAfter: 7 * time.Second}
}

// badDay lets each call fail in one of six cases, before or after it took effect.
func badDay(random *rand.Rand, call string) (before, after error) {
	switch random.IntN(18) {
	case 0:
		return lost(call), nil
	case 1:
		return nil, lost(call)
	case 2:
		return throttled(call), nil
	}
	return nil, nil
}
