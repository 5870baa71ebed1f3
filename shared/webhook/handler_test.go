package webhook_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/shared/webhook"
)

func TestClientState(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, secret := range []string{"a", "b", strings.Repeat("x", 4096)} {
		for _, tenant := range []string{tenant, otherTenant} {
			state := webhook.ClientState(secret, tenant)
			if len(state) != 43 || seen[state] || state != webhook.ClientState(secret, tenant) || url.QueryEscape(state) != state {
				t.Errorf("clientState %q", state)
			}
			seen[state] = true
		}
	}
}

func TestHandshake(t *testing.T) {
	t.Parallel()
	const request = "Validation: Testing client application reachability for subscription Request-Id: 7f105c7d-2dc5-4530-97cd-4e7ae6534c07"
	for name, test := range map[string]struct {
		query string
		want  string // the token that comes back; "" if it is refused
	}{
		"as seen":             {"validationToken=Validation%3a+Testing+client+application+reachability+for+subscription+Request-Id%3a+7f105c7d-2dc5-4530-97cd-4e7ae6534c07", request},
		"plus is a space":     {"validationToken=a+b", "a b"},
		"plus as such":        {"validationToken=a%2Bb%3D%3D", "a+b=="},
		"after another key":   {"tenant=x&validationToken=abc", "abc"},
		"before another key":  {"validationToken=abc&tenant=x", "abc"},
		"not ASCII":           {"validationToken=" + url.QueryEscape("日本語 é"), "日本語 é"},
		"longest":             {"validationToken=" + strings.Repeat("x", 2048), strings.Repeat("x", 2048)},
		"too long":            {"validationToken=" + strings.Repeat("x", 2049), ""},
		"too long when read":  {"validationToken=" + strings.Repeat("%C3%A9", 1025), ""},
		"empty":               {"validationToken=", ""},
		"no value":            {"validationToken", ""},
		"several":             {"validationToken=a&validationToken=b", ""},
		"script":              {"validationToken=%3Cscript%3Ealert(1)%3C/script%3E", ""},
		"less than":           {"validationToken=a%3Cb", ""},
		"greater than":        {"validationToken=a%3Eb", ""},
		"ampersand":           {"validationToken=a%26b", "a&b"},
		"entity":              {"validationToken=a%26lt%3Bb", "a&lt;b"},
		"another key within":  {"validationToken=a%26validationToken%3Db", "a&validationToken=b"},
		"double quote":        {"validationToken=a%22b", `a"b`},
		"single quote":        {"validationToken=a%27b", "a'b"},
		"backtick":            {"validationToken=a%60b", "a`b"},
		"percent":             {"validationToken=100%25+%2541+%25zz", "100% %41 %zz"},
		"spaces around":       {"validationToken=+a++b+", " a  b "},
		"line feed":           {"validationToken=a%0Ab", ""},
		"tab":                 {"validationToken=a%09b", ""},
		"null":                {"validationToken=a%00b", ""},
		"C1 control":          {"validationToken=a%C2%85b", ""},
		"delete":              {"validationToken=a%7Fb", ""},
		"right-to-left":       {"validationToken=a%E2%80%AEb", "a\u202eb"},
		"byte order mark":     {"validationToken=%EF%BB%BFb", "\ufeffb"},
		"not composed":        {"validationToken=e%CC%81", "e\u0301"},
		"invalid UTF-8":       {"validationToken=a%FFb", ""},
		"bad escape":          {"validationToken=%zz", ""},
		"bad escape besides":  {"validationToken=abc&x=%zz", ""},
		"semicolon":           {"validationToken=a;b", ""},
		"bad escape, no name": {"x=%zz", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			answer := h.serve(withQuery(http.MethodPost, test.query, unread{t}))
			status := http.StatusOK
			if test.want == "" {
				status = http.StatusBadRequest
			}
			if answer.Code != status || answer.Body.String() != test.want {
				t.Errorf("answered %d %q, want %d %q", answer.Code, answer.Body, status, test.want)
			}
			if h.queue.calls != nil || h.secrets.asked != 0 {
				t.Error("touched the queue or the secrets")
			}
		})
	}
}

// unread is a body that must not be read.
type unread struct{ t *testing.T }

func (b unread) Read([]byte) (int, error) {
	b.t.Error("the body was read")
	return 0, io.EOF
}

