package doctor

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
)

var (
	placeholder = regexp.MustCompile(`\{[a-zA-Z]+\}`)
	japanese    = regexp.MustCompile(`[\p{Hiragana}\p{Katakana}\p{Han}]`)
)

// TestTexts: whole in both languages, with the same placeholders, all of which are filled.
func TestTexts(t *testing.T) {
	t.Parallel()
	for id, w := range catalogue {
		for _, text := range []language.Text{w.problem, w.cure} {
			en, ja := placeholder.FindAllString(text.En, -1), placeholder.FindAllString(text.Ja, -1)
			slices.Sort(en)
			slices.Sort(ja)
			if !japanese.MatchString(text.Ja) || japanese.MatchString(text.En) || !slices.Equal(slices.Compact(en), slices.Compact(ja)) {
				t.Errorf("%s: not one text in each language: %q, %q", id, text, en)
			}
		}
	}
	for _, c := range cases {
		for _, f := range Examine(evidence(c.made)) {
			if left := placeholder.FindString(f.Problem.En + f.Problem.Ja + f.Cure.En + f.Cure.Ja + f.Command); left != "" {
				t.Errorf("%s: %s is not filled", f.ID, left)
			}
		}
	}
}

// without drops pieces: each bit of the choice is for a piece, which was not asked for.
func without(e Evidence, choice uint64) Evidence {
	value := reflect.ValueOf(&e).Elem()
	for i := range value.NumField() {
		if field := value.Field(i); strings.HasPrefix(field.Type().Name(), "Answer[") && choice>>i&1 == 1 {
			field.SetZero()
		}
	}
	return e
}

// entailed are found beside a fault where what explains them was not asked for.
var entailed = map[string]string{
	"queue_old": "source_off brake_reached paused", "new_users_lack_stamp": "brake_reached dry_run",
	"trust_wrong_issuer": "issuer_changed", "excluded_user_unknown": "", "exclusion_unmatched": "excluded_user_unknown",
	"app_missing": "tenant_mismatch", "trust_stranger": "app_shared", "not_needed": "not_deployed stack_missing",
	"function_missing": "stack_busy", "full_round_late": "paused",
	"resolver_untrusted": "trust_missing",
}

// FuzzMissing: whatever was not asked for, there is an answer, and nothing is found that is
// not so.
func FuzzMissing(f *testing.F) {
	for i := range cases {
		f.Add(uint(i), uint64(0))
		f.Add(uint(i), uint64(i)*0x9E3779B97F4A7C15)
	}
	f.Fuzz(func(t *testing.T, which uint, choice uint64) {
		c := cases[which%uint(len(cases))]
		e := without(evidence(c.made), choice)
		found := Examine(e)
		for _, one := range found {
			full := ids(Examine(evidence(c.made)))
			explained := slices.ContainsFunc(strings.Fields(entailed[one.ID]), func(id string) bool { return slices.Contains(full, id) })
			if !slices.Contains(full, one.ID) && !explained && one.Severity != Note {
				t.Errorf("%q: found %s, which is not so", c.id, one.ID)
			}
		}
		for _, p := range Pieces(e) {
			if p.Name.En == "" || p.Name.Ja == "" || p.Known && p.Gap != (Gap{}) {
				t.Errorf("%+v", p)
			}
		}
		for _, g := range Groups() {
			Worst(g, found)
		}
	})
}
