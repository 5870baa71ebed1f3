package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/demo"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/goldentest"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/shared/bolt"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/msgraphtest"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
	"github.com/sessionstamp/sessionstamp/shared/signal/resolver"
	"github.com/sessionstamp/sessionstamp/shared/signal/signaltest"
	"github.com/sessionstamp/sessionstamp/shared/signal/stream"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

var hookSecret = "whsec_" + base64.StdEncoding.EncodeToString([]byte("a secret of thirty-two characters"))

// A wire is a network within the process, for one listener.
type wire struct {
	calls chan net.Conn
	once  sync.Once
	ended chan struct{}
}

func newWire() *wire { return &wire{calls: make(chan net.Conn), ended: make(chan struct{})} }

func (w *wire) listen(string, string) (net.Listener, error) { return w, nil }
func (w *wire) Addr() net.Addr                              { return &net.TCPAddr{} }

func (w *wire) Accept() (net.Conn, error) {
	select {
	case c := <-w.calls:
		return c, nil
	case <-w.ended:
		return nil, net.ErrClosed
	}
}

func (w *wire) Close() error {
	w.once.Do(func() { close(w.ended) })
	return nil
}

func (w *wire) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case w.calls <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// send reports that the password of a user was changed at a moment.
func (w *wire) send(s *site, path, secret, id, upn string, at time.Time) (int, error) {
	body, err := json.Marshal(map[string]any{
		"type": "user.password_changed", "timestamp": at.UTC().Format(time.RFC3339),
		"data": map[string]any{"subject": map[string]string{"format": "upn", "value": upn}},
	})
	if err != nil {
		return 0, err
	}
	hook := signaltest.Webhook{
		URL: "http://127.0.0.1" + path, Secrets: []string{secret}, Now: s.now,
		HTTP: &http.Client{Transport: &http.Transport{DialContext: w.dial, DisableKeepAlives: true}},
	}
	return hook.Post(s.t.Context(), id, body)
}

var pathOfSource = regexp.MustCompile(`/idp/[0-9a-f]{32}`)

// hears runs watch with a listener, does what is to be done, and returns its events.
func (s *site) hears(do func(w *wire, path string), secrets string, args ...string) (events []event, stderr string) {
	s.t.Helper()
	w := newWire()
	path := make(chan string, 1)
	s.change = func(p *program) {
		ofApp := p.Env
		p.Env = func(name string) string {
			now, before, _ := strings.Cut(secrets, ";")
			switch name {
			case signalVariable:
				return now
			case beforeVariable:
				return before
			}
			return ofApp(name)
		}
		if p.Listen = w.listen; s.reach != nil {
			p.Transport = s.reach
		}
		p.Stderr = writer(func(text []byte) (int, error) {
			stderr += string(text)
			if found := pathOfSource.FindString(string(text)); found != "" {
				select {
				case path <- found:
				default:
				}
			}
			return len(text), nil
		})
	}
	ctx, stop := context.WithCancel(s.t.Context())
	go func() {
		do(w, <-path)
		stop()
	}()
	status, stdout, _ := s.play(ctx, append([]string{"watch", "-o", "json", "--listen", "127.0.0.1:8787", "--domain", corp}, args...)...)
	if status != fine {
		s.t.Errorf("exit status %d: %s", status, stderr)
	}
	return decode(s.t, stdout), stderr
}

type writer func([]byte) (int, error)

func (w writer) Write(text []byte) (int, error) { return w(text) }

// kindsOf are the events about what was reported, in their order.
func kindsOf(events []event) (kinds []string) {
	for _, e := range events {
		if strings.HasPrefix(e.Event, "signal") || e.Event == eventStamped || e.Event == eventDry {
			kinds = append(kinds, strings.TrimSuffix(e.Event+" "+string(e.Reason), " "))
		}
	}
	return kinds
}

