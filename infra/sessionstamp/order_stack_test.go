package main

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/access"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/demo"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/goldentest"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack/stacktest"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// A crew is a site whose person may only read, and the deployment that stamps there.
type crew struct {
	*site
	*deployed

	// asked are the requests that it was given, by user.
	asked map[string]stamp.Request
	// tells makes the records of a request by reason, nil for nothing at all: then nobody is
	// signed out.
	tells func(stamp.Request) []stamp.Reason
}

func onCrew(t *testing.T, users int, test func(*testing.T, *crew)) {
	t.Helper()
	onSite(t, users, msgraphtest.Options{}, []string{readUsers, readDomains, readMembers}, func(t *testing.T, s *site) {
		k := &crew{site: s, deployed: deploy(t), asked: make(map[string]stamp.Request)}
		k.Parameters["TenantId"] = demo.TenantID
		k.tells = func(stamp.Request) []stamp.Reason { return []stamp.Reason{stamp.ReasonCalled, stamp.ReasonReadBack} }
		k.Sent = k.take
		k.write(t)
		test(t, k)
	})
}

// take works a request off: as fast as two processes do, says its log.
func (k *crew) take(body string) {
	r, err := stamp.DecodeRequest([]byte(body))
	if err != nil || !r.Approved || r.Tenant != demo.TenantID || r.NotBefore.After(k.now()) {
		k.T.Errorf("%+v: %v", r, err)
	}
	_, again := k.asked[r.User]
	k.asked[r.User] = r
	reasons := k.tells(r)
	if reasons == nil || again {
		return
	}
	ends := k.now().Add(time.Duration(len(k.asked)) * time.Second / 20)
	for i, reason := range reasons {
		text, err := json.Marshal(map[string]any{"message": "user handled", "user": r.User, "source": r.Source, "verdict": stamp.Done, "reason": reason})
		if err != nil {
			panic(err)
		}
		record := stack.Record{At: ends.Add(time.Duration(i) * stamp.DefaultPolicy.ReplicationLag), Message: string(text)}
		time.AfterFunc(record.At.Sub(k.now()), func() { k.Append("StamperFunction", record) })
	}
	if reasons[0] == stamp.ReasonCalled {
		k.Revoke(r.User)
	}
}

func (k *crew) run(ctx context.Context, change func(*program), args ...string) (status int, stdout, stderr string) {
	k.change = func(p *program) {
		ofApp := p.Env
		p.Env = func(name string) string {
			if value := ofApp(name); value != "" {
				return value
			}
			return stacktest.Env(name)
		}
		if p.AWS = k.Deployment; change != nil {
			change(p)
		}
	}
	return k.site.play(ctx, args...)
}

