package language

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Key names a sentence of a catalogue.
type Key string

// Text is one sentence in both languages, each a format of package fmt. Words come in
// another order in Japanese: %[2]d takes the second argument wherever it stands.
type Text struct {
	En string `json:"en"`
	Ja string `json:"ja"`
}

// In returns the text in a language.
func (t Text) In(l Language) string {
	if l == Japanese {
		return t.Ja
	}
	return t.En
}

// Catalogue holds sentences by their keys. It is never changed.
type Catalogue map[Key]Text

// Join makes one catalogue of several. A key that two of them have is a fault of the
// program, and Faults tells of it.
func Join(catalogues ...Catalogue) Catalogue {
	joined := make(Catalogue)
	for _, c := range catalogues {
		for key, text := range c {
			if _, twice := joined[key]; twice {
				text = Text{}
			}
			joined[key] = text
		}
	}
	return joined
}

// Say returns a sentence in a language. A key that the catalogue lacks is said as it is:
// a person can still report it.
func (c Catalogue) Say(l Language, key Key, args ...any) string {
	text, found := c[key]
	if !found {
		return fmt.Sprintf("(%s)", key)
	}
	return fmt.Sprintf(text.In(l), args...)
}

// Faults returns an English sentence for each text that one language lacks, or that does
// not take the same arguments by the same verbs in both. It is for tests.
func (c Catalogue) Faults() (faults []string) {
	for _, key := range slices.Sorted(maps.Keys(c)) {
		text := c[key]
		en, ja := verbs(text.En), verbs(text.Ja)
		switch {
		case strings.TrimSpace(text.En) == "":
			faults = append(faults, fmt.Sprintf("%s: there is no English", key))
		case strings.TrimSpace(text.Ja) == "":
			faults = append(faults, fmt.Sprintf("%s: there is no Japanese", key))
		case !slices.Equal(en, ja):
			faults = append(faults, fmt.Sprintf("%s: English takes %q, Japanese %q", key, en, ja))
		}
	}
	return faults
}

// verb is one of package fmt's: flags and width, the argument's index, the verb. A width
// that is an argument (*) is not for sentences: it looks like a verb, and vet finds it.
var verb = regexp.MustCompile(`(?s)%[-+# 0]*[0-9]*(?:\.[0-9]*)?(?:\[([0-9]+)\])?(.|$)`)

// verbs returns what a format takes, such as "1d" and "2s", sorted and each once. Widths
// may differ. An argument that one language leaves out is a difference.
func verbs(format string) (found []string) {
	next := 1
	for _, match := range verb.FindAllStringSubmatch(format, -1) {
		if match[2] == "%" {
			continue
		}
		if index, err := strconv.Atoi(match[1]); err == nil {
			next = index
		}
		found = append(found, strconv.Itoa(next)+match[2])
		next++
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// Number writes a count with a comma between thousands, as both languages do: 3,021.
func Number(n int) string {
	if -1000 < n && n < 1000 {
		return strconv.Itoa(n)
	}
	last := n % 1000
	return fmt.Sprintf("%s,%03d", Number(n/1000), max(last, -last))
}
