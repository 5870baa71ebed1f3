package stamp_test

import (
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// Behind each of these an emergency account was thought safe.
func TestExclusionsThatProtectNobody(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		"breakglass1@contoso.com;breakglass2@contoso.com": "separate patterns by commas",
		"breakglass1@contoso.com|breakglass2@contoso.com": "separate patterns by commas",
		`"svc-*@contoso.com"`:                             "quotation mark",
		`'svc-*@contoso.com'`:                             "quotation mark",
		"“svc-*@contoso.com”":                             "quotation mark",
		`CONTOSO\svc-*`:                                   "backslash",
		"svc-.*@contoso.com":                              "regular expression",
		"svc-.+@contoso.com":                              "regular expression",
		"^svc-*@contoso.com":                              "regular expression",
		"svc-*@contoso.com$":                              "regular expression",
		"(a|b)@contoso.com":                               "regular expression",
		"(a)@contoso.com":                                 "regular expression",
		"[ext]*@contoso.com":                              "regular expression",
		"mailto:x@contoso.com":                            "mailto",
		"@contoso.com":                                    "before the @",
		"svc@":                                            "after the @",
		"\u200bx@contoso.com":                             "invisible",
		"x@contoso.com\u200b":                             "invisible",
		"\ufeffx@contoso.com":                             "invisible",
		"x@contoso.com\u00a0":                             "invisible",
		"a@contoso.com b@contoso.com":                     "blank",
		" a@contoso.com":                                  "blank",
		"admin":                                           "matches nobody",
		"a@b@contoso.com":                                 "more than one @",
		"*":                                               "matches everybody",
		"*@*":                                             "matches everybody",
		"<a@contoso.com>":                                 "no user principal name",
		"":                                                "empty",
		"svc-*＠contoso.com":                               "half width",
		"＊@contoso.com":                                   "half width",
		"svc-*@contoso．com":                               "half width",
		"svc–*@contoso.com":                               "half width",
		"breakglass@contoso.com\ufe0f":                    "half width",
		"svc-%@contoso.com":                               "half width",
		"bg1@contoso.com&bg2":                             "half width",
		"breakglass@contoso.com.":                         "whole domain",
		"breakglass@contoso":                              "whole domain",
		"svc-*@.contoso.com":                              "whole domain",
		"*@contoso.com#":                                  "whole domain",
	} {
		err := stamp.Exclusions{Patterns: []string{pattern}}.Validate()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", pattern, err, want)
		}
	}
	if err := (stamp.Exclusions{IDs: []string{"a@contoso.com"}}).Validate(); err == nil {
		t.Error("a name was taken for an id")
	}
}

func TestExclusionsMatch(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"svc-*", "SVC-1@contoso.com", true},
		{"svc-*@contoso.com", "svc-a/b@contoso.com", true},
		{"svc-*@contoso.com", "svc-@contoso.com", true},
		{"svc-*@contoso.com", "xsvc-1@contoso.com", false},
		{"svc-*@contoso.com", "svc-1@contoso.com.example", false},
		{"a?@contoso.com", "aé@contoso.com", true},
		{"a?@contoso.com", "a@contoso.com", false},
		{"*adm*in*@contoso.com", "xadmadminx@contoso.com", true},
		{"*@contoso.com", "a@contoso.com", true},
		{"o'brien@contoso.com", "O'Brien@contoso.com", true},
		{"a.b@contoso.com", "axb@contoso.com", false},
		{"*a*a*a*a*b@c.d", strings.Repeat("a", 2000), false},
	} {
		e := stamp.Exclusions{Patterns: []string{tt.pattern}}
		if err := e.Validate(); err != nil {
			t.Errorf("%q: %v", tt.pattern, err)
		}
		by, got := e.Match(directory.User{UserPrincipalName: tt.name})
		if got != tt.want || got && by != tt.pattern {
			t.Errorf("%q matches %q: %t by %q, want %t", tt.pattern, tt.name, got, by, tt.want)
		}
	}
	e := stamp.Exclusions{IDs: []string{userID(1)}}
	if by, ok := e.Match(directory.User{ID: strings.ToUpper(userID(1))}); !ok || by != userID(1) {
		t.Errorf("the id matches: %t by %q", ok, by)
	}
}
