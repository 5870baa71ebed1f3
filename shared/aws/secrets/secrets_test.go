package secrets_test

import (
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

const tenant = "84bd8158-6d4d-4958-8b9f-9d6445542f95"

// The secrets of these tests.
const (
	rootA = "AAAAAAAAAAAAAAAAAAAAAAAA"
	rootB = "BBBBBBBBBBBBBBBBBBBBBBBB"
)

// expect checks that the clientState is that of the secret.
func expect(t *testing.T, s *secrets.ClientState, fresh bool, root string) {
	t.Helper()
	if got, err := s.ClientState(t.Context(), fresh); err != nil || got != webhook.ClientState(root, tenant) {
		t.Errorf("%q, %v", got, err)
	}
}

// A secret is read every five minutes, and at once where it must. The one before is not
// accepted any more.
func TestCache(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := holding(rootA)
		s := secrets.NewClientState(config(m, io.Discard), tenant)
		expectRequests(t, m, 0)
		expect(t, s, false, rootA)
		expectRequests(t, m, 1)
		m.put(rootB)
		time.Sleep(5*time.Minute - time.Nanosecond)
		expect(t, s, false, rootA)
		expectRequests(t, m, 0)
		expect(t, s, true, rootB)
		expectRequests(t, m, 1)
		m.put(rootA)
		time.Sleep(5 * time.Minute)
		expect(t, s, false, rootA)
		expectRequests(t, m, 1)
	})
}

// Many who ask at once make one request.
func TestReadOnce(t *testing.T) {
	t.Parallel()
	m := holding(rootA)
	s := secrets.NewClientState(config(m, io.Discard), tenant)
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() { expect(t, s, false, rootA) })
	}
	group.Wait()
	expectRequests(t, m, 1)
}

// While Secrets Manager is down an older secret serves, and costs little time. It is of
// no use for who wants a fresh one.
func TestOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, log := holding(rootA), new(strings.Builder)
		s := secrets.NewClientState(config(m, log), tenant)
		m.set(true, 0)
		_, err := s.ClientState(t.Context(), false)
		checkFault(t, err, errDown.Error())
		m.set(false, 0)
		expect(t, s, false, rootA)
		m.set(true, time.Hour) // hangs
		time.Sleep(5 * time.Minute)
		expectRequests(t, m, 2)
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
		if _, err := s.ClientState(t.Context(), true); !errors.Is(err, errDown) {
			t.Errorf("got %v, want %v", err, errDown)
		}
		expect(t, s, false, rootA)
		m.set(false, 0)
		m.put(rootB)
		time.Sleep(5 * time.Minute)
		expect(t, s, false, rootB)
	})
}

// A secret that is of no use is refused, and told to nobody.
func TestUnusable(t *testing.T) {
	t.Parallel()
	_, err := secrets.NewClientState(config(holding("hunter2"), io.Discard), tenant).ClientState(t.Context(), false)
	checkFault(t, err, "can be guessed")
	_, err = secrets.NewClientState(config(new(manager), io.Discard), tenant).ClientState(t.Context(), false)
	checkFault(t, err, "binary data")
}
