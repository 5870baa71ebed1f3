package report

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/census"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
)

// TestCatalogue: every sentence has both languages and is asked for, and each that is asked
// for is there.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	for _, fault := range words.Faults() {
		t.Error(fault)
	}
	var asked []language.Key
	for _, verdict := range census.Verdicts() {
		asked = append(asked, language.Key("verdict."+verdict))
	}
	asked = append(asked, "verdict.needed_some")
	for _, reason := range Reasons() {
		if asked = append(asked, language.Key("reason."+reason)); !slices.Contains(outOfScope, reason) {
			asked = append(asked, language.Key("reason."+reason+"_then"))
		}
	}
	for _, zero := range []language.Key{"zero.missed", "zero.again", "zero.outside"} {
		asked = append(asked, zero, zero+"_how")
	}
	for _, file := range []string{"page.html", "page.go", "chart.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`(?:say\(?|"pieces") ?"([a-z_0-9.]+)"|\{"(wait\.[a-z]+)"`).FindAllStringSubmatch(string(text), -1) {
			asked = append(asked, language.Key(match[1]+match[2]))
		}
	}
	for _, key := range slices.Clone(asked) {
		if ofStack := key + ".stack"; words[ofStack] != (language.Text{}) {
			asked = append(asked, ofStack)
		}
	}
	for _, key := range asked {
		if words[key] == (language.Text{}) {
			t.Errorf("%s is asked for, and not there", key)
		}
	}
	for key := range words {
		if !slices.Contains(asked, key) {
			t.Errorf("nobody asks for %s", key)
		}
	}
}
