// Package senders holds what sends signals from elsewhere, and proves it against the
// receiver that it sends to.
package senders

import (
	"bytes"
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
	"github.com/sessionstamp/sessionstamp/shared/state"
)

const (
	tenant = "84bd8158-6d4d-4958-8b9f-9d6445542f95"
	source = "0123456789abcdef0123456789abcdef"
)

// secretOf is whsec_ and base64 of a text of so many bytes.
func secretOf(length int) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", length)))
}

// A desk takes what the receiver queues, and knows one secret.
type desk struct {
	url, secret string
	queued      []signal.Message
}

func newDesk(t *testing.T, secret string) *desk {
	t.Helper()
	d := &desk{secret: secret}
	var registry memory.State[signal.Registry]
	record := signal.Record{Name: "AD", Kind: signal.KindWebhook, Domains: []string{"example.com"}, SessionsRevoked: true}
	item := state.Item[signal.Registry]{Doc: signal.Registry{Sources: map[string]signal.Record{source: record}}}
	if _, err := registry.Save(t.Context(), tenant, item); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(receiver.New(receiver.Config{
		Tenant: tenant, Registry: &registry, Credentials: d, Queue: d, Observer: d, Now: time.Now,
		Keys: receiver.HTTPS(http.DefaultTransport), Log: slog.New(slog.DiscardHandler),
	}))
	t.Cleanup(server.Close)
	d.url = server.URL + receiver.Path + source
	return d
}

func (d *desk) Credential(context.Context, string, bool) (signal.Credential, error) {
	return signal.Credential{Secrets: []string{d.secret}}, nil
}

func (d *desk) Enqueue(_ context.Context, messages []signal.Message) error {
	d.queued = append(d.queued, messages...)
	return nil
}

func (*desk) ObserveSignals(context.Context, receiver.Receipt) {}

// send runs the script in a shell, and returns its exit status and all that it printed.
func send(t *testing.T, shell, url, secret string, args ...string) (status int, printed string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), shell, append([]string{"send-signal.sh"}, args...)...) //nolint:gosec // one of ours
	command.Env = append(os.Environ(), "SESSIONSTAMP_URL="+url, "SESSIONSTAMP_SECRET="+secret)
	out, err := command.CombinedOutput()
	if command.ProcessState == nil {
		t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), string(out)
}

// each runs a test in each shell that the machine has: sh is dash, bash or another.
func each(t *testing.T, test func(t *testing.T, shell string)) {
	t.Helper()
	// Looked at here, it is something that Go's cache of test results knows of.
	if info, err := os.Stat("send-signal.sh"); err != nil || info.Mode()&0o100 == 0 {
		t.Fatalf("the script can't be executed: %v", err)
	}
	for _, shell := range []string{"sh", "dash", "bash"} {
		if _, err := exec.LookPath(shell); err != nil && shell != "sh" {
			continue
		}
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			test(t, shell)
		})
	}
}

func TestShellTaken(t *testing.T) {
	t.Parallel()
	at := time.Now().UTC().Add(-time.Hour).Truncate(time.Second)
	text := at.Format(time.RFC3339)
	const odd = `o'"\$(exit${IFS}9)@example.com`
	each(t, func(t *testing.T, shell string) {
		for _, length := range []int{24, 33, 64} {
			d := newDesk(t, secretOf(length))
			for _, args := range [][]string{
				{"ping"},
				{"password_changed", "upn", "someone@example.com", text},
				{"password_reset", "email", odd, text},
				{"disabled", "security_identifier", "S-1-5-21-1-2-3-1001", text},
				{"sessions_revoked", "sam_account_name", "日本 太郎", text},
				{"disabled", "object_id", "0F1E2D3C-4b5a-6978-8796-a5b4c3d2e1f0", text},
				{"disabled", "immutable_id", "PB4tPEtaaXiHlqW0w9Lh8A==", text},
			} {
				if status, printed := send(t, shell, d.url, d.secret, args...); status != 0 || printed != "sent\n" {
					t.Errorf("%s: exit status %d: %s", args[0], status, printed)
				}
			}
			var got []signal.Signal
			for _, m := range d.queued {
				if m.Signal != nil {
					m.Signal.ID = ""
					got = append(got, *m.Signal)
				}
			}
			said := func(kind signal.Kind, byAdmin bool, format signal.Format, value string) signal.Signal {
				return signal.Signal{Source: source, Kind: kind, ByAdmin: byAdmin, At: at, Subject: signal.Subject{Format: format, Value: value}}
			}
			want := []signal.Signal{
				said(signal.PasswordChanged, false, signal.UPN, "someone@example.com"),
				said(signal.PasswordChanged, true, signal.Email, odd),
				said(signal.UserDisabled, true, signal.SecurityIdentifier, "S-1-5-21-1-2-3-1001"),
				said(signal.SessionsRevoked, true, signal.SAMAccountName, "日本 太郎"),
				said(signal.UserDisabled, true, signal.ObjectID, "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"),
				said(signal.UserDisabled, true, signal.ImmutableID, "PB4tPEtaaXiHlqW0w9Lh8A=="),
			}
			if diff := cmp.Diff(want, got); diff != "" || !d.queued[0].Heartbeat {
				t.Errorf("key of %d bytes: %s", length, diff)
			}
		}
	})
}

