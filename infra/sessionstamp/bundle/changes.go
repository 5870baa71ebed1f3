package bundle

import (
	"cmp"
	"strconv"
	"strings"
)

// Unreleased is the title of the changes since the last version
// (https://keepachangelog.com).
const Unreleased = "Unreleased"

// A Section is what a version has changed.
type Section struct {
	// Title is the version, or [Unreleased].
	Title string
	// Text is Markdown, as it stands in CHANGELOG.md.
	Text string
}

// Sections takes CHANGELOG.md apart, newest first.
func Sections(changelog string) (sections []Section) {
	for part := range strings.SplitSeq("\n"+strings.ReplaceAll(changelog, "\r\n", "\n"), "\n## ") {
		title, text, _ := strings.Cut(part, "\n")
		title, _, _ = strings.Cut(strings.TrimSpace(title), " - ") // a date may follow
		if title != "" && title != "#" {
			sections = append(sections, Section{Title: strings.Trim(title, "[]"), Text: strings.TrimSpace(text)})
		}
	}
	return sections
}

// Since returns what has changed after a version. Of a build between versions it is not
// known which of the unreleased changes it had, so they are told again. After a version that
// CHANGELOG.md does not know, everything newer is told; after "devel" or "" every version.
func Since(changelog, version string) (sections []Section) {
	for _, section := range Sections(changelog) {
		if section.Title != Unreleased && Compare(section.Title, version) <= 0 {
			break
		}
		if section.Text != "" {
			sections = append(sections, section)
		}
	}
	return sections
}

// Compare orders two versions: -1, 0, 1. It heeds the three numbers only: what stands behind
// "-" or "+" is a build on the way. What is no version, as "devel", is older than all.
func Compare(a, b string) int {
	x, y := numbers(a), numbers(b)
	for i := range x {
		if c := cmp.Compare(x[i], y[i]); c != 0 {
			return c
		}
	}
	return 0
}

// Numbered tells a version from "devel", and from 0.0.0 with which the go command names a commit
// that no tag comes before (https://go.dev/ref/mod#pseudo-versions).
func Numbered(version string) bool { return Compare(version, "0.0.0") > 0 }

// Behind tells whether what a command brings is older than what runs, as far as it has a number.
func Behind(brings, running string) bool { return Numbered(brings) && Compare(running, brings) > 0 }

func numbers(version string) (n [3]int) {
	version, _, _ = strings.Cut(version, "+")
	version, _, _ = strings.Cut(version, "-")
	parts := strings.Split(version, ".")
	if len(parts) != len(n) {
		return [3]int{-1, -1, -1}
	}
	for i, part := range parts {
		number, err := strconv.Atoi(part)
		if err != nil || number < 0 {
			return [3]int{-1, -1, -1}
		}
		n[i] = number
	}
	return n
}
