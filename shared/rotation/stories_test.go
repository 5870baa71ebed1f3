package rotation_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// in plays a story in virtual time.
func in(t *testing.T, kind string, story func(*testing.T, *world)) {
	t.Helper()
	t.Parallel()
	syncTest(t, kind, story)
}

// each plays a story in virtual time for each kind, as a test of its own that has the
// name of the kind.
func each(t *testing.T, kinds []string, story func(*testing.T, *world)) {
	t.Helper()
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) { in(t, kind, story) })
	}
}

// syncTest plays a story in virtual time, after those before it.
func syncTest(t *testing.T, kind string, story func(*testing.T, *world)) {
	t.Helper()
	pool()
	synctest.Test(t, func(t *testing.T) { story(t, newWorld(t, kind)) })
}

// fault checks that an error is a Fault, of which it returns the code.
func (w *world) fault(err error) rotation.Wrong {
	w.t.Helper()
	fault, ok := errors.AsType[*rotation.Fault](leaktest.Seen(w.t, err))
	if !ok {
		w.t.Fatalf("error %v is no Fault", err)
	}
	return fault.Wrong
}

func (w *world) wantLog(parts ...string) {
	w.t.Helper()
	for _, part := range parts {
		if !strings.Contains(w.log.String(), part) {
			w.t.Errorf("the log lacks %s:\n%s", part, w.log.String())
		}
	}
}

