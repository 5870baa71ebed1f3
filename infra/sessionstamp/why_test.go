package main

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/demo"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/goldentest"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	cause "github.com/sessionstamp/sessionstamp/shared/explain"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/ask"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
)

// TestWhyScreens: who it is, the cause, and what cures it, on one screen in both languages,
// whole on a narrow terminal. With --all the screen may be longer.
func TestWhyScreens(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args   string
		status int
	}{
		"why":        {"taro.yamada@example.co.jp", wrong},
		"why-all":    {"taro.yamada@example.co.jp --all", wrong},
		"why-policy": {"hanako.sato@example.co.jp", wrong},
		"why-fine":   {"misaki.kimura@example.co.jp", fine},
		"why-guest":  {"partner1@example.net", wrong},
		"why-admin":  {"admin1@td0d0d0d0.onmicrosoft.com", fine},
		"why-code":   {"700082", fine},
		"why-say":    {"hanako.sato@example.co.jp --message", wrong},
		"help-why":   {"--help", fine},
	} {
		for _, l := range languages() {
			t.Run(name+"."+string(l), func(t *testing.T) {
				t.Parallel()
				args := append([]string{"why", "--demo", "--lang", string(l)}, strings.Fields(c.args)...)
				status, stdout, stderr := play(t.Context(), nil, args...)
				if status != c.status || !strings.HasPrefix(words.Say(l, "demo")+"\n", stderr) {
					t.Errorf("exit status %d, want %d; standard error %q", status, c.status, stderr)
				}
				goldentest.Compare(t, name+"."+string(l)+".txt", stdout)
				if name != "why-say" {
					goOn(t, stdout)
				}
				if name != "why-all" {
					checkScreen(t, stderr+stdout)
				}
				for _, line := range strings.Split(stdout, "\n") { // where marks are drawn wide
					if screen.Width(line)+len(regexp.MustCompile(`[✗✓★→–…×·]`).FindAllString(line, -1)) > screen.Columns {
						t.Errorf("too wide: %q", line)
					}
				}
				_, narrow, _ := play(t.Context(), func(p *program) { p.Out.Columns = 44 }, args...)
				if name == "why-say" {
					return
				}
				before, message, _ := strings.Cut(narrow, words.Say(l, "why.tell"))
				_, after, _ := strings.Cut(message, "\n\n") // the message is pasted, and stays whole
				for _, line := range strings.Split(before+after, "\n") {
					if tooWide(line, 44) {
						t.Errorf("too wide: %q", line)
					}
				}
			})
		}
	}
}

func TestWhyContracts(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"why.json":      {"hanako.sato@example.co.jp", "-o", "json"},
		"why-fine.json": {"misaki.kimura@example.co.jp", "-o", "json"},
		"why.csv":       {"hanako.sato@example.co.jp", "-o", "csv"},
		"why-code.json": {"AADSTS700082", "-o", "json"},
		"why-code.csv":  {"AADSTS999999", "-o", "csv"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"why", "--demo"}, args...)
			_, english, _ := play(t.Context(), nil, append(args, "--lang", "en")...)
			if _, japanese, _ := play(t.Context(), nil, append(args, "--lang", "ja")...); english != japanese {
				t.Error("it depends on the language")
			}
			goldentest.Compare(t, name, english)
		})
	}
}

func TestWhyMisuse(t *testing.T) {
	t.Parallel()
	for _, l := range languages() {
		var all strings.Builder
		for _, args := range []string{"why", "why a b", "why 山田太郎", "why nobody@example.co.jp --demo", "why AADSTS1", "why --rights"} {
			status, stdout, stderr := play(t.Context(), func(p *program) { p.Speaks = string(l) }, strings.Fields(args)...)
			if status != wrongUse || stdout != "" {
				t.Errorf("%s: exit status %d, standard output %q", args, status, stdout)
			}
			stderr = strings.TrimPrefix(stderr, words.Say(l, "demo")+"\n")
			checkScreen(t, stderr)
			all.WriteString("$ sessionstamp " + args + "\n" + stderr)
		}
		goldentest.Compare(t, "misuse-why."+string(l)+".txt", all.String())
	}
}

// whyRights are all that the evidence needs.
var whyRights = append([]string{readUsers, readDomains}, readEvidence...)

const someone = "11111111-0000-4000-8000-000000000001"