// TestWatchListens: reported, then enforced under another secret at the same address.
func TestWatchListens(t *testing.T) {
	t.Parallel()
	onSite(t, 0, msgraphtest.Options{}, allRights, func(t *testing.T, s *site) {
		ids, _ := s.stampedAt(500*time.Hour, time.Hour)
		paths := make(map[string]bool)
		other := "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32))
		send := func(secret string, want int, id string, users ...string) func(*wire, string) {
			return func(w *wire, path string) {
				paths[path] = true
				for _, user := range users {
					if status, err := w.send(s, path, secret, id+user, user+"@"+corp, s.now().Add(-30*time.Minute)); err != nil || status != want {
						t.Errorf("%s: answered with %d, %v", user, status, err)
					}
				}
				time.Sleep(10 * time.Minute)
			}
		}
		for _, c := range []struct {
			secrets, flag string
			do            func(*wire, string)
			want          string
			times         int
		}{
			{hookSecret, "--dry-run", send(hookSecret, 204, "1", "p0", "p1"), "signal queued,signal queued,signal_reported reported,signal_reported reported", 0},
			{hookSecret, "--every=1m", send(hookSecret, 204, "2", "p0"), "signal queued,signal_reported reported", 0},
			{hookSecret, "--every=1m", send(other, 401, "3", "p0", "p1"), "signal_refused bad_signature", 0},
			{other + ";" + hookSecret, "--enforce", send(other, 204, "4", "p0"), "signal queued,stamped called", 1},
			{other, "--enforce", send(other, 204, "5", "p0", "nobody"), "signal queued,signal_sufficient known_stamped,signal_unheeded subject_unknown", 1},
			{other, "--every=1h", func(*wire, string) { time.Sleep(signal.Quiet + 12*time.Hour) }, "signal_silent", 1},
		} {
			events, stderr := s.hears(c.do, c.secrets, "--signal", "webhook", c.flag)
			if got := strings.Join(kindsOf(events), ","); got != c.want {
				t.Errorf("%s: got %s, want %s\n%s", c.flag, got, c.want, stderr)
			}
			s.want(c.times, ids[0])
			if text := fmt.Sprint(events); strings.Contains(text, "p0@") || strings.Contains(stderr, "whsec_") {
				t.Errorf("somebody is named, or a secret: %s%s", text, stderr)
			}
		}
		s.want(0, ids[1])
		if len(paths) != 1 {
			t.Errorf("the address has changed: %v", paths)
		}
	})
}

// TestWatchListensToAStream: a stream that was made by hand, from its verification to a changed
// password, and a night in which nothing comes.
func TestWatchListensToAStream(t *testing.T) {
	t.Parallel()
	const bearer, token, night = "Bearer 0123456789abcdef0123456789", "token-of-an-administrator", 12 * time.Hour
	onSite(t, 0, msgraphtest.Options{}, allRights, func(t *testing.T, s *site) {
		ids, _ := s.stampedAt(500 * time.Hour)
		var network *wire
		push := roundTripper(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			r.URL.Scheme = "http" // as the person's proxy does
			return (&http.Transport{DialContext: network.dial, DisableKeepAlives: true}).RoundTrip(r)
		})
		transmitter := signaltest.New(signaltest.Options{Push: push, Now: s.now, StaticToken: token})
		s.reach = roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == "transmitter.example.com" {
				return transmitter.RoundTrip(r)
			}
			return s.server.RoundTrip(r)
		})
		found, err := stream.Discover(t.Context(), transmitter.Client(), transmitter.Issuer())
		if err != nil {
			t.Fatal(err)
		}
		events, stderr := s.hears(func(w *wire, path string) {
			network = w
			body := strings.NewReader(`{"events_requested":["` + signaltest.Types()[0] + `"],"delivery":{"method":"urn:ietf:rfc:8935",` +
				`"endpoint_url":"https://proxy.example.com` + path + `","authorization_header":"` + bearer + `"}}`)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, found.ConfigurationEndpoint, body)
			if err != nil {
				t.Error(err)
				return
			}
			r.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}, "Authorization": {"Bearer " + token}}
			answer, err := transmitter.RoundTrip(r)
			if err != nil || answer.StatusCode != http.StatusCreated {
				t.Errorf("the stream was not made: %v, %v", answer, err)
				return
			}
			answer.Body.Close()
			transmitter.Verify()
			transmitter.Emit(signaltest.PasswordChanged(signaltest.Email("p0@"+corp), s.now().Add(-time.Minute)))
			if n := transmitter.Deliver(t.Context()); n != 2 {
				t.Errorf("%d of 2 were taken: %v", n, transmitter.Deliveries())
			}
			time.Sleep(night)
		}, bearer, "--signal", "ssf", "--issuer", transmitter.Issuer(), "--audience", "https://"+signaltest.ClientID+".example.com", "--enforce")
		if got, want := strings.Join(kindsOf(events), ","), "signal_heard heard,signal queued,stamped called"; got != want {
			t.Errorf("got %s, want %s\n%s", got, want, stderr)
		}
		s.want(1, ids[0])
	})
}