// Each call that is made costs time and can fail.
func TestCalls(t *testing.T) {
	t.Parallel()
	pool()
	describe, get, list := "DescribeSecret", "GetSecretValue", "getApplication"
	want := map[string][]string{
		"client-secret": {
			describe, get, get, get, list, "addPassword", "PutSecretValue",
			describe, get,
			describe, get, "prove",
			describe, get, "UpdateSecretVersionStage AWSCURRENT", get, list, describe, "removePassword",
		},
		"certificate": {
			describe, get, "PutSecretValue",
			describe, get, get, get, list, "addKey",
			describe, get, "prove",
			describe, get, "UpdateSecretVersionStage AWSCURRENT", get, list, describe, "removeKey",
		},
		"client-state": {
			describe, get, "ClientStateDigest", get, "PutSecretValue",
			describe, get,
			describe, get,
			describe, get, "ClientStateDigest", get, "UpdateSecretVersionStage AWSCURRENT",
		},
	}
	each(t, kinds, func(t *testing.T, w *world) {
		w.rotate()
		w.rotate()
		got := names(w.record(w.vault.rotateSecret(w.token())))
		if diff := cmp.Diff(want[w.kind], got); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		step    rotation.Step
		arrange func(*world, string) // with the token of a rotation that has begun
		want    string
		calls   int
	}{
		{"rotation is off", rotation.CreateSecret, func(w *world, _ string) { w.vault.off = true }, "switched off", 1},
		{"unknown version", rotation.CreateSecret, func(w *world, token string) { delete(w.vault.versions, token) }, "no version of this id. Nothing is broken.", 1},
		{"no label", rotation.CreateSecret, func(w *world, token string) { w.vault.versions[token].stages = []string{"MINE"} }, "its rotation is over, or was let go of. Nothing is broken.", 1},
		{"unknown step", "dropSecret", func(*world, string) {}, `"dropSecret": rotation has no such step. Nothing is broken.`, 1},
		{"set without a value", rotation.SetSecret, func(*world, string) {}, "createSecret has not succeeded", 2},
		{"test without a value", rotation.TestSecret, func(*world, string) {}, "createSecret has not succeeded", 2},
		{"finish without a value", rotation.FinishSecret, func(*world, string) {}, "createSecret has not succeeded", 2},
	}
	for _, kind := range kinds {
		for _, test := range tests {
			t.Run(kind+"/"+test.name, func(t *testing.T) {
				in(t, kind, func(t *testing.T, w *world) {
					token := w.vault.rotateSecret(w.token())
					test.arrange(w, token)
					err := w.do(test.step, token)
					if err == nil || !strings.Contains(err.Error(), test.want) {
						t.Errorf("error %v, want %q", err, test.want)
					}
					if len(w.calls) != test.calls {
						t.Errorf("calls %v, want %d", w.calls, test.calls)
					}
					w.wantLog(`"outcome":"failed"`)
				})
			})
		}
	}
}

// Secrets Manager may call for a step that is over.
func TestAlreadyCurrent(t *testing.T) {
	t.Parallel()
	each(t, kinds, func(t *testing.T, w *world) {
		token := w.vault.rotateSecret(w.token())
		w.record(token)
		before := w.vault.labels()
		w.calls = nil
		for _, step := range steps {
			if err := w.do(step, token); err != nil {
				t.Error(err)
			}
		}
		if got := names(w.calls)[:4]; got[0] != got[1] || got[1] != got[2] || got[2] != got[3] {
			t.Errorf("calls %v: the first three steps make more than one", got)
		}
		if diff := cmp.Diff(before, w.vault.labels()); diff != "" {
			t.Errorf("labels (-before +after):\n%s", diff)
		}
		w.wantLog(`"outcome":"already_current"`)
		w.checkEnd()
	})
}

// A late call for a rotation that is over leaves alone what the next has made.
func TestLateFinish(t *testing.T) {
	each(t, kinds, func(t *testing.T, w *world) {
		first := w.vault.rotateSecret(w.token())
		w.record(first)
		w.month()
		next := w.vault.rotateSecret(w.token())
		for i, step := range steps {
			if i > 0 {
				if err := w.do(rotation.FinishSecret, first); err != nil {
					t.Errorf("late finish: %v", err)
				}
			}
			if err := w.do(step, next); err != nil {
				t.Fatal(err)
			}
		}
		w.checkEnd()
	})
}

// What stands in for Secrets Manager may leave the label on two versions.
func TestLeftoverPending(t *testing.T) {
	each(t, kinds, func(t *testing.T, w *world) {
		w.rotate()
		w.giveUp(rotation.FinishSecret)
		left := w.lastToken()
		w.vault.versions[left].stages = []string{awsPending}
		w.month()
		w.vault.lenient = true
		if err := w.attempt(w.vault.rotateSecret(w.token())); err != nil {
			t.Fatal(err)
		}
		w.vault.lenient = false
		w.wantLog(`"cleared":["` + left + `"]`)
		w.checkEnd()
	})
}

// The webhook accepts two, so a third must wait.
func TestClientStateWaitsForTheKeeper(t *testing.T) {
	in(t, "client-state", func(t *testing.T, w *world) {
		w.record(w.vault.rotateSecret(w.token()))
		token := w.vault.rotateSecret(w.token())
		err := w.attempt(token)
		if got := w.fault(err); got != rotation.WrongSettings {
			t.Errorf("fault %q", got)
		}
		if w.vault.versions[token].value != "" {
			t.Error("a value is made")
		}
		w.keep()
		if err := w.attempt(token); err != nil {
			t.Error(err)
		}
		w.checkEnd()
	})
}

// What a promotion waits for takes its time, in which a clientState grows too old.
func TestClientStateAgesBeforePromotion(t *testing.T) {
	in(t, "client-state", func(t *testing.T, w *world) {
		w.rotate()
		token := w.vault.rotateSecret(w.token())
		w.strike = func(c call, do func() error) error {
			if c.step == rotation.FinishSecret && c.name == "ClientStateDigest" {
				time.Sleep(5 * time.Minute)
			}
			return do()
		}
		before := w.vault.value(awsCurrent)
		if err := w.attempt(token); w.fault(err) != rotation.WrongSettings || !strings.Contains(err.Error(), "too old") {
			t.Errorf("error %v", err)
		}
		if w.vault.value(awsCurrent) != before {
			t.Error("it is promoted")
		}
		w.strike = nil
		w.rotate()
		w.checkEnd()
	})
}

// A version in use that Secrets Manager does not find just now, or that nobody can
// read, may hold any credential: none is removed or made.
func TestInUseUnknown(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		for name, test := range map[string]struct {
			stage, value string
			want         rotation.Wrong
		}{
			"current not found":  {awsCurrent, "", rotation.WrongSecretsManager},
			"previous not found": {awsPrevious, "", rotation.WrongSecretsManager},
			"current unreadable": {awsCurrent, "?", rotation.WrongSettings},
		} {
			if kind == "client-state" && test.stage == awsCurrent {
				continue // it is not read
			}
			t.Run(kind+"/"+name, func(t *testing.T) {
				in(t, kind, func(t *testing.T, w *world) {
					w.rotate()
					w.rotate()
					held := w.vault.holder(test.stage)
					before, right := len(w.entra.alive()), held.value
					token := w.vault.rotateSecret(w.token())
					held.value = test.value
					w.lost = true
					if got := w.fault(w.attempt(token)); got != test.want {
						t.Errorf("fault %q, want %q", got, test.want)
					}
					if after := len(w.entra.alive()); after != before {
						t.Errorf("%d credentials were alive, now %d", before, after)
					}
					held.value = right
					if err := w.attempt(token); err != nil {
						t.Error(err)
					}
					w.checkEnd()
				})
			})
		}
	}
}

