package job

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// Fate is what became of a user of an order.
type Fate string

// The fates.
const (
	// Open: the order has not come to the user, or can't yet.
	Open Fate = ""
	// Called: Graph has accepted the call, and its stamp was not read back yet.
	Called Fate = "called"
	// Cured: called, and the stamp was read back.
	Cured Fate = "cured"
	// Spared: no call was made for this order, for Reason.
	Spared Fate = "spared"
	// Failed: a person must look, for Reason.
	Failed Fate = "failed"
)

// An End is what became of one user.
type End struct {
	// User is the object id.
	User   string
	Fate   Fate
	Reason stamp.Reason
	// Called is when the call began that Graph accepted, zero for none.
	Called time.Time
	// Err is what Graph said of the user, where it refused. It names nobody.
	Err error
}

// A Result is what became of an order.
type Result struct {
	// Users are those of the order, in its order.
	Users []End
	// Earlier are others, whose stamps an earlier run has left to be read back. Those of
	// them who had none, twice, were called once more.
	Earlier []End
}

// Count tells how many of the order's users had a fate.
func (r Result) Count(f Fate) (n int) {
	for _, u := range r.Users {
		if u.Fate == f {
			n++
		}
	}
	return n
}

// fateOf reads an outcome.
func fateOf(o stamp.Outcome) Fate {
	switch {
	case o.Reason == stamp.ReasonGaveUp || o.Reason == stamp.ReasonInvalid:
		return Failed
	case o.Verdict != stamp.Done:
		return Open
	}
	switch o.Reason {
	case stamp.ReasonCalled, stamp.ReasonReadBackPending:
		return Called
	case stamp.ReasonReadBack:
		return Cured
	case stamp.ReasonForbidden, stamp.ReasonRefused, stamp.ReasonStillEmpty, stamp.ReasonKnownCannotFix:
		return Failed
	default:
		return Spared
	}
}

// fatal is the error that concerns every user: going on would be of no use.
func fatal(o stamp.Outcome) error {
	if errors.Is(o.Err, context.Canceled) || errors.Is(o.Err, context.DeadlineExceeded) {
		return nil
	}
	e, ok := errors.AsType[*directory.Error](o.Err)
	switch {
	case o.Reason == stamp.ReasonLedgerUnavailable, o.Verdict == stamp.Failed && fateOf(o) == Open:
		return o.Err // the file
	case !ok || o.Verdict == stamp.Done:
		return nil
	case e.OfCredential(), e.StatusCode == http.StatusUnauthorized, e.Forbidden(),
		e.Operation == directory.Token && e.StatusCode == http.StatusBadRequest,
		o.Reason == stamp.ReasonExclusionsUnavailable && e.NotFound():
		return o.Err
	}
	return nil
}

// A tracker follows the users of an order to their ends, as the Stamper's observer.
type tracker struct {
	engine   *Engine
	progress func(Progress)
	// again takes requests of the order.
	again memory.Requests
	// fail ends the run.
	fail context.CancelCauseFunc
	// called is closed when nobody is left to be called, done when nobody is open.
	called, done chan struct{}

	mu      sync.Mutex
	order   Order
	ends    map[string]*End
	moments map[string]time.Time // of the order, by user
	earlier []End
	last    time.Time // when a call was last accepted

	accepted  bool // a call was
	forbidden int  // users
	count     Progress
}

func newTracker(e *Engine, o Order, progress func(Progress)) *tracker {
	t := &tracker{
		engine: e, progress: progress, order: o,
		called: make(chan struct{}), done: make(chan struct{}),
		ends:    make(map[string]*End, len(o.Targets)),
		moments: make(map[string]time.Time, len(o.Targets)),
	}
	for _, target := range o.Targets {
		t.ends[target.User] = &End{User: target.User}
		t.moments[target.User] = target.NotBefore
	}
	t.count.Total = len(t.ends)
	t.closeChannels()
	return t
}

