package notification_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/goldentest"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/notification"
)

const (
	subscription = "7f105c7d-2dc5-4530-97cd-4e7ae6534c07"
	tenant       = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
	user         = "0b7e5a0c-6f0e-4a1b-9c55-1d7f7f1f0a01"
)

// golden is a Collection as its golden file shows it: with the clientState, which
// the type itself refuses to write.
type golden struct {
	Changes    []goldenChange    `json:"changes,omitempty"`
	Lifecycles []goldenLifecycle `json:"lifecycles,omitempty"`
	Bad        []string          `json:"bad,omitempty"`
}

type goldenChange struct {
	notification.Change
	ClientState string
}

type goldenLifecycle struct {
	notification.Lifecycle
	ClientState string
}

// show returns a Collection as the text of its golden file.
func show(t *testing.T, c notification.Collection) string {
	t.Helper()
	var g golden
	for _, change := range c.Changes {
		g.Changes = append(g.Changes, goldenChange{change, change.ClientState.Reveal()})
	}
	for _, lifecycle := range c.Lifecycles {
		g.Lifecycles = append(g.Lifecycles, goldenLifecycle{lifecycle, lifecycle.ClientState.Reveal()})
	}
	for _, bad := range c.Bad {
		g.Bad = append(g.Bad, leaktest.Seen(t, bad).Error())
	}
	text, err := json.MarshalIndent(g, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

func TestDecodeFixtures(t *testing.T) {
	t.Parallel()
	fixtures, err := filepath.Glob("testdata/*.json")
	if err != nil || len(fixtures) == 0 {
		t.Fatalf("fixtures: %v, %v", fixtures, err)
	}
	for _, fixture := range fixtures {
		t.Run(filepath.Base(fixture), func(t *testing.T) {
			t.Parallel()
			body, err := os.Open(fixture)
			if err != nil {
				t.Fatal(err)
			}
			defer body.Close()
			got, err := notification.Decode(body)
			if err != nil {
				t.Fatalf("Decode: %v", err)
			}
			goldentest.Compare(t, strings.TrimSuffix(fixture, ".json")+".golden", show(t, got))
		})
	}
}

// change returns a change notification in JSON with some fields replaced, or left
// out where the replacement is nil.
func change(replace map[string]any) string {
	item := map[string]any{
		"changeType":     "updated",
		"clientState":    "s3cr3t",
		"resource":       "Users/" + user,
		"resourceData":   map[string]any{"id": user},
		"subscriptionId": subscription,
		"tenantId":       tenant,
	}
	for field, value := range replace {
		if value == nil {
			delete(item, field)
			continue
		}
		item[field] = value
	}
	text, err := json.Marshal(item)
	if err != nil {
		panic(err) // the tables of this file hold nothing that JSON can't
	}
	return string(text)
}

func decodeOne(t *testing.T, item string) notification.Collection {
	t.Helper()
	c, err := notification.Decode(strings.NewReader(`{"value":[` + item + `]}`))
	if err != nil {
		t.Fatalf("Decode: %v", err)
	}
	return c
}

func TestDecodeChange(t *testing.T) {
	t.Parallel()
	plain := notification.Change{
		SubscriptionID: subscription,
		ClientState:    notification.NewClientState("s3cr3t"),
		ChangeType:     notification.Updated,
		Resource:       "Users/" + user,
		TenantID:       tenant,
		UserID:         user,
	}
	with := func(f func(*notification.Change)) notification.Change {
		c := plain
		f(&c)
		return c
	}
	data := func(field string, value any) map[string]any {
		return map[string]any{"resourceData": map[string]any{"id": user, field: value}}
	}
	eventTime := time.Date(2026, 5, 24, 22, 24, 31, 306290100, time.UTC)
	timed := with(func(c *notification.Change) { c.EventTime = eventTime })
	for name, test := range map[string]struct {
		replace map[string]any
		want    notification.Change
	}{
		"plain":                       {nil, plain},
		"capitals in ids":             {map[string]any{"tenantId": strings.ToUpper(tenant), "resourceData": map[string]any{"id": strings.ToUpper(user)}}, plain},
		"capital change type":         {map[string]any{"changeType": "Updated"}, plain},
		"deleted":                     {map[string]any{"changeType": "deleted"}, with(func(c *notification.Change) { c.ChangeType = notification.Deleted })},
		"no subscription":             {map[string]any{"subscriptionId": nil}, with(func(c *notification.Change) { c.SubscriptionID = "" })},
		"no client state":             {map[string]any{"clientState": nil}, with(func(c *notification.Change) { c.ClientState = notification.ClientState{} })},
		"longest client state":        {map[string]any{"clientState": strings.Repeat("é", 255)}, with(func(c *notification.Change) { c.ClientState = notification.NewClientState(strings.Repeat("é", 255)) })},
		"lifecycle event empty":       {map[string]any{"lifecycleEvent": ""}, plain},
		"organizationId":              {map[string]any{"tenantId": nil, "organizationId": tenant}, plain},
		"organizationId inside":       {map[string]any{"tenantId": nil, "resourceData": map[string]any{"id": user, "organizationId": tenant}}, plain},
		"no resource data":            {map[string]any{"resourceData": nil}, plain},
		"null resource data":          {map[string]any{"resourceData": json.RawMessage("null")}, plain},
		"empty resource":              {map[string]any{"resource": ""}, with(func(c *notification.Change) { c.Resource = "" })},
		"resource without id":         {map[string]any{"resource": "users"}, with(func(c *notification.Change) { c.Resource = "users" })},
		"resource with slash":         {map[string]any{"resource": "/users/" + user}, with(func(c *notification.Change) { c.Resource = "/users/" + user })},
		"other resource":              {map[string]any{"resource": "groups/" + user}, with(func(c *notification.Change) { c.Resource, c.UserID = "groups/"+user, "" })},
		"sequence number":             {data("sequenceNumber", json.RawMessage("636784480202455801")), with(func(c *notification.Change) { c.Sequence = 636784480202455801 })},
		"sequence string":             {data("sequenceNumber", "18446744073709551615"), with(func(c *notification.Change) { c.Sequence = 1<<64 - 1 })},
		"sequence too large":          {data("sequenceNumber", "18446744073709551616"), plain},
		"sequence fraction":           {data("sequenceNumber", 1.5), plain},
		"sequence negative":           {data("sequenceNumber", -1), plain},
		"sequence object":             {data("sequenceNumber", map[string]any{"a": 1}), plain},
		"sequence null":               {data("sequenceNumber", json.RawMessage("null")), plain},
		"time with Z":                 {data("eventTime", "2026-05-24T22:24:31.3062901Z"), timed},
		"time with zero offset":       {data("eventTime", "2026-05-24T22:24:31.3062901+00:00"), timed},
		"time with offset":            {data("eventTime", "2026-05-25T07:24:31.3062901+09:00"), timed},
		"time unreadable":             {data("eventTime", "yesterday"), plain},
		"time a number":               {data("eventTime", 12), plain},
		"time beyond the year 9999":   {data("eventTime", "9999-12-31T23:59:59-01:00"), plain},
		"time before the year 1":      {data("eventTime", "0000-12-31T23:59:59Z"), plain},
		"expiry":                      {map[string]any{"subscriptionExpirationDateTime": "2026-05-24T22:24:31.3062901Z"}, with(func(c *notification.Change) { c.Expires = eventTime })},
		"unknown fields are no fault": {map[string]any{"encryptedContent": map[string]any{"data": []int{1}}}, plain},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := decodeOne(t, change(test.replace))
			want := notification.Collection{Changes: []notification.Change{test.want}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeLifecycle(t *testing.T) {
	t.Parallel()
	plain := notification.Lifecycle{
		SubscriptionID: subscription,
		ClientState:    notification.NewClientState("s3cr3t"),
		TenantID:       tenant,
		Event:          notification.ReauthorizationRequired,
	}
	for name, test := range map[string]struct {
		replace map[string]any
		known   bool
	}{
		"documented":        {map[string]any{"lifecycleEvent": "reauthorizationRequired"}, true},
		"observed":          {map[string]any{"lifecycleEvent": "reauthorizationRequired", "resource": "", "tenantId": nil, "organizationId": tenant}, true},
		"an event to come":  {map[string]any{"lifecycleEvent": "somethingNew"}, false},
		"other resource":    {map[string]any{"lifecycleEvent": "missed", "resource": "me/messages"}, true},
		"a time of receipt": {map[string]any{"lifecycleEvent": "missed", "received": "2001-01-01T00:00:00Z", "Received": "2001-01-01T00:00:00Z"}, true},
		"subscription gone": {map[string]any{"lifecycleEvent": "subscriptionRemoved"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := decodeOne(t, change(test.replace))
			want := plain
			want.Event = notification.Event(test.replace["lifecycleEvent"].(string))
			if diff := cmp.Diff(notification.Collection{Lifecycles: []notification.Lifecycle{want}}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if want.Event.Known() != test.known {
				t.Errorf("Known() = %t, want %t", want.Event.Known(), test.known)
			}
		})
	}
}

func TestDecodeBadItem(t *testing.T) {
	t.Parallel()
	other := "11111111-1111-4111-8111-111111111111"
	for name, test := range map[string]struct{ item, want string }{
		"null":                  {"null", "tenantId: missing"},
		"number":                {"5", "wrong JSON type"},
		"string":                {`"x"`, "wrong JSON type"},
		"array":                 {"[]", "wrong JSON type"},
		"empty object":          {"{}", "tenantId: missing"},
		"number for a string":   {change(map[string]any{"resource": 5}), "resource: wrong JSON type"},
		"resource data string":  {change(map[string]any{"resourceData": "x"}), "resourceData: wrong JSON type"},
		"id a number":           {change(map[string]any{"resourceData": map[string]any{"id": 5}}), "resourceData.id: wrong JSON type"},
		"no tenant":             {change(map[string]any{"tenantId": nil}), "tenantId: missing"},
		"tenant no GUID":        {change(map[string]any{"tenantId": "contoso.com"}), "tenantId: not a GUID"},
		"tenants disagree":      {change(map[string]any{"organizationId": other}), "tenantId: two ids that disagree"},
		"subscription no GUID":  {change(map[string]any{"subscriptionId": "x"}), "subscriptionId: not a GUID"},
		"no change type":        {change(map[string]any{"changeType": nil}), "changeType: missing"},
		"change type too long":  {change(map[string]any{"changeType": strings.Repeat("x", 65)}), "changeType: too long"},
		"event too long":        {change(map[string]any{"lifecycleEvent": strings.Repeat("x", 65)}), "lifecycleEvent: too long"},
		"state too long":        {change(map[string]any{"clientState": strings.Repeat("é", 256)}), "clientState: too long"},
		"resource too long":     {change(map[string]any{"resource": strings.Repeat("x", 1025)}), "resource: too long"},
		"no user":               {change(map[string]any{"resource": "Users", "resourceData": nil}), "resourceData.id: missing"},
		"no user at all":        {change(map[string]any{"resource": nil, "resourceData": nil}), "resourceData.id: missing"},
		"user by name":          {change(map[string]any{"resource": "Users/a@contoso.com"}), "resourceData.id: not a GUID"},
		"users disagree":        {change(map[string]any{"resource": "Users/" + other}), "resourceData.id: two ids that disagree"},
		"part of a user":        {change(map[string]any{"resource": "Users/" + user + "/manager"}), "resourceData.id: not a GUID"},
		"lifecycle of nothing":  {change(map[string]any{"lifecycleEvent": "missed", "subscriptionId": nil}), "subscriptionId: missing"},
		"lifecycle of nobody":   {change(map[string]any{"lifecycleEvent": "missed", "tenantId": nil}), "tenantId: missing"},
		"lifecycle event false": {change(map[string]any{"lifecycleEvent": false}), "lifecycleEvent: wrong JSON type"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good := change(nil)
			got := decodeOne(t, good+","+test.item+","+good)
			if len(got.Changes) != 2 || len(got.Bad) != 1 || got.Len() != 3 {
				t.Fatalf("%d good and %d bad of %d, want 2 and 1 of 3", len(got.Changes), len(got.Bad), got.Len())
			}
			if diff := cmp.Diff("item 1: "+test.want, leaktest.Seen(t, got.Bad[0]).Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeEnvelope(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	for name, test := range map[string]struct {
		body io.Reader
		want error // nil if the body holds a collection
	}{
		"no items":             {strings.NewReader(`{"value":[]}`), nil},
		"tokens first":         {strings.NewReader(`{"validationTokens":["a"],"value":[]}`), nil},
		"tokens last":          {strings.NewReader(`{"value":[],"validationTokens":["a"]}`), nil},
		"white space":          {strings.NewReader(" {\n\"value\" :[ ] }\r\n"), nil},
		"longest body":         {strings.NewReader(`{"value":[]}` + strings.Repeat(" ", notification.MaxBytes-12)), nil},
		"most items":           {zeros(notification.MaxItems), nil},
		"one byte too many":    {strings.NewReader(`{"value":[]}` + strings.Repeat(" ", notification.MaxBytes-11)), notification.ErrTooLarge},
		"one item too many":    {zeros(notification.MaxItems + 1), notification.ErrTooLarge},
		"empty":                {strings.NewReader(""), notification.ErrMalformed},
		"no JSON":              {strings.NewReader("<xml/>"), notification.ErrMalformed},
		"array":                {strings.NewReader("[]"), notification.ErrMalformed},
		"no value":             {strings.NewReader("{}"), notification.ErrMalformed},
		"two values":           {strings.NewReader(`{"value":[],"value":[]}`), notification.ErrMalformed},
		"value null":           {strings.NewReader(`{"value":null}`), notification.ErrMalformed},
		"value an object":      {strings.NewReader(`{"value":{}}`), notification.ErrMalformed},
		"something behind":     {strings.NewReader(`{"value":[]}x`), notification.ErrMalformed},
		"ends in the envelope": {strings.NewReader(`{"value":[]`), notification.ErrMalformed},
		"ends in an item":      {strings.NewReader(`{"value":[{"a":`), notification.ErrMalformed},
		"ends in a token":      {strings.NewReader(`{"value":[],"validationTokens":["a`), notification.ErrMalformed},
		"ends in a name":       {strings.NewReader(`{"val`), notification.ErrMalformed},
		"too deep":             {strings.NewReader(`{"value":[` + strings.Repeat("[", 20000)), notification.ErrMalformed},
		"broke off":            {io.MultiReader(strings.NewReader(`{"value":[`), iotest.ErrReader(io.ErrUnexpectedEOF)), io.ErrUnexpectedEOF},
		"broke off otherwise":  {io.MultiReader(strings.NewReader(`{"value":[]}`), iotest.ErrReader(broken)), broken},
		"broke off, by name":   {iotest.ErrReader(broken), notification.ErrBrokenOff},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := notification.Decode(test.body)
			if !errors.Is(leaktest.Seen(t, err), test.want) {
				t.Errorf("Decode: %v, want %v", err, test.want)
			}
			if errors.Is(leaktest.Seen(t, err), notification.ErrMalformed) && errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%v looks like a body that broke off", err)
			}
		})
	}
}

// zeros returns a collection of n elements, none of which is a notification.
func zeros(n int) io.Reader {
	return strings.NewReader(`{"value":[` + strings.Repeat("0,", n-1) + `0]}`)
}
