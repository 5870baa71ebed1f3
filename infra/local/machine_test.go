package main

import (
	"context"
	"errors"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// month is the time of one machine that watches. Whoever comes is found by the next look,
// and then needs as long as anybody in a busy hour.
var month = plan{
	play: 708 * time.Hour, bound: time.Hour + hours.bound, rest: 12 * time.Hour,
	tokenLife: 24 * time.Hour, disasters: true, watched: true, cost: 4,
}

// breakage is what is wrong with a machine.
type breakage struct {
	// forgetful loses the file with each process, blind sees nobody in delta.
	forgetful, blind bool
}

func broken(b breakage) plan {
	p := month
	p.broken = b
	return p
}

// A machine runs the command, life after life, on one file. What people want of it they
// do between two lives, since only one process can have the file.
type machine struct {
	*world
	folder string
	// every is how often it looks: not each minute, as is usual, because a month of such
	// looks would be 43,200, each with the real SDK. What can go wrong between two looks
	// does not depend on how far they are from each other.
	every  time.Duration
	wishes chan wish
	random *mathrand.Rand // of the pauses between lives

	mu   sync.Mutex
	life *life // the last one
}

// A wish is what a person does when nothing else runs.
type wish struct {
	do   func(context.Context, *life) error
	done chan error
}

// A life is one process.
type life struct {
	*machine
	file   *bolt.File
	engine *job.Engine
	dead   atomic.Bool
	died   chan struct{} // closed when it is killed
	turn   chan struct{} // holds one value during a call of Graph
	began  time.Time     // when the look under way did; only that goroutine knows
}

func newMachine(w *world) *machine {
	return &machine{
		world: w, folder: w.t.TempDir(), wishes: make(chan wish),
		every: 30*time.Minute + w.upTo(30*time.Minute), random: mathrand.New(mathrand.NewPCG(w.faults.seed, 3)),
	}
}

// errDead is what whatever a dead process still does comes to.
var errDead = errors.New("the process is dead")

// begin begins a life. A dry run has a file of its own.
func (m *machine) begin() *life {
	p := *m.plant
	folder := m.folder
	if p.config.dryRun {
		folder = m.t.TempDir()
	}
	file, err := bolt.Open(m.ctx, folder, m.tenant.ID())
	m.must(err)
	l := &life{machine: m, file: file, died: make(chan struct{}), turn: make(chan struct{}, 1)}
	p.config.transport = l
	client, err := p.newGraph()
	m.must(err)
	l.engine = job.New(job.Config{
		Tenant: m.tenant.ID(), Graph: mortal{client, l}, File: file, ExcludedGroups: p.config.groups,
		StampsPerDay: p.config.brakeLimit, Policy: p.config.policy, DryRun: p.config.dryRun, Log: p.config.log, Now: time.Now,
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	m.life = l
	return l
}

// lives lives until ctx is done.
func (m *machine) lives(ctx context.Context) {
	for ctx.Err() == nil {
		if m.live(ctx, m.begin()) {
			continue
		}
		m.mu.Lock()
		until := time.Duration(m.random.Int64N(int64(2 * time.Hour)))
		m.mu.Unlock()
		waitFor(ctx, until)
	}
}

// live watches until ctx is done or a person wants something, and then does that. It
// returns false if the process dies.
func (m *machine) live(ctx context.Context, l *life) (well bool) {
	watching, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- l.engine.Watch(watching, job.WatchOptions{Every: m.every, Observe: l.observe, Swept: func(r sweep.Report, err error) {
			if err == nil || watching.Err() == nil { // a look that was cut off has not failed
				l.sweptBy(r, err)
			}
		}})
	}()
	wishes := m.wishes
	if m.plant.config.dryRun {
		wishes = nil // orders are for when it is over
	}
	var w wish
	select {
	case w = <-wishes:
	case <-l.died:
	case <-ctx.Done():
	}
	stop()
	if w.do == nil && l.dead.Load() {
		return false // what was under way is of no effect
	}
	if err := <-ended; err != nil && !l.dead.Load() {
		m.t.Errorf("the watch ended: %v", err)
	}
	l.end()
	if w.do != nil {
		l = m.begin()
		w.done <- w.do(ctx, l)
		return l.end()
	}
	return true
}

// end ends the process as it should, and tells whether it had died before.
func (l *life) end() (well bool) {
	if l.dead.Swap(true) {
		return false
	}
	l.must(l.file.Close())
	return true
}

func (l *life) observe(o stamp.Outcome) { l.tally.Observe(l.ctx, o) }

// sweptBy is told of a look.
func (l *life) sweptBy(r sweep.Report, err error) {
	if !l.dead.Load() {
		l.swept(l.began, r, err)
	}
	l.began = time.Time{}
}

// wish is what a person wants, until it is done.
func (m *machine) wish(do func(context.Context, *life) error) {
	for m.ctx.Err() == nil && m.wishOnce(do) != nil {
		waitFor(m.ctx, time.Hour)
	}
}

func (m *machine) wishOnce(do func(context.Context, *life) error) error {
	w := wish{do, make(chan error, 1)}
	select {
	case m.wishes <- w:
		return <-w.done
	case <-m.ctx.Done():
		return m.ctx.Err()
	}
}

var errNotSeen = errors.New("the user is not shown yet")

// order has one user stamped or signed out. An order that was stopped goes on.
func (m *machine) order(user string, signOut bool) {
	verb := map[bool]job.Verb{false: job.Stamp, true: job.SignOut}[signOut]
	var order job.Order
	m.wish(func(ctx context.Context, l *life) error {
		if order.Started.IsZero() {
			p, err := l.engine.Plan(ctx, job.Wanted{Verb: verb, Users: []string{user}})
			if err != nil {
				return err
			}
			if u, _ := m.tenant.User(user); !u.Deleted && p.Count(job.NotFound)+p.Count(job.Unclear) > 0 {
				return errNotSeen
			}
			order = p.Order(0)
		}
		_, err := l.engine.Run(ctx, order, job.RunOptions{NoWait: user < "8"})
		return err
	})
}

func (m *machine) release(context.Context) error {
	return m.wishOnce(func(ctx context.Context, l *life) error {
		return l.engine.Brake().Release(ctx, m.tenant.ID(), time.Now())
	})
}

func (m *machine) brakeReached(ctx context.Context) time.Time {
	if m.now() == nil {
		return time.Time{}
	}
	s, _, _ := m.now().engine.Brake().State(ctx, m.tenant.ID()) // of a dead process nothing is known
	return s.Reached
}

// entries is the ledger at the end. It stays open for what else is to be checked.
func (m *machine) entries() map[string]stamp.Entry {
	ctx := context.WithoutCancel(m.ctx)
	file, err := bolt.Open(ctx, m.folder, m.tenant.ID())
	m.must(err)
	m.life = &life{machine: m, file: file}
	var ids []string
	for _, u := range m.tenant.Users() {
		ids = append(ids, u.ID)
	}
	entries, err := bolt.NewLedger(file).Entries(ctx, m.tenant.ID(), ids)
	m.must(err)
	return entries
}

// check checks that no request has failed for good, and closes the file.
func (m *machine) check() {
	dead, err := bolt.NewQueue(m.life.file, bolt.QueueOptions{Now: time.Now}).DeadLetters()
	m.must(errors.Join(err, m.life.file.Close()))
	if len(dead) > 0 {
		m.t.Errorf("%d dead letters: %s", len(dead), dead)
	}
}

func (m *machine) now() *life {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.life
}

// kill ends the process at once. What was on its way to Graph arrives.
func (m *machine) kill() {
	if l := m.now(); l != nil {
		l.kill()
	}
}

func (l *life) kill() {
	if l.dead.Swap(true) {
		return
	}
	l.faults.mu.Lock()
	l.faults.struck = time.Now()
	l.faults.crashes++
	l.faults.mu.Unlock()
	l.must(l.file.Close())
	close(l.died)
	if l.plan.broken.forgetful {
		l.must(os.RemoveAll(l.folder))
	}
}

// RoundTrip implements [http.RoundTripper].
func (l *life) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.dead.Load() {
		return nil, errDead
	}
	return l.graph.RoundTrip(r)
}

// mortal is Graph as a process has it that may die at every call. It makes one call at a
// time: the SDK holds a mutex while it waits for a token, where virtual time stands still
// for all others.
type mortal struct {
	client *msgraph.Client
	*life
}

func atRisk[T any](ctx context.Context, l *life, call func() (T, error)) (v T, err error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return v, &directory.Error{Operation: "wait", NotDone: true, Err: ctx.Err()}
	}
	if died := survive(func() { v, err = call() }); died != nil {
		l.kill()
		return v, errDead
	}
	return v, err
}

