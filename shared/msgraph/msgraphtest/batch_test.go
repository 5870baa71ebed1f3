package msgraphtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// batchOf joins parts to an envelope.
func batchOf(parts ...string) string { return `{"requests":[` + strings.Join(parts, ",") + `]}` }

func revokePart(id, user string) string {
	return fmt.Sprintf(`{"id":%q,"method":"POST","url":"/users/%s/revokeSignInSessions","headers":{"Content-Type":"application/json"},"body":{}}`, id, user)
}

func getPart(id, rest string) string {
	return fmt.Sprintf(`{"id":%q,"method":"GET","url":"/users/%s"%s}`, id, testUser, rest)
}

// answers sends a batch and returns its responses by id, in the order in which
// they came.
func (w *world) answers(envelope string) (byID map[string]partResponse, order []string) {
	w.t.Helper()
	r := w.call("POST", "/$batch", envelope)
	var all batchResponse
	if err := json.Unmarshal(r.body, &all); err != nil || r.StatusCode != 200 {
		w.t.Fatalf("batch: %d %s", r.StatusCode, r.body)
	}
	byID = make(map[string]partResponse)
	for _, p := range all.Responses {
		byID[p.ID] = p
		order = append(order, p.ID)
	}
	return byID, order
}

func TestBatchRefusedWhole(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range maxParts + 1 {
		many = append(many, getPart(fmt.Sprint(i), ""))
	}
	tests := []struct{ name, envelope string }{
		{"no JSON", "nonsense"},
		{"no requests", batchOf()},
		{"21 requests", batchOf(many...)},
		{"no id", batchOf(getPart("", ""))},
		{"same id", batchOf(getPart("a", ""), getPart("a", ""))},
		{"same id in another case", batchOf(getPart("a", ""), getPart("A", ""))},
		{"no method", batchOf(`{"id":"1","url":"/users"}`)},
		{"no URL", batchOf(`{"id":"1","method":"GET"}`)},
		{"absolute URL", batchOf(`{"id":"1","method":"GET","url":"https://graph.microsoft.com/v1.0/users"}`)},
		{"dependsOn", batchOf(getPart("1", ""), getPart("2", `,"dependsOn":["1"]`))},
		{"POST without body and type", batchOf(getPart("2", ""), `{"id":"1","method":"POST","url":"`+revokePath+`"}`)},
		{"POST with null", batchOf(`{"id":"1","method":"POST","url":"` + revokePath + `","headers":{"Content-Type":"application/json"},"body":null}`)},
		{"POST with type and no body", batchOf(`{"id":"1","method":"post","url":"` + revokePath + `","headers":{"content-type":"application/json"}}`)},
		{"body without type", batchOf(`{"id":"1","method":"POST","url":"` + revokePath + `","body":{}}`)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			w.want(w.call("POST", "/$batch", test.envelope), 400, "BadRequest")
			if n := w.Counts(); n.Parts != 0 || n.HTTP != 1 {
				t.Errorf("counted %+v", n)
			}
		})
	}
}

func TestBatchEnvelopeNeedsTokenAndType(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.want(w.send(w.requestAs("nonsense", "POST", "/$batch", batchOf(getPart("1", "")))), 401, "InvalidAuthenticationToken")
	req := w.request("POST", "/$batch", batchOf(getPart("1", "")))
	req.Header.Del("Content-Type")
	w.want(w.send(req), 400, "Request_BadRequest")
	w.want(w.call("GET", "/$batch", ""), 400, "BadRequest")
}

