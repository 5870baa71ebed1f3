package answer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

// read reads the users 0 to n-1 from the answer to a $batch.
func read(t testing.TB, body string, n int) []directory.Read {
	t.Helper()
	parts, err := answer.Parts(said(http.StatusOK, body), n)
	if err != nil {
		discreet(t, err)
		return nil
	}
	if len(parts) != n {
		t.Fatalf("%d parts, want %d", len(parts), n)
	}
	reads := make([]directory.Read, n)
	for i, p := range parts {
		if reads[i].Err = p.Err; p.Err == nil {
			reads[i].User, reads[i].Err = answer.User(p.Answer, userID(i))
		}
		if reads[i].Err != nil {
			discreet(t, reads[i].Err)
		}
	}
	return reads
}

func TestStampKnown(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, stamp string
		known       bool
		want        time.Time
	}{
		{"absent", ``, false, time.Time{}},
		{"null", `"signInSessionsValidFromDateTime":null,`, true, time.Time{}},
		{"set", `"signInSessionsValidFromDateTime":"2026-05-24T22:24:33Z",`, true, time.Date(2026, 5, 24, 22, 24, 33, 0, time.UTC)},
		{"set with fractions", `"signInSessionsValidFromDateTime":"2026-05-24T22:24:33.5Z",`, true, time.Date(2026, 5, 24, 22, 24, 33, 5e8, time.UTC)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			u, err := answer.User(said(http.StatusOK, userJSON(userID(0), tt.stamp)), userID(0))
			if err != nil {
				t.Fatal(err)
			}
			if u.StampKnown != tt.known || u.SignInSessionsValidFrom != tt.want {
				t.Errorf("stamp %v, known %t, want %v, %t", u.SignInSessionsValidFrom, u.StampKnown, tt.want, tt.known)
			}
		})
	}
}

// A part that cannot be relied on spoils itself and nothing else.
func TestPartsAreDistrusted(t *testing.T) {
	t.Parallel()
	good := partOf(2, http.StatusOK, userJSON(userID(1), ""))
	tests := []struct{ name, part, want string }{
		{"missing", `{"id":"7","status":200,"body":{}}`, "no part for this request"},
		{"null", `null`, "no part for this request"},
		{"a list", `[]`, "no part for this request"},
		{"number as id", `{"id":1,"status":200,"body":` + userJSON(userID(0), "") + `}`, "no part for this request"},
		{"id of another", partOf(1, http.StatusOK, userJSON(userID(1), "")), "about another user"},
		{"no id", partOf(1, http.StatusOK, `{"userPrincipalName":"`+principal+`"}`), "documented form"},
		{"principal as id", partOf(1, http.StatusOK, userJSON(principal, "")), "documented form"},
		{"twice", partOf(1, 200, userJSON(userID(0), "")) + "," + partOf(1, 200, userJSON(userID(0), "")), "two parts"},
		{"three times", strings.Repeat(partOf(1, 200, userJSON(userID(0), ""))+",", 2) + partOf(1, 200, userJSON(userID(0), "")), "two parts"},
		{"no status", `{"id":"1","body":` + userJSON(userID(0), "") + `}`, "documented form"},
		{"null status", `{"id":"1","status":null,"body":` + userJSON(userID(0), "") + `}`, "documented form"},
		{"HTML for a part", `<html>` + principal, "no part for this request"},
		{"HTML as body", `{"id":"1","status":503,"headers":{"Content-Type":"text/html"},"body":<html>{"id":"7"}</html>}`, "no part for this request"},
		{"text as raw body", `{"id":"1","status":429,"headers":{},"body":Too many requests}`, "no part for this request"},
		{"base64 as raw body", `{"id":"1","status":200,"body":PGh0bWw+}`, "no part for this request"},
		{"base64 as body", partOf(1, http.StatusOK, `"PGh0bWw+"`), "documented form"},
		{"part as text", `"service unavailable"`, "no part for this request"},
		{"text as status", `{"id":"1","status":"429","headers":{"Retry-After":7},"body":{}}`, "status 429, retry after 7s"},
		{"word as status", `{"id":"1","status":"OK","body":` + userJSON(userID(0), "") + `}`, "documented form"},
		{"null body", partOf(1, http.StatusOK, `null`), "documented form"},
		{"no body", `{"id":"1","status":200}`, "documented form"},
		{"text as body", partOf(1, http.StatusOK, `"`+principal+`"`), "documented form"},
		{"list as body", partOf(1, http.StatusOK, `[{}]`), "documented form"},
		{"number as type", partOf(1, http.StatusOK, `{"id":"`+userID(0)+`","userType":7}`), "documented form"},
		{"principal as date", partOf(1, http.StatusOK, `{"id":"`+userID(0)+`","createdDateTime":"`+principal+`"}`), "documented form"},
		{"strange headers", `{"id":"1","status":404,"headers":{"Retry-After":null,"X":{}},"body":"` + principal + `"}`, "status 404"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			reads := read(t, batchOf(tt.part, good), 2)
			if e := discreet(t, reads[0].Err); !strings.Contains(e.Error(), tt.want) {
				t.Errorf("error %q, want %q", e, tt.want)
			}
			if (reads[0].User != directory.User{}) {
				t.Errorf("an error came with the user %+v", reads[0].User)
			}
			if reads[1].Err != nil {
				t.Errorf("the good part: %v", reads[1].Err)
			}
		})
	}
}

