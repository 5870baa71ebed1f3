package receiver_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/receiver"
)

func get(source string, challenges ...string) *http.Request {
	req := httptest.NewRequest(http.MethodGet, receiver.Path+source, http.NoBody)
	req.Header["X-Okta-Verification-Challenge"] = challenges
	return req
}

// A set is a table of what requests come to.
type set map[string]struct {
	request func(w *world) *http.Request
	want    string
}

func (s set) run(t *testing.T) {
	for name, tt := range s {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := atNoon(t)
			if got := w.told(tt.request(w)); got != tt.want {
				t.Errorf("got %s, want %s: %v", got, tt.want, w.last.Err)
			}
		})
	}
}

func TestGood(t *testing.T) {
	t.Parallel()
	set{
		"own password": {func(w *world) *http.Request { return w.webhook(w.said("user.password_changed"), 1) }, "204 password_changed"},
		"reset":        {func(w *world) *http.Request { return w.webhook(w.said("user.password_reset"), 1) }, "204 password_changed!"},
		"disabled":     {func(w *world) *http.Request { return w.webhook(w.said("user.disabled"), 1) }, "204 user_disabled!"},
		"ping":         {func(w *world) *http.Request { return w.webhook(`{"type":"test.ping"}`, 1) }, "204 heartbeat"},
		"log-out":      {func(w *world) *http.Request { return w.webhook(w.said("user.sessions_revoked"), 1) }, "204 heard"},
		"several": {func(w *world) *http.Request {
			return hooked(1, w.event("1", "user.lifecycle.suspend"), w.event("2", "user.session.end"), w.event("3", "user.account.update_password"))
		}, "204 user_disabled! password_changed"},
		"nothing of ours":   {func(w *world) *http.Request { return hooked(1, w.event("1", "user.mfa.factor.reset_all")) }, "204 heard"},
		"nothing":           {func(*world) *http.Request { return hooked(1) }, "204 heard"},
		"credential-change": {func(w *world) *http.Request { return w.pushed(changed) }, "202 password_changed"},
		"account-disabled":  {func(w *world) *http.Request { return w.pushed(disabled) }, "202 user_disabled!"},
		"our verification": {func(w *world) *http.Request {
			return w.pushed(fmt.Sprintf(verification, w.cached[ssf].State()), with("sub_id", map[string]string{"id": "stream-1"}))
		}, "202 heartbeat"},
		"its own of a new stream": {func(w *world) *http.Request {
			return w.pushed(fmt.Sprintf(verification, ""), with("sub_id", map[string]string{"id": "stream-2"}))
		}, "202 heard"},
		"its own": {func(w *world) *http.Request { return w.pushed(fmt.Sprintf(verification, "")) }, "202 heard"},
		"stream-updated": {func(w *world) *http.Request {
			return w.pushed(`"`+framework+`stream-updated":{"status":"paused"}`, with("sub_id", map[string]string{"format": "opaque", "id": "stream-1"}))
		}, "202 heard paused"},
		"of another stream": {func(w *world) *http.Request {
			return w.pushed(`"`+framework+`stream-updated":{"status":"disabled"}`, with("sub_id", map[string]string{"format": "opaque", "id": "stream-0"}))
		}, "202 heard"},
		"an event of others": {func(w *world) *http.Request { return w.pushed(`"` + caep + `assurance-level-change":{}`) }, "202 heard"},
		"challenge":          {func(*world) *http.Request { return get(okta, "c") }, "200"},
	}.run(t)
}

