package screen_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
)

// A zero-width joiner makes one picture of three.
const family = "👨\u200d👩\u200d👧"

func TestWidth(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 0, "abc": 3, "山田": 4, "ﾔﾏﾀﾞ": 4, "ＡＢ": 4, "e\u0301": 1, "か\u3099": 2, "が": 2,
		"👍": 2, "👍🏽": 2, family: 2, "🇯🇵": 2, "…": 1, "█": 1, "→": 1, "Ω": 1, "한": 2, "\u200b": 0, "\xff": 1,
	} {
		if got := screen.Width(text); got != want {
			t.Errorf("%q is %d cells, want %d", text, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		most int
		want string
	}{
		{"yamada", 6, "yamada"}, {"yamada", 5, "yama…"}, {"yamada", 1, "…"}, {"yamada", 0, ""}, {"yamada", -1, ""}, {"", 0, ""},
		{"山田太郎", 8, "山田太郎"}, {"山田太郎", 7, "山田太…"}, {"山田太郎", 6, "山田…"}, {"山田太郎", 2, "…"},
		{"e\u0301e\u0301e\u0301", 2, "e\u0301…"}, {"か\u3099か\u3099", 3, "か\u3099…"},
		{family + family, 3, family + "…"}, {family + family, 2, "…"},
		{strings.Repeat("山", 100), 10, "山山山山…"},
	} {
		if got := screen.Cut(c.text, c.most); got != c.want {
			t.Errorf("%q in %d cells: got %q, want %q", c.text, c.most, got, c.want)
		}
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"山田 太郎": "山田 太郎", family: family, "a\x1b[31mb": "a�[31mb", "a\r\nb\tc": "a��b�c", "a\u009bb": "a�b",
		"\u202egnp.exe": "�gnp.exe", "a\u2028b": "a�b", "a\xffb": "a�b", "\x00\x7f": "��",
	} {
		if got := screen.Clean(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

var people = screen.Table{
	Columns: []screen.Column{{Title: "ユーザー"}, {Title: "氏名"}, {Title: "作成日"}, {Title: "日数", Right: true}},
	Rows: [][]string{
		{"taro.yamada@example.co.jp", "山田 太郎", "2026-04-01", "242"},
		{"o.brien@example.co.jp", "Zoe\u0308 O'Brien", "2026-11-02"},
		{"family@example.co.jp", family + " 👍🏽", "2026-11-02", "27", "left out"},
		{strings.Repeat("long.", 40) + "@example.co.jp", strings.Repeat("寿限無", 34), "2018-06-01", "3,103"},
		{"evil@example.co.jp", "\x1b[2J\u202e", "", ""},
		{},
	},
}

func write(t *testing.T, r screen.Result, f screen.Format, most int) string {
	t.Helper()
	var out strings.Builder
	if err := r.Write(&out, f, most); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestText(t *testing.T) {
	t.Parallel()
	for most, want := range map[int]string{
		80: `
ユーザー                       氏名                            作成日       日数
taro.yamada@example.co.jp      山田 太郎                       2026-04-01    242
o.brien@example.co.jp          Zoë O'Brien                     2026-11-02
family@example.co.jp           👨‍👩‍👧 👍🏽                           2026-11-02     27
long.long.long.long.long.lon…  寿限無寿限無寿限無寿限無寿限…   2018-06-01  3,103
evil@example.co.jp             �[2J�

`,
		40: `
ユーザー   氏名        作成日       日数
taro.yam…  山田 太郎   2026-04-01    242
o.brien@…  Zoë O'Bri…  2026-11-02
family@e…  👨‍👩‍👧 👍🏽       2026-11-02     27
long.lon…  寿限無寿…   2018-06-01  3,103
evil@exa…  �[2J�

`,
	} {
		got := "\n" + write(t, screen.Result{Table: people}, screen.Text, most)
		for line := range strings.Lines(got) {
			if n := screen.Width(strings.TrimSuffix(line, "\n")); n > most {
				t.Errorf("%d cells: %s", n, line)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s", got, diff)
		}
	}
}

// A page of names fits on a terminal of 80×24 with a line above and two below.
func TestPage(t *testing.T) {
	t.Parallel()
	page := screen.Table{Columns: []screen.Column{{Title: "n", Right: true}, {Title: "name"}, {Title: "reason"}}}
	for i := range 20 {
		page.Rows = append(page.Rows, []string{fmt.Sprint(i), strings.Repeat("髙", i*10), strings.Repeat("e\u0301👍", i*20)})
	}
	lines := strings.Split(write(t, screen.Result{Table: page}, screen.Text, 80), "\n")
	if len(lines) != 22 {
		t.Errorf("got %d lines", len(lines))
	}
	for i, line := range lines[1:21] {
		if got := screen.Width(line); got > 80 || i > 5 && got < 78 {
			t.Errorf("line %d has %d cells: %s", i, got, line)
		}
	}
}

// Where nothing can be shortened any more, the lines are cut.
func TestNarrow(t *testing.T) {
	t.Parallel()
	table := screen.Table{Columns: []screen.Column{{Title: "a", Right: true}, {Title: "bcdefg"}, {Title: "c", Right: true}}, Rows: [][]string{{"1234567890", "x", "1234567890"}}}
	if got, want := write(t, screen.Result{Table: table}, screen.Text, 20), "         a  bc…    …\n1234567890  x    12…\n"; got != want {
		t.Errorf("got\n%s", got)
	}
	if got := write(t, screen.Result{}, screen.Text, 80); got != "\n" {
		t.Errorf("got %q", got)
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	table := screen.Table{
		Columns: []screen.Column{{Title: "UserPrincipalName"}, {Title: "氏名"}},
		Rows: [][]string{
			{"=1+1", "山田, 太郎"}, {"+81", "a \"b\""}, {"-1", "@SUM(A1)"}, {"\t=1", "\r=1"}, {"＝1", "a=b"}, {"a\x1b[2J\nb"}, {"'", strings.Repeat("長", 100)},
		},
	}
	want := "\ufeffUserPrincipalName,氏名\r\n'=1+1,\"山田, 太郎\"\r\n'+81,\"a \"\"b\"\"\"\r\n'-1,'@SUM(A1)\r\n'�=1,'�=1\r\n'＝1,a=b\r\na�[2J�b,\r\n'," + strings.Repeat("長", 100) + "\r\n"
	if diff := cmp.Diff(want, write(t, screen.Result{Table: table}, screen.CSV, 10)); diff != "" {
		t.Error(diff)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	object := struct {
		Without int               `json:"without"`
		By      map[string]string `json:"by"`
	}{412, map[string]string{"b": "山田 <t@example.co.jp>", "a": "\x1b\u009b\u202e\u2028\x7f"}}
	want := "{\n  \"without\": 412,\n  \"by\": {\n    \"a\": \"\\u001b\\u009b\\u202e\\u2028\\u007f\",\n    \"b\": \"山田 <t@example.co.jp>\"\n  }\n}\n"
	if diff := cmp.Diff(want, write(t, screen.Result{Object: object}, screen.JSON, 10)); diff != "" {
		t.Error(diff)
	}
	for _, object := range []any{nil, 1, []string{"a"}, make(chan int), map[string]any{"f": func() {}}} {
		var out strings.Builder
		if err := screen.WriteJSONLine(&out, object); err == nil || out.Len() > 0 {
			t.Errorf("%T: got %v, %q", object, err, out.String())
		}
	}
}

// full is a disk without room.
type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteFails(t *testing.T) {
	t.Parallel()
	for _, f := range []screen.Format{screen.Text, screen.CSV, screen.JSON} {
		if err := (screen.Result{Table: people, Object: struct{}{}}).Write(full{}, f, 80); !errors.Is(err, errFull) {
			t.Errorf("%s: got %v", f, err)
		}
	}
}

// FuzzResult: whatever strangers are called, a table fits, no format moves the cursor, and
// no cell of the CSV is calculated.
func FuzzResult(f *testing.F) {
	f.Add("山田", "=1", uint8(80))
	f.Add(family+"e\u0301\u3099", "\x1b[2J\r\n", uint8(9))
	f.Add("\u200d\ufe0f🇯", "\xff＝", uint8(1))
	f.Fuzz(func(t *testing.T, a, b string, most uint8) {
		r := screen.Result{
			Table:  screen.Table{Columns: []screen.Column{{Title: "a"}, {Title: "b", Right: true}, {Title: "c"}}, Rows: [][]string{{a, "1", b}, {b, "22"}}},
			Object: map[string]string{"a": a, "b": b},
		}
		for _, format := range []screen.Format{screen.Text, screen.CSV, screen.JSON} {
			text := write(t, r, format, int(most))
			for line := range strings.Lines(text) {
				line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
				if screen.Clean(line) != line {
					t.Errorf("%s is not clean: %q", format, line)
				}
				if n := screen.Width(line); format == screen.Text && n > int(most) {
					t.Errorf("%d cells, want at most %d: %q", n, most, line)
				}
			}
			if format == screen.CSV {
				checkGuarded(t, text)
			}
		}
	})
}

func checkGuarded(t *testing.T, text string) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, cell := range slices.Concat(rows...) {
		if cell != "" && strings.ContainsAny(cell[:1], "=+-@") {
			t.Errorf("a formula: %q", cell)
		}
	}
}
