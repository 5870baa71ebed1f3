package secrets_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
)

func TestClientSecret(t *testing.T) {
	t.Parallel()
	const shape = `{"clientSecret":"…"}`
	tests := []struct{ name, stored, want, fault string }{
		{name: "as documented", stored: `{"clientSecret":"abc8Q~._-x"}`, want: "abc8Q~._-x"},
		{name: "with other members", stored: ` {"note":["of","somebody"],"clientSecret":"abc8Q~"} `, want: "abc8Q~"},
		{name: "the value alone", stored: `hunter2`, fault: shape},
		{name: "a JSON text", stored: `"hunter2"`, fault: shape},
		{name: "another name", stored: `{"secret":"hunter2"}`, fault: shape},
		{name: "another type", stored: `{"clientSecret":["hunter2"]}`, fault: shape},
		{name: "empty", stored: `{"clientSecret":""}`, fault: shape},
		{name: "nothing", stored: ` `, fault: shape},
		{name: "more after it", stored: `{"clientSecret":"hunter2"}{}`, fault: shape},
		{name: "line break", stored: `{"clientSecret":"hunter2\n"}`, fault: "blanks"},
		{name: "quotes of its own", stored: `{"clientSecret":"\"hunter2\""}`, fault: "quotation marks"},
		{name: "byte order mark", stored: "\ufeff" + `{"clientSecret":"abc8Q~"}`, want: "abc8Q~"},
		{name: "secret ID", stored: `{"clientSecret":"0f1e2d3c-4B5a-6978-8796-a5b4c3d2e1f0"}`, fault: "secret ID"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			answer, err := json.Marshal(map[string]string{"SecretString": test.stored})
			if err != nil {
				t.Fatal(err)
			}
			s := secrets.NewClientSecret(config(t, serve(t, map[string]string{"AWSCURRENT": string(answer)}), io.Discard))
			got, err := s.ClientSecret(t.Context(), false)
			checkFault(t, err, test.fault)
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// Entra refuses the secret, so the copy is of no use.
func TestFresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := new(manager)
		m.put(`{"clientSecret":"A"}`)
		s := secrets.NewClientSecret(config(t, m, io.Discard))
		ask := func(fresh bool, want string, requests int) {
			t.Helper()
			if got, err := s.ClientSecret(t.Context(), fresh); got != want || err != nil {
				t.Errorf("got %q and %v, want %q", got, err, want)
			}
			expectRequests(t, m, requests)
		}
		ask(false, "A", 1)
		m.put(`{"clientSecret":"B"}`)
		time.Sleep(time.Second)
		ask(false, "A", 0)
		ask(true, "B", 1)
		ask(false, "B", 0)

		m.put(`{"clientSecret":"C"}`)
		m.set(false, time.Second)
		time.Sleep(time.Second)
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if got, err := s.ClientSecret(t.Context(), true); got != "C" || err != nil {
					t.Errorf("got %q and %v, want C", got, err)
				}
			})
		}
		group.Wait()
		expectRequests(t, m, 1)

		m.set(true, 0)
		time.Sleep(time.Second)
		if _, err := s.ClientSecret(t.Context(), true); !errors.Is(err, errDown) {
			t.Errorf("got %v, want %v", err, errDown)
		}
		m.took()
		ask(false, "C", 0)
	})
}

// An expiry that can't be read costs nobody the sign-in.
func TestExpiresUnreadable(t *testing.T) {
	t.Parallel()
	for name, written := range map[string]string{"words": `"hunter2"`, "empty": `""`, "number": `20270521`, "date": `"2027-05-21"`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			s := secrets.NewClientSecret(config(t, stored(t, `{"clientSecret":"abc8Q~","expires":`+written+`}`), &log))
			if got, err := s.ClientSecret(t.Context(), false); got != "abc8Q~" || err != nil {
				t.Errorf("got %q and %v", got, err)
			}
			if expires, err := s.Expires(t.Context()); err != nil || !expires.IsZero() {
				t.Errorf("expires %s, %v", expires, err)
			}
			if got := log.String(); strings.Count(got, "expiry is not known") != 1 || !strings.Contains(got, "RFC 3339") || strings.Contains(got, "hunter2") {
				t.Errorf("log:\n%s", got)
			}
		})
	}
}
