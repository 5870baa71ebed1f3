package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/goldentest"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/signaltest"
)

const (
	webhookSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	sourceID      = "00112233445566778899aabbccddeeff"
)

func credentialIn(t *testing.T, text string) (c signal.Credential) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Error(err)
	}
	return c
}

func addAD(w *signalWorld) {
	w.add(sourceID, signal.Record{Name: "AD", Kind: signal.KindWebhook, Domains: []string{"example.co.jp"}, Added: time.Now().UTC()},
		signal.Credential{Secrets: []string{webhookSecret}})
}

// addOkta adds an event hook in the place of AD.
func addOkta(w *signalWorld) {
	w.add(sourceID, signal.Record{Name: "AD", Kind: signal.KindOkta}, signal.Credential{Secrets: []string{"Bearer x"}})
}

// addSSO adds a source whose stream stands, where AWS is asked too often for something.
func addSSO(refused string) func(*signalWorld) {
	return func(w *signalWorld) {
		w.add(sourceID, signal.Record{Name: "SSO", Kind: signal.KindSSF, Stream: signal.Stream{ID: "1"}}, signal.Credential{Secrets: []string{"Bearer x"}})
		w.Refuse[refused] = "ThrottlingException"
	}
}

// TestSignalScreens: a person adds three sources, tests them, replaces a secret and removes one.
func TestSignalScreens(t *testing.T) {
	t.Parallel()
	for _, l := range languages() {
		synctest.Test(t, func(t *testing.T) {
			w := newSignalWorld(t)
			for _, c := range []struct {
				name, args, types string
				status            int
			}{
				{"none", "list", "", fine},
				{"okta", "add okta --name Okta --domain Example.co.jp,tokyo.example.co.jp", "", fine},
				{"script", "add ad --name AD --domain example.co.jp", "", fine},
				{"keycloak", "add keycloak --name 社内SSO --domain example.co.jp --issuer " + keycloakURL + " --client-id receiver", signaltest.ClientSecret, fine},
				{"twice", "add webhook --name okta --domain example.co.jp", "", wrongUse},
				{"test-okta", "test Okta", "", fine},
				{"test-script", "test ad", "", fine},
				{"test-keycloak", "test 社内SSO", "", fine},
				{"list", "list", "", fine},
				{"rotate", "rotate Okta", "n\n", fine},
				{"rotate-again", "rotate Okta", "n\n", fine},
				{"finish", "rotate Okta --finish", "", fine},
				{"rotate-keycloak", "rotate 社内SSO", "", fine},
				{"remove", "remove Okta", "y\n", fine},
				{"remove-keycloak", "remove 社内SSO --yes", "", fine},
				{"off", "list", "", fine},
			} {
				if c.name == "off" {
					w.Parameters["SignalMode"], w.Outputs = "off", nil
				}
				var person []func(*program)
				if c.types != "" {
					person = append(person, typed(c.types))
				}
				status, stdout, stderr := w.play(append(strings.Fields(c.args), "--lang", string(l)), person...)
				if status != c.status || strings.Contains(stdout+stderr, signaltest.ClientSecret) {
					t.Errorf("%s: exit status %d: %s", c.name, status, stderr)
				}
				if strings.HasSuffix(stderr, "] ") {
					stderr += "\n" // which the person types
				}
				goldentest.Compare(t, "signal-"+c.name+"."+string(l)+".txt", unrandom(stderr+stdout))
				fits(t, stderr+stdout)
				time.Sleep(2 * time.Minute)
			}
			if left := w.sources(); len(left) != 1 || len(w.Secrets()) != 1 || w.SecretKey("sessionstamp/signal/"+left["AD"].id) == "" {
				t.Errorf("%d sources, %d secrets are left, want AD and its secret under the stack's key", len(left), len(w.Secrets()))
			}
		})
	}
}

