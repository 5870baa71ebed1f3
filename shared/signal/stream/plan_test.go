package stream

import (
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

const ours = "https://api.example/idp/0123456789abcdef0123456789abcdef"

var start = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// kept is a stream that is in order.
func kept() *run {
	events := []string{credentialChange, accountDisabled}
	return &run{
		stream: signal.Stream{Given: "g"}, given: "g", retired: []string{"old"},
		want:  wanted{Events: events, Delivery: delivery{Endpoint: ours}},
		found: &configuration{Supported: events, Requested: events, Delivery: delivery{Endpoint: ours}},
	}
}

func TestDiffers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(r *run)
		want   bool
	}{
		"in order":                     {func(*run) {}, false},
		"delivers elsewhere":           {func(r *run) { r.found.Delivery.Endpoint = "https://old.example/" }, true},
		"address not told":             {func(r *run) { r.found.Delivery.Endpoint = "" }, false},
		"another secret":               {func(r *run) { r.given = "h" }, true},
		"an event was taken away":      {func(r *run) { r.found.Requested = r.want.Events[:1] }, true},
		"it is delivered all the same": {func(r *run) { r.found.Requested, r.found.Delivered = nil, r.want.Events }, false},
		"events not told":              {func(r *run) { r.found.Requested = nil }, false},
		"an event is not supported":    {func(r *run) { r.found.Supported, r.found.Requested = r.want.Events[:1], r.want.Events[:1] }, false},
		"an earlier secret is sent":    {func(r *run) { r.found.Delivery.Authorization = "old" }, true},
		"the secret is masked":         {func(r *run) { r.found.Delivery.Authorization = "***" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := kept()
			tt.change(r)
			if got := r.differs(); got != tt.want {
				t.Errorf("differs: %t", got)
			}
		})
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		found configuration
		after time.Duration
		want  bool
	}{
		"never verified":                 {configuration{}, start.Sub(time.Time{}), true},
		"three quarters of an hour":      {configuration{}, 45 * time.Minute, false},
		"the fourth run, a little early": {configuration{}, time.Hour - 20*time.Second, true},
		"asked in the future":            {configuration{}, -time.Minute, true},
		"inactivity after half an hour":  {configuration{MaxInactivity: 1800}, 15 * time.Minute, true},
		"not before the least interval":  {configuration{MinInterval: 7200}, time.Hour, false},
		"after the least interval":       {configuration{MinInterval: 7200}, 2 * time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.found.due(start, start.Add(tt.after)); got != tt.want {
				t.Errorf("due: %t", got)
			}
		})
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		addresses []string
		want      string
	}{
		"ours":             {[]string{"https://other.example/", ours}, ours},
		"another source's": {[]string{"https://api.example/idp/other", ""}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var streams []configuration
			for _, address := range tt.addresses {
				streams = append(streams, configuration{Delivery: delivery{Endpoint: address}})
			}
			got := choose(streams, ours)
			if tt.want == "" && got != nil || tt.want != "" && (got == nil || got.Delivery.Endpoint != tt.want) {
				t.Errorf("chose %+v", got)
			}
		})
	}
}

// Each problem has a sentence; without a status and a cause it ends with what to do.
func TestRemedies(t *testing.T) {
	t.Parallel()
	for _, p := range []Problem{
		NoAnswer, NotSecure, NoMetadata, OtherIssuer, NoPush, NoCredential, NoToken, NotAllowed,
		Unavailable, NotAccepted, Unreadable, Occupied, NotDelivered, NotEnabled,
	} {
		if remedies[p] == "" || (&Error{Problem: p, Doing: "x"}).Error() != "x: "+remedies[p] {
			t.Errorf("nothing is said of %s", p)
		}
	}
}
