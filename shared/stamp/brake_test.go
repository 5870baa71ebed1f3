package stamp_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"context"

	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

func (w *world) counted() (sum int) {
	i, err := w.brake.Load(context.Background(), tenant)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, n := range i.Doc.Hours {
		sum += n
	}
	return sum
}

// The brake stops what is automatic and loses nothing; a person releases it.
func TestBrakeStopsAndReleases(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.limit = 3
		for n := range 5 {
			w.user(n)
			w.notify(n, 0)
		}
		time.AfterFunc(25*time.Hour, func() {
			b := stamp.NewBrake(&w.brake, w.limit)
			if s, _, err := b.State(t.Context(), tenant); err != nil || s.Reached.IsZero() {
				t.Errorf("after a day the brake is open: %+v, %v", s, err)
			}
			if n := w.graph.total(); n != 3 {
				t.Errorf("%d were signed out before the release, want 3", n)
			}
			if err := b.Release(t.Context(), tenant, time.Now()); err != nil {
				t.Error(err)
			}
		})
		w.run()
		w.checkQuiet(0, 1, 2, 3, 4)
	})
}

// A pause grants nothing, to nobody, whatever the count; its end leaves the count as it
// was. Who asks for approved requests only writes nothing.
func TestPause(t *testing.T) {
	t.Parallel()
	ctx, store := t.Context(), new(memory.State[stamp.BrakeState])
	b := stamp.NewBrake(store, 5)
	pause := func() error { return b.Pause(ctx, tenant, noon) }
	later := func() error { return b.Pause(ctx, tenant, noon.Add(time.Hour)) }
	resume := func() error { return b.Resume(ctx, tenant) }
	release := func() error { return b.Release(ctx, tenant, noon) }
	for i, tt := range []struct {
		order   func() error
		take    int
		want    int
		err     error
		version int64
	}{
		{nil, 0, 0, nil, 0},
		{nil, 3, 3, nil, 1},
		{pause, 0, 0, stamp.ErrPaused, 2},
		{later, 2, 0, stamp.ErrPaused, 2},
		{release, 2, 0, stamp.ErrPaused, 3},
		{resume, 0, 0, nil, 4},
		{resume, 4, 4, nil, 5},
		{pause, 4, 0, stamp.ErrPaused, 6},
		{resume, 4, 1, nil, 8}, // now it is reached
		{nil, 0, 0, nil, 8},
	} {
		if tt.order != nil {
			if err := tt.order(); err != nil {
				t.Fatal(err)
			}
		}
		got, err := b.Take(ctx, tenant, tt.take, noon)
		item, _ := store.Load(ctx, tenant)
		if got != tt.want || !errors.Is(err, tt.err) || item.Version != tt.version {
			t.Errorf("%d: Take(%d) = %d, %v after %d writes, want %d, %v after %d", i, tt.take, got, err, item.Version, tt.want, tt.err, tt.version)
		}
		if since := item.Doc.Paused; !since.IsZero() && !since.Equal(noon) {
			t.Errorf("%d: paused since %s, want the first order", i, since)
		}
	}
}

func (g *fakeGraph) total() (sum int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, u := range g.users {
		sum += len(u.signOuts)
	}
	return sum
}

func TestBrakeLimit(t *testing.T) {
	t.Parallel()
	ctx, now := t.Context(), noon
	b := stamp.NewBrake(new(memory.State[stamp.BrakeState]), 0)
	if err := b.SetMembers(ctx, tenant, 2000); err != nil {
		t.Fatal(err)
	}
	if _, limit, _ := b.State(ctx, tenant); limit != 400 {
		t.Errorf("limit %d, want a fifth of 2000", limit)
	}
	take := func(n, want int) {
		t.Helper()
		if got, err := b.Take(ctx, tenant, n, now); err != nil || got != want {
			t.Errorf("Take(%d) = %d, %v, want %d", n, got, err, want)
		}
	}
	take(390, 390)
	if err := b.GiveBack(ctx, tenant, 390, now); err != nil {
		t.Fatal(err)
	}
	take(400, 400)
	now = now.Add(26 * time.Hour) // all is forgotten
	take(300, 300)
	take(101, 100)
	take(1, 0)
	if err := b.Release(ctx, tenant, now.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	taken := now
	now = now.Add(time.Minute)
	take(300, 300)
	if err := b.GiveBack(ctx, tenant, 300, taken); err != nil { // cleared by the release
		t.Fatal(err)
	}
	take(101, 100)
}

// Two workers never take more than the limit together.
func TestBrakeOverManyWorkers(t *testing.T) {
	t.Parallel()
	b := stamp.NewBrake(new(memory.State[stamp.BrakeState]), 10)
	var mu sync.Mutex
	var all sync.WaitGroup
	sum := 0
	for range 8 {
		all.Go(func() {
			got, err := b.Take(t.Context(), tenant, 2, noon)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			sum += got
		})
	}
	all.Wait()
	if sum != 10 {
		t.Errorf("%d were granted, want 10", sum)
	}
}
