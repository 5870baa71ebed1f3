package stamp_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// A body that is no request is refused without a word of what stands in it.
func TestDecodeRequestRefuses(t *testing.T) {
	t.Parallel()
	valid := stamp.Request{Tenant: tenant, User: userID(1), Source: stamp.SourcePerson, Approved: true, Seen: noon, NotBefore: noon}
	for what, change := range map[string]func(map[string]any){
		"tenant is not":    func(m map[string]any) { m["tenant"] = canary },
		"user is not":      func(m map[string]any) { m["user"] = canary },
		"source is not":    func(m map[string]any) { m["source"] = canary },
		"only a person ap": func(m map[string]any) { delete(m, "approved") },
		"only a person or": func(m map[string]any) { m["source"] = "sweep"; delete(m, "approved") },
		"signal has no":    func(m map[string]any) { m["source"] = "signal"; delete(m, "approved"); delete(m, "notBefore") },
		"cause is no code": func(m map[string]any) { m["cause"] = canary + "@" },
		"seen is missing":  func(m map[string]any) { delete(m, "seen") },
		"attempt is":       func(m map[string]any) { m["attempt"] = -1 },
		"time is mal":      func(m map[string]any) { m["seen"] = canary },
		"decode request":   func(m map[string]any) { m["attempt"] = canary },
	} {
		var members map[string]any
		if err := json.Unmarshal(encode(t, valid), &members); err != nil {
			t.Fatal(err)
		}
		change(members)
		_, err := stamp.DecodeRequest(encode(t, members))
		if err == nil || !strings.Contains(err.Error(), what) || strings.Contains(err.Error(), canary) {
			t.Errorf("%v, want an error with %q and nothing of the body", err, what)
		}
	}
}

// FuzzDecodeRequest checks that what is taken says the same when it is put back.
func FuzzDecodeRequest(f *testing.F) {
	for _, r := range []stamp.Request{
		{Tenant: tenant, User: userID(1), Source: stamp.SourceNotification, Seen: noon},
		{Tenant: tenant, User: userID(1), Source: stamp.SourceSignal, Provider: "7", Cause: "user_disabled", Seen: noon, NotBefore: noon},
		{Tenant: tenant, User: userID(2), Source: stamp.SourcePerson, Approved: true, Seen: noon, NotBefore: noon.Add(time.Nanosecond), ReadBack: true, Attempt: 3},
	} {
		f.Add(encode(f, r))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := stamp.DecodeRequest(body)
		if err != nil {
			return
		}
		again, err := stamp.DecodeRequest(encode(t, r))
		if err != nil || !again.Seen.Equal(r.Seen) || !again.NotBefore.Equal(r.NotBefore) {
			t.Fatalf("put back it is %+v, %v; was %+v", again, err, r)
		}
		again.Seen, again.NotBefore = r.Seen, r.NotBefore
		if again != r {
			t.Errorf("put back it is %+v, was %+v", again, r)
		}
	})
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
