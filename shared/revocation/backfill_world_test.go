package revocation_test

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// fakeBackfill is an in-memory store of the backfill's state that can fail.
type fakeBackfill struct {
	store *memory.Backfill
	steps *steps
}

func (b fakeBackfill) Backfill(ctx context.Context, tenant string) (state revocation.BackfillState, err error) {
	err = b.steps.at(ctx, "Backfill.Backfill", func() (err error) {
		state, err = b.store.Backfill(ctx, tenant)
		return err
	})
	if err != nil {
		return revocation.BackfillState{}, err
	}
	return state, nil
}

func (b fakeBackfill) SaveBackfill(ctx context.Context, state revocation.BackfillState) error {
	return b.steps.at(ctx, "Backfill.SaveBackfill", func() error { return b.store.SaveBackfill(ctx, state) })
}

// fakeGroups shows one member on a page, and can fail.
type fakeGroups struct {
	members map[string][]string
	steps   *steps
}

func (g fakeGroups) GroupMembers(ctx context.Context, group, next string) (ids []string, link string, err error) {
	if err := g.steps.at(ctx, "Groups.GroupMembers", func() error { return nil }); err != nil {
		return nil, "", err
	}
	page := 0
	if next != "" {
		if page, err = strconv.Atoi(next); err != nil {
			return nil, "", fmt.Errorf("link %q was not ours", next)
		}
	}
	members := g.members[group]
	if page+1 < len(members) {
		link = strconv.Itoa(page + 1)
	}
	if page < len(members) {
		ids = members[page : page+1]
	}
	return ids, link, nil
}

// old users have been at work for a year.
func old(u *fakeUser) { u.Created = u.Created.AddDate(-1, 0, 0) }

// aged users were created so long before the start.
func aged(age time.Duration) func(*fakeUser) {
	return func(u *fakeUser) { u.Created = u.Created.Add(-age) }
}

// members is what the last full sweep counted in an enforcing world.
const members = 1000

// enforce lets existing users be stamped, by the default ceilings and at all
// hours unless change says otherwise, in a tenant whose members were counted.
func (w *world) enforce(change ...func(*revocation.Backfill)) {
	w.config.Policy.Backfill.Mode = revocation.ModeEnforce
	for _, c := range change {
		c(&w.config.Policy.Backfill)
	}
	for _, store := range []revocation.BackfillStore{&w.backfill, revocation.DryRunStore(&w.backfill)} {
		w.updateIn(store, func(s revocation.BackfillState) revocation.BackfillState {
			s.Members = members
			return s
		})
	}
}

// hours from one time after midnight UTC, which is when a world begins, to
// another.
func hours(from, to time.Duration) func(*revocation.Backfill) {
	return func(b *revocation.Backfill) {
		b.Hours = revocation.Hours{From: int(from.Minutes()), To: int(to.Minutes()), Place: time.UTC}
	}
}

func ceilings(c revocation.Ceilings) func(*revocation.Backfill) {
	return func(b *revocation.Backfill) { b.Ceilings = c }
}

// update changes the state of the backfill, past all mishaps.
func (w *world) update(change func(revocation.BackfillState) revocation.BackfillState) {
	w.updateIn(&w.backfill, change)
}

func (w *world) updateIn(store revocation.BackfillStore, change func(revocation.BackfillState) revocation.BackfillState) {
	if err := revocation.UpdateBackfill(w.t.Context(), store, tenant, change); err != nil {
		w.t.Fatalf("UpdateBackfill: %v", err)
	}
}

// lift is what a person does who has looked.
func (w *world) lift() {
	w.update(func(s revocation.BackfillState) revocation.BackfillState { return s.Lift(time.Now()) })
}

// state is how far the backfill has come, by the key of the real one or of the
// dry run.
func (w *world) state(key string) revocation.BackfillState {
	s, err := w.backfill.Backfill(w.t.Context(), key)
	if err != nil {
		w.t.Fatalf("read the state of the backfill: %v", err)
	}
	return s
}

// backfillOf is the sweep's request to stamp existing user n.
func (w *world) backfillOf(n int, after time.Duration) revocation.Request {
	r := w.request(n, after)
	r.Source, r.Backfill = revocation.SourceSweep, true
	return r
}

// ask lets the sweep ask for existing user n at the given times.
func (w *world) ask(n int, after ...time.Duration) {
	for _, d := range after {
		w.send(w.backfillOf(n, d), d)
	}
}

// miss lets the sweep find user 1 at the given times, of whom a notification
// should have told.
func (w *world) miss(after ...time.Duration) {
	for _, d := range after {
		r := w.request(1, d)
		r.Source, r.Missed = revocation.SourceSweep, true
		w.send(r, d)
	}
}

// signOuts is how often users were signed out together.
func (w *world) signOuts(users ...int) int {
	n := 0
	for _, user := range users {
		n += len(w.graph.users[userID(user)].signOuts)
	}
	return n
}