// withQuery makes a request whose query string may be as broken as one from a
// socket can be; httptest.NewRequest would panic.
func withQuery(method, query string, body io.Reader) *http.Request {
	return &http.Request{
		Method: method,
		URL:    &url.URL{Path: "/graph", RawQuery: query},
		Header: http.Header{},
		Body:   io.NopCloser(body),
	}
}

// TestHandshakeKeepsTheKeyByTheLetter shows that a parameter that merely looks
// like the token makes no handshake.
func TestHandshakeKeepsTheKeyByTheLetter(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	answer := h.serve(withQuery(http.MethodPost, "validationtoken=abc", strings.NewReader(collection())))
	if answer.Code != http.StatusAccepted || answer.Body.Len() != 0 {
		t.Errorf("answered %d %q, want 202 and nothing", answer.Code, answer.Body)
	}
}

// TestAnswers shows each kind of answer as Graph gets it.
func TestAnswers(t *testing.T) {
	t.Parallel()
	safe := http.Header{"X-Content-Type-Options": {"nosniff"}, "Content-Security-Policy": {"default-src 'none'"}, "Cache-Control": {"no-store"}}
	with := func(name, value string) http.Header {
		h := safe.Clone()
		h.Set(name, value)
		return h
	}
	for name, test := range map[string]struct {
		request *http.Request
		broken  bool
		status  int
		body    string
		header  http.Header
	}{
		"handshake": {withQuery(http.MethodPost, "validationToken=Validation%3a+abc", http.NoBody), false, 200, "Validation: abc", with("Content-Type", "text/plain; charset=utf-8")},
		"refused":   {withQuery(http.MethodPost, "validationToken=%3Cscript%3E", http.NoBody), false, 400, "", safe},
		"accepted":  {withQuery(http.MethodPost, "", strings.NewReader(collection(ofUser(1)))), false, 202, "", safe},
		"retry":     {withQuery(http.MethodPost, "", strings.NewReader(collection(ofUser(1)))), true, 503, "", with("Retry-After", "10")},
		"get":       {withQuery(http.MethodGet, "validationToken=abc", http.NoBody), false, 405, "", with("Allow", "POST")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			if test.broken {
				h.queue.err = io.ErrClosedPipe
			}
			got := h.serve(test.request)
			if got.Code != test.status || got.Body.String() != test.body {
				t.Errorf("answered %d %q, want %d %q", got.Code, got.Body, test.status, test.body)
			}
			if diff := cmp.Diff(test.header, got.Result().Header); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
		})
	}
}

