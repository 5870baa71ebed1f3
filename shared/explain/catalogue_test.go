package explain

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

var (
	placeholder = regexp.MustCompile(`\{[a-z]+\}`)
	japanese    = regexp.MustCompile(`[\p{Hiragana}\p{Katakana}\p{Han}]`)
)

// keys are those of the catalogue that the evidence leads to.
func keys(e Evidence) (keys []string) {
	m := newMatter(e)
	for _, r := range rules {
		hits := r.try(m)
		for _, h := range hits {
			keys = append(keys, r.key(h.variant))
			m.found = append(m.found, r.finding(h))
		}
		if r.stop && len(hits) > 0 {
			break
		}
	}
	return keys
}

// TestCatalogueComplete has words for every hit, a golden case for all words, and no word
// that no rule says.
func TestCatalogueComplete(t *testing.T) {
	t.Parallel()
	used := make(map[string]bool)
	for _, test := range cases {
		for _, key := range keys(evidence(test.changes)) {
			used[key] = true
			if catalogue[key].admin == (Text{}) {
				t.Errorf("%s: no words for %q", test.name, key)
			}
		}
	}
	for key := range catalogue {
		if !used[key] {
			t.Errorf("no case says %q", key)
		}
	}
	for _, r := range rules {
		if !slices.ContainsFunc(cases, func(c struct {
			name    string
			changes []change
			want    []string
		}) bool {
			return slices.Contains(c.want, r.id)
		}) {
			t.Errorf("no case of rule %s", r.id)
		}
	}
}

// TestTexts are whole in both languages, with the same placeholders.
func TestTexts(t *testing.T) {
	t.Parallel()
	check := func(name string, text Text, sentence bool) {
		t.Helper()
		english, other := placeholder.FindAllString(text.English, -1), placeholder.FindAllString(text.Japanese, -1)
		slices.Sort(english)
		slices.Sort(other)
		switch {
		case !japanese.MatchString(text.Japanese) || japanese.MatchString(text.English):
			t.Errorf("%s: not one text in each language: %+v", name, text)
		case !slices.Equal(slices.Compact(english), slices.Compact(other)):
			t.Errorf("%s: the placeholders differ: %s, %s", name, english, other)
		case sentence && (!strings.HasSuffix(text.English, ".") || !strings.HasSuffix(text.Japanese, "。") && !strings.HasSuffix(text.Japanese, "}")):
			t.Errorf("%s: no whole sentence: %+v", name, text)
		}
	}
	for key, w := range catalogue {
		check(key, w.admin, true)
		if w.user != (Text{}) {
			check(key, w.user, true)
		}
		if w.link != "" && !strings.HasPrefix(w.link, "https://") {
			t.Errorf("%s: link %q", key, w.link)
		}
	}
	for name, text := range phrases {
		if name == "policy name" || name == "policy both" { // quotation marks alone
			continue
		}
		check(name, text, false)
	}
	for reason, left := range leftBecause {
		check(string(reason), left.text, false)
	}
	for _, c := range codes {
		check(lookUpPage(c.number), c.meaning, false)
	}
}

// TestCodes are sorted, each once; these are all of which the rules speak.
func TestCodes(t *testing.T) {
	t.Parallel()
	if !slices.IsSortedFunc(codes, func(a, b errorCode) int { return cmp.Compare(a.number, b.number) }) {
		t.Error("the codes are not sorted")
	}
	for class, numbers := range map[class][]int{
		classInactive:   {70008, 700082},
		classPolicy:     {70043, 70044},
		classApp:        {50196, 700084},
		classRevoked:    {50173},
		classPassword:   {50132, 50133},
		classNoise:      {50058, 50089},
		classExpected:   {50140, 50199},
		classMFA:        {50072, 50074, 50076, 50079},
		classMFAExpired: {50078},
		classOther:      {50055, 50125, 50144, 50158},
		classDevice:     {50097, 50129, 50155, 50168, 50187, 135011, 700003},
		classSeamless:   {81010, 81012},
		classBlocked:    {53000, 53001, 53002, 53003, 530032, 530035},
		classRisk:       {50131},
		classAccount:    {50034, 50053, 50126},
		classDisabled:   {50057},
		classFederation: {20001, 20012, 50008, 50107, 90072},
		classConsent:    {65001, 65004, 90094, 90095},
	} {
		var got []int
		for _, c := range codes {
			if c.class == class {
				got = append(got, c.number)
			}
			if lookUp(c.number) != c {
				t.Errorf("%d is not found", c.number)
			}
		}
		if !slices.Equal(got, numbers) {
			t.Errorf("class %q: %d, want %d", class, got, numbers)
		}
	}
	if got := lookUp(1); got.class != classUnknown {
		t.Errorf("of a code that nobody knows: %+v", got)
	}
}

// TestNotLookedAt: what was not asked for is told, and no more.
func TestNotLookedAt(t *testing.T) {
	t.Parallel()
	if got := NotLookedAt(healthy()); len(got) != 0 {
		t.Errorf("all was asked, and yet: %+v", got)
	}
	blanks := NotLookedAt(Evidence{})
	if len(blanks) != len(sources) || len(sources) != len(Evidence{}.answers()) {
		t.Errorf("%d blanks, %d sources, %d pieces", len(blanks), len(sources), len(Evidence{}.answers()))
	}
	e := healthy()
	e.Domain, e.Federation = Asked(directory.Domain{}), Answer[Federation]{}
	if got := NotLookedAt(e); len(got) != 0 {
		t.Errorf("a managed domain has no federation: %+v", got)
	}
}