// Each of these comes from somebody who may wish us ill. Only those who know the path of a
// source ring.
func TestHostile(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 10<<20)
	set{
		"unknown source":          {func(*world) *http.Request { return post(nowhere, "{}", nil) }, "404 unknown_source"},
		"no source":               {func(*world) *http.Request { return post("", "{}", nil) }, "404 unknown_source"},
		"no id":                   {func(*world) *http.Request { return post("../"+hook, "{}", nil) }, "404 unknown_source"},
		"in capitals":             {func(*world) *http.Request { return post(strings.ToUpper(hook), "{}", nil) }, "404 unknown_source"},
		"longer":                  {func(*world) *http.Request { return post(hook+"/", "{}", nil) }, "404 unknown_source"},
		"GET of a stranger":       {func(*world) *http.Request { return get(nowhere, "c") }, "404 unknown_source"},
		"GET without a challenge": {func(*world) *http.Request { return get(okta) }, "400"},
		"GET with two":            {func(*world) *http.Request { return get(okta, "a", "b") }, "400"},
		"GET of a webhook":        {func(*world) *http.Request { return get(hook, "c") }, "400"},
		"webhook unsigned":        {func(w *world) *http.Request { return post(hook, w.said("user.disabled"), nil) }, "401 bad_signature rings"},
		"webhook of another":      {func(w *world) *http.Request { return w.webhook(w.said("user.disabled"), 2) }, "401 bad_signature rings"},
		"webhook changed": {func(w *world) *http.Request {
			req := w.webhook(w.said("user.disabled"), 1)
			req.Body = io.NopCloser(strings.NewReader(w.said("user.password_changed")))
			return req
		}, "401 bad_signature rings"},
		"webhook replayed":       {func(w *world) *http.Request { return w.webhookAt(w.said("user.disabled"), 1, noon.Add(-6*time.Minute)) }, "401 outside_window rings"},
		"webhook no JSON":        {func(w *world) *http.Request { return w.webhook("{", 1) }, "400 malformed rings"},
		"webhook doubled":        {func(w *world) *http.Request { return w.webhook(`{"type":"test.ping","type":"user.disabled"}`, 1) }, "400 malformed rings"},
		"webhook too long":       {func(w *world) *http.Request { return w.webhook(long, 1) }, "413 too_large rings"},
		"hook unsigned":          {func(w *world) *http.Request { return post(okta, "{}", nil) }, "401 bad_secret rings"},
		"hook of another":        {func(w *world) *http.Request { return hooked(2, w.event("1", "user.lifecycle.suspend")) }, "401 bad_secret rings"},
		"hook no JSON":           {func(*world) *http.Request { return hooked(1, "{") }, "400 malformed rings"},
		"hook too long":          {func(*world) *http.Request { return hooked(1, long) }, "413 too_large rings"},
		"a body that ends":       {func(*world) *http.Request { return httptest.NewRequest(http.MethodPost, receiver.Path+hook, broken{}) }, "503"},
		"too long to a stranger": {func(*world) *http.Request { return post(nowhere, long, nil) }, "404 unknown_source"},
	}.run(t)
}

func TestHostileTokens(t *testing.T) {
	t.Parallel()
	signed := func(header map[string]any, vary ...func(jwt.MapClaims)) func(*world) *http.Request {
		return func(w *world) *http.Request {
			return token(w.claims(changed, vary...), jwt.SigningMethodES256, keys()["k1"], 1, header)
		}
	}
	long := strings.Repeat("x", 10<<20)
	set{
		"SET by another key": {func(w *world) *http.Request {
			return token(w.claims(changed), jwt.SigningMethodES256, keys()["k2"], 1, nil)
		}, "400 bad_signature rings"},
		"SET by a key unknown": {signed(map[string]any{"kid": "k9"}), "400 unknown_key rings"},
		"SET with two events": {func(w *world) *http.Request { return w.pushed(changed + "," + disabled) },
			"400 several_events rings"},
		"SET of another stream": {func(w *world) *http.Request {
			return w.pushed(fmt.Sprintf(verification, w.cached[ssf].State()), with("sub_id", map[string]string{"id": "stream-0"}))
		}, "400 bad_state rings"},
		"SET without secret": {func(w *world) *http.Request {
			return token(w.claims(changed), jwt.SigningMethodES256, keys()["k1"], 2, nil)
		}, "400 bad_secret rings"},
		"SET that is none": {func(*world) *http.Request { return post(ssf, "{}", http.Header{"Authorization": {secret(ssf, 1)}}) }, "400 malformed rings"},
		"SET a bit too long": {func(*world) *http.Request {
			return post(ssf, long[:1<<16+1], http.Header{"Authorization": {secret(ssf, 1)}})
		}, "413 too_large rings"},
		"SET much too long": {func(*world) *http.Request { return post(ssf, long, nil) }, "413 too_large rings"},
		"SET of a hook":     {func(w *world) *http.Request { r := w.pushed(changed); r.URL.Path = receiver.Path + okta; return r }, "401 bad_secret rings"},
	}.run(t)
}

// broken is a body that breaks off.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Nothing is acknowledged that is not queued, and a passing failure rings for nobody.
func TestOutOfOrder(t *testing.T) {
	t.Parallel()
	requests := map[string]func(w *world) *http.Request{
		"webhook": func(w *world) *http.Request { return w.webhook(w.said("user.disabled"), 1) },
		"ping":    func(w *world) *http.Request { return w.webhook(`{"type":"test.ping"}`, 1) },
		"hook":    func(w *world) *http.Request { return hooked(1, w.event("1", "user.lifecycle.suspend")) },
		"SET":     func(w *world) *http.Request { return w.pushed(changed) },
	}
	for name, request := range requests {
		for _, what := range []string{"queue", "credentials", "registry", "keys"} {
			if what == "keys" && name != "SET" {
				continue
			}
			t.Run(name+" without "+what, func(t *testing.T) {
				t.Parallel()
				w := atNoon(t)
				w.down[what] = true
				got := strings.Replace(w.told(request(w)), " no_keys", "", 1)
				if got != "503" || len(w.queued) > 0 || !strings.Contains(w.log.String(), "level=ERROR") {
					t.Errorf("got %s, queued %d, log level not ERROR or other faults: %v", got, len(w.queued), w.last.Err)
				}
			})
		}
	}
}

