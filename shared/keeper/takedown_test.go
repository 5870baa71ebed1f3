package keeper_test

import (
	"errors"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/keeper"
)

// TakeDown removes everything and rests until SetUp, also where it is ordered twice.
func TestTakeDown(t *testing.T) {
	for name, arrange := range map[string]func(w *world){
		"nothing":    func(*world) {},
		"healthy":    func(w *world) { w.setUp() },
		"not listed": func(w *world) { w.listLag = time.Hour; w.setUp() },
		"unknown":    func(w *world) { w.setUp(); w.item.Doc = keeper.Record{} },
		"twice":      func(w *world) { w.setUp(); _ = w.keeper().TakeDown(w.t.Context()) },
		"another run wrote first": func(w *world) {
			w.setUp()
			w.before = func(call string) error {
				if call == "save" {
					w.item.Version++
					w.before = nil
				}
				return nil
			}
		},
		"another run is at work": func(w *world) {
			w.slow = 40 * time.Second
			w.others.Go(func() { _, _ = w.keeper().Keep(w.t.Context()) })
			time.Sleep(time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(t *testing.T, w *world) {
				arrange(w)
				if err := w.keeper().TakeDown(t.Context()); err != nil {
					t.Errorf("TakeDown: %v", err)
				}
				w.others.Wait()
				time.Sleep(time.Minute)
				if n := len(w.live()); n != 0 {
					t.Errorf("%d subscriptions are left", n)
				}
				if r := w.keep(); r.Known || len(w.live()) != 0 {
					t.Errorf("not at rest: %+v", r)
				}
				w.listLag = 0
				w.setUp()
				w.healthy()
			})
		})
	}
}

func TestTakeDownErrors(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		call string
		want keeper.Cause
	}{
		"the tenant is gone": {refusal(directory.Token, 400, "AADSTS90002", ""), "delete", ""},
		"the app is gone":    {refusal(directory.Token, 400, "AADSTS700016", ""), "delete", ""},
		"Graph is down":      {refusal("deleteSubscription", 503, "", ""), "delete", keeper.CauseUnwell},
		"the table is":       {errStruck, "save", keeper.CauseStore},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(t *testing.T, w *world) {
				w.setUp()
				w.before = func(call string) error {
					if call == test.call {
						return test.err
					}
					return nil
				}
				err := w.keeper().TakeDown(t.Context())
				advice, _ := errors.AsType[*keeper.Advice](err)
				if (err == nil) != (test.want == "") || err != nil && advice.Cause != test.want {
					t.Errorf("TakeDown: %v", err)
				}
				if test.want == keeper.CauseUnwell {
					w.before = nil
					if r := w.keep(); r.Known || !w.item.Doc.TakenDown {
						t.Errorf("the order was not written: %+v", r)
					}
				}
			})
		})
	}
}
