package docs

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	// ours is a command of ours in backquotes or in a block of code, up to a comment.
	ours   = regexp.MustCompile("(?m)(?:`|^    )((?:sessionstamp|make) [^`\n#]*[^`\n# ])")
	inCode = regexp.MustCompile("(?m)(?:^    .*$\n?)+")
)

// TestLanguages keeps README.ja.md in step with README.md: as many sections, and in each the
// same commands and the same links, in the same order.
func TestLanguages(t *testing.T) {
	t.Parallel()
	english, japanese := sections(t, "README.md"), sections(t, "README.ja.md")
	if len(english) != len(japanese) || len(english) < 5 {
		t.Fatalf("README.md has %d sections, README.ja.md %d", len(english), len(japanese))
	}
	for i, section := range english {
		title, _, _ := strings.Cut(section, "\n")
		if diff := cmp.Diff(commands(section), commands(japanese[i])); diff != "" {
			t.Errorf("%q: the commands differ: %s", title, diff)
		}
		if diff := cmp.Diff(links(section), links(japanese[i])); diff != "" {
			t.Errorf("%q: the links differ: %s", title, diff)
		}
		if en, ja := len(inCode.FindAllString(section, -1)), len(inCode.FindAllString(japanese[i], -1)); en != ja {
			t.Errorf("%q: %d blocks of code in English, %d in Japanese", title, en, ja)
		}
	}
}

// sections are the parts of a text that begin with a heading of the second level, and what
// stands before.
func sections(t *testing.T, name string) []string {
	t.Helper()
	return strings.Split(read(t, filepath.Join(root, name)), "\n## ")
}

func commands(text string) (found []string) {
	for _, match := range ours.FindAllStringSubmatch(text, -1) {
		found = append(found, match[1])
	}
	return found
}

// links are those to other texts, but for the one to the other language.
func links(text string) (found []string) {
	for _, match := range link.FindAllStringSubmatch(text, -1) {
		if !slices.Contains([]string{"README.md", "README.ja.md"}, match[1]) {
			found = append(found, match[1])
		}
	}
	return found
}
