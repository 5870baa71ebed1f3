// Package docs keeps the prose true and short: links lead somewhere, names exist, and
// commands are those of the Makefile.
package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../../.."

var (
	fence   = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	link    = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
	// qualified is a name of Go in backquotes: `webhook.Handler.ServeHTTP`.
	qualified = regexp.MustCompile("`([a-z]+)\\.([A-Z][A-Za-z]*)(?:\\.([A-Za-z]+))?(?:\\([^`]*\\))?`")
	declares  = regexp.MustCompile(`(?m)^(?:func (?:\([^)]*\) )?|type |var |const |\t)([A-Z][A-Za-z0-9]*)`)
	path      = regexp.MustCompile("`((?:functions|shared|infra)/[A-Za-z0-9_./-]+)`")
	command   = regexp.MustCompile("(?m)(?:`|^ *)make ([a-z]+)")
	target    = regexp.MustCompile(`(?m)^([a-z]+):`)
)

// most is how many words a text may have.
var most = map[string]int{"README.md": 1500, "ARCHITECTURE.md": 3000}

// TestLength counts words as wc does.
func TestLength(t *testing.T) {
	t.Parallel()
	for file, limit := range most {
		if n := len(strings.Fields(read(t, filepath.Join(root, file)))); n > limit {
			t.Errorf("%s has %d words, want at most %d", file, n, limit)
		}
	}
}

// TestLinks follows every relative link of every Markdown file, and every anchor.
func TestLinks(t *testing.T) {
	t.Parallel()
	for _, file := range files(t, ".md") {
		for _, match := range link.FindAllStringSubmatch(fence.ReplaceAllString(read(t, file), ""), -1) {
			checkLink(t, file, match[1])
		}
	}
}

func checkLink(t *testing.T, file, link string) {
	t.Helper()
	if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
		return
	}
	to, anchor, _ := strings.Cut(link, "#")
	if to = filepath.Join(filepath.Dir(file), to); strings.HasPrefix(link, "#") {
		to = file
	}
	if _, err := os.Stat(to); err != nil {
		t.Errorf("%s: link to %s: %v", file, link, err)
		return
	}
	if anchor == "" {
		return
	}
	for _, match := range heading.FindAllStringSubmatch(read(t, to), -1) {
		if slug(match[1]) == anchor {
			return
		}
	}
	t.Errorf("%s: link to %s: no such heading", file, link)
}

// slug is a heading as GitHub writes it in an address.
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

// TestNames looks up every qualified name of our packages, every path and every command
// that a Markdown file mentions.
func TestNames(t *testing.T) {
	t.Parallel()
	declared := declarations(t)
	targets := make(map[string]bool)
	for _, match := range target.FindAllStringSubmatch(read(t, filepath.Join(root, "Makefile")), -1) {
		targets[match[1]] = true
	}
	for _, file := range files(t, ".md") {
		if filepath.Base(file) == "CHANGELOG.md" { // it speaks of what is gone, too
			continue
		}
		text := read(t, file)
		for _, match := range qualified.FindAllStringSubmatch(text, -1) {
			names, ours := declared[match[1]]
			if ours && (!names[match[2]] || match[3] != "" && !names[match[3]]) {
				t.Errorf("%s: there is no %s", file, match[0])
			}
		}
		for _, match := range path.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(root, match[1])); err != nil {
				t.Errorf("%s: there is no %s", file, match[1])
			}
		}
		for _, match := range command.FindAllStringSubmatch(text, -1) {
			if !targets[match[1]] {
				t.Errorf("%s: make has no target %s", file, match[1])
			}
		}
	}
}

// declarations are the exported names of each of our packages: what stands at the
// beginning of a line, or one tab into it.
func declarations(t *testing.T) map[string]map[string]bool {
	t.Helper()
	all := make(map[string]map[string]bool)
	for _, file := range files(t, ".go") {
		in := filepath.Base(filepath.Dir(file))
		if all[in] == nil {
			all[in] = make(map[string]bool)
		}
		for _, match := range declares.FindAllStringSubmatch(read(t, file), -1) {
			all[in][match[1]] = true
		}
	}
	return all
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
func files(t *testing.T, suffix string) (found []string) {
	t.Helper()
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