// TestStackScreens are those of orders that a deployment works off.
func TestStackScreens(t *testing.T) {
	t.Parallel()
	failing := func(k *crew) {
		k.tells = func(stamp.Request) []stamp.Reason { return []stamp.Reason{stamp.ReasonForbidden} }
	}
	for name, c := range map[string]struct {
		args, answer string
		is           func(*crew)
		stop         time.Duration // when the person presses Ctrl-C
		status       int
	}{
		"stamp":      {"stamp --all --stack sessionstamp", "y", nil, 0, fine},
		"stamp-plan": {"stamp --all --stack sessionstamp --dry-run --limit 5", "", nil, 0, fine},
		"signout":    {"signout --domain corp.example --stack sessionstamp --reason CA-1234", "47", nil, 0, fine},
		"no-wait":    {"stamp --all --stack sessionstamp --region " + stacktest.Region + " --yes --no-wait", "", nil, 0, fine},
		"stopped":    {"stamp --all --stack sessionstamp --yes", "", nil, 9 * time.Second, wrong},
		"failed":     {"stamp u1@corp.example --stack sessionstamp --yes", "", failing, 0, wrong},
		"silent":     {"stamp u1@corp.example --stack sessionstamp --yes", "", func(k *crew) { k.tells = func(stamp.Request) []stamp.Reason { return nil } }, 0, wrong},
		"paused":     {"stamp --all --stack sessionstamp", "y", func(k *crew) { paused11(k.deployed) }, 0, wrong},
		"paused-then": {"stamp --all --stack sessionstamp --yes", "", func(k *crew) {
			time.AfterFunc(8*time.Second, func() { paused11(k.deployed); k.write(k.T.(*testing.T)) })
		}, 0, wrong},
		"refused": {"signout --all --stack sessionstamp --yes --expect 47", "", func(k *crew) { k.Refuse["sqs:SendMessageBatch"] = "AccessDenied" }, 0, wrong},
	} {
		for _, l := range languages() {
			t.Run(name+"."+string(l), func(t *testing.T) {
				t.Parallel()
				onCrew(t, 50, func(t *testing.T, k *crew) {
					k.Parameters["ExcludedUsers"] = k.ids[49] + "," + k.ids[48]
					k.Parameters["ExcludedUpnPatterns"] = "u47@corp.example"
					if c.is != nil {
						c.is(k)
						k.write(t)
					}
					ctx, stop := context.WithCancel(t.Context())
					defer stop()
					if c.stop > 0 {
						time.AfterFunc(c.stop, stop)
					}
					status, stdout, stderr := k.run(ctx, func(p *program) {
						p.Person, p.Stdin = c.answer != "", strings.NewReader(c.answer+"\n")
					}, append(strings.Fields(c.args), "--lang", string(l))...)
					for _, question := range []string{words.Say(l, "order.go_on"), words.Say(l, "order.type")} {
						stderr = strings.Replace(stderr, question, question+c.answer+"\n", 1)
					}
					if status != c.status {
						t.Errorf("exit status %d, want %d", status, c.status)
					}
					stderr = regexp.MustCompile(`(?m)(^0 .*\n)+`).ReplaceAllString(stderr, "$1") // told each ten seconds
					stderr = regexp.MustCompile(`( in|所要) \d (s|秒)`).ReplaceAllString(stderr, "$1 5 $2")
					goldentest.Compare(t, "handed-"+name+"."+string(l)+".txt", stderr+stdout)
					checkScreen(t, stderr+stdout)
					if strings.Contains(strings.Join(k.Calls(), " "), "SendMessage") == (len(k.asked) == 0 && name != "refused") {
						t.Error("the queue was called, or was not")
					}
				})
			})
		}
	}
}

// TestStackRefusals: before anybody is signed out, and without a word to the queue.
func TestStackRefusals(t *testing.T) {
	t.Parallel()
	for args, c := range map[string]struct {
		is     func(*crew)
		status int
		says   string
	}{
		"stamp --all --yes --stack sessionstamp": {func(k *crew) { k.Parameters["DryRun"] = "true" }, wrong, "sessionstamp setup --observe false"},
		"stamp --all --yes --stack sessionstamp --lang en": {func(k *crew) {
			k.Parameters["TenantId"] = "11111111-2222-3333-4444-555555555555"
			k.write(k.T.(*testing.T))
		}, wrongUse, "serves the tenant 11111111"},
		"stamp --all --yes --stack sessionstamp --limit 1":         {func(k *crew) { k.Status, k.Events = "ROLLBACK_COMPLETE", nil }, wrong, "ROLLBACK_COMPLETE"},
		"stamp --all --yes --stack other":                          {nil, wrongUse, "are: sessionstamp."},
		"stamp --all --yes --stack sessionstamp --at 22:00-05:00":  {nil, wrongUse, "--at"},
		"stamp --all --yes --region eu-central-1":                  {nil, wrongUse, "--region goes with --stack"},
		"stamp --all --yes --profile x":                            {nil, wrongUse, "--profile goes with --stack"},
		"stamp --all --demo --yes --stack sessionstamp":            {nil, wrongUse, "no deployment"},
		"stamp --all --yes --stack sessionstamp --exclude-group x": {func(k *crew) { k.Parameters["ExcludedGroups"] = strings.Repeat(aUser+",", 20) }, wrongUse, "20"},
		"signout --all --yes --stack sessionstamp --expect 9":      {nil, wrongUse, "it would be 3"},
		"stamp --all --stack sessionstamp":                         {nil, wrongUse, "--yes"},
		"stamp --all --yes --stack sessionstamp --tenant " + aUser: {nil, wrongUse, "signed in to 7451c5fa"},
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			onCrew(t, 3, func(t *testing.T, k *crew) {
				if c.is != nil {
					c.is(k)
				}
				status, stdout, stderr := k.run(t.Context(), nil, strings.Fields(args)...)
				if said := strings.Join(strings.Fields(stderr), " "); status != c.status || stdout != "" || !strings.Contains(said, c.says) || len(k.asked) > 0 {
					t.Errorf("exit status %d, want %d: %s", status, c.status, stderr)
				}
			})
		})
	}
}