// Observe implements [stamp.Observer].
func (t *tracker) Observe(ctx context.Context, o stamp.Outcome) {
	if err := fatal(o); err != nil {
		t.fail(err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	end, ours := t.ends[o.Request.User]
	switch fate := fateOf(o); {
	case fate == Open:
		return
	case !ours:
		// A call that was accepted is told, and not that one is waited for.
		if (fate != Called || o.Reason == stamp.ReasonCalled) && o.Reason != stamp.ReasonKnownCannotFix {
			t.earlier = append(t.earlier, endOf(o, fate))
		}
		return
	case over(end.Fate) || o.Request.NotBefore.Before(t.moments[end.User]):
		return // an older request's outcome may not suffice for this one
	default:
		t.judge(o)
		t.note(end, endOf(o, fate))
	}
	if o.Reason == stamp.ReasonReadBackPending {
		t.readBack(ctx, o.Request)
	}
	t.tell()
}

// manyForbidden is how many users Graph forbids to sign out, before it lets us sign out any,
// where it is the right that is missing. A few may be administrators, who are protected.
const manyForbidden = stamp.MaxBatch

// judge ends a run that would come to nothing. It must be asked before the run is done.
func (t *tracker) judge(o stamp.Outcome) {
	switch fateOf(o) {
	case Called, Cured:
		t.accepted = true
	case Failed:
		if o.Reason == stamp.ReasonForbidden {
			t.forbidden++
		}
	case Open, Spared:
	}
	if !t.accepted && t.forbidden == manyForbidden {
		t.fail(o.Err)
	}
}

func over(f Fate) bool { return f != Open && f != Called }

func endOf(o stamp.Outcome, f Fate) End {
	return End{User: o.Request.User, Fate: f, Reason: o.Reason, Called: o.Called, Err: o.Err}
}

func (t *tracker) note(end *End, next End) {
	if end.Fate == Open {
		t.count.Done++
	}
	if over(next.Fate) {
		t.count.Ended++
	}
	if next.Fate == Failed {
		t.count.Failed++
	}
	if next.Called.IsZero() {
		next.Called = end.Called
	} else {
		t.last = next.Called
	}
	*end = next
	t.closeChannels()
}

// closeChannels tells whoever waits. Each count is reached once.
func (t *tracker) closeChannels() {
	if t.count.Done == t.count.Total {
		closeOnce(t.called)
	}
	if t.count.Ended == t.count.Total {
		closeOnce(t.done)
	}
}

func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// readBack has the stamp of a call read back that an earlier run made. That run's own
// request is in the file, but it may be a watch's, which this run leaves alone.
func (t *tracker) readBack(ctx context.Context, req stamp.Request) {
	req.ReadBack = true
	if err := t.again.Postpone(ctx, []stamp.Delayed{{Request: req}}); err != nil {
		t.fail(fmt.Errorf("queue the reading back of user %s: %w", req.User, err))
	}
}

func (t *tracker) tell() {
	if t.progress == nil {
		return
	}
	p := t.count
	p.ReadBack = max(0, t.last.Add(t.engine.Policy.ReplicationLag).Sub(t.engine.Now()))
	t.progress(p)
}

// result tells what became of everybody. Of those who were called by an earlier run of
// this order, or whose last answer was lost, only the ledger knows.
func (t *tracker) result(ctx context.Context) (Result, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	users := make([]string, len(t.order.Targets))
	for i, target := range t.order.Targets {
		users[i] = target.User
	}
	entries, err := t.engine.ledger.Entries(ctx, t.engine.Tenant, users)
	if err != nil {
		return Result{}, err
	}
	r := Result{Earlier: t.earlier}
	for _, target := range t.order.Targets {
		end := *t.ends[target.User]
		called, known := entries[target.User].Called, entries[target.User].State
		if end.Reason == stamp.ReasonKnownCannotFix {
			end.Reason = entries[target.User].Reason
		}
		if end.Called.IsZero() && !called.Before(target.NotBefore) {
			end.Called = called
		}
		if end.Fate == Spared && known == stamp.StateStamped && !end.Called.IsZero() {
			end.Fate = Cured
		}
		r.Users = append(r.Users, end)
	}
	return r, nil
}
