package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/goldentest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

var storedKinds = []directory.AuthMode{directory.AuthClientSecret, directory.AuthCertificate}

// usualLate is how late Entra knows a new credential.
const usualLate = 12 * time.Second

// TestRenewBroken breaks each call that a renewal makes: before its effect, after it, and with
// the program's end. At each moment what is stored works, and the next run leaves nothing over.
func TestRenewBroken(t *testing.T) {
	t.Parallel()
	for _, kind := range storedKinds {
		var calls []bool
		synctest.Test(t, func(t *testing.T) {
			w := newRenewWorld(t, kind, usualLate)
			if status, _, stderr := w.renew("--yes"); status != fine {
				t.Errorf("exit status %d: %s", status, stderr)
			}
			w.whole()
			calls = w.calls
		})
		for at := 1; at <= len(calls); at++ {
			for _, fails := range []breakdown{{at: at}, {at: at, after: true}, {at: at, after: true, dies: true}} {
				// A read has no effect: that the program ends there is as if it ended after the
				// write before. Reads are the same for both kinds, and keys take long to make.
				if reads := !calls[at-1]; reads && (fails.after || kind == directory.AuthCertificate) {
					continue
				}
				t.Run(fmt.Sprintf("%s %+v", kind, fails), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { breakRenewal(t, kind, fails) })
				})
			}
		}
	}
}

func breakRenewal(t *testing.T, kind directory.AuthMode, fails breakdown) {
	w := newRenewWorld(t, kind, usualLate)
	w.fails = fails
	status, stdout, stderr := w.renew("--yes")
	if broken := stdout + stderr; status == wrongUse || regexp.MustCompile(`s8Q~|PRIVATE`).MatchString(broken) {
		t.Errorf("exit status %d: %s", status, broken)
	}
	if status == fine {
		w.whole()
		return
	}
	w.fails = breakdown{}
	if status, _, stderr := w.renew("--yes"); status != fine {
		t.Errorf("the next run: exit status %d: %s", status, stderr)
	}
	w.whole()
}

// TestRenewRunning: a function that holds the credential before, and a token, goes on when both
// are of no use, without a restart.
func TestRenewRunning(t *testing.T) {
	t.Parallel()
	for _, kind := range storedKinds {
		synctest.Test(t, func(t *testing.T) {
			w := newRenewWorld(t, kind, usualLate)
			function, err := msgraph.NewClient(w.options())
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := function.Domains(t.Context()); err != nil {
					t.Errorf("%s: %v", kind, err)
				}
				if status, _, stderr := w.renew("--yes"); status != fine {
					t.Error(stderr)
				}
				time.Sleep(2 * time.Hour)
			}
			if _, err := function.Domains(t.Context()); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		})
	}
}

// scrubbed hides what is different each time.
func scrubbed(text string) string {
	text = regexp.MustCompile(`(sessionstamp sessionstamp [0-9a-f]{8}) [a-z2-7]{8}`).ReplaceAllString(text, "$1 xxxxxxxx")
	return regexp.MustCompile(`("keyId": )"[^"]*"`).ReplaceAllString(text, `$1"…"`)
}

