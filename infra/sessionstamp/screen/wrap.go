package screen

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Wrap breaks a text into lines of at most so many cells: at blanks, and beside the wide
// characters of Japanese, but not before a mark that closes or after one that opens. What
// stands in 「」 stays whole where that leaves a line at least half full. A word that is too
// long for a line is cut. Lines after the first are indented.
func Wrap(text string, most, indent int) []string {
	indent = max(0, min(indent, most/2))
	text = strings.TrimRight(text, " ")
	var lines []string
	for most > 1 && Width(text) > most {
		end := breakAt(text, most)
		lines = append(lines, strings.TrimRight(text[:end], " "))
		text = strings.Repeat(" ", indent) + strings.TrimLeft(text[end:], " ")
	}
	return append(lines, text)
}

const (
	closing = "、。，．）」』】！？：；ー…っゃゅょ,.)]!?:;%"
	opening = "（「『【([#"
)

// breakAt returns how many bytes of a text that is too wide stand in its first line.
func breakAt(text string, most int) (end int) {
	used := 0
	before := ' '
	quoted := false
	start := len(text) - len(strings.TrimLeft(text, " "))
	for i, char := range text {
		width := cells.RuneWidth(char)
		if i > start && mayBreak(before, char) && (!quoted || 2*Width(text[:end]) < most) {
			end = i
		}
		if char == '「' || char == '」' {
			quoted = char == '「'
		}
		if used += width; used > most {
			if end == 0 {
				end = max(i, start+utf8.RuneLen(char))
			}
			return end
		}
		before = char
	}
	return len(text)
}

// mayBreak keeps words of Latin letters and of katakana whole.
func mayBreak(before, char rune) bool {
	if katakana(before) && katakana(char) {
		return false
	}
	wide := cells.RuneWidth(before) > 1 || cells.RuneWidth(char) > 1
	return before == ' ' && char != ' ' ||
		wide && char != ' ' && !slices.Contains([]rune(closing), char) && !slices.Contains([]rune(opening), before)
}

// katakana has the mark of long vowels, which Unicode counts to no script.
func katakana(char rune) bool { return 'ァ' <= char && char <= 'ー' && char != '・' }
