package notification_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/notification"
)

func FuzzDecode(f *testing.F) {
	fixtures, err := filepath.Glob("testdata/*.json")
	if err != nil || len(fixtures) == 0 {
		f.Fatalf("fixtures: %v, %v", fixtures, err)
	}
	for _, fixture := range fixtures {
		body, err := os.ReadFile(fixture)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte(`{"value":[null,0,"",{},[]],"validationTokens":[]}`))
	f.Add([]byte(`{"value":[` + change(map[string]any{"resource": "groups/x", "tenantId": 5}) + `]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := notification.Decode(bytes.NewReader(body))
		if err != nil {
			if c.Len() != 0 {
				t.Errorf("%d items in spite of %v", c.Len(), err)
			}
			return
		}
		checkCount(t, c, body)
		checkRoundTrip(t, c)
	})
}

// checkCount compares the number of items with what package json finds by itself.
func checkCount(t *testing.T, c notification.Collection, body []byte) {
	t.Helper()
	var envelope map[string]json.RawMessage
	var elements []json.RawMessage
	if err := json.Unmarshal(body, &envelope); err != nil {
		t.Fatalf("decoded what is no JSON: %v", err)
	}
	if err := json.Unmarshal(envelope["value"], &elements); err != nil {
		t.Fatalf("decoded what is no array: %v", err)
	}
	if c.Len() != len(elements) || c.Len() > len(body) {
		t.Errorf("%d items of %d elements in %d bytes", c.Len(), len(elements), len(body))
	}
}

// checkRoundTrip writes what was good the way Graph does and reads it again.
func checkRoundTrip(t *testing.T, c notification.Collection) {
	t.Helper()
	body := encode(t, c)
	if len(body) > notification.MaxBytes {
		return // escapes can make a body longer than the one it came from
	}
	again, err := notification.Decode(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("Decode of re-encoded: %v", err)
	}
	c.Bad = nil
	if diff := cmp.Diff(c, again); diff != "" {
		t.Errorf("re-encoded (-first +second):\n%s", diff)
	}
}

func encode(t *testing.T, c notification.Collection) []byte {
	t.Helper()
	items := make([]map[string]any, 0, c.Len())
	for _, change := range c.Changes {
		items = append(items, map[string]any{
			"changeType":                     change.ChangeType,
			"clientState":                    change.ClientState.Reveal(),
			"resource":                       change.Resource,
			"resourceData":                   map[string]any{"id": change.UserID, "eventTime": wireTime(change.EventTime), "sequenceNumber": change.Sequence},
			"subscriptionExpirationDateTime": wireTime(change.Expires),
			"subscriptionId":                 change.SubscriptionID,
			"tenantId":                       change.TenantID,
		})
	}
	for _, lifecycle := range c.Lifecycles {
		items = append(items, map[string]any{
			"clientState":                    lifecycle.ClientState.Reveal(),
			"lifecycleEvent":                 lifecycle.Event,
			"subscriptionExpirationDateTime": wireTime(lifecycle.Expires),
			"subscriptionId":                 lifecycle.SubscriptionID,
			"tenantId":                       lifecycle.TenantID,
		})
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(map[string]any{"value": items}); err != nil {
		t.Fatal(err)
	}
	return body.Bytes()
}

func wireTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

func BenchmarkDecode(b *testing.B) {
	for name, n := range map[string]int{"items=1": 1, "items=100": 100} {
		body := `{"value":[` + strings.Repeat(change(nil)+",", n-1) + change(nil) + `]}`
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := notification.Decode(strings.NewReader(body)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
