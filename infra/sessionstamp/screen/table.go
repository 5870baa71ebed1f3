package screen

import (
	"bufio"
	"io"
	"slices"
	"strings"
)

// Column is a column of a table.
type Column struct {
	Title string
	// Right is for numbers: they stand at the right, and are not shortened.
	Right bool
}

// Table is a result as rows of text. A row may have fewer cells than there are columns;
// more are left out.
type Table struct {
	Columns []Column
	Rows    [][]string
}

const (
	gap = 2
	// narrowest is how far a column is shortened: a letter or two, and the ….
	narrowest = 3
)

// WriteText writes the table for eyes, in lines of at most so many cells. The widest
// columns are shortened first.
func (t Table) WriteText(w io.Writer, most int) error {
	rows := [][]string{t.titles()}
	for _, row := range t.Rows {
		rows = append(rows, t.row(row, Clean))
	}
	widths := t.fit(rows, most)
	out := bufio.NewWriter(w)
	for _, row := range rows {
		_, _ = out.WriteString(Cut(t.line(row, widths), most) + "\n") // Flush returns its error
	}
	return out.Flush()
}

func (t Table) titles() (titles []string) {
	for _, column := range t.Columns {
		titles = append(titles, column.Title)
	}
	return titles
}

// row returns as many cells as there are columns.
func (t Table) row(row []string, change func(string) string) []string {
	whole := make([]string, len(t.Columns))
	for i := range min(len(row), len(whole)) {
		whole[i] = change(row[i])
	}
	return whole
}

// fit returns the width of each column in cells.
func (t Table) fit(rows [][]string, most int) []int {
	widths := make([]int, len(t.Columns))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = min(max(widths[i], Width(cell)), most)
		}
	}
	sum := gap * (len(widths) - 1)
	for _, width := range widths {
		sum += width
	}
	for ; sum > most; sum-- {
		widest := t.widest(widths)
		if widest < 0 {
			break // the lines will be cut
		}
		widths[widest]--
	}
	return widths
}

// widest returns the widest column that may be shortened, -1 if there is none.
func (t Table) widest(widths []int) int {
	found := -1
	for i, width := range widths {
		if !t.Columns[i].Right && width > narrowest && (found < 0 || width > widths[found]) {
			found = i
		}
	}
	return found
}

func (t Table) line(row []string, widths []int) string {
	padded := slices.Clone(row)
	for i, cell := range row {
		if t.Columns[i].Right {
			padded[i] = cells.FillLeft(cell, widths[i])
		} else {
			padded[i] = cells.FillRight(Cut(cell, widths[i]), widths[i])
		}
	}
	return strings.TrimRight(strings.Join(padded, strings.Repeat(" ", gap)), " ")
}
