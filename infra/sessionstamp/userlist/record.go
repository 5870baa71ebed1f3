package userlist

import (
	"encoding/csv"
	"errors"
	"strings"
)

// records are the rows of a file that may name a user.
type records struct {
	csv      *csv.Reader
	lines    []string
	problems *Refused
	column   column
	cells    []string // of the current row, without blanks, up to the last that is not empty
	pending  bool     // the first row is a name, and was not handed out yet
	first    bool     // it is the current one
	broken   bool     // the rest cannot be told into cells
}

// open reads the heading, if there is one.
func open(lines []string, problems *Refused) *records {
	r := split(lines, problems)
	if !r.next() {
		return r
	}
	var key problem
	r.column, key = choose(r.cells)
	switch {
	case key != "":
		r.refuse(key)
	case r.column.heading == "" && len(r.cells) > 1:
		r.refuse(manyColumns)
	}
	r.pending = !r.broken && r.column.heading == ""
	return r
}

// split makes rows of lines, of which none was read yet.
func split(lines []string, problems *Refused) *records {
	r := &records{lines: lines, problems: problems}
	comma, line, key := separator(lines)
	if key != "" {
		r.broken = true
		problems.add(line, lines[line-1], key)
		return r
	}
	r.csv = csv.NewReader(strings.NewReader(strings.Join(lines, "\n")))
	r.csv.Comma, r.csv.Comment, r.csv.FieldsPerRecord, r.csv.ReuseRecord = comma, '#', -1, true
	r.csv.TrimLeadingSpace = comma != '\t' // else an empty cell would be one
	return r
}

// refuse reports the current row, and ends the reading: the others depend on it.
func (r *records) refuse(key problem) {
	line, _ := r.csv.FieldPos(0)
	r.problems.add(line, r.lines[line-1], key)
	r.broken = true
}

// next goes to the next row that is not empty, and tells whether there is one.
func (r *records) next() bool {
	if r.first = r.pending; r.pending {
		r.pending = false
		return true
	}
	for !r.broken {
		if r.problems.More = len(r.problems.Problems) == maxProblems; r.problems.More {
			return false
		}
		cells, err := r.csv.Read()
		if wrong := (*csv.ParseError)(nil); errors.As(err, &wrong) {
			r.problems.add(wrong.StartLine, r.lines[wrong.StartLine-1], quotes)
			return false
		} else if err != nil {
			return false // io.EOF: a strings.Reader has no other
		}
		if r.cells = trim(cells); len(r.cells) > 0 {
			return true
		}
	}
	return false
}

// trim takes the blanks from each cell, and then the empty cells from the end.
func trim(cells []string) []string {
	last := 0
	for i, cell := range cells {
		if cells[i] = strings.Trim(cell, blanks); cells[i] != "" {
			last = i + 1
		}
	}
	return cells[:last]
}

// user returns whom the current row names. If it names nobody, that is a problem.
func (r *records) user() (User, bool) {
	if line, _ := r.csv.FieldPos(0); len(r.cells) > r.column.width {
		r.problems.add(line, r.lines[line-1], manyCells, len(r.cells), r.column.width)
		return User{}, false
	}
	var cell string
	at := 0
	if r.column.index < len(r.cells) {
		at, cell = r.column.index, r.cells[r.column.index]
	}
	line, _ := r.csv.FieldPos(at)
	name, key := r.column.judge(cell)
	if r.first && (key == noAt || key == notASCII && !strings.Contains(cell, "@")) {
		key = noHeading
	}
	switch key {
	case "":
	case empty:
		r.problems.add(line, r.lines[line-1], key)
	case noID:
		r.problems.add(line, cell, key, short(r.column.heading))
	default:
		r.problems.add(line, cell, key)
	}
	return User{line, name}, key == ""
}

// separator returns what separates the cells of the first row: a comma, a semicolon or a
// tab that is not in quotation marks. If there are two kinds, nobody knows: the problem
// and its line are returned. A row without any is one cell, and a comma does for it.
func separator(lines []string) (comma rune, line int, key problem) {
	comma = ','
	found, quoted := "", false
	for i, text := range lines {
		if !quoted && (text == "" || text[0] == '#') {
			continue
		}
		for _, char := range text {
			switch {
			case char == '"':
				quoted = !quoted
			case !quoted && strings.ContainsRune(",;\t", char) && !strings.ContainsRune(found, char):
				found += string(char)
				comma = char
			}
		}
		if len(found) > 1 {
			return comma, i + 1, twoSeparators
		}
		if !quoted {
			break
		}
	}
	return comma, 0, ""
}
