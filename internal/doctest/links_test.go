// Package doctest keeps the prose true: links lead somewhere, names exist, and
// commands are those of the Makefile.
package doctest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

var (
	fence   = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	link    = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
)

// TestLinks follows every relative link of every Markdown file, and every anchor.
func TestLinks(t *testing.T) {
	t.Parallel()
	for _, file := range files(t, ".md") {
		for _, match := range link.FindAllStringSubmatch(prose(t, file), -1) {
			checkLink(t, file, match[1])
		}
	}
}

func checkLink(t *testing.T, file, target string) {
	t.Helper()
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return
	}
	path, anchor, _ := strings.Cut(target, "#")
	to := file
	if path != "" {
		to = filepath.Join(filepath.Dir(file), path)
	}
	if _, err := os.Stat(to); err != nil {
		t.Errorf("%s: link to %s: %v", file, target, err)
		return
	}
	if anchor != "" && !anchors(prose(t, to))[anchor] {
		t.Errorf("%s: link to %s: no such heading", file, target)
	}
}

// anchors are the headings as GitHub writes them in an address.
func anchors(text string) map[string]bool {
	found := make(map[string]bool)
	for _, match := range heading.FindAllStringSubmatch(text, -1) {
		found[slug(match[1])] = true
	}
	return found
}

func slug(title string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == ' ':
			return '-'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
			return c
		}
		return -1
	}, strings.ToLower(title))
}

func TestSlug(t *testing.T) {
	t.Parallel()
	if got, want := slug("Who may import whom, and why: `shared/aws`"), "who-may-import-whom-and-why-sharedaws"; got != want {
		t.Errorf("slug: got %q, want %q", got, want)
	}
}

// prose is a file without its fenced blocks.
func prose(t *testing.T, file string) string {
	t.Helper()
	return fence.ReplaceAllString(read(t, file), "")
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// files are all files of the repository whose name ends in suffix.
func files(t *testing.T, suffix string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case strings.HasSuffix(path, suffix):
			found = append(found, path)
		}
		return nil
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("found %d files *%s: %v", len(found), suffix, err)
	}
	return found
}