// emulate makes a tenant with one user without a stamp, in which an app has these rights and
// a person who signs in may be asked for all. Graph's limits hold.
func emulate(t *testing.T, licence string, rights ...string) *msgraphtest.Server {
	t.Helper()
	server := msgraphtest.New(msgraphtest.Options{Limits: msgraphtest.DefaultLimits()})
	t.Cleanup(server.Close)
	tenant := server.AddTenant(msgraphtest.TenantOptions{ID: demo.TenantID, Domains: []msgraphtest.Domain{{Name: "example.co.jp", Federated: true}}})
	tenant.AddApp(msgraphtest.AppOptions{ID: demo.ClientID, Permissions: rights, Secrets: []msgraphtest.Secret{{Text: demo.Secret}}})
	tenant.AddApp(msgraphtest.AppOptions{ID: ask.GraphCommandLineTools, Delegated: whyRights})
	tenant.AddUser(msgraphtest.NewUser{ID: someone, UPN: "o'hara@example.co.jp", Name: "O'Hara", Created: time.Now().Add(-30 * 24 * time.Hour)})
	tenant.SignInPerson(someone)
	tenant.SetEvidence(msgraphtest.Evidence{Licence: licence, Federation: map[string]map[string]any{
		"example.co.jp": {"promptLoginBehavior": "nativeSupport", "federatedIdpMfaBehavior": "acceptIfMfaDoneByFederatedIdp"},
	}})
	return server
}

// askWhy runs why in a bubble's time, as an app unless arguments say otherwise.
func askWhy(t *testing.T, transport http.RoundTripper, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	return play(t.Context(), func(p *program) {
		p.Transport, p.Now = transport, time.Now
		p.Env = environment([]string{
			tenantVariable + "=" + demo.TenantID, clientVariable + "=" + demo.ClientID, secretVariable + "=" + demo.Secret, "HOME=" + t.TempDir(),
		})
	}, append([]string{"why", "o'hara@example.co.jp", "--lang", "en"}, args...)...)
}

// blankPieces are the pieces of a report in JSON that were not asked for, besides the ledger
// and what only beta has, and why.
func blankPieces(t *testing.T, report string) map[cause.Piece]missingPiece {
	t.Helper()
	var x explained
	if err := json.Unmarshal([]byte(report), &x); err != nil {
		t.Fatal(err)
	}
	blanks := make(map[cause.Piece]missingPiece)
	for _, b := range x.NotAsked {
		if b.Reason != "not asked" {
			blanks[b.Piece] = b
		}
	}
	if len(x.Findings) == 0 {
		t.Error("nothing was found")
	}
	return blanks
}

// TestWhyWithoutARight: each right that is missing costs one line, which names it, and so
// does each licence; the rest of the answer stays. Nobody is asked faster than Graph allows.
func TestWhyWithoutARight(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		licence, missing, says string
		pieces                 []cause.Piece
	}{
		"domains":    {"P2", readDomains, "grant Domain.Read.All", []cause.Piece{cause.PieceDomain}},
		"federation": {"P2", "Domain-InternalFederation.Read.All", "grant Domain-InternalFederation.Read.All", []cause.Piece{cause.PieceFederation}},
		"policies":   {"P2", "Policy.Read.All", "grant Policy.Read.All", []cause.Piece{cause.PieceSecurityDefaults, cause.PiecePerUserMFA}},
		"sign-ins":   {"P2", "AuditLog.Read.All", "grant AuditLog.Read.All", []cause.Piece{cause.PieceSignIns}},
		"risk":       {"P2", "IdentityRiskyUser.Read.All", "grant IdentityRiskyUser.Read.All", []cause.Piece{cause.PieceRiskState}},
		"P1":         {"P1", "", "no Microsoft Entra ID P2 licence", []cause.Piece{cause.PieceRiskState}},
		"none":       {"P2", "", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				rights := slices.DeleteFunc(slices.Clone(whyRights), func(r string) bool { return r == c.missing })
				server := emulate(t, c.licence, rights...)
				_, report, stderr := askWhy(t, server, "-o", "json")
				blanks := blankPieces(t, report)
				for _, piece := range c.pieces {
					if blanks[piece].Grant == "" {
						t.Errorf("%s was asked for: %v, %s", piece, blanks, stderr)
					}
				}
				if len(blanks) != len(c.pieces) {
					t.Errorf("not asked for: %v", blanks)
				}
				if n := server.Counts().Throttled; n > 0 {
					t.Errorf("Graph was asked too fast %d times", n)
				}
				time.Sleep(time.Minute) // the quotas are free again
				_, text, _ := askWhy(t, server)
				flat := strings.Join(strings.Fields(text), " ")
				want := 1 + min(1, len(c.pieces)) // the ledger, of which this machine has none
				if strings.Count(text, "\n– ") != want || !strings.Contains(flat, c.says) {
					t.Errorf("want %d lines, and %q: %s", want, c.says, text)
				}
			})
		})
	}
}

