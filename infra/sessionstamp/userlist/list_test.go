package userlist_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/text/encoding/japanese"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/userlist"
)

const (
	taro   = "taro.yamada@example.co.jp"
	hanako = "hanako@example.co.jp"
	jiro   = "jiro@example.co.jp"
	id     = "6f1c0ad2-2b57-4a3e-9d0b-5f7c1e3a9b10"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for _, fault := range userlist.Words.Faults() {
		t.Error(fault)
	}
}

func cp932(text string) string {
	encoded, err := japanese.ShiftJIS.NewEncoder().String(text)
	if err != nil {
		panic(err)
	}
	return encoded
}

// utf16Of writes a text as PowerShell 5 does, or the other way round.
func utf16Of(text string, order binary.AppendByteOrder) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		out = order.AppendUint16(out, unit)
	}
	return string(out)
}

// names writes a list as "line name" for each user.
func names(list userlist.List) (lines []string) {
	for _, u := range list.Users {
		lines = append(lines, fmt.Sprintf("%d %s", u.Line, u.Name))
	}
	return lines
}

func one(line int, name string) []string { return []string{fmt.Sprintf("%d %s", line, name)} }

func TestRead(t *testing.T) {
	t.Parallel()
	const excel = "社員番号,氏名,メール アドレス\r\n0012,\"山田, 太郎\"," + taro + "\r\n0013,髙橋 花子," + hanako + "\r\n"
	const shell = "#TYPE Microsoft.Graph.PowerShell.Models.MicrosoftGraphUser\r\n\"DisplayName\",\"Id\",\"Mail\",\"UserPrincipalName\"\r\n\"山田\",\"" + id + "\",,\"" + taro + "\"\r\n"
	two := append(one(2, taro), one(3, hanako)...)
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"a name a line":               {taro + "\n" + hanako + "\n", append(one(1, taro), one(2, hanako)...)},
		"no end of line":              {taro, one(1, taro)},
		"CR":                          {"UPN\r" + taro + "\r" + hanako + "\r", two},
		"CRLF":                        {"UPN\r\n" + taro + "\r\n" + hanako, two},
		"a mark":                      {"\ufeffUPN\n" + taro, one(2, taro)},
		"Excel in Japan":              {cp932(excel), two},
		"Excel, CSV UTF-8":            {"\ufeff" + excel, two},
		"Excel, Unicode text":         {utf16Of("氏名\tメール アドレス\r\n\"山田, 太郎\"\t"+taro+"\r\n\t"+hanako+"\r\n", binary.LittleEndian), two},
		"PowerShell 5":                {utf16Of(shell, binary.LittleEndian), one(3, id)},
		"UTF-16 of a Mac":             {utf16Of("UPN\n"+taro, binary.BigEndian), one(2, taro)},
		"Out-File":                    {utf16Of(taro+"\r\n"+hanako+"\r\n", binary.LittleEndian), append(one(1, taro), one(2, hanako)...)},
		"Entra's export":              {"userPrincipalName,displayName,surname,mail,givenName,id,userType\n" + taro + ",,,," + "," + strings.ToUpper(id) + ",Member\n", one(2, id)},
		"Microsoft 365's export":      {"Display name,User principal name\nx," + taro, one(2, taro)},
		"in Japanese":                 {"表示名,ユーザー プリンシパル名\n山田," + taro, one(2, taro)},
		"an id in Japanese":           {"オブジェクト ID,ユーザー プリンシパル名\n" + id + "," + taro, one(2, id)},
		"half-width":                  {cp932("ﾒｰﾙ ｱﾄﾞﾚｽ\n" + taro), one(2, taro)},
		"full-width":                  {"ＵＰＮ\n" + taro, one(2, taro)},
		"a template":                  {"version:v1.0,\r\nUser name [userPrincipalName] Required,Block\r\n" + taro + ",Yes\r\n", one(3, taro)},
		"semicolons":                  {"Name;EmailAddress\nYamada, Taro;" + taro, one(2, taro)},
		"tabs, an empty cell":         {"No\tMail\n\t" + taro + "\n2\t" + hanako, two},
		"quotation marks":             {"\"UPN\"\n \"" + taro + "\" \n\"" + hanako + "\"  \n", two},
		"a quoted quotation mark":     {"Name,UPN\n\"a \"\"b, c\"," + taro, one(2, taro)},
		"a cell of two lines":         {"Address,UPN\n\"1-1\n# 5\"," + taro + "\n,", one(3, taro)},
		"a heading of two lines":      {"\"Ad,\ndress\";UPN\nx;" + taro, one(3, taro)},
		"a comment in a heading":      {"\"Ad\n#5\";UPN\nx;" + taro, one(3, taro)},
		"blanks, comments, nothing":   {"\n# people, of Tokyo; all\n \t\n  " + taro + " \u3000\n#" + jiro + "\n\u00a0" + hanako + "\t\n,,\n", append(one(4, taro), one(6, hanako)...)},
		"empty cells at the end":      {"UPN,,\n" + taro + ",,\n,,\n" + hanako + ",\n", append(one(2, taro), one(4, hanako)...)},
		"a row that is short":         {"UPN,Name\n" + taro, one(2, taro)},
		"an id, and a guest":          {strings.ToUpper(id) + "\nmax_other.de#EXT#@example.onmicrosoft.com\n", append(one(1, id), one(2, "max_other.de#EXT#@example.onmicrosoft.com")...)},
		"Excel's separator":           {"sep=;\r\nName;E-Mail\r\nx;" + taro, one(3, taro)},
		"a name, a mail address":      {"ユーザー名,メール\n山田太郎," + taro, one(2, taro)},
		"a sign-in name":              {"氏名,サインイン名\n山田太郎," + taro, one(2, taro)},
		"O'Brien":                     {"o'brien@example.com", one(1, "o'brien@example.com")},
		"an old Mac's mixture of CRs": {taro + "\r\n" + hanako + "\r" + jiro, append(one(1, taro), append(one(2, hanako), one(3, jiro)...)...)},
	} {
		list, err := userlist.Read(strings.NewReader(c.file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.want, names(list)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if len(list.Doubled) > 0 {
			t.Errorf("%s: doubled %v", name, list.Doubled)
		}
	}
}

func TestDoubled(t *testing.T) {
	t.Parallel()
	list, err := userlist.Read(strings.NewReader(taro + "\n" + hanako + "\nTARO.Yamada@Example.co.jp\n" + strings.ToUpper(id) + "\n" + id + "\n" + taro))
	if err != nil {
		t.Fatal(err)
	}
	want := userlist.List{
		Users:   []userlist.User{{Line: 1, Name: taro}, {Line: 2, Name: hanako}, {Line: 4, Name: id}},
		Doubled: []userlist.User{{Line: 3, Name: "TARO.Yamada@Example.co.jp"}, {Line: 5, Name: id}, {Line: 6, Name: taro}},
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Error(diff)
	}
}

// Each of these could be read in two ways, or in none.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file string
		want []string // what each problem holds
	}{
		"nothing":                   {"", []string{"the file names nobody"}},
		"comments":                  {"# a\n\n#TYPE b", []string{"the file names nobody"}},
		"a heading":                 {"UPN\n,\n", []string{"the file names nobody"}},
		"columns without a heading": {"\nYamada," + taro, []string{`line 2, "Yamada,taro.yamada@example.co.jp": there are several columns`}},
		"two names in a line":       {taro + ";" + hanako, []string{"line 1, \"taro.yamada@example.co.jp;hanako@example.co.jp\": there are several columns"}},
		"two names in a later line": {taro + "\n" + hanako + "," + jiro, []string{"line 2, \"hanako@example.co.jp,jiro@example.co.jp\": this line has 2 cells"}},
		"semicolons later":          {taro + "\n" + hanako + ";" + jiro, []string{"line 2, \"hanako@example.co.jp;jiro@example.co.jp\": this is not one name"}},
		"unknown headings":          {"Name,Konto\nx," + taro, []string{`line 1, "Name,Konto": there are several columns`}},
		"an unknown heading":        {"氏名\n" + taro, []string{`line 1, "氏名": this is neither a user (name@domain or an object id) nor a heading`}},
		"two separators":            {"Name;UPN,Mail\n", []string{"line 1, \"Name;UPN,Mail\": commas, semicolons and tabs are mixed"}},
		"two columns of a kind":     {"UPN,UserPrincipalName\n", []string{"line 1, \"UPN,UserPrincipalName\": two headings mean the same"}},
		"a comma without quotes":    {"Name,UPN\nYamada, Taro," + taro, []string{`line 2, "Yamada, Taro,taro.yamada@example.co.jp": this line has 3 cells, and there should be at most 2`}},
		"an empty name":             {"Name,UPN\nYamada,\nSato", []string{`line 2, "Yamada,": nobody is named`, `line 3, "Sato": nobody is named`}},
		"no id":                     {"ID,UPN\n0012," + taro, []string{`line 2, "0012": this is no object id, though the heading is "ID"`}},
		"names that are none": {"suzuki\nEXAMPLE\\suzuki\n*@example.co.jp\nTaro <" + taro + ">\nmailto:" + taro + "\na@b@example.com\na@localhost\na b@example.com\n'" + taro + "'\n@\n" + strings.Repeat("a", 250) + "@b.jp", []string{
			`line 1, "suzuki": this is neither`, `line 2, "EXAMPLE\\suzuki": this is neither`, `line 3, "*@example.co.jp": this is not one name`,
			"line 4", "line 5", "line 6", "line 7", "line 8", "line 9", `line 10, "@": this looks like a formula`, "line 11, \"" + strings.Repeat("a", 59) + `…": this is not one name`}},
		"formulas": {"=1+1\n+81@example.com\n-a@example.com\n@a.com", []string{"line 1, \"=1+1\": this looks like a formula", "line 2", "line 3", "line 4"}},
		"full-width and invisible": {"taro＠example.co.jp\n山田 太郎 <" + taro + ">\n\u200b" + taro + "\n\u202e" + taro + "\nandré@example.fr", []string{
			`line 1, "taro＠example.co.jp": the at sign ＠ is full-width`, `line 2, "山田 太郎 <taro.yamada@example.co.jp>": write the address alone`, `line 3, "\u200btaro`, `line 4, "\u202etaro`, "line 5"}},
		"Western Europe":          {"ren\xe9e@example.fr\n" + taro, []string{"line 1, \"ren馥@example.fr\": there is a character"}},
		"Western Europe, an at":   {"andr\xe9@example.fr\n" + taro, []string{"line 1"}},
		"control characters":      {taro + "\n\x1b[2J" + hanako + "\n" + jiro + "\x1a", []string{`line 2, "\x1b[2Jhanako@example.co.jp": there is a control character, U+001B`, "line 3, \"jiro@example.co.jp\\x1a\": there is a control character, U+001A"}},
		"NUL":                     {taro + "\x00\n", []string{`line 1, "taro.yamada@example.co.jp\x00": there is a NUL`}},
		"UTF-16 without its mark": {utf16Of(taro+"\r\n"+hanako, binary.LittleEndian)[2:], []string{"line 1"}},
		"UTF-16 that is cut":      {utf16Of(taro+"\n"+hanako, binary.LittleEndian) + "\n", []string{"line 2, \"hanako@example.co.jp\ufffd\": a character cannot be read"}},
		"no encoding":             {taro + "\nx\xff\xfe\n", []string{"line 2"}},
		"a mark that lies":        {"\xef\xbb\xbf" + taro + "\n\x8e\x52", []string{"line 2"}},
		"Excel workbook":          {"PK\x03\x04\x00\x00", []string{"this is an Excel workbook"}},
		"old Excel workbook":      {"\xd0\xcf\x11\xe0\xa1\xb1", []string{"this is an Excel workbook"}},
		"a version later":         {taro + "\nversion:v1.0\n", []string{`line 2, "version:v1.0": this is neither`}},
		"an open quotation mark":  {"UPN\n" + hanako + "\n\"" + taro + "\n" + jiro, []string{"line 3, \"\\\"taro.yamada@example.co.jp\": a quotation mark"}},
		"a stray quotation mark":  {"UPN\nta\"ro@example.com", []string{`line 2, "ta\"ro@example.com": a quotation mark`}},
		"a table of PowerShell":   {"DisplayName Id UserPrincipalName\n----------- -- -----------------\n", []string{"line 1", "line 2"}},
	} {
		list, err := userlist.Read(strings.NewReader(c.file))
		var refused *userlist.Refused
		if !errors.As(err, &refused) || !cmp.Equal(list, userlist.List{}) {
			t.Errorf("%s: got %v, %v", name, list, err)
			continue
		}
		said := strings.Split(refused.Error(), "\n")
		if len(said) != len(c.want) {
			t.Errorf("%s: got %q", name, said)
			continue
		}
		for i, want := range c.want {
			if !strings.HasPrefix(said[i], want) {
				t.Errorf("%s: got %q, want %q", name, said[i], want)
			}
		}
	}
}

