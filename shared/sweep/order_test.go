package sweep_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

// scheduled is an event as EventBridge sends it.
const scheduled = `{"version":"0","id":"53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa","detail-type":"Scheduled Event",
	"source":"aws.scheduler","account":"123456789012","time":"2026-11-03T09:00:00Z","region":"eu-central-1",
	"resources":["arn:aws:scheduler:eu-central-1:123456789012:schedule/default/sweep"],"detail":"{}"}`

func TestDecodeOrder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, event string
		want        sweep.Order
		refused     string
	}{
		{"an empty object", `{}`, sweep.Order{}, ""},
		{"an event of the scheduler", scheduled, sweep.Order{}, ""},
		{"a dry run", `{"dryRun":true}`, sweep.Order{DryRun: true}, ""},
		{"a full round", ` { "full" : true } `, sweep.Order{Full: true}, ""},
		{"a release", `{"release":true,"full":false}`, sweep.Order{Release: true}, ""},
		{"nothing after all", `{"dryRun":false}`, sweep.Order{}, ""},
		{"two orders", `{"dryRun":true,"release":true}`, sweep.Order{}, "at once"},
		{"a dry run taken back", `{"dryRun":true,"dryRun":false}`, sweep.Order{}, "there twice"},
		{"the same twice, in escapes", `{"dryRun":true,"\u0064ryRun":false}`, sweep.Order{}, "there twice"},
		{"a word that is not known", `{"relaese":true}`, sweep.Order{}, "unknown field"},
		{"a word of an older release", `{"lift":true}`, sweep.Order{}, "unknown field"},
		{"a word in other letters", `{"dryrun":true}`, sweep.Order{}, "unknown field"},
		{"an event with an order", strings.Replace(scheduled, "{", `{"dry_run":true,`, 1), sweep.Order{}, "unknown field"},
		{"half an event", `{"version":"0"}`, sweep.Order{}, "unknown field"},
		{"a text", `{"dryRun":"true"}`, sweep.Order{}, "dryRun is neither true nor false"},
		{"null", `{"release":null}`, sweep.Order{}, "release is neither true nor false"},
		{"two objects", `{"dryRun":true}{}`, sweep.Order{}, "something follows"},
		{"half an object", `{"dryRun":true`, sweep.Order{}, "want a JSON object"},
		{"half a field", `{"dryRun"`, sweep.Order{}, "want a JSON object"},
		{"a field without a name", `{1:true}`, sweep.Order{}, "want a JSON object"},
		{"no object", `null`, sweep.Order{}, "want a JSON object"},
		{"a list", `[]`, sweep.Order{}, "want a JSON object"},
		{"nothing", ``, sweep.Order{}, "want a JSON object"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := sweep.DecodeOrder([]byte(tt.event))
			if tt.refused == "" {
				if err != nil || got != tt.want {
					t.Errorf("DecodeOrder = %+v, %v; want %+v", got, err, tt.want)
				}
				return
			}
			if err == nil {
				t.Fatalf("DecodeOrder = %+v, want it refused", got)
			}
			for _, part := range []string{tt.refused, `"dryRun"`, `"full"`, `"release"`} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error %q does not tell of %s", err, part)
				}
			}
			if strings.Contains(err.Error(), "relaese") {
				t.Errorf("the error %q quotes what came", err)
			}
		})
	}
}

func FuzzDecodeOrder(f *testing.F) {
	f.Add([]byte(`{"dryRun":true}`))
	f.Add([]byte(`{"dryRun":true,"dryRun":false}`))
	f.Add([]byte(scheduled))
	f.Fuzz(func(t *testing.T, event []byte) {
		o, err := sweep.DecodeOrder(event)
		if err != nil {
			return
		}
		again, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := sweep.DecodeOrder(again); err != nil || back != o {
			t.Errorf("%+v comes back as %+v, %v", o, back, err)
		}
	})
}

func TestRelease(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, w *world) {
		time.Sleep(time.Hour)
		r := w.order(sweep.Order{Release: true})
		if r.Kind != sweep.KindRelease || !w.brake.released.Equal(time.Now()) || len(w.seen) != 0 {
			t.Errorf("a release: %+v at %s, observed %v", r, w.brake.released, w.seen)
		}
		w.expectCalls(map[string]int{"Release": 1})
		w.steps.hook = func(step) error { return errGraph }
		if r, err := w.try(t.Context(), sweep.Order{Release: true}); !errors.Is(err, errGraph) || r.Finished {
			t.Errorf("a release that fails: %+v, %v", r, err)
		}
		if r, err := w.try(t.Context(), sweep.Order{Full: true}); !errors.Is(err, errGraph) || r.Finished {
			t.Errorf("a wish that fails: %+v, %v", r, err)
		}
		if _, err := w.try(t.Context(), sweep.Order{Full: true, Release: true}); err == nil {
			t.Error("two orders at once were carried out")
		}
	})
}