// fits checks a screen, but for the lines that are copied.
func fits(t *testing.T, text string) {
	t.Helper()
	checkScreen(t, regexp.MustCompile(`(?m)^(SESSIONSTAMP_[A-Z]+=|https://|Bearer |powershell |whsec_).*\n`).ReplaceAllString(text, "copied\n"))
}

// TestSignalHelps: each action has its own.
func TestSignalHelps(t *testing.T) {
	t.Parallel()
	for _, l := range languages() {
		for _, action := range []string{"", "add", "list", "test", "rotate", "remove"} {
			args := append(strings.Fields("signal "+action), "--help", "--lang", string(l))
			status, stdout, stderr := play(t.Context(), nil, args...)
			if checkScreen(t, stdout); status != fine || stderr != "" || strings.Contains(stdout, "(flag.") {
				t.Errorf("%s: exit status %d", action, status)
			}
			goldentest.Compare(t, strings.TrimSuffix("signal-help-"+action, "-")+"."+string(l)+".txt", stdout)
		}
	}
}

// TestSignalContracts: programs read JSON and CSV. Only what makes a secret shows it.
func TestSignalContracts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newSignalWorld(t)
		addAD(w)
		for _, c := range []struct {
			name, args string
			secret     bool
		}{
			{"add.json", "add okta --name Okta --domain example.co.jp -o json", true},
			{"list.json", "list -o json", false}, {"list.csv", "list -o csv", false}, {"test.json", "test AD -o json", false},
			{"rotate.json", "rotate AD -o json", true}, {"finish.json", "rotate AD --finish -o json", false}, {"remove.json", "remove AD --yes -o json", false},
		} {
			status, stdout, stderr := w.play(strings.Fields(c.args), func(p *program) { p.Out.Live = false })
			if status != fine || regexp.MustCompile("Bearer |whsec_").MatchString(stdout) != c.secret {
				t.Errorf("%s: exit status %d: %s", c.name, status, stderr)
			}
			goldentest.Compare(t, "signal-"+c.name, unrandom(stdout))
		}
	})
}