// The same words as in English, and no more lines than a screen has.
func TestRefusedInJapanese(t *testing.T) {
	t.Parallel()
	_, err := userlist.Read(strings.NewReader("UPN\n" + strings.Repeat("鈴木\n", 100)))
	var refused *userlist.Refused
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	said := strings.Split(refused.In(language.Japanese), "\n")
	if len(said) != 21 || said[20] != "ほかにもあるかもしれません。" || !strings.HasPrefix(said[19], `21 行目 "鈴木": ユーザー プリンシパル名に使えない文字`) {
		t.Errorf("got %d lines: %q", len(said), said)
	}
	_, err = userlist.Read(strings.NewReader(strings.Repeat("a\x01\n", 100)))
	if !errors.As(err, &refused) || len(refused.Problems) != 20 || !refused.More {
		t.Errorf("got %v", err)
	}
}

func TestLarge(t *testing.T) {
	t.Parallel()
	if _, err := userlist.Read(strings.NewReader(taro + strings.Repeat("\n", userlist.MaxBytes))); err == nil || !strings.Contains(err.Error(), "larger than 32 MB") {
		t.Errorf("got %v", err)
	}
	broken := errors.New("disk on fire")
	var refused *userlist.Refused
	if _, err := userlist.Read(iotest.ErrReader(broken)); !errors.Is(err, broken) || errors.As(err, &refused) {
		t.Errorf("got %v", err)
	}
}

