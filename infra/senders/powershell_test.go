package senders

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/signal"
)

const script = "Send-PasswordSignal.ps1"

// read returns what a pattern's group matches in the script, each time.
func read(t *testing.T, pattern string) (found []string) {
	t.Helper()
	text, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
		found = append(found, match[1])
	}
	if len(found) == 0 {
		t.Fatalf("nothing like %s", pattern)
	}
	return found
}

// What the script sends is put together from its own words, and read by the source that
// it is for. No PowerShell is needed, which few build machines have.
func TestPowerShellSpeaksAsTheWebhookHears(t *testing.T) {
	t.Parallel()
	kinds := map[string]signal.Kind{"4723": signal.PasswordChanged, "4724": signal.PasswordChanged, "4725": signal.UserDisabled}
	at := time.Now().UTC().Truncate(time.Second)
	layout := strings.NewReplacer("yyyy", "2006", "MM", "01", "dd", "02", "'T'", "T", "HH", "15", "mm", "04", "ss", "05", "'Z'", "Z").
		Replace(read(t, `ToString\("([^"]*)", \[Globalization\.CultureInfo\]::InvariantCulture\)`)[0])
	format := read(t, `format = '([a-z_]+)'`)[0]
	for _, pair := range read(t, `(47\d\d = '[a-z._]+')`) {
		event, kind, _ := strings.Cut(strings.ReplaceAll(pair, "'", ""), " = ")
		d := heard(t, map[string]any{"type": kind, "timestamp": at.Format(layout), "data": map[string]any{
			"actor": read(t, `else \{ '([a-z]+)' \}`)[0], "subject": map[string]any{"format": format, "value": "S-1-5-21-1-2-3-1001"}}})
		if len(d.Signals) != 1 || d.Signals[0].Kind != kinds[event] || !d.Signals[0].ByAdmin || !d.Signals[0].At.Equal(at) {
			t.Errorf("event %s comes to %+v", event, d)
		}
		delete(kinds, event)
	}
	if len(kinds) > 0 {
		t.Errorf("events without a type: %v", kinds)
	}
	if d := heard(t, map[string]any{"type": read(t, `type = '(test\.[a-z]+)'`)[0], "data": map[string]any{}}); !d.Heartbeat {
		t.Error("the heartbeat is none")
	}
}

// heard signs a body in the headers that the script names, and has the source read it.
func heard(t *testing.T, body map[string]any) signal.Delivery {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Compact(slices.Sorted(slices.Values(read(t, `'(webhook-[a-z]+)' = `))))
	if len(names) != 3 {
		t.Fatalf("headers %v", names)
	}
	now := time.Now()
	id, seconds := "ad-0123", fmt.Sprint(now.Unix())
	mac := hmac.New(sha256.New, []byte(strings.Repeat("k", 32)))
	_, _ = fmt.Fprintf(mac, "%s.%s.%s", id, seconds, text)
	header := http.Header{}
	for i, value := range []string{id, read(t, `"(v1,)\$signature"`)[0] + base64.StdEncoding.EncodeToString(mac.Sum(nil)), seconds} {
		header.Set(names[i], value)
	}
	webhook, err := signal.Record{Kind: signal.KindWebhook, Domains: []string{"contoso.com"}}.Open(source, signal.Credential{Secrets: []string{secretOf(32)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := signal.Request{Body: text, Header: header, Received: now}
	if err := webhook.Authenticate(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	d, err := webhook.Decode(r)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The task starts at the events that are sent, and Windows PowerShell reads a file without a
// byte order mark in the code page of the machine.
func TestPowerShellScript(t *testing.T) {
	t.Parallel()
	types, triggers := read(t, `(47\d\d) = '`), read(t, `EventID=(47\d\d)`)
	if !slices.Equal(types, triggers) {
		t.Errorf("sends %v and starts at %v", types, triggers)
	}
	text, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	if i := slices.IndexFunc(text, func(b byte) bool { return b > 0x7e || b < ' ' && b != '\n' }); i >= 0 {
		t.Errorf("byte %d is not ASCII", i)
	}
	if status := read(t, `StatusCode -ne (\d+)`)[0]; status != fmt.Sprint(http.StatusNoContent) {
		t.Errorf("waits for status %s", status)
	}
}
