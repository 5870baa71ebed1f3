package stream

import (
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

const (
	issuer = "https://idp.example"
	ours   = "https://api.example/idp/0123456789abcdef0123456789abcdef"
)

var start = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// kept is the view of a stream that is in order and was verified at start.
func kept() *view {
	events := []string{credentialChange, accountDisabled}
	return &view{
		stream: signal.Stream{
			Issuer: issuer, ID: "1", Given: "g", Status: enabled, Asked: start,
			StatusEndpoint: issuer + "/status", VerificationEndpoint: issuer + "/verify",
		},
		stored: "1", retired: []string{"old"}, endpoint: ours, given: "g", events: events,
		found: &configuration{
			ID: "1", Issuer: issuer, Audiences: oneOrAll{"us"}, Supported: events, Requested: events, Delivery: delivery{Endpoint: ours},
		},
		did: map[step]bool{look: true, ask: true},
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change  func(v *view)
		after   time.Duration
		want    step
		problem Problem
	}{
		"in order":                        {func(*view) {}, time.Minute, done, ""},
		"not looked at yet":               {func(v *view) { v.did, v.found = nil, nil }, 0, look, ""},
		"none there":                      {func(v *view) { v.found = nil }, 0, create, ""},
		"somebody else's is the only one": {func(v *view) { v.found, v.conflict = nil, true }, 0, blocked, Occupied},
		"another issuer's":                {func(v *view) { v.found.Issuer = "https://evil.example" }, 0, blocked, OtherIssuer},
		"its issuer is not told":          {func(v *view) { v.found.Issuer = "" }, 0, done, ""},
		"no audience":                     {func(v *view) { v.found.Audiences = nil }, 0, blocked, Unreadable},
		"an empty audience":               {func(v *view) { v.found.Audiences = oneOrAll{"us", ""} }, 0, blocked, Unreadable},
		"no id":                           {func(v *view) { v.found.ID = "" }, 0, blocked, Unreadable},
		"delivers elsewhere":              {func(v *view) { v.found.Delivery.Endpoint = "https://old.example/" }, 0, update, ""},
		"address not told":                {func(v *view) { v.found.Delivery.Endpoint = "" }, 0, done, ""},
		"another secret":                  {func(v *view) { v.given = "h" }, 0, update, ""},
		"an event was taken away":         {func(v *view) { v.found.Requested = v.events[:1] }, 0, update, ""},
		"it is delivered all the same":    {func(v *view) { v.found.Requested, v.found.Delivered = nil, v.events }, 0, done, ""},
		"events not told":                 {func(v *view) { v.found.Requested = nil }, 0, done, ""},
		"an event is not supported":       {func(v *view) { v.found.Supported, v.found.Requested = v.events[:1], v.events[:1] }, 0, done, ""},
		"the update did not help":         {func(v *view) { v.found.Delivery.Endpoint, v.did[update] = "https://old.example/", true }, 0, blocked, NotAccepted},
		"an earlier secret is sent":       {func(v *view) { v.found.Delivery.Authorization = "old" }, 0, update, ""},
		"and still is":                    {func(v *view) { v.found.Delivery.Authorization, v.did[update] = "old", true }, 0, renew, ""},
		"by a new stream too":             {func(v *view) { v.found.Delivery.Authorization, v.did[update], v.did[renew] = "old", true, true }, 0, blocked, NotAccepted},
		"the secret is masked":            {func(v *view) { v.found.Delivery.Authorization = "***" }, 0, done, ""},
		"status not asked":                {func(v *view) { delete(v.did, ask) }, 0, ask, ""},
		"no status can be asked":          {func(v *view) { delete(v.did, ask); v.stream.StatusEndpoint = "" }, 0, done, ""},
		"status not told":                 {func(v *view) { v.stream.Status = "" }, 0, done, ""},
		"paused":                          {func(v *view) { v.stream.Status = paused }, 0, resume, ""},
		"stays paused":                    {func(v *view) { v.stream.Status, v.did[resume] = paused, true }, 0, blocked, NotEnabled},
		"paused and can't be resumed":     {func(v *view) { v.stream.Status, v.stream.StatusEndpoint = paused, "" }, 0, blocked, NotEnabled},
		"disabled":                        {func(v *view) { v.stream.Status = disabled }, 2 * time.Hour, blocked, NotEnabled},
		"never verified":                  {func(v *view) { v.stream.Asked = time.Time{} }, 0, verify, ""},
		"new, not stored yet":             {func(v *view) { v.stream.Asked, v.stored = time.Time{}, "" }, 0, done, ""},
		"verified in this run":            {func(v *view) { v.did[verify] = true }, 2 * time.Hour, done, ""},
		"can't be verified":               {func(v *view) { v.stream.VerificationEndpoint = "" }, 2 * time.Hour, done, ""},
		"three quarters of an hour":       {func(*view) {}, 45 * time.Minute, done, ""},
		"the fourth run, a little early":  {func(*view) {}, time.Hour - 20*time.Second, verify, ""},
		"asked in the future":             {func(*view) {}, -time.Minute, verify, ""},
		"inactivity after half an hour":   {func(v *view) { v.found.MaxInactivity = 1800 }, 15 * time.Minute, verify, ""},
		"not before the least interval":   {func(v *view) { v.found.MinInterval = 7200 }, time.Hour, done, ""},
		"after the least interval":        {func(v *view) { v.found.MinInterval = 7200 }, 2 * time.Hour, verify, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := kept()
			tt.change(v)
			if got, problem := v.next(start.Add(tt.after)); got != tt.want || problem != tt.problem {
				t.Errorf("%s %s, want %s %s", got, problem, tt.want, tt.problem)
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
		"ours before an older one": {[]string{"https://api.example/idp/old", ours}, ours},
		"an older one of ours":     {[]string{"https://other.example/", "https://api.example/idp/old"}, "https://api.example/idp/old"},
		"somebody else's":          {[]string{"https://other.example/", "https://api.example.evil.example/idp/", ""}, ""},
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
		NoAnswer, NotSecure, NoMetadata, OtherIssuer, OtherVersion, NoPush, NoCredential, NoToken, NotAllowed, TooMany,
		Unavailable, NotAccepted, Unreadable, Occupied, NotDelivered, NotEnabled,
	} {
		if remedies[p] == "" || (&Error{Problem: p, Doing: "x"}).Error() != "x: "+remedies[p] {
			t.Errorf("nothing is said of %s", p)
		}
	}
}
