package job_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

func TestPlanCountsEverybody(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start(func(c *job.Config) {
			c.ExcludedGroups = []string{group}
			c.Policy.Exclusions.Patterns = []string{"svc-*@" + federated}
		})
		defer p.end()
		old := time.Now().Add(-10 * 365 * 24 * time.Hour)
		ids := []string{
			w.add(nil),
			w.add(func(p *person) { p.user.Created = old }), // a person may name users of any age
			w.add(func(p *person) { p.user.SignInSessionsValidFrom = old }),
			w.add(func(p *person) { p.user.UserPrincipalName = "svc-1@" + federated }),
			w.add(func(p *person) { p.group = true }),
			w.add(func(p *person) { p.user.UserType = "Guest" }),
			w.add(func(p *person) { p.user.UserPrincipalName = "u@" + managed }),
			w.add(func(p *person) { p.user.StampKnown = false }),
		}
		for _, tc := range []struct {
			name   string
			wanted job.Wanted
			want   map[job.Class]int
			calls  int // to read them
		}{
			{
				"named, one twice and one not there",
				job.Wanted{Verb: job.Stamp, Users: append(ids, ids[0], "99999999-9999-4999-8999-999999999999")},
				map[job.Class]int{job.Due: 2, job.Stamped: 1, job.Excluded: 2, job.Guest: 1, job.Managed: 1, job.NotFound: 1, job.Unclear: 1}, 1,
			},
			{
				"all", job.Wanted{Verb: job.Stamp, All: true},
				map[job.Class]int{job.Due: 2, job.Stamped: 1, job.Excluded: 2, job.Guest: 1, job.Managed: 1, job.Unclear: 1}, 0,
			},
			{
				"a domain", job.Wanted{Verb: job.Stamp, Domain: "CORP.example"},
				map[job.Class]int{job.Due: 2, job.Stamped: 1, job.Excluded: 2, job.Guest: 1, job.Unclear: 1}, 0,
			},
			{
				"a log", job.Wanted{Verb: job.Restamp, Users: ids[:4], Moments: map[string]time.Time{
					ids[0]: time.Now(), ids[1]: old, ids[2]: old, ids[3]: time.Now(),
				}},
				map[job.Class]int{job.Due: 2, job.Stamped: 1, job.Excluded: 1}, 1,
			},
			{
				"a log, a second later", job.Wanted{Verb: job.Restamp, Users: ids[2:3], Moments: map[string]time.Time{ids[2]: old.Add(time.Second)}},
				map[job.Class]int{job.Due: 1}, 1,
			},
			{
				"a sign-out", job.Wanted{Verb: job.SignOut, All: true},
				map[job.Class]int{job.Due: 3, job.Excluded: 2, job.Guest: 1, job.Managed: 1, job.Unclear: 1}, 0,
			},
		} {
			w.calls["getUser"] = 0
			plan := p.plan(tc.wanted)
			got := make(map[job.Class]int)
			for _, u := range plan.Users {
				got[u.Class] = plan.Count(u.Class)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: classes (-want +got):\n%s", tc.name, diff)
			}
			if w.calls["getUser"] != tc.calls {
				t.Errorf("%s: %d calls to read them, want %d", tc.name, w.calls["getUser"], tc.calls)
			}
		}
		w.want(0, ids...)
	})
}

// What is under way for an excluded user is no reason to sign that user out.
func TestPlanLeavesExcludedUsersUnderWay(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		ids := w.addMany(3, nil)
		p := w.start(func(c *job.Config) { c.Policy.CallWindow = -stamp.DefaultPolicy.ReplicationLag + 4*time.Minute })
		p.run(p.plan(job.Wanted{Verb: job.Stamp, Users: ids}).Order(0), job.RunOptions{NoWait: true})
		p.end()
		for _, pause := range []time.Duration{time.Second, 4 * time.Minute} { // pending; too early to read back
			time.Sleep(pause)
			w.people[ids[0]].group = true
			p = w.start(func(c *job.Config) {
				c.ExcludedGroups, c.Policy.Exclusions.IDs = []string{group}, ids[1:2]
				c.Policy.CallWindow = -stamp.DefaultPolicy.ReplicationLag + 4*time.Minute
			})
			plan := p.plan(job.Wanted{Verb: job.SignOut, All: true})
			if o := plan.Order(0); plan.Count(job.Excluded) != 2 || len(o.Targets) != 1 || o.Targets[0].User != ids[2] {
				t.Errorf("%d are excluded, and these are in the order: %v", plan.Count(job.Excluded), o.Targets)
			}
			p.end()
		}
	})
}

func TestPlanIsNewestFirstAndLimited(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		defer p.end()
		ids := w.addMany(3, nil) // each an hour older than the one before
		o := p.plan(job.Wanted{Verb: job.Stamp, Users: []string{ids[2], ids[0], ids[1]}}).Order(2)
		if diff := cmp.Diff([]job.Target{{User: ids[0]}, {User: ids[1]}}, o.Targets); diff != "" {
			t.Errorf("targets (-want +got):\n%s", diff)
		}
	})
}

func TestPlanFailsWithGraph(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		defer p.end()
		id := w.add(nil)
		p.dead.Store(true)
		for _, wanted := range []job.Wanted{{Verb: job.Stamp, Users: []string{id}}, {Verb: job.Stamp, All: true}} {
			if _, err := p.engine.Plan(t.Context(), wanted); err == nil {
				t.Errorf("a plan was made without Graph")
			}
		}
	})
}

func TestPlanRefusesWhatSaysNobody(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		defer p.end()
		for name, wanted := range map[string]job.Wanted{
			"an empty list": {Verb: job.Stamp, Users: []string{}},
			"two at once":   {Verb: job.Stamp, All: true, Domain: federated},
			"no verb":       {All: true},
			"a name":        {Verb: job.Stamp, Users: []string{"taro@corp.example"}},
		} {
			if _, err := p.engine.Plan(t.Context(), wanted); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		if len(w.calls) > 0 {
			t.Errorf("Graph was asked: %v", w.calls)
		}
	})
}

// circle is a Graph whose pages lead in a circle.
type circle struct{ *process }

// UserPage implements [job.Graph].
func (circle) UserPage(_ context.Context, next string) (directory.UserPage, error) {
	return directory.UserPage{Next: map[string]string{"": "a", "a": "b", "b": "a"}[next]}, nil
}

func TestPlanLeavesACircle(t *testing.T) {
	t.Parallel()
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start(func(c *job.Config) { c.Graph = circle{c.Graph.(*process)} })
		defer p.end()
		if _, err := p.engine.Plan(t.Context(), job.Wanted{Verb: job.Stamp, All: true}); err == nil {
			t.Errorf("no error")
		}
	})
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for users, want := range map[int]time.Duration{0: 0, 1: time.Second, 20: time.Second, 361: 19 * time.Second} {
		if got := job.Duration(users); got != want {
			t.Errorf("%d users take %s, want %s", users, got, want)
		}
	}
}
