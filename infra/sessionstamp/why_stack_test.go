package main

import (
	"cmp"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/demo"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/goldentest"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack/stacktest"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// why asks about a user of the demonstration's tenant at a deployment, and returns the answer
// or the refusal.
func (d *deployed) why(t *testing.T, args ...string) string {
	t.Helper()
	tenant := demo.New(1, func() time.Time { return at })
	t.Cleanup(tenant.Close)
	_, stdout, stderr := d.play(t, func(p *program) {
		p.Transport = tenant.Transport()
		p.Env = func(name string) string {
			set := map[string]string{tenantVariable: demo.TenantID, clientVariable: demo.ClientID, secretVariable: demo.Secret}
			return set[name] + stacktest.Env(name)
		}
	}, append([]string{"why", "taro.yamada@example.co.jp", "--stack", "sessionstamp"}, args...)...)
	return cmp.Or(stdout, stderr)
}

// deployForDemo makes a deployment that serves the demonstration's tenant.
func deployForDemo(t *testing.T) *deployed {
	t.Helper()
	d := deploy(t)
	d.Parameters["TenantId"] = demo.TenantID
	return d
}

// TestWhyOfStack: what a deployment knows of a user is evidence, and is shown.
func TestWhyOfStack(t *testing.T) {
	t.Parallel()
	if said := deploy(t).why(t); !strings.Contains(said, "serves the tenant") {
		t.Errorf("a deployment of another tenant is asked: %s", said)
	}
	var is explained
	if err := json.Unmarshal([]byte(deployForDemo(t).why(t, "-o", "json")), &is); err != nil || is.Deployment == nil || is.Deployment.State != stamp.StateNone {
		t.Fatalf("%+v, %v", is.Deployment, err)
	}
	for _, l := range languages() {
		d := deployForDemo(t)
		entry := stamp.Entry{Tenant: d.Parameters["TenantId"], User: is.User.ID, State: stamp.StateCannotFix, Reason: stamp.ReasonForbidden, Updated: at.Add(-time.Hour)}
		if err := d.table.Write(t.Context(), []stamp.Entry{entry})[0]; err != nil {
			t.Fatal(err)
		}
		said := d.why(t, "--lang", string(l))
		goldentest.Compare(t, "deployed-why."+string(l)+".txt", said)
		checkScreen(t, said)
	}
}

// TestRecalled: how far a user has come, and when.
func TestRecalled(t *testing.T) {
	t.Parallel()
	c := &call{lang: language.English, program: program{Now: func() time.Time { return at }}}
	ago := func(hours int) time.Time { return at.Add(-time.Duration(hours) * time.Hour) }
	for _, tt := range []struct {
		known remembrance
		says  string
	}{
		{remembrance{}, "has not stamped"},
		{remembrance{entry: stamp.Entry{State: stamp.StateClaimed, Claimed: ago(3)}}, "began to stamp this user at 2026-11-29 07:00"},
		{remembrance{entry: stamp.Entry{State: stamp.StateCalled, Called: ago(2)}}, "stamped this user at 2026-11-29 08:00"},
		{remembrance{entry: stamp.Entry{State: stamp.StateStamped, Updated: ago(1)}}, "seen this user's stamp (2026-11-29 09:00)"},
		{remembrance{paused: ago(1)}, "Paused since 2026-11-29 09:00"},
		{remembrance{reached: ago(1)}, "brake was reached at 2026-11-29 09:00"},
	} {
		var said []string
		for _, l := range c.recalled(&tt.known) {
			said = append(said, l.text)
		}
		if all := strings.Join(said, " "); !strings.Contains(all, tt.says) {
			t.Errorf("%q, want %q", all, tt.says)
		}
	}
}