func TestBatchParts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, part string
		status     int
		code       string
	}{
		{"read", getPart("1", ""), 200, ""},
		{"URL without slash", `{"id":"1","method":"GET","url":"users/` + testUser + `?$select=id"}`, 200, ""},
		{"method in small letters", `{"id":"1","method":"get","url":"/users/` + testUser + `"}`, 200, ""},
		{"revoke with an empty object", revokePart("1", testUser), 200, ""},
		{"type in small letters, with parameters", `{"id":"1","method":"POST","url":"` + revokePath + `","headers":{"content-type":"application/json; charset=utf-8"},"body":{}}`, 200, ""},
		{"key in parentheses", `{"id":"1","method":"GET","url":"/Users('` + testUser + `')"}`, 200, ""},
		{"nested", `{"id":"1","method":"POST","url":"/$batch","headers":{"Content-Type":"application/json"},"body":{"requests":[]}}`, 400, "BadRequest"},
		{"malformed URL", `{"id":"1","method":"GET","url":"/users/%zz"}`, 400, "BadRequest"},
		{"malformed query", `{"id":"1","method":"GET","url":"/users?a=%zz"}`, 400, "BadRequest"},
		{"with the version", `{"id":"1","method":"GET","url":"/v1.0/users"}`, 400, "BadRequest"},
		{"not permitted", `{"id":"1","method":"DELETE","url":"/users/` + testUser + `"}`, 403, "Authorization_RequestDenied"},
		{"unknown user", revokePart("1", testTenant), 404, "Request_ResourceNotFound"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			got, _ := w.answers(batchOf(test.part))
			var body struct{ Error struct{ Code string } }
			if err := json.Unmarshal(got["1"].Body, &body); err != nil {
				t.Fatal(err)
			}
			if got["1"].Status != test.status || body.Error.Code != test.code {
				t.Errorf("answered %d %q, want %d %q", got["1"].Status, body.Error.Code, test.status, test.code)
			}
			if got["1"].Headers["content-type"] == "" || got["1"].Headers["request-id"] == "" {
				t.Errorf("headers %v", got["1"].Headers)
			}
		})
	}
}

func TestBatchPartsAreThrottledOneByOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Limits: limited(func(l *Limits) { l.Writes = Quota{2, time.Minute} })})
	got, _ := w.answers(batchOf(revokePart("1", testUser), revokePart("2", testUser), revokePart("3", testUser), getPart("4", "")))
	want := map[string]int{"1": 200, "2": 200, "3": 429, "4": 200}
	for id, status := range want {
		if got[id].Status != status {
			t.Errorf("part %s: %d, want %d", id, got[id].Status, status)
		}
	}
	if got["3"].Headers["retry-after"] != "60" {
		t.Errorf("headers %v", got["3"].Headers)
	}
	if want := (Counts{HTTP: 1, Parts: 4, Throttled: 1, Writes: 2}); w.Counts() != want {
		t.Errorf("counted %+v, want %+v", w.Counts(), want)
	}
}

func TestBatchAnswersComeInAnyOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{Seed: 7})
	var parts []string
	for i := range maxParts {
		parts = append(parts, getPart(fmt.Sprint(i), ""))
	}
	_, first := w.answers(batchOf(parts...))
	_, second := w.answers(batchOf(parts...))
	if cmp.Equal(first, second) || len(first) != maxParts {
		t.Errorf("twice the same order: %v", first)
	}
}

func TestFaultsOfParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	envelope := batchOf(revokePart("1", testUser), getPart("2", ""))

	remove := w.Inject(Fault{Match: isRevoke, Status: 503, Code: "x", After: true})
	got, _ := w.answers(envelope)
	if got["1"].Status != 503 || got["2"].Status != 200 || w.Counts().Writes != 1 {
		t.Errorf("part 1 failing after: %+v, %+v", got, w.Counts())
	}
	remove()

	remove = w.Inject(Fault{Match: isRevoke, Reset: true})
	if _, err := w.RoundTrip(w.request("POST", "/$batch", envelope)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("error %v, want ECONNRESET", err)
	}
	if n := w.Counts(); n.Writes != 1 || n.Parts != 4 {
		t.Errorf("the other part was not carried out: %+v", n)
	}
	remove()

	remove = w.Inject(Fault{Match: func(r Request) bool { return r.Parts == 2 }, Status: 504, Code: "y", After: true})
	w.want(w.call("POST", "/$batch", envelope), 504, "y")
	if n := w.Counts().Writes; n != 2 {
		t.Errorf("%d writes, want 2: the envelope failed afterwards", n)
	}
	remove()
}

func TestNilMatchSparesTheEnvelope(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	req := w.request("POST", "/$batch", batchOf(getPart("1", ""), getPart("2", "")))
	w.Inject(Fault{Status: 503, Code: "x"})
	r := w.send(req)
	if r.StatusCode != 200 || strings.Count(string(r.body), `"status":503`) != 2 {
		t.Errorf("answered %d %s", r.StatusCode, r.body)
	}
}

func TestPartsWaitSideBySide(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.token()
		w.Inject(Fault{Match: func(r Request) bool { return r.Part }, Latency: time.Second})
		start := time.Now()
		w.answers(batchOf(getPart("1", ""), getPart("2", ""), getPart("3", "")))
		if took := time.Since(start); took != time.Second {
			t.Errorf("parallel: took %s, want 1s", took)
		}
	})
}