// Users from before June 2018 have no date, and some old ones no type.
func TestOldUsersAreRead(t *testing.T) {
	t.Parallel()
	body := `{"id":"` + userID(0) + `","userPrincipalName":"` + principal + `","userType":null,"createdDateTime":null}`
	u, err := answer.User(said(http.StatusOK, body), userID(0))
	if err != nil || u.UserType != "" || !u.Created.IsZero() || u.UserPrincipalName != principal {
		t.Errorf("user %+v, %v", u, err)
	}
}

// The body of a revocation always says true, so only the status counts.
func TestPartsAreJudgedByStatus(t *testing.T) {
	t.Parallel()
	tests := []struct {
		status  int
		body    string
		success bool
	}{
		{200, `{"value":true}`, true},
		{200, `{"value":false}`, true},
		{204, `null`, true},
		{202, `"` + principal + `"`, true},
		{302, `{"value":true}`, false},
		{503, `{"value":true}`, false},
	}
	for _, tt := range tests {
		t.Run(strconv.Itoa(tt.status), func(t *testing.T) {
			t.Parallel()
			parts, err := answer.Parts(said(http.StatusOK, batchOf(partOf(1, tt.status, tt.body))), 1)
			if err != nil {
				t.Fatal(err)
			}
			if (parts[0].Err == nil) != tt.success {
				t.Errorf("error %v, want success %t", parts[0].Err, tt.success)
			}
		})
	}
}

// An envelope that is not the documented one fails the call, which may have been
// carried out.
func TestEnvelopes(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `null]`, `[]`, `"` + principal + `"`, `{"responses":{}}`, `{"responses":"x"}`, `<html>`} {
		_, err := answer.Parts(said(http.StatusOK, body), 1)
		if e := discreet(t, err); e.NotDone || e.StatusCode != http.StatusOK {
			t.Errorf("%s: error %+v", body, e)
		}
	}
	for _, body := range []string{`{}`, `null`, `{"responses":null}`, `{"responses":[]}`} {
		parts, err := answer.Parts(said(http.StatusOK, body), 1)
		if err != nil {
			t.Fatal(err)
		}
		if e := discreet(t, parts[0].Err); e.NotDone || e.StatusCode != 0 || !errors.Is(e, answer.ErrNoPart) {
			t.Errorf("%s: error %+v", body, e)
		}
	}
}

