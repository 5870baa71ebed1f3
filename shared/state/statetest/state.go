// Package statetest holds the suite that every [state.Store] passes.
package statetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/sessionstamp/sessionstamp/shared/state"
)

// Doc is the document that the suite stores: a field of every kind that documents have.
type Doc struct {
	Text  string
	Count int
	Flag  bool
	At    time.Time
	Hours map[int64]int
	Names []string
	Inner struct{ Text string }
}

func sample(count int) Doc {
	d := Doc{
		Text:  "ä text",
		Count: count,
		Flag:  true,
		At:    time.Date(2026, time.November, 3, 9, 30, 15, 123_456_000, time.UTC),
		Hours: map[int64]int{1762160400: 3},
		Names: []string{"one", "two"},
	}
	d.Inner.Text = "inner"
	return d
}

// TestStore checks that what open returns keeps the promises of [state.Store]. The stores
// that open returns may share their documents.
func TestStore(t *testing.T, open func(*testing.T) state.Store[Doc]) {
	for name, test := range map[string]func(*testing.T, state.Store[Doc]){
		"an unknown tenant has the zero document": testUnknown,
		"a document comes back as it was saved":   testRoundTrip,
		"a stale version conflicts":               testConflict,
		"tenants are apart":                       testTenants,
		"one of many wins":                        testRace,
		"a cancelled context is an error":         testCancelled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func mustLoad(t *testing.T, s state.Store[Doc], tenant string) state.Item[Doc] {
	t.Helper()
	i, err := s.Load(t.Context(), tenant)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return i
}

func mustSave(t *testing.T, s state.Store[Doc], tenant string, i state.Item[Doc]) state.Item[Doc] {
	t.Helper()
	saved, err := s.Save(t.Context(), tenant, i)
	if err != nil {
		t.Fatalf("Save: %v", err)
	}
	return saved
}

func expect(t *testing.T, got, want state.Item[Doc]) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("item (-want +got):\n%s", diff)
	}
}

func testUnknown(t *testing.T, s state.Store[Doc]) {
	expect(t, mustLoad(t, s, uuid.NewString()), state.Item[Doc]{})
}

func testRoundTrip(t *testing.T, s state.Store[Doc]) {
	tenant := uuid.NewString()
	var i state.Item[Doc]
	for version, doc := range []Doc{sample(1), {}, sample(2)} {
		i.Doc = doc
		i = mustSave(t, s, tenant, i)
		want := state.Item[Doc]{Doc: doc, Version: int64(version) + 1}
		expect(t, i, want)
		expect(t, mustLoad(t, s, tenant), want)
	}
	if at := mustLoad(t, s, tenant).Doc.At; at.Location() != time.UTC {
		t.Errorf("the time is in %s, want UTC", at.Location())
	}
}

func testConflict(t *testing.T, s state.Store[Doc]) {
	tenant := uuid.NewString()
	stale := mustSave(t, s, tenant, state.Item[Doc]{Doc: sample(1)})
	want := mustSave(t, s, tenant, stale)
	for _, version := range []int64{0, stale.Version, want.Version + 1} {
		_, err := s.Save(t.Context(), tenant, state.Item[Doc]{Doc: sample(9), Version: version})
		if !errors.Is(err, state.ErrConflict) {
			t.Errorf("Save of version %d = %v, want ErrConflict", version, err)
		}
	}
	expect(t, mustLoad(t, s, tenant), want)
}

func testTenants(t *testing.T, s state.Store[Doc]) {
	one, other := uuid.NewString(), uuid.NewString()
	want := mustSave(t, s, one, state.Item[Doc]{Doc: sample(1)})
	mustSave(t, s, other, state.Item[Doc]{Doc: sample(2)})
	expect(t, mustLoad(t, s, one), want)
}

func testRace(t *testing.T, s state.Store[Doc]) {
	const workers = 8
	tenant := uuid.NewString()
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			_, errs[worker] = s.Save(t.Context(), tenant, state.Item[Doc]{Doc: sample(worker)})
		})
	}
	wg.Wait()
	winners := 0
	for worker, err := range errs {
		switch {
		case err == nil:
			winners++
			expect(t, mustLoad(t, s, tenant), state.Item[Doc]{Doc: sample(worker), Version: 1})
		case !errors.Is(err, state.ErrConflict):
			t.Errorf("worker %d: %v, want ErrConflict", worker, err)
		}
	}
	if winners != 1 {
		t.Errorf("%d workers saved the same version, want 1", winners)
	}
}

func testCancelled(t *testing.T, s state.Store[Doc]) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Load(ctx, uuid.NewString()); !errors.Is(err, context.Canceled) {
		t.Errorf("Load = %v, want it to wrap %v", err, context.Canceled)
	}
	if _, err := s.Save(ctx, uuid.NewString(), state.Item[Doc]{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Save = %v, want it to wrap %v", err, context.Canceled)
	}
}