// TestLog shows the one record of a POST.
func TestLog(t *testing.T) {
	t.Parallel()
	everything := collection(ofUser(1), ofUser(1), lifecycle(), `0`, item("changeType", "x"),
		item("clientState", "guess"), item("tenantId", otherTenant), item("resource", "groups/x"), item("changeType", "deleted"))
	for name, test := range map[string]struct {
		body   string
		broken bool
		want   string
	}{
		"quiet": {collection(ofUser(1), ofUser(1), lifecycle()), false,
			`"level":"INFO","msg":"webhook received","status":202,"items":3,"queued":1,"duration_ms":0,"dropped":{"duplicate":1,"lifecycle":1}}`},
		"forged": {collection(item("clientState", "guess")), false,
			`"level":"WARN","msg":"webhook received","status":202,"items":1,"queued":0,"duration_ms":0,"dropped":{"forged":1}}`},
		"everything": {everything, false,
			`"level":"ERROR","msg":"webhook received","status":202,"items":9,"queued":1,"duration_ms":0,"dropped":{"deleted":1,"duplicate":1,"foreign_resource":1,"foreign_tenant":1,"forged":2,"lifecycle":1,"malformed":1}}`},
		"retry": {collection(ofUser(1)), true,
			`"level":"ERROR","msg":"webhook received","status":503,"items":1,"queued":0,"duration_ms":0,"error":"enqueue requests: io: read/write on closed pipe"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			if test.broken {
				h.queue.err = io.ErrClosedPipe
			}
			h.post(t, test.body)
			_, got, _ := strings.Cut(h.log.String(), ",")
			if diff := cmp.Diff(test.want+"\n", got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestLogHoldsNothingOfTheSender plants a canary wherever a sender or our own
// secret could bring one, and looks for it in logs, receipts and answers.
func TestLogHoldsNothingOfTheSender(t *testing.T) {
	t.Parallel()
	const canary = "cAnAry4711"
	bodies := map[string]string{
		"right state":      collection(item("clientState", canary)),
		"forged state":     collection(item("clientState", canary+"x")),
		"user by name":     collection(item("resource", "Users/"+canary+"@contoso.com")),
		"foreign resource": collection(item("clientState", canary, "resource", "groups/"+canary)),
		"foreign tenant":   collection(item("clientState", canary, "tenantId", canary)),
		"change type":      collection(item("clientState", canary, "changeType", canary)),
		"lifecycle":        collection(lifecycle("clientState", canary)),
		"lifecycle event":  collection(lifecycle("clientState", canary, "lifecycleEvent", canary)),
		"subscription":     collection(lifecycle("clientState", canary, "subscriptionId", canary)),
		"validation token": `{"value":[],"validationTokens":["` + canary + `"]}`,
		"field name":       collection(`{"` + canary + `":1}`),
		"body":             canary,
		"broken body":      collection(item("clientState", canary))[:90],
	}
	queries := map[string]string{
		"token":         "validationToken=" + canary,
		"markup":        "validationToken=%3C" + canary,
		"bad query":     canary + "=%zz" + canary,
		"several":       "validationToken=" + canary + "&validationToken=" + canary,
		"another query": "x=" + canary,
	}
	scan := func(name, query, body string, broken bool) {
		t.Run(fmt.Sprintf("%s, broken: %t", name, broken), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.secrets.cached = canary
			if broken {
				h.queue.err = io.ErrClosedPipe
			}
			answer := h.serve(withQuery(http.MethodPost, query, strings.NewReader(body)))
			seen := fmt.Sprintf("%s\n%+v\n%v", h.log, h.observer.receipts, answer.Header())
			if strings.Contains(seen, canary) {
				t.Errorf("the canary sings in: %s", seen)
			}
			if answer.Code != http.StatusOK && answer.Body.Len() != 0 {
				t.Errorf("answered %d with %q", answer.Code, answer.Body)
			}
		})
	}
	for name, body := range bodies {
		scan(name, "", body, false)
		scan(name, "", body, true)
	}
	for name, query := range queries {
		scan(name, query, "{}", false)
	}
}

func FuzzHandler(f *testing.F) {
	for _, name := range []string{"user-updated", "user-updated-string-sequence", "lifecycle-documented", "lifecycle-observed"} {
		body, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(http.MethodPost, "", body, false)
		f.Add(http.MethodPost, "a=b", body, true)
	}
	f.Add(http.MethodPost, "validationToken=Validation%3a+abc", []byte{}, false)
	f.Add(http.MethodPost, "validationToken=%3Cb%3E&x", []byte{}, false)
	f.Add(http.MethodPost, "validationToken=%22%26%27%2541+%F0%9F%94%91", []byte{}, false)
	f.Add(http.MethodGet, "validationToken=a;b", []byte{}, false)
	f.Fuzz(func(t *testing.T, method, query string, body []byte, broken bool) {
		h := newHouse(t)
		if broken {
			h.queue.err = io.ErrClosedPipe
		}
		answer := h.serve(withQuery(method, query, bytes.NewReader(body)))
		checkStatus(t, method, answer.Code, len(h.observer.receipts))
		if text := answer.Body.String(); answer.Code == http.StatusOK {
			checkEcho(t, query, text)
		} else if text != "" {
			t.Errorf("answered %d with %q", answer.Code, text)
		}
	})
}

// checkStatus checks that the answer is one that the documentation of ServeHTTP
// names, and that each POST, and nothing else, has a receipt.
func checkStatus(t *testing.T, method string, status, receipts int) {
	t.Helper()
	isPost := method == http.MethodPost
	switch status {
	case http.StatusOK, http.StatusAccepted, http.StatusBadRequest, http.StatusServiceUnavailable:
		if !isPost || receipts != 1 {
			t.Errorf("answered %d to %q with %d receipts", status, method, receipts)
		}
	case http.StatusMethodNotAllowed:
		if isPost || receipts != 0 {
			t.Errorf("answered 405 to %q with %d receipts", method, receipts)
		}
	default:
		t.Errorf("answered %d", status)
	}
}

// checkEcho checks that what comes back is the token and can do no harm.
func checkEcho(t *testing.T, query, text string) {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil || values.Get("validationToken") != text {
		t.Errorf("sent %q back to %q", text, query)
	}
	if text == "" || len(text) > 2048 || !utf8.ValidString(text) || strings.ContainsAny(text, "<>\x00\r\n\t\x1b\x7f\u0085") {
		t.Errorf("sent %q back", text)
	}
}
