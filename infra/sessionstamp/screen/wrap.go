package screen

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Wrap breaks a text into lines of at most so many cells: at blanks, and beside the wide
// characters of Japanese, but not before a mark that closes or after one that opens, nor
// within what belongs together. A word that is too long for a line is cut. Lines after the
// first are indented.
func Wrap(text string, most, indent int) []string {
	indent = max(0, min(indent, most/2))
	text = strings.TrimRight(text, " ")
	var lines []string
	for most > 1 && Width(text) > most {
		whole := together(text, most-indent)
		end := breakAt(text, most, whole)
		if missing := orphan(text[end:]); missing > 0 && most > narrow {
			end = breakAt(text, most-missing, whole)
		}
		lines = append(lines, strings.TrimRight(text[:end], " "))
		text = strings.Repeat(" ", indent) + strings.TrimLeft(text[end:], " ")
	}
	return append(lines, text)
}

const (
	closing = "、。，．）」』】！？：；ー…っゃゅょ,.)]!?:;%@"
	opening = "（「『【([#@"
	// narrow is where there is no room for niceties.
	narrow = 40
)

// orphan returns how many cells a last line in Japanese lacks: with two or three characters
// (せん。) it is none.
func orphan(last string) int {
	const least = 8
	last = strings.TrimLeft(last, " ")
	if width := Width(last); width > utf8.RuneCountInString(last) {
		return max(0, least-width)
	}
	return 0
}

// belongs finds what is quoted, commands, flags with what they take, numbers with what is
// counted, and the ends of Japanese sentences.
var belongs = regexp.MustCompile(`「[^「」]*」|名前@ドメイン|[0-9,]+ (?:人|件|時間|日間|分|秒)|ください|しました|ました|ありません|いません|なりません|ません|します|います|ります|ます|です|--dry-run -o csv|sessionstamp(?: [a-z]+)?(?: [!-~]+\|[!-~]+)?(?: --?[a-z-]+)*|--[a-z-]+ [!-~]+\|[!-~]+`)

// together returns the places that belong together and fit into so many cells.
func together(text string, most int) [][]int {
	return slices.DeleteFunc(belongs.FindAllStringIndex(text, -1), func(at []int) bool { return Width(text[at[0]:at[1]]) > most })
}

// breakAt returns how many bytes of a text that is too wide stand in its first line.
func breakAt(text string, most int, whole [][]int) (end int) {
	used := 0
	before := ' '
	start := len(text) - len(strings.TrimLeft(text, " "))
	for i, char := range text {
		width := cells.RuneWidth(char)
		within := slices.ContainsFunc(whole, func(at []int) bool { return at[0] < i && i < at[1] })
		if i > start && !within && mayBreak(before, char) {
			end = i
		}
		if used += width; used > most {
			if end == 0 {
				_, first := utf8.DecodeRuneInString(text[start:])
				end = max(i, start+first)
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
