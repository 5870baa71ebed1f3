package explain

import (
	"regexp"
	"strings"
	"unicode"
)

// Text is a text for people in the languages there are. Both are empty, or none.
type Text struct{ English, Japanese string }

// same is a text that needs no translation.
func same(s string) Text { return Text{s, s} }

// A param replaces {name} in a text. A program reads the code instead, in any language; ""
// is for what only people need.
type param struct {
	Text
	code string
}

// plain is a value that is the same for all.
func plain(s string) param { return param{same(s), s} }

// params are those of a text, by name.
type params map[string]param

// or returns the other text where this one is empty.
func (t Text) or(other Text) Text {
	if t == (Text{}) {
		return other
	}
	return t
}

// fill replaces the placeholders. What takes their place came from a directory where
// anybody may name a policy or an app, so it is cleaned.
func (t Text) fill(p params) Text {
	var english, japanese []string
	for name, value := range p {
		english = append(english, "{"+name+"}", clean(value.English))
		japanese = append(japanese, "{"+name+"}", clean(value.Japanese))
	}
	return Text{
		English:  strings.NewReplacer(english...).Replace(t.English),
		Japanese: strings.NewReplacer(japanese...).Replace(t.Japanese),
	}
}

// codes are what programs read, as clean as the texts.
func (p params) codes() map[string]string {
	codes := make(map[string]string, len(p))
	for name, value := range p {
		if value.code != "" {
			codes[name] = clean(value.code)
		}
	}
	return codes
}

// address is a user principal name or a mail address.
var address = regexp.MustCompile(`\S+@\S+`)

// maxParam is how many characters of a name or reason are shown.
const maxParam = 500

// clean makes one short line of a value, without control characters and without the
// name of any user.
func clean(s string) string {
	s = strings.Map(func(c rune) rune {
		if c == unicode.ReplacementChar || !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, s)
	s = address.ReplaceAllString(s, "…")
	s = strings.Join(strings.Fields(s), " ")
	if line := []rune(s); len(line) > maxParam {
		return string(line[:maxParam]) + "…"
	}
	return s
}
