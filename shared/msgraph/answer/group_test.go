package answer_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/msgraph/answer"
)

func TestMemberGroups(t *testing.T) {
	t.Parallel()
	got, err := answer.MemberGroups(said(http.StatusOK, `{"value":["`+strings.ToUpper(userID(1))+`","`+userID(2)+`"]}`))
	if err != nil || !slices.Equal(got, []string{userID(1), userID(2)}) {
		t.Errorf("groups %v, %v", got, err)
	}
	if got, err := answer.MemberGroups(said(http.StatusOK, `{"value":[]}`)); err != nil || len(got) != 0 {
		t.Errorf("groups %v, %v", got, err)
	}
}

// A group protects people, so silence is not a no.
func TestGroupsAreDistrusted(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `null`, `{}`, `{"value":null}`, `{"value":"` + principal + `"}`, `{"value":[7]}`, `{"value":[null]}`, `{"value":["` + principal + `"]}`} {
		got, err := answer.MemberGroups(said(http.StatusOK, body))
		if discreet(t, err); got != nil {
			t.Errorf("%s: groups %v", body, got)
		}
	}
	for _, body := range []string{``, `{}`, `{"id":"` + userID(1) + `"}`, `{"id":"` + userID(0) + `","visibility":7}`} {
		_, err := answer.HidesMembers(said(http.StatusOK, body), userID(0))
		discreet(t, err)
	}
}

func TestHidesMembers(t *testing.T) {
	t.Parallel()
	for visibility, want := range map[string]bool{`null`: false, `"Private"`: false, `"HiddenMembership"`: true, `"hiddenmembership"`: true} {
		got, err := answer.HidesMembers(said(http.StatusOK, `{"id":"`+userID(0)+`","visibility":`+visibility+`}`), userID(0))
		if err != nil || got != want {
			t.Errorf("%s hides: %t, %v", visibility, got, err)
		}
	}
}

// Whatever stands for groups, they are ids, or there is an error.
func FuzzMemberGroups(f *testing.F) {
	f.Add(`{"value":["` + userID(1) + `"]}`)
	f.Add(`{"value":[null]}`)
	f.Fuzz(func(t *testing.T, body string) {
		got, err := answer.MemberGroups(said(http.StatusOK, body))
		if err != nil {
			discreet(t, err)
			return
		}
		checkIDs(t, got)
	})
}
