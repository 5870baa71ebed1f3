package revocation_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/revocation"
)

// The queue may hold requests of an older release for days: their form is pinned.
func TestRequestJSON(t *testing.T) {
	t.Parallel()
	seen := time.Date(2026, time.November, 3, 9, 30, 15, 123_456_789, time.UTC)
	tests := []struct {
		golden  string
		request revocation.Request
	}{
		{"request.json", revocation.Request{
			Tenant: tenant, User: userID(1), Source: revocation.SourceNotification, Seen: seen,
		}},
		{"request-put-back.json", revocation.Request{
			Tenant: tenant, User: userID(1), Source: revocation.SourceOperator, Seen: seen.Truncate(time.Second),
			ReadBack: true, Attempt: 4,
		}},
		{"request-sweep.json", revocation.Request{
			Tenant: tenant, User: userID(1), Source: revocation.SourceSweep, Seen: seen.Truncate(time.Second),
			Missed: true, Backfill: true,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.golden, func(t *testing.T) {
			t.Parallel()
			golden, err := os.ReadFile(filepath.Join("testdata", tt.golden))
			if err != nil {
				t.Fatal(err)
			}
			golden = bytes.TrimSpace(golden)
			encoded, err := json.Marshal(tt.request)
			if err != nil {
				t.Fatalf("Marshal: %v", err)
			}
			if diff := cmp.Diff(string(golden), string(encoded)); diff != "" {
				t.Errorf("JSON (-golden +got):\n%s", diff)
			}
			decoded, err := revocation.DecodeRequest(golden)
			if err != nil {
				t.Fatalf("DecodeRequest: %v", err)
			}
			if diff := cmp.Diff(tt.request, decoded); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeRequestRefuses(t *testing.T) {
	t.Parallel()
	valid := `{"tenant":"` + tenant + `","user":"` + userID(1) + `","source":"sweep","seen":"2026-11-03T09:30:15Z"}`
	if _, err := revocation.DecodeRequest([]byte(valid)); err != nil {
		t.Fatalf("DecodeRequest of the valid one: %v", err)
	}
	tests := []struct{ name, body string }{
		{"nothing", ""},
		{"no JSON", "hello"},
		{"null", "null"},
		{"an empty object", "{}"},
		{"a list", "[" + valid + "]"},
		{"two requests", valid + valid},
		{"a cut body", valid[:len(valid)-1]},
		{"no tenant", strings.Replace(valid, tenant, "", 1)},
		{"a tenant in capitals", strings.Replace(valid, tenant, strings.ToUpper(tenant), 1)},
		{"a tenant's name", strings.Replace(valid, tenant, "contoso.onmicrosoft.com", 1)},
		{"a name for a user", strings.Replace(valid, userID(1), canary+"@federated.example", 1)},
		{"a path for a user", strings.Replace(valid, userID(1), "../"+userID(1), 1)},
		{"an unknown source", strings.Replace(valid, "sweep", "rumour", 1)},
		{"no source", strings.Replace(valid, "sweep", "", 1)},
		{"a zero time", strings.Replace(valid, "2026-11-03T09:30:15Z", "0001-01-01T00:00:00Z", 1)},
		{"no time", strings.Replace(valid, "2026-11-03T09:30:15Z", "yesterday", 1)},
		{"a negative attempt", strings.Replace(valid, `"source"`, `"attempt":-1,"source"`, 1)},
		{"a fraction of an attempt", strings.Replace(valid, `"source"`, `"attempt":1.5,"source"`, 1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := revocation.DecodeRequest([]byte(tt.body))
			if leaktest.Seen(t, err) == nil {
				t.Fatalf("DecodeRequest(%s) = %v, want an error", tt.body, got)
			}
			if got != (revocation.Request{}) {
				t.Errorf("DecodeRequest returned %v beside the error", got)
			}
			if strings.Contains(leaktest.Seen(t, err).Error(), canary) {
				t.Errorf("the error quotes the body: %v", err)
			}
		})
	}
}

func TestValidateReportsEveryFault(t *testing.T) {
	t.Parallel()
	err := revocation.Request{Attempt: -1}.Validate()
	if leaktest.Seen(t, err) == nil {
		t.Fatal("Validate found no fault")
	}
	for _, want := range []string{"tenant", "user", "source", "seen", "attempt"} {
		if !strings.Contains(leaktest.Seen(t, err).Error(), want) {
			t.Errorf("Validate does not name %s: %v", want, err)
		}
	}
}

func FuzzDecodeRequest(f *testing.F) {
	for _, name := range []string{"request.json", "request-put-back.json", "request-sweep.json"} {
		golden, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(golden)
	}
	f.Add([]byte(`{"tenant":"x","seen":"2026-11-03T09:30:15+23:59"}`))
	f.Add([]byte(`{"TENANT":"` + tenant + `","attempt":9223372036854775807}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := revocation.DecodeRequest(body)
		if err != nil {
			return
		}
		if err := r.Validate(); err != nil {
			t.Fatalf("DecodeRequest let an invalid request through: %v", err)
		}
		encoded, err := json.Marshal(r)
		if err != nil {
			t.Fatalf("Marshal: %v", err)
		}
		again, err := revocation.DecodeRequest(encoded)
		if err != nil {
			t.Fatalf("DecodeRequest of its own JSON: %v", err)
		}
		if diff := cmp.Diff(r, again); diff != "" {
			t.Errorf("request (-first +second):\n%s", diff)
		}
	})
}
