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

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
)

// states asks for the clientStates, which must be had.
func states(t *testing.T, s interface {
	ClientStates(context.Context) (string, string, error)
}) [2]string {
	t.Helper()
	current, previous, err := s.ClientStates(t.Context())
	if err != nil {
		t.Error(err)
	}
	return [2]string{current, previous}
}

func expect(t *testing.T, got, want [2]string) {
	t.Helper()
	if got != want {
		t.Errorf("got current %q and previous %q, want %q and %q", got[0], got[1], want[0], want[1])
	}
}

func expectRequests(t *testing.T, m *manager, want int) {
	t.Helper()
	if got := m.took(); got != want {
		t.Errorf("%d requests to Secrets Manager, want %d", got, want)
	}
}

// The webhook reads both versions every five minutes, and not in between.
func TestClientStateIsCached(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := new(manager)
		m.put("A")
		s := secrets.NewClientState(config(t, m, io.Discard))
		expectRequests(t, m, 0)
		expect(t, states(t, s), [2]string{"A", ""})
		expectRequests(t, m, 2)
		m.put("B")
		time.Sleep(5*time.Minute - time.Nanosecond)
		expect(t, states(t, s), [2]string{"A", ""})
		expectRequests(t, m, 0)
		time.Sleep(time.Nanosecond)
		expect(t, states(t, s), [2]string{"B", "A"})
		expectRequests(t, m, 2)
	})
}

// Many who ask at once make one request for each version.
func TestClientStateIsReadOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := new(manager)
		m.put("A")
		m.set(false, 100*time.Millisecond)
		s := secrets.NewClientState(config(t, m, io.Discard))
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() { expect(t, states(t, s), [2]string{"A", ""}) })
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
		m.put("A")
		s := secrets.NewClientState(config(t, m, log))
		expect(t, states(t, s), [2]string{"A", ""})
		m.set(true, time.Hour) // hangs
		time.Sleep(5 * time.Minute)
		m.took()
		began := time.Now()
		expect(t, states(t, s), [2]string{"A", ""})
		expect(t, states(t, s), [2]string{"A", ""})
		if took := time.Since(began); took != time.Second {
			t.Errorf("waited %s for Secrets Manager, want 1s", took)
		}
		expectRequests(t, m, 1)
		if got := strings.Count(log.String(), "an older one serves"); got != 1 {
			t.Errorf("%d log records of the outage, want 1:\n%s", got, log.String())
		}
		time.Sleep(30 * time.Second)
		expect(t, states(t, s), [2]string{"A", ""})
		expectRequests(t, m, 1)

		m.set(true, 0)
		time.Sleep(12 * time.Hour)
		if _, _, err := s.ClientStates(t.Context()); !errors.Is(leaktest.Seen(t, err), errDown) {
			t.Errorf("after twelve hours: %v, want %v", err, errDown)
		}
		m.set(false, 0)
		m.put("B")
		expect(t, states(t, s), [2]string{"B", "A"})
	})
}

// Who waits behind a slow request gives up with the context.
func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := new(manager)
		m.put("A")
		m.set(false, time.Hour)
		s := secrets.NewClientState(config(t, m, io.Discard))
		patient, stop := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { _, _, _ = s.ClientStates(patient) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := s.ClientStates(ctx); !errors.Is(leaktest.Seen(t, err), context.DeadlineExceeded) {
			t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
		}
		stop()
		group.Wait()
	})
}

// A rotation between the two readings must not lose the version that subscriptions
// carry.
func TestRotationBetweenReadings(t *testing.T) {
	t.Parallel()
	m := new(manager)
	m.put("A")
	m.put("B")
	m.between = func() {
		m.between = nil
		m.putLocked("C")
	}
	got := states(t, secrets.NewClientState(config(t, m, io.Discard)))
	if got[0] != "B" && got[1] != "B" {
		t.Errorf("got %q, of which none is B", got)
	}
}

// The keeper takes up a new version only when every webhook knows it.
func TestSettledClientState(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := new(manager)
		m.put("A")
		webhook := secrets.NewClientState(config(t, m, io.Discard))
		keeper := secrets.NewSettledClientState(config(t, m, io.Discard))
		expect(t, states(t, webhook), [2]string{"A", ""})
		expect(t, states(t, keeper), [2]string{"A", ""}) // new, but there is no other
		time.Sleep(time.Hour)
		expect(t, states(t, webhook), [2]string{"A", ""})
		m.put("B")
		for range 10 {
			expect(t, states(t, keeper), [2]string{"A", "B"})
			time.Sleep(time.Minute)
		}
		expect(t, states(t, keeper), [2]string{"B", "A"})
		expect(t, states(t, webhook), [2]string{"B", "A"})
		m.set(true, 0)
		if _, _, err := keeper.ClientStates(t.Context()); !errors.Is(leaktest.Seen(t, err), errDown) {
			t.Errorf("got %v, want %v", err, errDown)
		}
	})
}

// The SDK's client, and what Secrets Manager answers.
func TestClientStateOverHTTP(t *testing.T) {
	t.Parallel()
	const current = `{"ARN":"x","CreatedDate":1.7E9,"SecretString":"NEW","VersionStages":["AWSCURRENT"]}`
	long := strings.Repeat("x", secrets.MaxClientState)
	tests := []struct {
		name              string
		current, previous string
		want              [2]string
		fault             string
	}{
		{name: "both", current: current, previous: `{"SecretString":"OLD","CreatedDate":1.6E9}`, want: [2]string{"NEW", "OLD"}},
		{name: "never rotated", current: current, want: [2]string{"NEW", ""}},
		{name: "longest", current: `{"SecretString":"` + long + `"}`, want: [2]string{long, ""}},
		{name: "too long", current: `{"SecretString":"` + long + `x"}`, fault: "1 to 128"},
		{name: "empty", current: `{"SecretString":""}`, fault: "1 to 128"},
		{name: "line break", current: `{"SecretString":"hunter2\n"}`, fault: "1 to 128"},
		{name: "binary", current: `{"SecretBinary":"aHVudGVyMg=="}`, fault: "binary"},
		{name: "previous is unusable", current: current, previous: `{"SecretString":"hunter2 "}`, fault: "AWSPREVIOUS"},
		{name: "no secret", fault: "ResourceNotFoundException"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			answers := make(map[string]string)
			for stage, answer := range map[string]string{"AWSCURRENT": test.current, "AWSPREVIOUS": test.previous} {
				if answer != "" {
					answers[stage] = answer
				}
			}
			s := secrets.NewClientState(config(t, serve(t, answers), io.Discard))
			current, previous, err := s.ClientStates(t.Context())
			checkFault(t, err, test.fault)
			expect(t, [2]string{current, previous}, test.want)
		})
	}
}

// checkFault compares an error with what it must say, "" for no error.
func checkFault(t *testing.T, err error, want string) {
	t.Helper()
	leaktest.Error(t, err)
	switch {
	case want == "" && err != nil:
		t.Error(err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), arn)):
		t.Errorf("got %v, want one that says %q of %s", err, want, arn)
	}
}
