package subscription_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/goldentest"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/subscription"
)

var errDown = errors.New("the table is throttled")

// setUpErrors are the errors that setting up can end in. What the emulator can
// refuse, it refuses itself.
var setUpErrors = []struct {
	name    string
	cause   subscription.Cause
	arrange func(*world)
}{
	{"no_consent", subscription.CauseNoConsent, func(w *world) {
		w.app.Revoke("User.Read.All")
		w.graph.until = time.Time{}
	}},
	{"forbidden_inside", subscription.CauseNoConsent, func(w *world) {
		w.failing("create", &directory.Error{Operation: "createSubscription", StatusCode: 403, Code: "ExtensionError", NotDone: true,
			Message: "Operation: Create; Exception: [Status Code: Forbidden; Reason: Forbidden]"})
	}},
	{"quota", subscription.CauseQuota, func(w *world) {
		w.fill(99)
	}},
	{"secret_unread", subscription.CauseSecretUnread, func(w *world) {
		w.failing("list", &directory.Error{Operation: directory.ClientSecret, NotDone: true, Err: errors.New("AccessDeniedException")})
	}},
	{"firewall", subscription.CauseNotificationURL, func(w *world) { w.unreachable = true }},
	{"handshake_timeout", subscription.CauseNotificationURL, func(w *world) {
		w.failing("create", &directory.Error{Operation: "createSubscription", StatusCode: 400, Code: "InvalidRequest", NotDone: true,
			Message: "Subscription validation request\ntimed out."})
	}},
	{"refused", subscription.CauseRefused, func(w *world) {
		w.failing("create", &directory.Error{Operation: "createSubscription", StatusCode: 400, Code: "InvalidRequest", NotDone: true,
			Message: "NotificationUrl is not a valid absolute URL."})
	}},
	{"client_state_too_long", subscription.CauseClientState, func(w *world) { w.current = strings.Repeat("x", 129) }},
	{"secret_wrong", subscription.CauseSecretWrong, func(w *world) { w.graph.token, w.graph.until = "wrong", time.Time{} }},
	{"secret_expired", subscription.CauseSecretExpired, func(w *world) { time.Sleep(3 * 365 * 24 * time.Hour) }},
	{"app_unknown", subscription.CauseAppUnknown, func(w *world) {
		w.graph.app, w.graph.until = "11111111-1111-4111-8111-111111111111", time.Time{}
	}},
	{"tenant_unknown", subscription.CauseTenantUnknown, func(w *world) {
		w.graph.tenant, w.graph.until = "11111111-1111-4111-8111-111111111111", time.Time{}
	}},
	{"federation", subscription.CauseFederation, func(w *world) {
		w.failing("list", &directory.Error{Operation: "token", StatusCode: 401, Code: "AADSTS70025", NotDone: true})
	}},
	{"certificate_wrong", subscription.CauseCertificateWrong, func(w *world) {
		w.failing("list", &directory.Error{Operation: "token", StatusCode: 401, Code: "AADSTS700027", NotDone: true})
	}},
	{"certificate_unread", subscription.CauseCertificateUnread, func(w *world) {
		w.failing("list", &directory.Error{Operation: directory.Certificate, NotDone: true, Err: errors.New("AccessDeniedException")})
	}},
	{"certificate_early", subscription.CauseCertificateEarly, func(w *world) {
		w.failing("list", &directory.Error{Operation: directory.Certificate, NotDone: true, Err: fmt.Errorf("%w: it begins tomorrow", directory.ErrCertificateEarly)})
	}},
	{"certificate_time", subscription.CauseCertificateTime, func(w *world) {
		w.failing("list", &directory.Error{Operation: directory.Certificate, NotDone: true, Err: fmt.Errorf("%w: expired", directory.ErrCertificateTime)})
	}},
	{"web_identity", subscription.CauseWebIdentity, func(w *world) {
		w.failing("list", &directory.Error{Operation: directory.WebIdentityToken, Code: "AccessDenied", NotDone: true, Err: errors.New("allow it")})
	}},
	{"federation_off", subscription.CauseFederationOff, func(w *world) {
		w.failing("list", &directory.Error{Operation: directory.WebIdentityToken, Code: "OutboundWebIdentityFederationDisabledException", NotDone: true, Err: errors.New("switch it on")})
	}},
	{"sign_in", subscription.CauseSignIn, func(w *world) {
		w.failing("list", &directory.Error{Operation: "token", StatusCode: 400, Code: "AADSTS53003", NotDone: true})
	}},
	{"app_disabled", subscription.CauseAppDisabled, func(w *world) { w.app.Disable(); w.graph.until = time.Time{} }},
	{"no_service_principal", subscription.CauseNoServicePrincipal, func(w *world) { w.app.RemoveServicePrincipal(); w.graph.until = time.Time{} }},
	{"not_consented", subscription.CauseNotConsented, func(w *world) {
		w.failing("list", &directory.Error{Operation: "token", StatusCode: 400, Code: "AADSTS65001", NotDone: true})
	}},
	{"federation_key", subscription.CauseFederationKey, func(w *world) {
		w.failing("list", &directory.Error{Operation: "token", StatusCode: 400, Code: "AADSTS501661", NotDone: true})
	}},
	{"clock", subscription.CauseClock, func(w *world) {
		w.failing("list", &directory.Error{Operation: "token", StatusCode: 401, Code: "AADSTS700024", NotDone: true})
	}},
	{"throttled", subscription.CauseThrottled, func(w *world) {
		w.server.Inject(msgraphtest.Fault{Status: 429, Code: "TooManyRequests"})
	}},
	{"sign_in_throttled", subscription.CauseSignInThrottled, func(w *world) {
		w.failing("list", &directory.Error{Operation: "token", StatusCode: 429, Code: "AADSTS90055", NotDone: true})
	}},
	{"sign_in_unwell", subscription.CauseSignInUnwell, func(w *world) {
		w.failing("list", &directory.Error{Operation: "token", StatusCode: 503, Code: "AADSTS90033", NotDone: true})
	}},
	{"unreachable", subscription.CauseUnreachable, func(w *world) { w.server.Inject(msgraphtest.Fault{Reset: true}) }},
	{"unwell", subscription.CauseUnwell, func(w *world) { w.server.Inject(msgraphtest.Fault{Status: 503, Code: "ServiceUnavailable"}) }},
	{"store", subscription.CauseStore, func(w *world) { w.failing("read record", errDown) }},
	{"client_state", subscription.CauseClientState, func(w *world) { w.current = "" }},
	{"forget", subscription.CauseStore, func(w *world) { w.takeDown(); w.failing("forget since", errDown) }},
	{"not_as_asked", subscription.CauseNotAsAsked, func(w *world) { w.config.Graph = deafGraph{w.graph} }},
	{"sweep", subscription.CauseSweep, func(w *world) { w.failing("ask for sweep", errDown) }},
}

