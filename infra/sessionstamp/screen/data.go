package screen

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Format is how a result is written.
type Format string

// The formats there are.
const (
	Text Format = "table" // for eyes
	CSV  Format = "csv"   // for Excel
	JSON Format = "json"  // for programs: the contract
)

// Result is one result in every format.
type Result struct {
	Table Table
	// Object is what JSON shows: a struct or a map. Maps are written in the order of
	// their keys.
	Object any
}

// Write writes the result, as a table with lines of at most so many cells.
func (r Result) Write(w io.Writer, f Format, most int) error {
	switch f {
	case JSON:
		return writeJSON(w, r.Object, "  ")
	case CSV:
		return r.Table.writeCSV(w)
	default:
		return r.Table.WriteText(w, most)
	}
}

// writeCSV writes the table for Excel: UTF-8 with its mark, lines that end in CR LF (RFC
// 4180). No cell is taken for a formula, and none is shortened.
func (t Table) writeCSV(w io.Writer) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_ = out.Write(t.titles()) // Error returns what a Write has met
	for _, row := range t.Rows {
		_ = out.Write(t.row(row, guard))
	}
	out.Flush()
	return out.Error()
}

// guard puts an apostrophe before a cell that a spreadsheet would calculate ([OWASP, CSV
// Injection]). Excel in Japan takes the full-width signs as well.
//
// [OWASP, CSV Injection]: https://owasp.org/www-community/attacks/CSV_Injection
func guard(cell string) string {
	if first, _ := utf8.DecodeRuneInString(cell); strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		cell = "'" + cell
	}
	return Clean(cell)
}

// WriteJSONLine writes one object as JSON in one line: programs read such lines as they
// come.
func WriteJSONLine(w io.Writer, object any) error { return writeJSON(w, object, "") }

// writeJSON writes one object, its strings as they are but for the characters that could
// harm a terminal: these are escaped, and read back the same.
func writeJSON(w io.Writer, object any, indent string) error {
	var text bytes.Buffer
	out := json.NewEncoder(&text)
	out.SetEscapeHTML(false)
	out.SetIndent("", indent)
	if err := out.Encode(object); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	if !bytes.HasPrefix(text.Bytes(), []byte("{")) {
		return errors.New("write JSON: the result is no object")
	}
	_, err := w.Write(harmless(text.Bytes()))
	return err
}

// harmless escapes what json.Encoder leaves: DEL, the controls above it and those of
// direction. All stand in the basic plane.
func harmless(text []byte) []byte {
	var out bytes.Buffer
	for _, char := range string(text) {
		if char != '\n' && hostile(char) {
			fmt.Fprintf(&out, `\u%04x`, char)
		} else {
			out.WriteRune(char)
		}
	}
	return out.Bytes()
}