// Whatever stands for a $batch, there is a result for each request: the user who was
// asked for, or an error, and never both.
func FuzzParts(f *testing.F) {
	f.Add(file(f, "batch-response.json"))
	f.Add(batchOf(partOf(1, 200, userJSON(userID(0), ""))))
	f.Add(batchOf(`null`, `{"id":"1","headers":{"a":null}}`))
	f.Add(batchOf(partOf(2, 429, `{}`), partOf(2, 200, userJSON(userID(1), ""))))
	f.Add(`{"responses":{}}`)
	f.Add(batchOf(`{"id":"1","status":503,"body":<html>}`, partOf(2, 200, userJSON(userID(1), ""))))
	f.Add(``)
	f.Fuzz(func(t *testing.T, body string) {
		for i, r := range read(t, body, 3) {
			if (r.Err == nil) != (r.User.ID == userID(i)) || r.Err != nil && r.User != (directory.User{}) {
				t.Errorf("read %d is %+v", i, r)
			}
		}
	})
}

// Whatever one part is, those around it are read, unless it claims to be one of them.
func FuzzPart(f *testing.F) {
	f.Add(`null`)
	f.Add(partOf(2, 200, userJSON(userID(1), "")))
	f.Add(partOf(2, 429, file(f, "error-429.json")))
	f.Add(partOf(3, 200, userJSON(userID(2), "")))
	f.Add(`{"id":"2","status":200,"headers":{"Retry-After":{}},"body":[]}`)
	f.Add(`{"id":"+1","status":"200"}`)
	f.Add(`<html>service unavailable</html>`)
	f.Fuzz(func(t *testing.T, part string) {
		if !json.Valid([]byte(part)) && strings.ContainsAny(part, "{}[]\"\\") {
			return // it may claim to be others, or end the envelope
		}
		var claims struct{ ID string }
		_ = json.Unmarshal([]byte(part), &claims)
		body := batchOf(partOf(1, 200, userJSON(userID(0), "")), part, partOf(3, 200, userJSON(userID(2), "")))
		reads := read(t, body, 3)
		for _, i := range []int{0, 2} {
			var number int
			fmt.Sscan(claims.ID, &number)
			if err := reads[i].Err; err != nil && number != i+1 {
				t.Errorf("the part %q spoils that of user %d: %v", part, i, err)
			}
		}
	})
}

// Of whatever stands for a user, only the one who was asked for is returned, and the
// stamp is known only where there was one.
func FuzzUser(f *testing.F) {
	f.Add(userJSON(userID(0), ""))
	f.Add(userJSON(userID(0), `"signInSessionsValidFromDateTime":null,`))
	f.Add(userJSON(strings.ToUpper(userID(0)), `"signInSessionsValidFromDateTime":"2026-05-24T22:24:33.5+09:00",`))
	f.Add(userJSON(principal, ""))
	f.Add(`{"id":7}`)
	f.Fuzz(func(t *testing.T, body string) {
		u, err := answer.User(said(http.StatusOK, body), userID(0))
		if err != nil {
			if discreet(t, err); u != (directory.User{}) {
				t.Errorf("an error came with the user %+v", u)
			}
			return
		}
		checkUser(t, u, body)
		if u.ID != userID(0) {
			t.Errorf("asked for %s, got %s", userID(0), u.ID)
		}
	})
}

// checkUser checks a user against the object that was read.
func checkUser(t *testing.T, u directory.User, body string) {
	t.Helper()
	var properties map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &properties); err != nil {
		t.Fatalf("read a user from what is no object: %v", err)
	}
	shown, stamped := false, false
	for name, value := range properties {
		if strings.EqualFold(name, "signInSessionsValidFromDateTime") {
			shown, stamped = true, stamped || string(value) != "null"
		}
	}
	if u.StampKnown != shown {
		t.Errorf("stamp known: %t, in the object: %t", u.StampKnown, shown)
	}
	if !u.SignInSessionsValidFrom.IsZero() && !shown {
		t.Errorf("stamp %v out of nowhere", u.SignInSessionsValidFrom)
	}
	if !directory.IsID(u.ID) {
		t.Errorf("id %q", u.ID)
	}
}