// TestSetUpErrors shows what an administrator reads when setting up fails.
func TestSetUpErrors(t *testing.T) {
	for _, tt := range setUpErrors {
		t.Run(tt.name, func(t *testing.T) {
			story(t, func(t *testing.T, w *world) {
				tt.arrange(w)
				report, err := w.keeper().SetUp(t.Context())
				a, ok := errors.AsType[*subscription.Advice](leaktest.Seen(t, err))
				if !ok {
					t.Fatalf("SetUp: %v, want advice", err)
				}
				if a.Cause != tt.cause || report.Cause != tt.cause {
					t.Errorf("cause %q, reported %q, want %q", a.Cause, report.Cause, tt.cause)
				}
				goldentest.Compare(t, "testdata/setup/"+tt.name+".golden", a.Problem+"\n"+a.Step+"\n["+leaktest.Seen(t, a.Err).Error()+"]\n")
			})
		})
	}
}

// TestSetUpGivesUp ends when another run does not.
func TestSetUpGivesUp(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		record := w.record()
		record.Holder, record.HeldUntil = "somebody", time.Now().Add(24*time.Hour)
		if err := w.store.SaveRecord(t.Context(), record); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err := w.keeper().SetUp(t.Context())
		if a, ok := errors.AsType[*subscription.Advice](leaktest.Seen(t, err)); !ok || a.Cause != subscription.CauseBusy || !subscription.IsBusy(err) {
			t.Errorf("SetUp: %v, want busy", err)
		}
		if took := time.Since(began); took > 10*time.Minute {
			t.Errorf("SetUp waited for %s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := w.keeper().SetUp(ctx); !errors.Is(leaktest.Seen(t, err), context.DeadlineExceeded) {
			t.Errorf("SetUp with little time: %v", err)
		}
	})
}