// TestSignalRefused: what a person cannot mean changes nothing.
func TestSignalRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args   []string
		is     func(*signalWorld)
		change func(*program)
		status int
		says   string
	}{
		"no action":        {[]string{"renew"}, nil, nil, wrongUse, "add, list, test, rotate or remove"},
		"no kind":          {[]string{"add"}, nil, nil, wrongUse, "okta|keycloak"},
		"unknown kind":     {[]string{"add", "henge", "--name", "x"}, nil, nil, wrongUse, "is a webhook"},
		"no name":          {[]string{"add", "okta"}, nil, nil, wrongUse, "--name NAME"},
		"hostile name":     {[]string{"add", "okta", "--name", "a\x1b[2Jb"}, nil, nil, wrongUse, "letters, digits"},
		"bidirectional":    {[]string{"add", "okta", "--name", "a\u202eb"}, nil, nil, wrongUse, "letters, digits"},
		"shell's name":     {[]string{"add", "okta", "--name", "a$(x)"}, nil, nil, wrongUse, "letters, digits"},
		"long name":        {[]string{"add", "okta", "--name", strings.Repeat("a", 33)}, nil, nil, wrongUse, "at most 32"},
		"no domain":        {[]string{"add", "okta", "--name", "Okta"}, nil, nil, wrongUse, "--domain example.com"},
		"wrong domain":     {[]string{"add", "okta", "--name", "Okta", "--domain", "example.com,*.jp"}, nil, nil, wrongUse, "does not take"},
		"empty domain":     {[]string{"add", "okta", "--name", "Okta", "--domain", "example.com,"}, nil, nil, wrongUse, "does not take"},
		"no issuer":        {[]string{"add", "ssf", "--name", "x"}, nil, nil, wrongUse, "--issuer URL"},
		"issuer of a hook": {[]string{"add", "okta", "--name", "x", "--issuer", "https://x"}, nil, nil, wrongUse, "--issuer is for streams"},
		"client of a hook": {[]string{"add", "ad", "--name", "x", "--client-id", "y"}, nil, nil, wrongUse, "--client-id is for streams"},
		"Okta's stream":    {[]string{"add", "ssf", "--name", "x", "--issuer", "https://contoso.okta.com", "--sessions-revoked"}, nil, nil, wrongUse, "is a log-out"},
		"log-outs of Okta": {[]string{"add", "okta", "--name", "x", "--sessions-revoked"}, nil, nil, wrongUse, "is a log-out"},
		"a file":           {[]string{"add", "okta", "--name", "x", "--domain", "example.com"}, nil, func(p *program) { p.Out.Live = false }, wrongUse, "in no file"},
		"CSV":              {[]string{"rotate", "AD", "-o", "csv"}, addAD, nil, wrongUse, "in no file"},
		"off":              {[]string{"add", "okta", "--name", "x", "--domain", "example.com"}, func(w *signalWorld) { w.Parameters["SignalMode"] = "off" }, nil, wrong, "sessionstamp setup --signals report"},
		"old":              {[]string{"test", "AD"}, func(w *signalWorld) { w.Outputs = nil }, nil, wrong, "sessionstamp update"},
		"none yet":         {[]string{"test", "AD"}, nil, nil, wrongUse, "no source yet"},
		"not there":        {[]string{"remove", "Okta", "--yes"}, addAD, nil, wrongUse, "There are: AD"},
		"no name at all":   {[]string{"rotate"}, nil, nil, wrongUse, "signal list shows"},
		"unasked":          {[]string{"remove", "AD"}, addAD, nil, wrongUse, "write --yes"},
		"AWS fails":        {[]string{"remove", "SSO", "--yes"}, addSSO("secretsmanager:GetSecretValue"), nil, wrong, "too often"},
		"declined":         {[]string{"remove", "AD"}, addAD, typed("n\n"), wrong, "Nothing was changed"},
		"finished":         {[]string{"rotate", "AD", "--finish"}, addAD, nil, wrongUse, "nothing to finish"},
		"no rights":        {[]string{"add", "okta", "--name", "x", "--domain", "example.com"}, func(w *signalWorld) { w.Refuse["secretsmanager:CreateSecret"] = "AccessDeniedException" }, nil, wrong, "sessionstamp policy signals"},
		"no transmitter":   {[]string{"add", "ssf", "--name", "x", "--domain", "example.com", "--issuer", "https://sso.example.co.jp/other"}, nil, typed("x"), wrong, "no metadata of a transmitter"},
		"plain http":       {[]string{"add", "ssf", "--name", "x", "--domain", "example.com", "--issuer", "http://sso.example.co.jp"}, nil, typed("x"), wrong, "without https://"},
		"no token":         {[]string{"add", "ssf", "--name", "x", "--domain", "example.com", "--issuer", keycloakURL}, nil, typed(""), wrongUse, "one line of printable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newSignalWorld(t)
				if c.is != nil {
					c.is(w)
				}
				sources, secrets := len(w.sources()), len(w.Secrets())
				var change []func(*program)
				if c.change != nil {
					change = append(change, c.change)
				}
				status, stdout, stderr := w.play(c.args, change...)
				if said := strings.Join(strings.Fields(stderr), " "); status != c.status || stdout != "" || !strings.Contains(said, c.says) || strings.ContainsAny(stderr, "\x1b\u202e") {
					t.Errorf("exit status %d, %q, want %q; %s", status, said, c.says, stdout)
				}
				if len(w.sources()) != sources || len(w.Secrets()) != secrets {
					t.Error("something was changed")
				}
			})
		})
	}
}

