package msgraph_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// secretSource is a source that knows a secret, and notes what it is asked.
type secretSource struct {
	// wait, if it is not nil, goes before each answer, and can fail it.
	wait func(ctx context.Context, fresh bool) error

	mu     sync.Mutex
	asked  []bool
	kept   string // the answer to all who do not want a fresh secret
	stored string
}

// ClientSecret implements msgraph.SecretSource.
func (s *secretSource) ClientSecret(ctx context.Context, fresh bool) (string, error) {
	s.mu.Lock()
	s.asked = append(s.asked, fresh)
	secret := s.kept
	if fresh {
		secret = s.stored
	}
	s.mu.Unlock()
	if s.wait != nil {
		if err := s.wait(ctx, fresh); err != nil {
			return "", err
		}
	}
	return secret, nil
}

// check fails the test unless exactly this was asked, fresh or not.
func (s *secretSource) check(t *testing.T, want ...bool) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.asked, want) {
		t.Errorf("asked the source, fresh or not: %v, want %v", s.asked, want)
	}
}

// signedInBy returns a client that signs in to the tenant with a source's secret.
func (e emulated) signedInBy(t *testing.T, secrets msgraph.SecretSource) *msgraph.Client {
	t.Helper()
	return signedInBy(t, cloudNamed(t, "global"), known{t, e.server}, known{t, e.server}, secrets)
}

// burst makes that many calls at once, and returns their errors.
func burst(ctx context.Context, c *msgraph.Client, calls int) []error {
	errs := make([]error, calls)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() { _, errs[i] = c.ReadUsers(ctx, userIDs(1)) })
	}
	group.Wait()
	return errs
}

// slowly makes the token endpoint take a second, until fast is called.
func (e emulated) slowly() (fast func()) {
	return e.server.Inject(msgraphtest.Fault{
		Match:   func(r msgraphtest.Request) bool { return r.Token && r.Method == "POST" },
		Latency: time.Second,
	})
}

// The secret is read when it is first needed, and then no more.
func TestSecretIsReadOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		source := &secretSource{kept: secret}
		client := graph.signedInBy(t, source)
		source.check(t)
		for range 3 {
			mustRead(t, client, userIDs(1))
			time.Sleep(2 * time.Hour) // longer than a token lives
		}
		source.check(t, false)
		if n := graph.server.Counts().Tokens; n != 3 {
			t.Errorf("%d requests for a token, want 3", n)
		}
	})
}

// A secret that was replaced, or has expired, costs the calls of the moment a second
// request for a token, and a burst of them one reload.
func TestSecretIsReplaced(t *testing.T) {
	tests := []struct {
		name   string
		retire func(*msgraphtest.App)
	}{
		{"removed", func(a *msgraphtest.App) {
			a.RemoveSecret("old8Q~value")
			time.Sleep(2 * time.Hour) // the token's end
		}},
		{"expired", func(*msgraphtest.App) { time.Sleep(3 * 366 * 24 * time.Hour) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
				graph.app.AddSecret("old8Q~value")
				source := &secretSource{kept: "old8Q~value", stored: "new8Q~value"}
				client := graph.signedInBy(t, source)
				mustRead(t, client, userIDs(1))
				tt.retire(graph.app)
				graph.app.AddSecret("new8Q~value")
				graph.slowly()
				before := graph.server.Counts().Tokens
				if err := errors.Join(burst(t.Context(), client, 20)...); err != nil {
					t.Errorf("20 calls: %v", err)
				}
				source.check(t, false, true)
				if n := graph.server.Counts().Tokens - before; n != 2 {
					t.Errorf("%d requests for a token, want 2", n)
				}
			})
		})
	}
}

// As long as the source knows nothing better, each burst of calls costs one request
// for a token and one reload, and everybody is told why.
func TestSecretIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		source := &secretSource{kept: "old8Q~value", stored: "old8Q~value"}
		client := graph.signedInBy(t, source)
		graph.slowly()
		for n := 1; n <= 2; n++ {
			for _, err := range burst(t.Context(), client, 20) {
				if e := graphError(t, err); e.Operation != "token" || e.Code != "AADSTS7000215" || !e.NotDone {
					t.Errorf("error %+v", e)
				}
			}
			if got := graph.server.Counts().Tokens; got != n {
				t.Errorf("%d requests for a token after %d bursts", got, n)
			}
		}
		source.check(t, false, true, true)
		// One more try, with another secret, is all there is.
		source.stored = "wrong8Q~as-well"
		if e := graphError(t, burst(t.Context(), client, 1)[0]); e.Code != "AADSTS7000215" {
			t.Errorf("error %+v", e)
		}
		source.check(t, false, true, true, true)
		source.stored = secret
		mustRead(t, client, userIDs(1))
	})
}

// Nobody's error is another's to change: the caller of CreateSubscription does.
func TestSharedRefusals(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		graph.slowly()
		seen := make(map[*directory.Error]bool)
		for _, err := range burst(t.Context(), graph.signedInBy(t, msgraph.FixedSecret("old8Q~value")), 20) {
			seen[graphError(t, err)] = true
		}
		if len(seen) != 20 {
			t.Errorf("%d errors for 20 calls", len(seen))
		}
	})
}