// FuzzRead: whatever the bytes are, a name comes from its line and can be sent to Graph,
// and a refusal can be shown in both languages.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		taro, "UPN\r" + taro, cp932("氏名,メール アドレス\r\n山田," + taro), utf16Of("#TYPE x\r\n\"Id\"\r\n\""+id+"\"", binary.LittleEndian),
		"a;b\n", "\"Ad,\ndress\"\tUPN\n\t" + taro, "version:v1.0\nx [upn] y\n" + taro, "\"", "\xff\xfe\x00\xd8", "PK\x03\x04", "Name,UPN\n,=1\n", "id,ID",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := userlist.Read(strings.NewReader(string(data)))
		var refused *userlist.Refused
		switch {
		case errors.As(err, &refused):
			checkRefused(t, refused)
			return
		case err != nil || len(list.Users) == 0:
			t.Fatalf("got %v, %v", list, err)
		}
		last := 0
		for _, u := range list.Users {
			if u.Line <= last || strings.ContainsFunc(u.Name, func(c rune) bool { return c <= ' ' || c > '~' }) || len(u.Name) < 5 {
				t.Fatalf("line %d after %d: %q", u.Line, last, u.Name)
			}
			last = u.Line
		}
		again, err := userlist.Read(strings.NewReader(strings.Join(plainNames(list), "\n")))
		if diff := cmp.Diff(list.Users, again.Users, cmpopts.IgnoreFields(userlist.User{}, "Line")); err != nil || diff != "" {
			t.Fatalf("%v %s", err, diff)
		}
	})
}

func plainNames(list userlist.List) (all []string) {
	for _, u := range list.Users {
		all = append(all, u.Name)
	}
	return all
}

func checkRefused(t *testing.T, refused *userlist.Refused) {
	t.Helper()
	for _, l := range []language.Language{language.English, language.Japanese} {
		said := refused.In(l)
		if len(refused.Problems) == 0 || strings.ContainsAny(said, "\x1b\x00\r\x7f") {
			t.Fatalf("got %q", said)
		}
	}
}