// TestSignalStops: signal test says where a signal stops.
func TestSignalStops(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		is   func(*signalWorld)
		says string
	}{
		"unreachable": {func(w *signalWorld) { w.answers = -1 }, "cannot be reached"},
		"unknown":     {func(w *signalWorld) { w.answers = http.StatusNotFound }, "(404)"},
		"refused":     {func(w *signalWorld) { w.answers = http.StatusUnauthorized }, "refuses the secret of AD (401)"},
		"unavailable": {func(w *signalWorld) { w.answers = http.StatusServiceUnavailable }, "(503)"},
		"a page":      {func(w *signalWorld) { addOkta(w); w.answers = http.StatusOK }, "answered 200"},
		"a proxy":     {func(w *signalWorld) { w.answers = http.StatusFound }, "answered 302"},
		"no secret": {func(w *signalWorld) {
			w.AddSecret("sessionstamp/signal/"+sourceID, "{}", time.Now())
		}, "no secret that can be read"},
		"unresolved": {func(w *signalWorld) {
			w.deaf = true
			w.Signals = map[string]stack.Waiting{"SignalQueue": {Hidden: 2}, "UrgentSignalQueue": {Visible: 1}, "SignalDeadLetterQueue": {Visible: 4}}
			w.Append("ResolverFunction", stack.Record{At: time.Now(), Message: `{"level":"ERROR","message":"batch failed","error":"grant User.Read.All"}`})
		}, "Signals that wait: 3, given up: 4. The resolver's last error: batch failed: grant User.Read.All"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newSignalWorld(t)
				addAD(w)
				c.is(w)
				status, stdout, stderr := w.play([]string{"test", "AD"}, func(p *program) { p.Err.Live = true })
				if said := strings.Join(strings.Fields(stderr), " "); status != wrong || stdout != "" || !strings.Contains(said, c.says) {
					t.Errorf("exit status %d: %q, want %q", status, said, c.says)
				}
			})
		})
	}
}

// TestSignalAtOnce: of two people who do the same at once one is told so, and nothing is left.
func TestSignalAtOnce(t *testing.T) {
	t.Parallel()
	for args, c := range map[string]struct {
		before string
		does   func(*signalWorld)
		says   string
	}{
		"add ad --name ad --domain example.co.jp": {"CreateSecret", addAD, "Somebody else has just added"},
		"rotate AD": {"PutSecretValue", func(w *signalWorld) {
			if status, _, stderr := w.play([]string{"rotate", "AD"}); status != fine {
				w.t.Error(stderr)
			}
		}, "at the same time"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newSignalWorld(t)
			if strings.HasPrefix(args, "rotate") {
				addAD(w)
			}
			w.before = c.before
			w.does = func() { w.before = ""; c.does(w) }
			status, stdout, stderr := w.play(strings.Fields(args))
			if status == fine || stdout != "" || !strings.Contains(stderr, c.says) || len(w.sources()) != 1 || len(w.Secrets()) != 1 {
				t.Errorf("exit status %d, %d sources, %d secrets: %s", status, len(w.sources()), len(w.Secrets()), stderr)
			}
		})
	}
}

// TestSignalMeanwhile: what others do while a person looks for a token, or changes over, holds.
func TestSignalMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newSignalWorld(t)
		add := strings.Fields("add ssf --name SSO --domain example.co.jp --client-id " + signaltest.ClientID + " --issuer " + keycloakURL)
		status, _, stderr := w.play(add, func(p *program) {
			p.Person = true
			p.Hidden = func(context.Context) (string, error) {
				addAD(w) //nolint:contextcheck // it has the test's
				time.Sleep(2 * leftOver)
				return signaltest.ClientSecret, nil
			}
		})
		if status != fine || len(w.Secrets()) != 2 {
			t.Errorf("exit status %d, %d secrets: %s", status, len(w.Secrets()), stderr)
		}
		var mine string
		status, _, stderr = w.play([]string{"rotate", "AD"}, func(p *program) {
			p.Person, p.Stdin = true, io.MultiReader(reader(func([]byte) (int, error) {
				mine = credentialIn(t, w.Secrets()["sessionstamp/signal/"+sourceID]).Secrets[0]
				_, _, _ = w.play([]string{"rotate", "AD"})
				return 0, io.EOF
			}), strings.NewReader("y\n"))
		})
		if is := credentialIn(t, w.Secrets()["sessionstamp/signal/"+sourceID]).Secrets; status != wrong || !slices.Contains(is, mine) || !strings.Contains(stderr, "at the same time") {
			t.Errorf("exit status %d, %d secrets: %s", status, len(is), stderr)
		}
	})
}