// TestWhyWithoutMuch: the least right and no licence still find the cause; without the right
// to read the user there is no answer, and a fault of Graph is told as such.
func TestWhyWithoutMuch(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rights []string
		broken string // a part of the path that fails
		says   []string
	}{
		"least":   {whyRights[:2], "", []string{"✗ ★ Main cause: The user is in a federated domain", "Policy.Read.ConditionalAccess", `sessionstamp stamp "o'hara@example.co.jp"`}},
		"free":    {whyRights, "", []string{"no Microsoft Entra ID P1 licence", "no Microsoft Entra ID P2 licence", "✗ ★"}},
		"broken":  {whyRights, "/registeredDevices", []string{"Registered devices: not asked, because the call failed (502", "✗ ★"}},
		"nothing": {whyRights[1:], "", []string{"User.Read.All", "403"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := emulate(t, "", c.rights...)
				if c.broken != "" {
					server.Inject(msgraphtest.Fault{Match: func(r msgraphtest.Request) bool { return strings.Contains(r.Path, c.broken) }, Status: http.StatusBadGateway})
				}
				status, stdout, stderr := askWhy(t, server)
				for _, says := range c.says {
					if said := strings.Join(strings.Fields(stdout+stderr), " "); status != wrong || !strings.Contains(said, says) {
						t.Errorf("exit status %d, want %q in: %s%s", status, says, stdout, stderr)
					}
				}
			})
		})
	}
}

// enterer enters the device code that a program shows.
type enterer struct{ server *msgraphtest.Server }

var userCode = regexp.MustCompile(`code ([0-9A-F]{8})`)

func (e enterer) Write(text []byte) (int, error) {
	if match := userCode.FindSubmatch(text); match != nil {
		e.server.EnterDeviceCode(string(match[1]), true)
	}
	return len(text), nil
}

// TestWhyAsAPerson: a person is asked for two rights, and with --all-rights for all.
func TestWhyAsAPerson(t *testing.T) {
	t.Parallel()
	for flag, want := range map[string]int{"--all": 6, "--all-rights": 0} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := emulate(t, "P2", whyRights...)
				_, report, _ := play(t.Context(), func(p *program) {
					p.Transport, p.Now, p.Stderr = server, time.Now, enterer{server}
					p.Env = environment([]string{"HOME=" + t.TempDir()})
				}, "why", "o'hara@example.co.jp", "--lang", "en", "--sign-in", "device", "-o", "json", flag)
				if blanks := blankPieces(t, report); len(blanks) != want {
					t.Errorf("not asked for: %v", blanks)
				}
			})
		})
	}
}

// TestMerge: a policy is counted once, and applies if it does to one of the sign-ins.
func TestMerge(t *testing.T) {
	t.Parallel()
	a, b, applied := cause.Policy{ID: "a"}, cause.Policy{ID: "b"}, cause.Policy{ID: "a", Applies: true}
	want := []cause.Policy{applied, b}
	for name, pages := range map[string][][]cause.Policy{
		"later": {{a, b}, {applied}}, "before": {{applied, b}, {a}}, "twice": {{applied}, {b, applied}},
	} {
		var got []cause.Policy
		for _, page := range pages {
			got = merge(got, page)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestImagined: the app is on the device that was seen last, if one is enabled.
func TestImagined(t *testing.T) {
	t.Parallel()
	devices := []cause.Device{
		{TrustType: "Workplace", LastSignIn: at.Add(-time.Hour)}, {TrustType: "ServerAd", LastSignIn: at.Add(-time.Minute)},
		{TrustType: "AzureAd", LastSignIn: at, Disabled: true},
	}
	for trust, d := range map[string]cause.Answer[[]cause.Device]{"ServerAd": cause.Asked(devices), "": {}} {
		var got []string
		for _, w := range imagined(d) {
			got = append(got, w.ClientAppType+" "+w.TrustType)
		}
		one := []string{"browser ", "mobileAppsAndDesktopClients " + trust}
		if diff := cmp.Diff(slices.Concat(one, one), got); diff != "" {
			t.Error(diff)
		}
	}
}
