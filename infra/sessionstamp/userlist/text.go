package userlist

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"
	utf "golang.org/x/text/encoding/unicode"
)

// decode returns the file as text. A mark decides. Without
// one the text is UTF-8 if it can be, else Shift_JIS as Windows knows it (cp932), in which
// Excel in Japan saves CSV. That may be wrong for a text of Western Europe: so names must
// be ASCII, see judge.
func decode(data []byte, problems *Refused) string {
	var err error
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")), bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0")):
		problems.add(0, "", workbook)
		return ""
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		data, err = utf.UTF16(utf.LittleEndian, utf.ExpectBOM).NewDecoder().Bytes(data)
	case utf8.Valid(data), bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	default:
		data, err = japanese.ShiftJIS.NewDecoder().Bytes(data)
	}
	if err != nil {
		problems.add(0, "", unreadable)
	}
	return string(data)
}

// blanks are what people and programs leave at the ends of lines and cells.
const blanks = " \t\u00a0\u3000"

var preamble = regexp.MustCompile(`^(version:v1\.|(?i:sep)=.?$)`)

var oneEnd = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// tidy splits a text into lines without blanks at their ends, and reports the characters
// that no list has; where there is a NUL the rest is no text either. The first line of a
// template from the Entra admin center says its version, that of some exports what Excel
// is to take for the separator, and nothing else.
func tidy(text string, problems *Refused) []string {
	lines := strings.Split(oneEnd.Replace(text), "\n")
	fresh := true
	for i, line := range lines {
		if key, args := foreign(line); key != "" {
			problems.add(i+1, line, key, args...)
			if key == nulByte {
				return nil
			}
		}
		// A tab at the beginning is an empty first cell.
		line = strings.TrimLeft(strings.TrimRight(line, blanks), strings.ReplaceAll(blanks, "\t", ""))
		if fresh && preamble.MatchString(line) {
			line = ""
		}
		fresh = fresh && line == ""
		lines[i] = line
	}
	return lines
}

// foreign returns what is wrong with the first character of a line that belongs in no
// list, and what the sentence about it takes.
func foreign(line string) (key problem, args []any) {
	for _, char := range line {
		switch {
		case char == 0:
			return nulByte, nil
		case char == utf8.RuneError:
			return garbled, nil
		case unicode.IsControl(char) && char != '\t':
			return control, []any{fmt.Sprintf("%U", char)}
		}
	}
	return "", nil
}