func (m mortal) faulty() faultyDirectory { return faultyDirectory{m.faults, m.client} }

func (m mortal) ReadUsers(ctx context.Context, ids []string) ([]directory.Read, error) {
	return atRisk(ctx, m.life, func() ([]directory.Read, error) { return m.faulty().ReadUsers(ctx, ids) })
}

func (m mortal) MemberOf(ctx context.Context, ids, groups []string) ([]directory.Membership, error) {
	return atRisk(ctx, m.life, func() ([]directory.Membership, error) { return m.faulty().MemberOf(ctx, ids, groups) })
}

func (m mortal) RevokeSignInSessions(ctx context.Context, ids []string) ([]error, error) {
	return atRisk(ctx, m.life, func() ([]error, error) { return m.faulty().RevokeSignInSessions(ctx, ids) })
}

func (m mortal) Domains(ctx context.Context) ([]directory.Domain, error) {
	return atRisk(ctx, m.life, func() ([]directory.Domain, error) { return m.client.Domains(ctx) })
}

// look makes a call of the sweep.
func look[T any](ctx context.Context, l *life, operation string, call func() (T, error)) (T, error) {
	if l.began.IsZero() {
		l.began = time.Now()
	}
	return atRisk(ctx, l, func() (T, error) { return through(l.faults, operation, "", call) })
}

func (m mortal) LatestDelta(ctx context.Context) (string, error) {
	return look(ctx, m.life, "latest delta", func() (string, error) { return m.client.LatestDelta(ctx) })
}

func (m mortal) DeltaPage(ctx context.Context, link string) (directory.UserPage, error) {
	page, err := look(ctx, m.life, "delta page", func() (directory.UserPage, error) { return m.client.DeltaPage(ctx, link) })
	if m.plan.broken.blind {
		page.Users = nil
	}
	return page, err
}

func (m mortal) UserPage(ctx context.Context, next string) (directory.UserPage, error) {
	return look(ctx, m.life, "user page", func() (directory.UserPage, error) { return m.client.UserPage(ctx, next) })
}