// TestExplainNothing keeps nil what is nil, also as an error.
func TestExplainNothing(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		if err := w.keeper().Explain(nil); err != nil {
			t.Errorf("Explain of nil: %v", err)
		}
		if err := w.keeper().TakeDown(t.Context()); err != nil {
			t.Errorf("TakeDown of nothing: %v", err)
		}
		err := w.keeper().Explain(errStruck)
		if a, ok := errors.AsType[*subscription.Advice](leaktest.Seen(t, err)); !ok || a.Cause != subscription.CauseInternal || !errors.Is(err, errStruck) {
			t.Errorf("Explain of an unknown error: %v", err)
		}
	})
}

// TestAdviceIsComplete has two sentences for every cause.
func TestAdviceIsComplete(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		for _, tt := range setUpErrors {
			text, err := os.ReadFile(filepath.Join("testdata", "setup", tt.name+".golden"))
			if err != nil {
				t.Fatal(err)
			}
			for i, line := range strings.SplitN(string(text), "\n", 3)[:2] {
				if !strings.HasSuffix(line, ".") || strings.ContainsAny(line, "{}") {
					t.Errorf("%s: sentence %d is %q", tt.name, i+1, line)
				}
			}
		}
	})
}

// TestLog shows the one record of each run. Neither clientStates nor names are in
// it.
func TestLog(t *testing.T) {
	story(t, func(t *testing.T, w *world) {
		w.keep()
		time.Sleep(24 * time.Hour)
		w.keep()
		w.rotate()
		w.keep()
		w.handle(w.challenges(2)...)
		w.failing("list", &directory.Error{Operation: "listSubscriptions", StatusCode: 503, Code: "ServiceUnavailable"})
		if _, err := w.keeper().Keep(t.Context()); leaktest.Seen(t, err) == nil {
			t.Error("Keep succeeded though Graph is down")
		}
		w.hook = nil
		w.tenant.DropSubscription(w.record().SubscriptionID)
		time.Sleep(time.Hour)
		w.unreachable = true
		if _, err := w.keeper().Keep(t.Context()); leaktest.Seen(t, err) == nil {
			t.Error("Keep succeeded though the webhook is down")
		}
		w.unreachable = false
		w.keep()
		w.takeDown()
		w.keep()
		w.config.DryRun = true
		w.setUp()
		got := w.log.String()
		if n := strings.Count(got, "\n"); n != 10 || len(w.reports) != n {
			t.Errorf("%d log records and %d reports of 10 runs", n, len(w.reports))
		}
		if strings.Contains(got, "s3cr3t") || strings.Contains(got, "example.co.jp") {
			t.Error("the log tells what it must not")
		}
		goldentest.Compare(t, "testdata/log.golden", got)
	})
}

func TestNewReportsEveryFault(t *testing.T) {
	t.Parallel()
	_, err := subscription.New(subscription.Config{Tenant: "X", NotificationURL: "http://a", LifecycleURL: "https:///x"})
	if leaktest.Seen(t, err) == nil {
		t.Fatal("New accepts nothing at all")
	}
	goldentest.Compare(t, "testdata/config.golden", leaktest.Seen(t, err).Error()+"\n")
}
