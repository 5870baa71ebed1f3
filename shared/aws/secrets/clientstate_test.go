package secrets_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

const tenant = "84bd8158-6d4d-4958-8b9f-9d6445542f95"

// The secrets of these tests.
const (
	rootA = "AAAAAAAAAAAAAAAAAAAAAAAA"
	rootB = "BBBBBBBBBBBBBBBBBBBBBBBB"
)

// expect checks that the clientStates are those of the secrets.
func expect(t *testing.T, s *secrets.ClientState, fresh bool, roots ...string) {
	t.Helper()
	var want []string
	for _, root := range roots {
		want = append(want, webhook.ClientState(root, tenant))
	}
	got, err := s.ClientStates(t.Context(), fresh)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func expectRequests(t *testing.T, m *manager, want int) {
	t.Helper()
	if got := m.took(); got != want {
		t.Errorf("%d requests to Secrets Manager, want %d", got, want)
	}
}

// The webhook reads both versions every five minutes, and at once where it must.
func TestClientStateIsCached(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := new(manager)
		m.put(rootA)
		s := secrets.NewClientState(config(t, m, io.Discard), tenant)
		expectRequests(t, m, 0)
		expect(t, s, false, rootA)
		expectRequests(t, m, 2)
		m.put(rootB)
		time.Sleep(5*time.Minute - time.Nanosecond)
		expect(t, s, false, rootA)
		expectRequests(t, m, 0)
		expect(t, s, true, rootB, rootA)
		expectRequests(t, m, 2)
	})
}

// Many who ask at once make one request for each version.
func TestClientStateIsReadOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := new(manager)
		m.put(rootA)
		m.set(false, 100*time.Millisecond)
		s := secrets.NewClientState(config(t, m, io.Discard), tenant)
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() { expect(t, s, false, rootA) })
		}
		group.Wait()
		expectRequests(t, m, 2)
	})
}

// While Secrets Manager is down an older secret serves, for as long as is said,
// and costs little time.
func TestOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, log := new(manager), new(strings.Builder)
		m.put(rootA)
		s := secrets.NewClientState(config(t, m, log), tenant)
		expect(t, s, false, rootA)
		m.set(true, time.Hour) // hangs
		time.Sleep(5 * time.Minute)
		m.took()
		began := time.Now()
		expect(t, s, false, rootA)
		expect(t, s, false, rootA)
		if took := time.Since(began); took != time.Second {
			t.Errorf("waited %s for Secrets Manager, want 1s", took)
		}
		expectRequests(t, m, 1)
		if got := strings.Count(log.String(), "an older one serves"); got != 1 {
			t.Errorf("%d log records of the outage, want 1:\n%s", got, log.String())
		}
		m.set(true, 0)
		time.Sleep(12 * time.Hour)
		if _, err := s.ClientStates(t.Context(), false); !errors.Is(err, errDown) {
			t.Errorf("after twelve hours: %v, want %v", err, errDown)
		}
		m.set(false, 0)
		m.put(rootB)
		expect(t, s, false, rootB, rootA)
	})
}

// A caller who waits behind a slow request gives up with the context.
func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := new(manager)
		m.put(rootA)
		m.set(false, time.Hour)
		s := secrets.NewClientState(config(t, m, io.Discard), tenant)
		patient, stop := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { _, _ = s.ClientStates(patient, false) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.ClientStates(ctx, false); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
		}
		stop()
		group.Wait()
	})
}

// A secret that can be guessed is refused, and told to nobody.
func TestGuessableSecret(t *testing.T) {
	t.Parallel()
	s := secrets.NewClientState(config(t, stored(t, "hunter2"), io.Discard), tenant)
	_, err := s.ClientStates(t.Context(), false)
	checkFault(t, err, "can be guessed")
}

func checkFault(t *testing.T, err error, fault string) {
	t.Helper()
	if (err != nil) != (fault != "") || err != nil && !strings.Contains(err.Error(), fault) {
		t.Errorf("got %v, want %q", err, fault)
	}
	if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "c4nary")) {
		t.Errorf("the error quotes a secret: %v", err)
	}
}