// The keeper may take a step back while a rotation is under way.
func TestClientStateIsAskedForAgain(t *testing.T) {
	in(t, "client-state", func(t *testing.T, w *world) {
		w.rotate()
		token := w.vault.rotateSecret(w.token())
		if err := w.do(rotation.CreateSecret, token); err != nil {
			t.Fatal(err)
		}
		w.subscription = w.vault.value(awsPrevious)
		if got := w.fault(w.do(rotation.FinishSecret, token)); got != rotation.WrongSettings {
			t.Errorf("fault %q", got)
		}
	})
}

// A version that can't come to anything must not block those that can.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, kind string
		arrange    func(*world, *version)
		want       string
	}{
		{"password removed", "client-secret", func(w *world, v *version) {
			for _, c := range w.ours() {
				if w.holds(v.value)(c) {
					c.removed = time.Now()
				}
			}
		}, "gone from the application"},
		{"password made long ago", "client-secret", func(*world, *version) { time.Sleep(100 * 24 * time.Hour) }, "half of its life"},
		{"password made by hand", "client-secret", func(_ *world, v *version) { v.value = `{"clientSecret":"xyz8Q~"}` }, "not made by a rotation"},
		{"password unreadable", "client-secret", func(_ *world, v *version) { v.value = canary }, "must be JSON"},
		{"certificate made long ago", "certificate", func(*world, *version) { time.Sleep(100 * 24 * time.Hour) }, "half of its life"},
		{"certificate unreadable", "certificate", func(_ *world, v *version) { v.value = canary }, "must be JSON"},
		{"clientState made a while ago", "client-state", func(*world, *version) { time.Sleep(5 * time.Minute) }, "too old"},
		{"clientState made by hand", "client-state", func(_ *world, v *version) { v.value = canary }, "64 letters"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in(t, test.kind, func(t *testing.T, w *world) {
				w.rotate()
				token := w.vault.rotateSecret(w.token())
				for _, step := range steps[:2] {
					if err := w.do(step, token); err != nil {
						t.Fatal(err)
					}
				}
				test.arrange(w, w.vault.versions[token])
				err := w.attempt(token)
				if got := w.fault(err); got != rotation.WrongSettings || !strings.Contains(err.Error(), test.want) {
					t.Errorf("fault %q: %v", got, err)
				}
				w.wantLog(`"outcome":"abandoned"`, `"level":"WARN"`)
				w.vault.check()
				if next := w.vault.rotateSecret(w.token()); next == token {
					t.Error("Secrets Manager goes on with the same rotation")
				} else if err := w.attempt(next); err != nil {
					t.Error(err)
				}
				w.checkEnd()
			})
		})
	}
}