// TestWatchListenRefused: what cannot be meant is refused before anybody signs in.
func TestWatchListenRefused(t *testing.T) {
	t.Parallel()
	const whole = "--listen 127.0.0.1:8787 --signal webhook --domain corp.example"
	for line, want := range map[string]string{
		"--signal okta": "--listen 127.0.0.1:8787", whole + " --once": "leave out one", "--enforce": "--listen",
		"--listen 127.0.0.1:1 --signal okta": "for which domains", "--listen 127.0.0.1:1 --domain a.example": "for which domains",
		whole + " --issuer https://a.example": "--audience", "--listen 127.0.0.1:1 --signal ssf --domain a.example": "--audience",
		"--listen 0.0.0.0:1 --signal okta --domain a.example":          "--any-address",
		"--listen :1 --signal okta --domain a.example":                 "--any-address",
		"--listen 192.0.2.1:1 --signal okta --domain a.example":        "--any-address",
		"--listen localhost --signal okta --domain a.example":          "--listen 127.0.0.1:8787",
		"--listen [::1]:1 --signal okta --domain a.example":            "at least 24 characters",
		"--listen 0.0.0.0:1 --any-address --signal okta --domain a.ex": "at least 24 characters",
		"--listen 127.0.0.1:1 --signal okta --domain a_b":              "example.com",
		"--release --listen 127.0.0.1:1":                               "goes alone", "--signals": "add --release",
	} {
		status, _, stderr := play(t.Context(), func(p *program) {
			p.Env = environment([]string{"HOME=" + t.TempDir(), signalVariable + "=too-short-4711"})
		}, append([]string{"watch"}, strings.Fields(line)...)...)
		if status != wrongUse || !strings.Contains(strings.ReplaceAll(stderr, "\n  ", " "), want) || strings.Contains(stderr, "4711") {
			t.Errorf("%s: exit status %d, %s", line, status, stderr)
		}
	}
}

// TestWatchReleasesSignals: each brake is released by itself.
func TestWatchReleasesSignals(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	env := []string{"HOME=" + home, tenantVariable + "=" + demo.TenantID}
	folder, err := bolt.Folder("linux", environment(env))
	if err != nil {
		t.Fatal(err)
	}
	file, err := bolt.Open(t.Context(), folder, demo.TenantID)
	if err != nil {
		t.Fatal(err)
	}
	brake := job.New(job.Config{File: file, StampsPerDay: 1}).Brake().OfSignals()
	if n, err := brake.Take(t.Context(), demo.TenantID, 2, at); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ line, want string }{
		{"watch --release", `"released": false`}, {"watch --release --signals", `"released": true`}, {"watch --release --signals", `"released": false`},
	} {
		status, stdout, stderr := play(t.Context(), func(p *program) { p.Env = environment(env) }, append(strings.Fields(c.line), "-o", "json")...)
		if status != fine || !strings.Contains(stdout, c.want) {
			t.Errorf("%s: exit status %d, %s%s", c.line, status, stdout, stderr)
		}
	}
}

// TestListenScreen: what is shown at the start, and a line of each kind.
func TestListenScreen(t *testing.T) {
	t.Parallel()
	for _, l := range languages() {
		var out, errs strings.Builder
		c := &call{lang: l, program: program{Stdout: &out, Stderr: &errs, Out: terminal, Err: terminal, Now: func() time.Time { return at }}}
		c.Out.Live = true
		for kind, flags := range map[signal.SourceKind]listening{signal.KindWebhook: {}} {
			flags.address, flags.domains = "127.0.0.1:8787", []string{"example.co.jp", "example.com"}
			c.introduceListening(&job.Listening{Source: strings.Repeat("5", 32), Record: signal.Record{Kind: kind}}, flags)
		}
		w := c.newWatcher(job.New(job.Config{Now: c.Now}), demo.TenantID, watching{})
		user := "05e40000-0000-4000-8000-000000000001"
		w.resolved(resolver.Outcome{Reason: resolver.Heard})
		w.resolved(resolver.Outcome{Reason: resolver.Queued, User: user, Kind: signal.PasswordChanged})
		for _, reason := range unheeded {
			w.resolved(resolver.Outcome{Reason: reason, Kind: signal.UserDisabled})
		}
		request := stamp.Request{User: user, Source: stamp.SourceSignal, Cause: string(signal.PasswordChanged), NotBefore: at.Add(-7 * time.Second)}
		for _, reason := range []stamp.Reason{stamp.ReasonReported, stamp.ReasonDryRun, stamp.ReasonCalled, stamp.ReasonStamped, stamp.ReasonExcluded, stamp.ReasonExisting, stamp.ReasonRefused} {
			w.observe(t.Context(), stamp.Outcome{Request: request, Verdict: stamp.Done, Reason: reason, Called: at})
		}
		w.received(receiver.Receipt{Source: "s", Status: 401, Err: &signal.Refusal{Reason: signal.BadSecret}})
		w.received(receiver.Receipt{Source: "s", Status: 503, Err: errors.New("queue 1 messages: database not open")})
		w.lost()
		goldentest.Compare(t, "listen."+string(l)+".txt", errs.String()+out.String())
		for _, line := range strings.Split(errs.String()+out.String(), "\n") {
			if tooWide(line, 80) {
				t.Errorf("too wide: %q", line)
			}
		}
	}
}