// TestStackGoesOn: an order that was not handed over whole stands in the file, with the
// moment t that it was given; it goes on there alone, and signs nobody out twice.
func TestStackGoesOn(t *testing.T) {
	t.Parallel()
	const order = "signout --all --yes --expect 450 --stack sessionstamp"
	onCrew(t, 450, func(t *testing.T, k *crew) {
		take, broke := k.Sent, new(atomic.Bool)
		k.Sent = func(body string) {
			if take(body); len(k.asked) == 200 && broke.CompareAndSwap(false, true) {
				k.Refuse["sqs:SendMessageBatch"] = "AccessDenied"
			}
		}
		status, stdout, stderr := k.run(t.Context(), nil, strings.Fields(order)...)
		if status != wrong || !strings.Contains(stdout, "signout --continue --stack sessionstamp") || !strings.Contains(stderr, "sqs:SendMessage") {
			t.Fatalf("exit status %d: %s%s", status, stdout, stderr)
		}
		given := k.asked[k.ids[449]].NotBefore
		time.Sleep(time.Hour)
		delete(k.Refuse, "sqs:SendMessageBatch")
		for args, says := range map[string]string{order: "--continue --stack sessionstamp", "signout --continue --yes": "add --stack sessionstamp", "stamp --continue --yes --stack sessionstamp": "another"} {
			if status, _, stderr := k.run(t.Context(), nil, strings.Fields(args)...); status != wrongUse || !strings.Contains(strings.Join(strings.Fields(stderr), " "), says) {
				t.Errorf("%s: exit status %d, %s", args, status, stderr)
			}
		}
		status, stdout, stderr = k.run(t.Context(), nil, strings.Fields("signout --continue --yes --stack sessionstamp")...)
		if status != fine || !strings.Contains(stdout, "450 signed out, all read back") {
			t.Errorf("exit status %d: %s%s", status, stdout, stderr)
		}
		for user, r := range k.asked {
			if !r.NotBefore.Equal(given) || given.IsZero() {
				t.Fatalf("user %s was asked for with %s, want %s", user, r.NotBefore, given)
			}
		}
		k.want(1, k.ids...)
	})
}

// TestStackRights: the policy of an operator covers what is called.
func TestStackRights(t *testing.T) {
	t.Parallel()
	onCrew(t, 3, func(t *testing.T, k *crew) {
		if status, _, stderr := k.run(t.Context(), nil, strings.Fields("stamp --all --yes --stack sessionstamp")...); status != fine {
			t.Fatal(stderr)
		}
		const of = ":ap-northeast-1:111122223333:"
		operator := access.Operator(access.Place{Partition: "aws", Region: "ap-northeast-1", Account: "111122223333", Stack: "sessionstamp"})
		resources := map[string]string{
			"cloudformation": "stack/sessionstamp/1", "sqs": "sessionstamp-NotificationQueue-1A", "dynamodb": "table/sessionstamp-Table-1A",
			"logs": "log-group:/aws/lambda/sessionstamp-stamper:*",
		}
		for _, action := range k.Calls() {
			action = strings.TrimSuffix(action, "Batch") // which IAM does not know
			service, _, _ := strings.Cut(action, ":")
			if service != "sts" && action != "dynamodb:PutItem" && !operator.Allows(action, "arn:aws:"+service+of+resources[service]) { // the test writes the table
				t.Errorf("an operator may not %s", action)
			}
		}
	})
}

// idleOnes are the signals of TestWhyStack for which nothing was done.
var idleOnes = map[string]stamp.Reason{"why-waits": stamp.ReasonBrake, "why-reported": stamp.ReasonReported, "why-excluded": stamp.ReasonExcluded}

// idle has a provider report somebody for whom nothing was done: one who waits was stamped before.
func (k *crew) idle(reason stamp.Reason) {
	signalled(k.deployed)
	user := k.ids[2]
	if k.brake.Signals = (stamp.Tally{}); reason == stamp.ReasonBrake {
		user, k.brake.Signals.Reached = k.ids[1], at.Add(-2*time.Hour)
	}
	k.log("StamperFunction", -time.Minute, map[string]any{
		"message": "user handled", "user": user, "source": stamp.SourceSignal, "reason": reason, "cause": "password_changed",
	})
}