// A source that can't work is repeated to by its provider, and a person is called, unless
// it is only young.
func TestUnusable(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		source string
		spoil  func(w *world)
		want   string
	}{
		"no secret":      {okta, func(w *world) { w.cached[okta] = signal.Credential{} }, "503 rings"},
		"a short secret": {okta, func(w *world) { w.fresh[okta], w.cached[okta] = short, short }, "503 rings"},
		"no domain":      {okta, func(w *world) { w.sources[okta] = signal.Record{Kind: signal.KindOkta} }, "503 rings"},
		"another kind":   {okta, func(w *world) { w.sources[okta] = signal.Record{Kind: "x", Domains: []string{"d"}} }, "503 rings"},
		"no stream yet": {ssf, func(w *world) {
			r := w.sources[ssf]
			r.Stream.Audiences = nil
			w.sources[ssf] = r
		}, "503"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := atNoon(t)
			tt.spoil(w)
			req := hooked(1)
			req.URL.Path = receiver.Path + tt.source
			if got := w.told(req); got != tt.want {
				t.Errorf("got %s, want %s: %v", got, tt.want, w.last.Err)
			}
		})
	}
}

var short = signal.Credential{Secrets: []string{"short"}}

// What is sent back, by the letter.
func TestAnswers(t *testing.T) {
	t.Parallel()
	w := atNoon(t)
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	tests := map[string]struct {
		request *http.Request
		status  int
		header  string // "name: value"
		body    string
	}{
		"taken":      {w.pushed(changed), 202, "Cache-Control: no-store", ""},
		"refused":    {w.pushed(changed, with("aud", "x")), 400, "Content-Language: en", `{"description":"refused: bad_audience","err":"invalid_audience"}` + "\n"},
		"refused so": {w.pushed(changed, with("iss", "x")), 400, "Content-Type: application/json", `{"description":"refused: bad_issuer","err":"invalid_issuer"}` + "\n"},
		"as JSON":    {post(okta, "", nil), 401, "Content-Type: application/json", `{"description":"refused: bad_secret","err":"authentication_failed"}` + "\n"},
		"challenge":  {get(okta, `a"b`), 200, "Content-Type: application/json", `{"verification":"a\"b"}`},
		"not there":  {post(nowhere, "", nil), 404, "X-Content-Type-Options: nosniff", ""},
		"other verb": {httptest.NewRequest(http.MethodPut, receiver.Path+hook, http.NoBody), 405, "Allow: GET, POST", ""},
		"later":      {httptest.NewRequest(http.MethodPost, receiver.Path+"0123456789abcdef0123456789abcde4", http.NoBody), 503, "Retry-After: 10", ""},
	}
	w.sources["0123456789abcdef0123456789abcde4"] = signal.Record{Kind: signal.KindOkta}
	for name, tt := range tests {
		tt.request.RequestURI = ""
		tt.request.URL.Scheme, tt.request.URL.Host = "http", strings.TrimPrefix(server.URL, "http://")
		answer, err := server.Client().Do(tt.request)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		header, value, _ := strings.Cut(tt.header, ": ")
		if answer.StatusCode != tt.status || answer.Header.Get(header) != value || string(body) != tt.body {
			t.Errorf("%s: answered %d, %s: %s, %q", name, answer.StatusCode, header, answer.Header.Get(header), body)
		}
	}
}

// Of a body that is too long no more is read than shows it.
func TestTooLongIsNotRead(t *testing.T) {
	t.Parallel()
	for _, said := range []int64{-1, 10 << 20} {
		w := atNoon(t)
		body := strings.NewReader(strings.Repeat("x", 10<<20))
		req := post(hook, "", nil)
		req.Body, req.ContentLength = io.NopCloser(body), said
		got := w.told(req)
		if read := 10<<20 - discard(body); got != "413 too_large rings" || read > signal.MaxBytes+1 || said > 0 && read > 0 {
			t.Errorf("got %s after %d bytes", got, read)
		}
	}
}