// A refusal that is not about the secret asks for no other one.
func TestSecretIsNotToBlame(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		source := &secretSource{kept: secret}
		graph.server.Inject(msgraphtest.Fault{Match: func(r msgraphtest.Request) bool { return r.Token }, Status: 400, Code: "unauthorized_client"})
		if e := graphError(t, burst(t.Context(), graph.signedInBy(t, source), 1)[0]); e.Code != "unauthorized_client" {
			t.Errorf("error %+v", e)
		}
		source.check(t, false)
	})
}

var errDenied = errors.New("AccessDeniedException")

// A source that fails is an error of its own, which says what to do.
func TestSecretSourceFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		source := &secretSource{kept: secret, wait: func(context.Context, bool) error { return errDenied }}
		client := graph.signedInBy(t, source)
		e := graphError(t, burst(t.Context(), client, 1)[0])
		if e.Operation != "clientSecret" || !e.NotDone || e.StatusCode != 0 || !errors.Is(leaktest.Seen(t, e), errDenied) || !strings.Contains(e.Error(), "may read it") {
			t.Errorf("error %v, %+v", e, e)
		}
		source.wait, source.kept = nil, ""
		if e := graphError(t, burst(t.Context(), client, 1)[0]); e.Operation != "clientSecret" || !strings.Contains(leaktest.Seen(t, e).Error(), "is empty") {
			t.Errorf("error %v, %+v", e, e)
		}
		if got := graph.server.Counts(); got.Tokens+got.HTTP != 0 {
			t.Errorf("counts %+v without a secret", got)
		}
		source.kept = secret
		mustRead(t, client, userIDs(1))
		source.check(t, false, false, false)
	})
}

// If the fresh secret cannot be read, the error still tells why one was needed, and
// the burst does not ask again and again.
func TestSecretSourceFailsToReload(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		source := &secretSource{kept: "old8Q~value", wait: func(_ context.Context, fresh bool) error {
			if fresh {
				return errDenied
			}
			return nil
		}}
		client := graph.signedInBy(t, source)
		graph.slowly()
		for _, err := range burst(t.Context(), client, 20) {
			if e := graphError(t, err); e.Operation != "clientSecret" || e.Code != "AADSTS7000215" || !e.NotDone || !errors.Is(leaktest.Seen(t, e), errDenied) {
				t.Errorf("error %+v", e)
			}
		}
		source.check(t, false, true)
	})
}

// Whoever gives up says nothing to the others, and waiting ends with one's own time.
func TestSecretWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		graph := emulate(t, 1, msgraphtest.Options{}, permissions...)
		source := &secretSource{kept: "old8Q~value", stored: secret, wait: func(ctx context.Context, fresh bool) error {
			if !fresh {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(5 * time.Second):
				return nil
			}
		}}
		client := graph.signedInBy(t, source)
		call := func(limit time.Duration) (time.Duration, error) {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			start := time.Now()
			_, err := client.ReadUsers(ctx, userIDs(1))
			return time.Since(start), err
		}
		var group sync.WaitGroup
		group.Go(func() {
			if took, err := call(3 * time.Second); !errors.Is(leaktest.Seen(t, err), context.DeadlineExceeded) || took != 3*time.Second {
				t.Errorf("the first: %v after %s", err, took)
			}
		})
		time.Sleep(time.Second)
		group.Go(func() {
			took, err := call(time.Second)
			if e := graphError(t, err); !e.NotDone || !errors.Is(leaktest.Seen(t, err), context.DeadlineExceeded) || took != time.Second {
				t.Errorf("the second: %v after %s", err, took)
			}
		})
		group.Go(func() {
			if took, err := call(time.Minute); err != nil || took != 7*time.Second {
				t.Errorf("the third: %v after %s", err, took)
			}
		})
		group.Wait()
		source.check(t, false, true, true)
	})
}

// Neither source nor credential prints what it knows.
func TestSecretIsNotPrinted(t *testing.T) {
	t.Parallel()
	source := msgraph.FixedSecret(secret)
	credential, err := msgraph.NewCredential(msgraph.CredentialOptions{
		Cloud: cloudNamed(t, "global"), TenantID: tenantID, ClientID: clientID,
		Transport: entraFake(200, `{"token_type":"Bearer","expires_in":3599,"access_token":"t0k3n"}`),
	}, bySecret(source))
	if err != nil {
		t.Fatal(err)
	}
	client, err := msgraph.NewClient(msgraph.Options{Cloud: cloudNamed(t, "global"), Credential: credential, Transport: answers(200, batchOf())})
	if err != nil {
		t.Fatal(err)
	}
	mustRead(t, client, userIDs(1))
	for _, format := range []string{"%v", "%+v", "%#v"} {
		if text := fmt.Sprintf(format, source) + fmt.Sprintf(format, credential); strings.Contains(text, secret) {
			t.Errorf("%s prints the secret: %s", format, text)
		}
	}
}