// TestWhyStack: what a deployment knows of a user, and what holds it up.
func TestWhyStack(t *testing.T) {
	t.Parallel()
	for name, args := range map[string]string{
		"why": "why u1@corp.example --stack sessionstamp", "why.json": "why u1@corp.example --stack sessionstamp -o json", "why-none": "why u2@corp.example --stack sessionstamp",
		"why-signal": "why u1@corp.example --stack sessionstamp", "why-waits": "why u1@corp.example --stack sessionstamp",
		"why-reported": "why u2@corp.example --stack sessionstamp", "why-excluded": "why u2@corp.example --stack sessionstamp -o json",
	} {
		for _, l := range languages() {
			t.Run(name+"."+string(l), func(t *testing.T) {
				t.Parallel()
				onCrew(t, 3, func(t *testing.T, k *crew) {
					entry := stamp.Entry{
						Tenant: demo.TenantID, User: k.ids[1], State: stamp.StateCannotFix, Reason: stamp.ReasonForbidden, Source: stamp.SourceNotification, Updated: at.Add(-time.Hour),
					}
					for _, err := range k.table.Write(t.Context(), []stamp.Entry{entry}) {
						if err != nil {
							t.Fatal(err)
						}
					}
					if name == "why-signal" {
						entry.Version, entry.State, entry.Source, entry.Called = 1, stamp.StateStamped, stamp.SourceSignal, at.Add(-2*time.Hour)
						k.log("StamperFunction", -2*time.Hour+time.Second, map[string]any{
							"message": "user handled", "user": entry.User, "source": entry.Source, "reason": stamp.ReasonCalled, "cause": "password_changed",
						})
						for _, err := range k.table.Write(t.Context(), []stamp.Entry{entry}) {
							if err != nil {
								t.Fatal(err)
							}
						}
						signalled(k.deployed)
					}
					if reason := idleOnes[name]; reason != "" {
						k.idle(reason)
					} else if name != "why-none" {
						paused11(k.deployed)
						reached(k.deployed)
					}
					k.write(t)
					status, stdout, stderr := k.run(t.Context(), nil, append(strings.Fields(args), "--lang", string(l))...)
					if status != wrong {
						t.Errorf("exit status %d: %s", status, stderr)
					}
					if strings.Contains(args, "json") {
						_, stdout, _ = strings.Cut(stdout, `"deployment"`)
						goldentest.Compare(t, "handed-"+strings.TrimSuffix(name, ".json")+".json", stdout)
						return
					}
					goldentest.Compare(t, "handed-"+name+"."+string(l)+".txt", stdout)
					for line := range strings.SplitSeq(stdout, "\n") {
						if tooWide(line, screen.Columns) {
							t.Errorf("too wide: %q", line)
						}
					}
				})
			})
		}
	}
}

// TestReportStack: the numbers are those of the deployment's ledger. Whether anybody was
// missed is not said where that depends on groups.
func TestReportStack(t *testing.T) {
	t.Parallel()
	for groups, missed := range map[string]string{"": `"missedInScope": 2`, aUser: `"zeros": {`} {
		onCrew(t, 4, func(t *testing.T, k *crew) {
			k.Parameters["ExcludedGroups"], k.Parameters["ExcludedUsers"] = groups, k.ids[2]
			k.sweep.FullDue = at.Add(24 * time.Hour)
			k.write(t)
			called := stamp.Entry{
				Tenant: demo.TenantID, User: k.ids[3], State: stamp.StateStamped, Source: stamp.SourceNotification,
				Created: at.Add(-time.Hour), Claimed: at.Add(-50 * time.Minute), Called: at.Add(-50 * time.Minute), Updated: at,
			}
			k.Revoke(k.ids[3])
			if err := errors.Join(k.table.Write(t.Context(), []stamp.Entry{called})...); err != nil {
				t.Fatal(err)
			}
			status, stdout, stderr := k.run(t.Context(), nil, "report", "--stack", "sessionstamp", "-o", "json")
			for _, want := range []string{`"deployment": "sessionstamp"`, `"medianSeconds": 600`, `"reason": "excluded"`, missed} {
				if status != fine || !strings.Contains(stdout, want) {
					t.Errorf("exit status %d, want %s: %s%s", status, want, stdout, stderr)
				}
			}
			if strings.Contains(stdout, "missedInScope") != (groups == "") {
				t.Error(stdout)
			}
			_, page, _ := k.run(t.Context(), nil, "report", "--stack", "sessionstamp", "--out", "-")
			if strings.Contains(page, "this machine") || !strings.Contains(page, "by the deployment since") {
				t.Error("the page speaks of this machine, or not of the deployment")
			}
		})
	}
}