// To let go of a version may fail as well.
func TestAbandonedAgain(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		for _, mishap := range mishaps {
			t.Run(kind+"/"+mishap.name, func(t *testing.T) {
				in(t, kind, func(t *testing.T, w *world) {
					w.rotate()
					token := w.begin(rotation.FinishSecret)
					time.Sleep(100 * 24 * time.Hour)
					w.strike = func(c call, do func() error) error {
						if c.name != "UpdateSecretVersionStage "+awsPending {
							return do()
						}
						w.strike = nil
						return mishap.strike(do)
					}
					err := w.attempt(token)
					if w.strike != nil || strings.Contains(w.log.String(), `"outcome":"abandoned"`) {
						t.Errorf("the label was to be taken: %t, error %v", w.strike == nil, err)
					}
					if w.vault.rotateSecret(w.token()) == token { // the label is there still
						if err := w.attempt(token); w.fault(err) != rotation.WrongSettings {
							t.Errorf("fault %v", err)
						}
					}
					w.vault.cancel()
					w.rotate()
					w.checkEnd()
				})
			})
		}
	}
}

// An administrator may store a password of ours as his own, without its key id.
func TestPasswordStoredByHand(t *testing.T) {
	in(t, "client-secret", func(t *testing.T, w *world) {
		w.rotate()
		stored, err := rotation.DecodeClientSecret(directory.NewSecret(w.vault.value(awsCurrent)))
		if err != nil {
			t.Fatal(err)
		}
		w.vault.holder(awsCurrent).value = `{"clientSecret":"` + stored.Text.Reveal() + `"}`
		w.rotate()
		w.checkEnd()
	})
}

// What nobody can read, nobody signs in with.
func TestPreviousUnreadable(t *testing.T) {
	each(t, kinds, func(t *testing.T, w *world) {
		w.rotate()
		w.vault.holder(awsPrevious).value = "?"
		w.rotate()
		w.checkEnd()
	})
}

// Somebody else was faster, and what we have made is not needed.
func TestPutConflict(t *testing.T) {
	in(t, "client-secret", func(t *testing.T, w *world) {
		w.rotate()
		token := w.vault.rotateSecret(w.token())
		w.strike = func(c call, do func() error) error {
			if c.name == "PutSecretValue" {
				p, err := w.entra.AddPassword(t.Context(), "sessionstamp/"+stack+"/twin", never())
				if err != nil {
					t.Fatal(err)
				}
				w.entra.credentials[len(w.entra.credentials)-1].foreign = true
				twin := rotation.ClientSecret{Text: p.Text, KeyID: p.KeyID, Expires: p.End}
				encoded, err := twin.Encode()
				if err != nil {
					t.Fatal(err)
				}
				w.vault.versions[token].value = encoded.Reveal()
			}
			return do()
		}
		if err := w.attempt(token); err != nil {
			t.Fatal(err)
		}
		w.checkEnd()
	})
}

// Microsoft's page has named two audiences.
func TestOtherAudience(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			in(t, "certificate", func(t *testing.T, w *world) {
				w.entra.audience, w.entra.proofStatus = "00000003-0000-0000-c000-000000000000", status
				for range 3 {
					w.rotate()
				}
				w.checkEnd()
			})
		})
	}
}

// No key can be added without another.
func TestNoSigner(t *testing.T) {
	in(t, "certificate", func(t *testing.T, w *world) {
		for _, c := range w.entra.alive() {
			c.removed = time.Now().Add(-time.Hour)
		}
		token := w.vault.rotateSecret(w.token())
		w.lost = true
		err := w.attempt(token)
		if got := w.fault(err); got != rotation.WrongSecret {
			t.Errorf("fault %q: %v", got, err)
		}
	})
}