// The second sending of an event is the same event.
func TestShellRepeats(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, shell string) {
		d := newDesk(t, secretOf(32))
		at := time.Now().UTC().Format("2006-01-02T15:04:05Z")
		for _, who := range []string{"a@example.com", "a@example.com", "b@example.com"} {
			send(t, shell, d.url, d.secret, "disabled", "upn", who, at)
		}
		if len(d.queued) != 3 || d.queued[0].Signal.ID != d.queued[1].Signal.ID || d.queued[0].Signal.ID == d.queued[2].Signal.ID {
			t.Error("the ids of events tell other things apart than events")
		}
	})
}

func TestShellNotTaken(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})) // which says 200
	t.Cleanup(proxy.Close)
	each(t, func(t *testing.T, shell string) {
		d := newDesk(t, secretOf(32))
		good := []string{"disabled", "upn", "someone@example.com"}
		for name, c := range map[string]struct {
			url, secret string
			args        []string
			status      int
			says        string
		}{
			"another secret":    {d.url, secretOf(33), good, 1, "refused (401)"},
			"no such source":    {d.url[:len(d.url)-1] + "0", d.secret, good, 1, "refused (404)"},
			"a proxy":           {proxy.URL, d.secret, good, 1, "something else answers"},
			"nobody there":      {"http://127.0.0.1:1/", d.secret, good, 1, "no connection"},
			"no base64":         {d.url, "whsec_not a secret", good, 2, "is not whsec_"},
			"a short secret":    {d.url, secretOf(23), good, 2, "is not whsec_"},
			"a long secret":     {d.url, secretOf(65), good, 2, "is not whsec_"},
			"not secure":        {"http://example.com/", d.secret, good, 2, "https://"},
			"no address":        {"", d.secret, good, 2, "SESSIONSTAMP_URL is not set"},
			"no secret":         {d.url, "", good, 2, "SESSIONSTAMP_SECRET is not set"},
			"nothing":           {d.url, d.secret, nil, 2, "ping"},
			"another event":     {d.url, d.secret, []string{"enabled", "upn", "someone@example.com"}, 2, "unknown"},
			"too few":           {d.url, d.secret, good[:2], 2, "needs a format"},
			"too many":          {d.url, d.secret, append(good[:3:3], "2026-01-31T02:38:00Z", "x"), 2, "needs a format"},
			"another format":    {d.url, d.secret, []string{"disabled", "UPN", "someone@example.com"}, 2, "unknown format"},
			"no address's name": {d.url, d.secret, []string{"disabled", "upn", "someone"}, 2, "with @"},
			"another id":        {d.url, d.secret, []string{"disabled", "object_id", "0f1e2d3c"}, 2, "hyphens"},
			"a line break":      {d.url, d.secret, []string{"disabled", "sam_account_name", "some\none"}, 2, "control"},
			"a tab in time":     {d.url, d.secret, append(good[:3:3], "2026-01-31\t02:38:00Z"), 2, "control"},
			"local time":        {d.url, d.secret, append(good[:3:3], "2026-01-31T02:38:00+09:00"), 2, "in UTC"},
			"a ping of someone": {d.url, d.secret, []string{"ping", "upn"}, 2, "alone"},
		} {
			status, printed := send(t, shell, c.url, c.secret, c.args...)
			if status != c.status || !strings.Contains(printed, c.says) || strings.Contains(printed, "someone@example.com\"") {
				t.Errorf("%s: exit status %d, want %d, and printed: %s", name, status, c.status, printed)
			}
		}
		if len(d.queued) > 0 {
			t.Errorf("%d were taken", len(d.queued))
		}
	})
}

// Whoever lists the processes of the machine sees no secret.
func TestShellHidesTheKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, shell string) {
		d, folder := newDesk(t, secretOf(32)), t.TempDir()
		heard := filepath.Join(folder, "arguments")
		for _, program := range []string{"openssl", "curl", "od", "tr", "sed", "date", "cat"} {
			path, err := exec.LookPath(program)
			if err != nil {
				t.Fatal(err)
			}
			text := "#!/bin/sh\nprintf '%s\\n' \"$*\" >>'" + heard + "'\nexec '" + path + "' \"$@\"\n"
			if err := os.WriteFile(filepath.Join(folder, program), []byte(text), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		command := exec.CommandContext(t.Context(), shell, "send-signal.sh", "ping")
		command.Env = append(os.Environ(), "PATH="+folder, "SESSIONSTAMP_URL="+d.url, "SESSIONSTAMP_SECRET="+d.secret)
		if err := command.Run(); err != nil {
			t.Fatal(err)
		}
		arguments, err := os.ReadFile(heard)
		if err != nil || bytes.Contains(arguments, []byte("kkkk")) || bytes.Contains(arguments, []byte("6b6b6b")) ||
			bytes.Contains(arguments, []byte(d.secret[6:16])) || !bytes.Contains(arguments, []byte("webhook-signature")) {
			t.Errorf("arguments tell the key, or were not heard: %v", err)
		}
	})
}
