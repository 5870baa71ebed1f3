package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/functions/internal/signin"
	"github.com/sessionstamp/sessionstamp/shared/aws/metrics"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/sweep"
)

type stub struct {
	orders []sweep.Order
	err    error
}

func (s *stub) Run(_ context.Context, o sweep.Order) (sweep.Report, error) {
	s.orders = append(s.orders, o)
	return sweep.Report{}, s.err
}

// The error of a run is the function's, with advice where the app can't sign in. A wrong
// order runs nothing.
func TestServe(t *testing.T) {
	t.Parallel()
	refused := &directory.Error{Operation: directory.Token, StatusCode: 401, Code: "AADSTS7000215", NotDone: true}
	for name, tt := range map[string]struct {
		event string
		err   error
		order sweep.Order
		says  string
		rings bool
	}{
		"schedule":        {`{}`, nil, sweep.OrderUsual, "", false},
		"preview":         {`{"preview":true}`, nil, sweep.OrderPreview, "", false},
		"wrong order":     {`{"dryrun":true}`, nil, "", "order of a sweep", false},
		"twice":           {`{"preview":true,"preview":false}`, nil, "", "order of a sweep", false},
		"Graph fails":     {`{}`, errors.New("no answer"), sweep.OrderUsual, "no answer", false},
		"sign-in refused": {`{}`, refused, sweep.OrderUsual, "client secret", true},
		"Entra is unwell": {`{}`, &directory.Error{Operation: directory.Token, StatusCode: 503}, sweep.OrderUsual, "failed", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			recorder, err := metrics.New(metrics.Config{Namespace: "n", Stack: "s", Out: &out, Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			s := &stub{err: tt.err}
			f := &function{s.Run, signin.Reporter{Metrics: recorder, Log: slog.New(slog.DiscardHandler)}}
			_, err = f.serve(t.Context(), json.RawMessage(tt.event))
			if (err != nil) != (tt.says != "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
			if (tt.order == "") != (len(s.orders) == 0) || tt.order != "" && s.orders[0] != tt.order {
				t.Errorf("orders %+v", s.orders)
			}
			if got := strings.Contains(out.String(), "sign_in_refused"); got != tt.rings {
				t.Errorf("rings: %t\n%s", got, out.String())
			}
		})
	}
}
