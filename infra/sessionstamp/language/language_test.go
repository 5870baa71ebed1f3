package language_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
)

func TestChoose(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		flag, system string
		env          map[string]string
		want         language.Language
	}{
		"nothing":                   {want: language.English},
		"the flag":                  {flag: "ja", env: map[string]string{"LC_ALL": "en_US.UTF-8"}, want: language.Japanese},
		"the flag says English":     {flag: "en", system: "ja-JP", env: map[string]string{"LANG": "ja_JP.UTF-8"}, want: language.English},
		"LANG":                      {env: map[string]string{"LANG": "ja_JP.UTF-8"}, want: language.Japanese},
		"short":                     {env: map[string]string{"LANG": "ja"}, want: language.Japanese},
		"no charset":                {env: map[string]string{"LANG": "ja_JP"}, want: language.Japanese},
		"a modifier":                {env: map[string]string{"LANG": "ja_JP.utf8@cjk"}, want: language.Japanese},
		"LC_MESSAGES before LANG":   {env: map[string]string{"LC_MESSAGES": "C", "LANG": "ja_JP.UTF-8"}, want: language.English},
		"LC_ALL before LC_MESSAGES": {env: map[string]string{"LC_ALL": "ja_JP.UTF-8", "LC_MESSAGES": "C"}, want: language.Japanese},
		"a charset we do not write": {env: map[string]string{"LANG": "ja_JP.eucJP"}, want: language.English},
		"Javanese":                  {env: map[string]string{"LANG": "jav_ID.UTF-8"}, want: language.English},
		"Windows":                   {system: "ja-JP", want: language.Japanese},
		"Windows, and a shell":      {system: "ja-JP", env: map[string]string{"LANG": "en_US.UTF-8"}, want: language.English},
		"Windows in German":         {system: "de-DE", want: language.English},
	} {
		got, err := language.Choose(c.flag, func(name string) string { return c.env[name] }, c.system)
		if got != c.want || err != nil {
			t.Errorf("%s: got %s, %v", name, got, err)
		}
	}
	for _, flag := range []string{"fr", "JA", "ja_JP", " "} {
		if _, err := language.Choose(flag, func(string) string { return "" }, ""); err == nil || !strings.Contains(err.Error(), "--lang ja") {
			t.Errorf("--lang %q: got %v", flag, err)
		}
	}
}

func TestSay(t *testing.T) {
	t.Parallel()
	words := language.Catalogue{"without": {"%d of %d have no stamp", "%[2]d 人中 %[1]d 人にスタンプがありません"}}
	for _, c := range []struct {
		l    language.Language
		key  language.Key
		want string
	}{
		{language.English, "without", "412 of 3021 have no stamp"},
		{language.Japanese, "without", "3021 人中 412 人にスタンプがありません"},
		{"", "without", "412 of 3021 have no stamp"},
		{language.Japanese, "lost", "(lost)"},
	} {
		if got := words.Say(c.l, c.key, 412, 3021); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	words := language.Catalogue{
		"whole":      {"%d of %s: %5.1f %%", "%[2]s 中 %[1]d: %.1[3]f %%"},
		"twice":      {"%[1]s, %[1]s", "%s"},
		"no ja":      {"yes", " "},
		"no en":      {"", "はい"},
		"left out":   {"%s at line %d", "%s"},
		"other verb": {"%d users", "%s 人"},
		"swapped":    {"%s has %d", "%d が %s"},
		"unfinished": {"100 %\n", "100\n"},
	}
	want := []string{
		`left out: English takes ["1s" "2d"], Japanese ["1s"]`,
		`no en: there is no English`,
		`no ja: there is no Japanese`,
		`other verb: English takes ["1d"], Japanese ["1s"]`,
		`swapped: English takes ["1s" "2d"], Japanese ["1d" "2s"]`,
		`unfinished: English takes ["1\n"], Japanese []`,
	}
	if diff := cmp.Diff(want, words.Faults()); diff != "" {
		t.Error(diff)
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 3021: "3,021", 123456: "123,456", 1234567: "1,234,567",
		-1: "-1", -12: "-12", -999: "-999", -1000: "-1,000", -123456: "-123,456", math.MinInt32: "-2,147,483,648", math.MaxInt32: "2,147,483,647",
	} {
		if got := language.Number(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}
