package msgraphtest

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestQuotaHoldsForManyCallersAtOnce(t *testing.T) {
	t.Parallel()
	const quota, callers, calls = 40, 8, 10
	w := newWorld(t, Options{Limits: limited(func(l *Limits) { l.Writes = Quota{Count: quota, Per: time.Hour} })})
	req := w.request("POST", revokePath, "")
	w.Inject(Fault{Match: func(r Request) bool { return r.Part }}) // never hit, but asked
	var accepted atomic.Int32
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range calls {
				resp, err := w.RoundTrip(req.Clone(t.Context()))
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					accepted.Add(1)
				}
			}
		})
	}
	wg.Wait()
	want := Counts{HTTP: callers * calls, Throttled: callers*calls - quota, Writes: quota}
	got := w.Counts()
	if got.HTTP != want.HTTP || got.Throttled != want.Throttled || got.Writes != want.Writes || accepted.Load() != quota {
		t.Errorf("counted %+v with %d accepted, want %+v", got, accepted.Load(), want)
	}
}
