package userlist

import (
	"strings"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
)

// Problem is one reason why a file is refused.
type Problem struct {
	// Line is where, from 1; 0 means the file as a whole.
	Line int
	// Text is the line or the cell, at most 60 characters of it, "" for the whole file.
	Text string
	key  problem
	args []any
}

// In says what is wrong and what to do. What it quotes cannot move the cursor or turn the
// direction of the text: it is escaped as Go does it.
func (p Problem) In(l language.Language) string {
	said := Words.Say(l, p.key, p.args...)
	if p.Line == 0 {
		return said
	}
	return Words.Say(l, where, p.Line, p.Text, said)
}

// Refused says why a file was not taken.
type Refused struct {
	// Problems are in the file's order. There is at least one.
	Problems []Problem
	// More tells that there may be others after these.
	More bool
}

// Error says it in English.
func (r *Refused) Error() string { return r.In(language.English) }

// In says it in a language, each problem in a line of its own.
func (r *Refused) In(l language.Language) string {
	lines := make([]string, 0, len(r.Problems)+1)
	for _, p := range r.Problems {
		lines = append(lines, p.In(l))
	}
	if r.More {
		lines = append(lines, Words.Say(l, more))
	}
	return strings.Join(lines, "\n")
}

// add keeps a problem, and what its sentence takes.
func (r *Refused) add(line int, text string, key problem, args ...any) {
	if len(r.Problems) == maxProblems {
		r.More = true
		return
	}
	r.Problems = append(r.Problems, Problem{Line: line, Text: short(text), key: key, args: args})
}

func short(text string) string {
	const most = 60
	if chars := []rune(text); len(chars) > most {
		return string(chars[:most-1]) + "…"
	}
	return text
}

// problem names a sentence.
type problem = language.Key

const (
	where         problem = "list.where"
	more          problem = "list.more"
	tooLarge      problem = "list.too_large"
	workbook      problem = "list.workbook"
	unreadable    problem = "list.unreadable"
	nulByte       problem = "list.nul"
	garbled       problem = "list.garbled"
	control       problem = "list.control"
	quotes        problem = "list.quotes"
	twoSeparators problem = "list.two_separators"
	manyColumns   problem = "list.many_columns"
	twoColumns    problem = "list.two_columns"
	manyCells     problem = "list.many_cells"
	empty         problem = "list.empty"
	formula       problem = "list.formula"
	noID          problem = "list.no_id"
	bracketed     problem = "list.bracketed"
	wideAt        problem = "list.wide_at"
	noHeading     problem = "list.no_heading"
	notASCII      problem = "list.not_ascii"
	noAt          problem = "list.no_at"
	noName        problem = "list.no_name"
	nobody        problem = "list.nobody"

	noColumn    problem = "log.no_column"
	noTime      problem = "log.no_time"
	actorColumn problem = "log.actor"
	badTime     problem = "log.bad_time"
	noClock     problem = "log.no_clock"
	dayOrMonth  problem = "log.day_or_month"
	future      problem = "log.future"
)