// TestSignalBroken: what a run leaves over that was broken off, a later one clears, and nothing
// that somebody may be adding.
func TestSignalBroken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newSignalWorld(t)
		addAD(w)
		time.Sleep(2 * time.Hour)
		add := strings.Fields("add okta --name Okta --domain example.co.jp")
		w.Refuse["dynamodb:PutItem"] = "InternalServerError"
		if status, stdout, stderr := w.play(add); status != wrong || stdout != "" || !strings.Contains(stderr, "sessionstamp signal list") || len(w.Secrets()) != 2 {
			t.Errorf("exit status %d, %d secrets: %s%s", status, len(w.Secrets()), stdout, stderr)
		}
		delete(w.Refuse, "dynamodb:PutItem")
		for _, want := range []int{3, 3} { // the left over one is not old enough, then it is
			if status, _, stderr := w.play(add); status != fine || len(w.Secrets()) != want {
				t.Errorf("exit status %d, %d secrets, want %d: %s", status, len(w.Secrets()), want, stderr)
			}
			add[3] += "-2"
			time.Sleep(leftOver)
		}
		if _, is := w.Secrets()["sessionstamp/signal/"+sourceID]; !is {
			t.Error("the secret of a source was deleted")
		}
	})
}

// TestSignalRotation: the secrets that hold at each moment, and that a person may finish at once.
func TestSignalRotation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newSignalWorld(t)
		addAD(w)
		var before []string
		for _, c := range []struct {
			args string
			with []func(*program)
			want int
			old  bool
		}{
			{"rotate AD", nil, 2, true}, {"rotate AD", nil, 3, true}, {"rotate AD --finish", nil, 1, false},
			{"rotate AD", []func(*program){typed("y\n")}, 1, false},
		} {
			status, _, stderr := w.play(strings.Fields(c.args), c.with...)
			is := credentialIn(t, w.Secrets()["sessionstamp/signal/"+sourceID]).Secrets
			fresh := c.args != "rotate AD --finish"
			if status != fine || len(is) != c.want || slices.Contains(is, webhookSecret) != c.old || fresh == slices.Contains(before, is[0]) {
				t.Errorf("%s: exit status %d, %d secrets: %s", c.args, status, len(is), stderr)
			}
			before = is
			if status, _, stderr := w.play([]string{"test", "AD"}); status != fine {
				t.Error(stderr)
			}
			time.Sleep(2 * time.Minute)
		}
	})
}