// A step that panics says so.
func TestPanic(t *testing.T) {
	in(t, "client-state", func(t *testing.T, w *world) {
		w.strike = func(call, func() error) error { panic(errDied) }
		_ = w.do(rotation.CreateSecret, w.token())
		w.wantLog("the step broke off", `"level":"ERROR"`)
	})
}

// Proving ends with its limit, with the invocation, and at once where waiting is of
// no use.
func TestProvingEnds(t *testing.T) {
	t.Parallel()
	never := func(*world) error {
		return &directory.Error{Operation: "token", StatusCode: 401, Code: "AADSTS7000215", NotDone: true}
	}
	tests := []struct {
		name        string
		limit       time.Duration // of the invocation
		prove       func(*world) error
		least, most time.Duration
		wrong       rotation.Wrong
	}{
		{"limit", time.Hour, never, 7 * time.Minute, 8 * time.Minute, rotation.WrongSecret},
		{"invocation", time.Minute, never, 25 * time.Second, 50 * time.Second, rotation.WrongSecret},
		{"wrong tenant", time.Hour, func(*world) error {
			return &directory.Error{Operation: "token", StatusCode: 400, Code: "AADSTS90002"}
		}, 0, 0, rotation.WrongTenant},
		{"permission withdrawn", time.Hour, func(*world) error {
			return &directory.Error{Operation: "getApplication", StatusCode: 403, Code: "Authorization_RequestDenied"}
		}, 0, 0, rotation.WrongPermission},
		{"throttled", time.Hour, func(w *world) error {
			if w.attempts++; w.attempts%2 == 0 {
				return nil
			}
			return &directory.Error{Operation: "organization", StatusCode: 429, RetryAfter: time.Hour}
		}, 7 * time.Minute, 8 * time.Minute, rotation.WrongGraph},
		{"cancelled", time.Hour, func(*world) error {
			return &directory.Error{Operation: "token", Err: context.Canceled}
		}, 0, 0, rotation.WrongGraph},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in(t, "client-secret", func(t *testing.T, w *world) {
				token := w.vault.rotateSecret(w.token())
				for _, step := range steps[:2] {
					if err := w.do(step, token); err != nil {
						t.Fatal(err)
					}
				}
				w.strike = func(c call, do func() error) error {
					if c.name == "prove" {
						return test.prove(w)
					}
					return do()
				}
				ctx, cancel := context.WithTimeout(t.Context(), test.limit)
				defer cancel()
				began := time.Now()
				err := w.rotator.Rotate(ctx, rotation.Event{Step: rotation.TestSecret, SecretID: secretID, Token: token})
				if took := time.Since(began); took < test.least || took > test.most {
					t.Errorf("took %v, want %v to %v", took, test.least, test.most)
				}
				if got := w.fault(err); got != test.wrong {
					t.Errorf("fault %q: %v", got, err)
				}
				if w.vault.value(awsPending) == "" {
					t.Error("the pending version is gone")
				}
			})
		})
	}
}

// Where every replica lags, a retry asks for what was done already, and is refused.
func TestDoneAlready(t *testing.T) {
	t.Parallel()
	for kind, lost := range map[string][]string{
		"client-secret": {"removePassword"},
		"certificate":   {"addKey", "removeKey"},
	} {
		for _, name := range lost {
			t.Run(name, func(t *testing.T) {
				in(t, kind, func(t *testing.T, w *world) {
					w.rotate()
					w.rotate()
					w.entra.lags = []time.Duration{30 * time.Second}
					asked := 0
					w.strike = func(c call, do func() error) error {
						if c.name == name {
							asked++
						}
						if c.name != name || asked > 1 {
							return do()
						}
						_ = do()
						return errStruck
					}
					token := w.vault.rotateSecret(w.token())
					if err := w.attempt(token); err == nil {
						t.Fatal("nothing failed")
					}
					if err := w.attempt(token); err != nil {
						t.Errorf("the first retry fails: %v", err)
					}
					if asked != 2 {
						t.Errorf("%s was called %d times, want 2", name, asked)
					}
					w.checkEnd()
				})
			})
		}
	}
}