// TestRenewScreens: what a person sees, and what a program reads.
func TestRenewScreens(t *testing.T) {
	t.Parallel()
	for _, l := range languages() {
		synctest.Test(t, func(t *testing.T) {
			in := func(args ...string) []string { return append(args, "--lang", string(l)) }
			show := func(name string, status int, stdout, stderr string) {
				if checkScreen(t, stderr+stdout); status != fine {
					t.Errorf("%s: exit status %d", name, status)
				}
				goldentest.Compare(t, "credential-"+name+"."+string(l)+".txt", scrubbed(stderr+stdout))
			}
			w := newRenewWorld(t, directory.AuthClientSecret, usualLate)
			status, stdout, stderr := w.renew(in("--dry-run")...)
			show("plan", status, stdout, stderr)
			// A run that ends before it has stored what it has proved.
			w.meddle = func(call string) {
				if call == "UpdateSecretVersionStage" && w.fails.at == 0 {
					w.fails = breakdown{at: len(w.calls), dies: true}
				}
			}
			status, stdout, stderr = w.renew(in("--yes")...)
			if status == fine || stdout != "" {
				t.Errorf("exit status %d", status)
			}
			goldentest.Compare(t, "credential-broken."+string(l)+".txt", scrubbed(stderr))
			w.fails, w.meddle = breakdown{}, nil
			status, stdout, stderr = w.renew(in("--yes")...)
			show("done", status, stdout, stderr)
			if _, json, _ := w.renew(in("--dry-run", "-o", "json")...); l == languages()[0] {
				goldentest.Compare(t, "credential.json", scrubbed(json))
			}
			w.deployment.Parameters["AuthMode"] = "web-identity"
			status, stdout, stderr = w.renew(in("--yes")...)
			show("nothing", status, stdout, stderr)
			status, stdout, stderr = play(t.Context(), nil, in("help", "credential")...)
			show("help", status, stdout, stderr)
		})
	}
}

// TestRenewRefused: what keeps a renewal from beginning, or from its end.
func TestRenewRefused(t *testing.T) {
	t.Parallel()
	theirs := func(w *renewWorld, stage string) {
		w.vault.versions["theirs"] = &version{text: `{"clientSecret":"theirs"}`, stages: []string{"theirs"}}
		w.vault.put(stage, "theirs")
		w.vault.put("theirs", "")
	}
	for name, c := range map[string]struct {
		args   string
		change func(*renewWorld)
		status int
		says   string
	}{
		"nobody to ask":  {"", nil, wrongUse, "Nobody is here to be asked"},
		"days":           {"--yes --days 30", nil, wrongUse, "--days takes 31 to 730"},
		"another tenant": {"--yes --tenant " + renewApp, nil, wrongUse, "belongs to the tenant " + renewTenant},
		"no app":         {"--yes", func(w *renewWorld) { w.deployment.Parameters["ClientId"] = renewTenant }, wrong, "has no app with the client ID"},
		"no secret":      {"--yes", func(w *renewWorld) { w.deployment.Parameters["CredentialSecretArn"] += "x" }, wrong, "has no secret"},
		"other rotation": {"--yes", func(w *renewWorld) { theirs(w, "AWSPENDING") }, wrong, "is AWSPENDING"},
		"at the same time": {"--yes", func(w *renewWorld) {
			w.meddle = func(call string) {
				if call == "PutSecretValue" { // another credential that works
					w.vault.versions["theirs"] = &version{text: w.vault.current().Reveal(), stages: []string{"theirs"}}
					w.vault.put("AWSCURRENT", "theirs")
					w.vault.put("theirs", "")
				}
			}
		}, wrong, "Somebody else"},
		"policy": {"--yes", func(w *renewWorld) {
			w.entra.Inject(msgraphtest.Fault{Match: func(r msgraphtest.Request) bool { return strings.HasSuffix(r.Path, "addPassword") }, Status: http.StatusBadRequest, Code: "CredentialTypeNotAllowedAsPerAppPolicy"})
		}, wrong, "A policy of your tenant"},
		"never known": {"--yes --days 90", nil, wrong, "within ten minutes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				late := map[bool]time.Duration{true: 20 * time.Minute, false: usualLate}[name == "never known"]
				w := newRenewWorld(t, directory.AuthClientSecret, late)
				if c.change != nil {
					c.change(w)
				}
				if status, stdout, stderr := w.renew(strings.Fields(c.args)...); status != c.status || stdout != "" || !strings.Contains(strings.Join(strings.Fields(stderr), " "), c.says) {
					t.Errorf("exit status %d: %s", status, stderr)
				}
			})
		})
	}
}
