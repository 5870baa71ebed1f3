package screen

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrap(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text         string
		most, indent int
		want         []string
	}{
		"it fits":               {"one two", 7, 2, []string{"one two"}},
		"at a blank":            {"one two three", 9, 2, []string{"one two", "  three"}},
		"a blank at the end":    {"one two ", 7, 2, []string{"one two"}},
		"a word too long":       {"abcdefgh", 3, 0, []string{"abc", "def", "gh"}},
		"indented already":      {"    ab cd", 6, 4, []string{"    ab", "   cd"}},
		"Japanese":              {"全員に付いています", 6, 0, []string{"全員に", "付いて", "います"}},
		"katakana":              {"このユーザーは", 10, 0, []string{"この", "ユーザーは"}},
		"a mark stays":          {"あいう。えお", 6, 0, []string{"あい", "う。え", "お"}},
		"an opening mark":       {"あい「うえ", 6, 0, []string{"あい", "「うえ"}},
		"no orphan":             {strings.Repeat("あ", 18) + "ありがとう。", 44, 2, []string{strings.Repeat("あ", 18) + "あり", "  がとう。"}},
		"quoted":                {strings.Repeat("あ", 18) + "「名前を付けて保存」", 42, 0, []string{strings.Repeat("あ", 18), "「名前を付けて保存」"}},
		"a command":             {strings.Repeat("あ", 8) + " sessionstamp check --help", 41, 0, []string{strings.Repeat("あ", 8), "sessionstamp check --help"}},
		"a name of two scripts": {"ああ名前@ドメイン", 14, 0, []string{"ああ", "名前@ドメイン"}},
		"nothing":               {"", 6, 0, []string{""}},
		"hardly any room":       {"あい", 1, 9, []string{"あい"}},
		"an indent without end": {"aaaa", 2, 80, []string{"aa", " a", " a"}},
	} {
		if diff := cmp.Diff(c.want, Wrap(c.text, c.most, c.indent)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// FuzzWrap: it ends, no line is too wide where a character fits, and nothing is lost.
func FuzzWrap(f *testing.F) {
	f.Add("✓ 佐藤 太郎 signed in", 5, 2)
	f.Fuzz(func(t *testing.T, text string, most, indent int) {
		text = Clean(text)
		plain := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		lines := Wrap(text, most, indent)
		if got := plain(strings.Join(lines, "")); got != plain(text) {
			t.Errorf("%q became %q", text, lines)
		}
		for _, line := range lines {
			if most >= 8 && Width(line) > most {
				t.Errorf("%q is wider than %d", line, most)
			}
		}
	})
}
