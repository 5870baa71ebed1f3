package job_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// A far is a deployment: a Stamper with a queue, a ledger, a brake and a log of its own.
type far struct {
	queue  *memory.Queue
	ledger memory.Ledger
	brake  *stamp.Brake

	mu   sync.Mutex
	log  bytes.Buffer
	deaf bool // nobody can read the log
	// refuse says what is wrong with handing over, by the number of the call.
	refuse func(call int) error
	calls  int
	// bend changes what the log tells.
	bend func([]job.Handled) []job.Handled
}

// deploy lets one work until the test ends.
func deploy(ctx context.Context, p *process) *far {
	f := &far{
		queue: memory.NewQueue(memory.QueueOptions{Visibility: time.Minute, AllowRecursion: true, Now: time.Now}),
		brake: stamp.NewBrake(new(memory.State[stamp.BrakeState]), 0),
	}
	s := stamp.New(stamp.Config{
		Tenant: tenant, Directory: p, Domains: stamp.NewDomains(p), Groups: []string{group}, Ledger: &f.ledger,
		Queue: memory.Requests{Queue: f.queue}, Brake: f.brake, Policy: stamp.DefaultPolicy, Observer: nobody{}, Now: time.Now,
		Log: slog.New(slog.NewJSONHandler(f, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	poller := memory.Poller{Queue: f.queue, Workers: 2, Batch: 100, Window: time.Second, Timeout: time.Minute, Handle: func(ctx context.Context, _ int, bodies [][]byte) []error {
		return s.HandleMessages(ctx, bodies)
	}}
	go func() { _ = poller.Run(ctx) }()
	return f
}

type nobody struct{}

func (nobody) Observe(context.Context, stamp.Outcome) {}

// Write is the log's.
func (f *far) Write(line []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.log.Write(line)
}

func (f *far) Enqueue(ctx context.Context, requests []stamp.Request) error {
	if f.calls++; f.refuse != nil {
		if err := f.refuse(f.calls); err != nil {
			return err
		}
	}
	return memory.Requests{Queue: f.queue}.Enqueue(ctx, requests)
}

func (f *far) Handled(_ context.Context, since time.Time) (records []job.Handled, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.deaf {
		return nil, errors.New("no right")
	}
	for line := range bytes.Lines(f.log.Bytes()) {
		var r struct {
			Time time.Time
			Msg  string
			job.Handled
		}
		if err := json.Unmarshal(line, &r); err == nil && r.Msg == "user handled" && !r.Time.Before(since) {
			r.At = r.Time
			records = append(records, r.Handled)
		}
	}
	if f.bend != nil {
		records = f.bend(records)
	}
	return records, nil
}

func (f *far) Entries(ctx context.Context, users []string) (map[string]stamp.Entry, error) {
	return f.ledger.Entries(ctx, tenant, users)
}

func (f *far) Paused(ctx context.Context) (time.Time, error) {
	s, _, err := f.brake.State(ctx, tenant)
	return s.Paused, err
}

// handsOver plays a test with a deployment.
func handsOver(t *testing.T, test func(t *testing.T, w *world, p *process, f *far)) {
	t.Helper()
	inWorld(t, func(t *testing.T, w *world) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		f := deploy(ctx, &process{world: w})
		p := w.start(func(c *job.Config) { c.Deployment, c.ExcludedGroups = f, []string{group} })
		defer p.end()
		test(t, w, p, f)
	})
}

// TestHandedOver: whatever the log says or keeps back, everybody is signed out once, and the
// result is what Graph shows.
func TestHandedOver(t *testing.T) {
	t.Parallel()
	others := []job.Handled{
		{User: "nobody", Verdict: stamp.Done, Reason: stamp.ReasonCalled}, {Verdict: stamp.Done, Reason: stamp.ReasonReadBack}, {},
	}
	for name, c := range map[string]struct {
		bend func([]job.Handled) []job.Handled
		deaf bool
	}{
		"well":    {},
		"no log":  {deaf: true},
		"nothing": {bend: func([]job.Handled) []job.Handled { return nil }},
		"doubled, backwards, of others": {bend: func(r []job.Handled) []job.Handled {
			r = slices.Concat(others, r, r)
			slices.Reverse(r)
			return r
		}},
		"without the ends": {bend: func(r []job.Handled) []job.Handled {
			return slices.DeleteFunc(r, func(h job.Handled) bool { return h.Reason == stamp.ReasonReadBack })
		}},
		"late": {bend: func(r []job.Handled) []job.Handled {
			return slices.DeleteFunc(r, func(h job.Handled) bool { return time.Since(h.At) < 90*time.Second })
		}},
		"of other requests": {bend: func(r []job.Handled) []job.Handled {
			// Each is about our users, and true of an earlier matter or of the machine's own.
			calls := slices.DeleteFunc(slices.Clone(r), func(h job.Handled) bool { return h.Reason != stamp.ReasonCalled })
			for _, h := range calls {
				for reason, verdict := range map[stamp.Reason]stamp.Verdict{
					stamp.ReasonExisting: stamp.Done, stamp.ReasonStillEmpty: stamp.Done, stamp.ReasonKnownCannotFix: stamp.Done,
					stamp.ReasonGaveUp: stamp.Failed, stamp.ReasonBrake: stamp.Later, stamp.ReasonAborted: stamp.Failed,
				} {
					r = append(r, job.Handled{At: h.At.Add(-time.Second), User: h.User, Verdict: verdict, Reason: reason})
				}
			}
			return r
		}},
		"of the future": {bend: func(r []job.Handled) []job.Handled {
			return append(r, job.Handled{At: time.Now().AddDate(1, 0, 0), User: "nobody", Verdict: stamp.Done, Reason: stamp.ReasonCalled})
		}},
	} {
		for _, verb := range []job.Verb{job.Stamp, job.SignOut} {
			t.Run(name+" "+string(verb), func(t *testing.T) {
				t.Parallel()
				handsOver(t, func(t *testing.T, w *world, p *process, f *far) {
					f.bend, f.deaf = c.bend, c.deaf
					ids := w.addMany(450, nil)
					spared := w.addMany(3, func(p *person) { p.group = true })
					o := p.plan(job.Wanted{Verb: verb, All: true}).Order(0)
					began, last := time.Now(), job.Progress{}
					result, err := p.engine.Hand(t.Context(), o, job.RunOptions{Progress: func(g job.Progress) { last = g }})
					w.want(1, ids...)
					w.want(0, spared...)
					if took := time.Since(began); err != nil || took > 12*time.Minute {
						t.Fatalf("after %s: %v", took, err)
					}
					wantFate(t, result, job.Cured, len(ids))
					if want := (job.Progress{Done: 450, Total: 450, Ended: 450}); last.Done != want.Done || last.Ended != want.Ended || last.Total != want.Total {
						t.Errorf("progress ended with %+v", last)
					}
					if _, found, err := p.engine.Unfinished(t.Context()); found || err != nil {
						t.Errorf("the order is in the file: %v", err)
					}
					if records, err := p.engine.Records(t.Context()); err != nil || len(records) != 1 || records[0].People != 450 {
						t.Errorf("%+v, %v", records, err)
					}
				})
			})
		}
	}
}

// TestHandedOverInPart: an order that breaks off goes on, and signs nobody out twice; t is
// that of the order.
func TestHandedOverInPart(t *testing.T) {
	t.Parallel()
	for _, verb := range []job.Verb{job.Stamp, job.SignOut} {
		handsOver(t, func(t *testing.T, w *world, p *process, f *far) {
			ids := w.addMany(450, nil)
			o := p.plan(job.Wanted{Verb: verb, All: true}).Order(0)
			broken := errors.New("broken")
			f.refuse = func(call int) error { return map[bool]error{call == 2: broken}[true] }
			result, err := p.engine.Hand(t.Context(), o, job.RunOptions{})
			if !errors.Is(err, job.ErrNotHanded) || !errors.Is(err, broken) || result.Count(job.Open) != 450 {
				t.Fatalf("%d are open, %v", result.Count(job.Open), err)
			}
			time.Sleep(time.Hour) // until all is done that was handed over
			kept, found, err := p.engine.Unfinished(t.Context())
			if !found || err != nil || len(kept.Targets) != 450 {
				t.Fatalf("%d users are in the file, %v", len(kept.Targets), err)
			}
			result, err = p.engine.Hand(t.Context(), kept, job.RunOptions{})
			if w.want(1, ids...); err != nil || result.Count(job.Cured) != 450 {
				t.Errorf("%d are cured, %v", result.Count(job.Cured), err)
			}
		})
	}
}

// TestFollowingEnds: a pause and silence end the following, and a person does; the deployment
// goes on with the order.
func TestFollowingEnds(t *testing.T) {
	t.Parallel()
	handsOver(t, func(t *testing.T, w *world, p *process, f *far) {
		ids := w.addMany(400, nil)
		o := p.plan(job.Wanted{Verb: job.Stamp, All: true}).Order(0)
		time.AfterFunc(22*time.Second, func() { _ = f.brake.Pause(t.Context(), tenant, time.Now()) })
		result, err := p.engine.Hand(t.Context(), o, job.RunOptions{})
		if open := result.Count(job.Open); !errors.Is(err, job.ErrPaused) || open == 0 || open == 400 {
			t.Errorf("%d are open, %v", open, err)
		}
		_ = f.brake.Resume(t.Context(), tenant)
		time.Sleep(time.Hour)
		w.want(1, ids...)
	})
	handsOver(t, func(t *testing.T, w *world, p *process, f *far) {
		w.addMany(5, func(p *person) { p.protected = true })
		o := p.plan(job.Wanted{Verb: job.Stamp, All: true}).Order(0)
		f.deaf = true
		began := time.Now()
		if result, err := p.engine.Hand(t.Context(), o, job.RunOptions{}); !errors.Is(err, job.ErrSilent) || result.Count(job.Open) != 5 || time.Since(began) > time.Hour {
			t.Errorf("after %s: %+v, %v", time.Since(began), result, err)
		}
		f.deaf = false
		result, err := p.engine.Hand(t.Context(), o, job.RunOptions{})
		if wantFate(t, result, job.Failed, 5); err != nil || result.Users[0].Reason != stamp.ReasonForbidden {
			t.Errorf("%+v, %v", result, err)
		}
	})
	handsOver(t, func(t *testing.T, w *world, p *process, _ *far) {
		ids := w.addMany(400, nil)
		o := p.plan(job.Wanted{Verb: job.SignOut, All: true}).Order(0)
		ctx, stop := context.WithTimeout(t.Context(), 22*time.Second)
		defer stop()
		result, err := p.engine.Hand(ctx, o, job.RunOptions{})
		if result.Count(job.Called) == 0 || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, job.ErrNotHanded) {
			t.Errorf("%d were called, %v", result.Count(job.Called), err)
		}
		time.Sleep(3 * time.Minute)
		// Who gives the same order again within minutes signs nobody out twice.
		plan, err := p.engine.Plan(t.Context(), job.Wanted{Verb: job.SignOut, All: true})
		if err != nil {
			t.Fatal(err)
		}
		again := plan.Order(0)
		if result, err := p.engine.Hand(t.Context(), again, job.RunOptions{}); err != nil || result.Count(job.Cured)+result.Count(job.Spared) != len(again.Targets) {
			t.Errorf("%d are cured, %v", result.Count(job.Cured), err)
		}
		w.want(1, ids...)
	})
}