// TestSignalStream: what the provider does not allow is said, and the source stays for the
// keeper, or goes.
func TestSignalStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newSignalWorld(t)
		add := strings.Fields("add ssf --name SSO --domain example.co.jp --issuer " + keycloakURL)
		status, stdout, stderr := w.play(add, typed("no-good-token"))
		if status != wrong || !strings.Contains(stdout, "refuses the token") || !strings.Contains(stdout, "The source stays") || strings.Contains(stdout+stderr, "no-good") {
			t.Errorf("exit status %d: %s", status, stdout)
		}
		if got := w.sources()["SSO"]; got.Stream.Provider != signal.Keycloak || got.Stream.ID != "" {
			t.Errorf("%s, %q", got.Stream.Provider, got.Stream.ID)
		}
		if status, _, stderr := w.play([]string{"test", "SSO"}); status != wrong || !strings.Contains(stderr, "refuses the token") {
			t.Errorf("exit status %d: %s", status, stderr)
		}
		if status, stdout, stderr := w.play([]string{"remove", "SSO", "--yes"}); status != fine || len(w.Secrets()) != 0 {
			t.Errorf("exit status %d: %s%s", status, stdout, stderr)
		}
		// The token comes by standard input, and JSON holds no secret that nobody needs.
		add = append(add, "--client-id", signaltest.ClientID, "--sessions-revoked", "-o", "json")
		status, stdout, stderr = w.play(add, func(p *program) { p.Stdin = strings.NewReader(signaltest.ClientSecret + "\n") })
		if status != fine || strings.Contains(stdout, "Bearer") || !w.sources()["SSO"].SessionsRevoked || w.sources()["SSO"].Stream.ID == "" {
			t.Errorf("exit status %d: %s%s", status, stdout, stderr)
		}
		account := (&deployed{Deployment: w.Deployment}).find(t).Account()
		if got, err := streams(t.Context(), account, "sessionstamp"); err != nil || !slices.Equal(got, []string{"SSO"}) {
			t.Errorf("streams of %q, %v", got, err)
		}
		for range 2 { // sooner than the keeper would ask
			time.Sleep(5 * time.Minute)
			if status, _, stderr := w.play([]string{"test", "SSO"}); status != fine {
				t.Errorf("exit status %d: %s", status, stderr)
			}
		}
		if status, stdout, _ := w.play([]string{"remove", "SSO", "--yes"}); status != fine || strings.Contains(stdout, "is left") {
			t.Errorf("exit status %d: %s", status, stdout)
		}
		if verified, deleted := called(w, "POST", "/verify"), called(w, "DELETE", ""); verified != 2 || deleted != 1 {
			t.Errorf("%d verifications, %d streams deleted", verified, deleted)
		}
	})
}

// called counts the calls of the provider.
func called(w *signalWorld, method, path string) (n int) {
	for _, c := range w.provider.Calls() {
		if c.Method == method && strings.Contains(c.Path, path) {
			n++
		}
	}
	return n
}

// TestSignalEnforces: who adds a source that acts at once is told so.
func TestSignalEnforces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newSignalWorld(t)
		w.Parameters["SignalMode"], w.Parameters["FederatedDomains"] = "enforce", "Example.co.jp, tokyo.example.co.jp"
		_, stdout, _ := w.play(strings.Fields("add script --name Gate"))
		if got := w.sources()["Gate"].Domains; !strings.Contains(strings.Join(strings.Fields(stdout), " "), "each signal signs its user out at once") || !slices.Equal(got, []string{"example.co.jp", "tokyo.example.co.jp"}) {
			t.Errorf("%q: %s", got, unrandom(stdout))
		}
	})
}

// TestSecretAsked: where the asking ends, so does the verb.
func TestSecretAsked(t *testing.T) {
	t.Parallel()
	c := &call{program: program{Person: true, Stderr: new(strings.Builder), Hidden: nil, Stdin: strings.NewReader("a\x00b\n")}}
	if _, err := c.askSecret(t.Context(), "?"); err == nil {
		t.Error("a secret of control characters was taken")
	}
	c.Stdin = strings.NewReader(strings.Repeat("x", 3000) + "\r\nmore")
	if got, err := c.askSecret(t.Context(), "?"); err != nil || len(got) != 3000 {
		t.Errorf("%d characters, %v", len(got), err)
	}
	c.Stdin = reader(func([]byte) (int, error) { return 0, errFailing })
	if _, err := c.askSecret(t.Context(), "?"); !errors.Is(err, errFailing) {
		t.Error(err)
	}
}

var errFailing = errors.New("no terminal")

// A reader is what a person types.
type reader func([]byte) (int, error)

func (r reader) Read(text []byte) (int, error) { return r(text) }
