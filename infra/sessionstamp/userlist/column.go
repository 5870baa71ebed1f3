package userlist

import (
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// column is where the names stand.
type column struct {
	// heading is as the file writes it, "" if the file has no headings.
	heading string
	// index counts from 0. width is how many cells a row may have.
	index, width int
	// ids tells that it holds object ids and nothing else.
	ids bool
}

// headings are the ones that we know, by what they hold, as [plain] writes them. An id says
// most surely who is meant, and what people call a user name least, since it may be the
// person's: the first kind that a file has is taken. They come from Graph PowerShell, the
// Entra and Microsoft 365 admin centers in both languages, their templates, Exchange, and
// from people.
var headings = [][]string{
	{"objectid", "id", "オブジェクトid"},
	{"userprincipalname", "upn", "ユーザープリンシパル名", "ユーザプリンシパル名", "memberobjectidorupn"},
	{"mail", "email", "emailaddress", "メール", "メールアドレス", "電子メール", "電子メールアドレス"},
	{"username", "userid", "login", "ユーザー名", "ユーザーid", "サインイン名"},
}

// template is a heading such as "User name [userPrincipalName] Required".
var template = regexp.MustCompile(`^[^\[\]]*\[([^\[\]]+)\][^\[\]]*$`)

// plain writes a heading in lower case, in its usual width and without what separates
// words, so that "User principal name" and "ﾒｰﾙ ｱﾄﾞﾚｽ" are found.
func plain(heading string) string {
	heading = template.ReplaceAllString(heading, "$1")
	return strings.NewReplacer(" ", "", "_", "", "-", "").Replace(strings.ToLower(norm.NFKC.String(heading)))
}

// choose returns the column of names by the first row. No known heading is no problem
// yet: the row may be a name.
func choose(cells []string) (column, problem) {
	for kind, known := range headings {
		var found []int
		for i, cell := range cells {
			if slices.Contains(known, plain(cell)) {
				found = append(found, i)
			}
		}
		switch len(found) {
		case 0:
		case 1:
			return column{heading: cells[found[0]], index: found[0], width: len(cells), ids: kind == 0}, ""
		default:
			return column{}, twoColumns
		}
	}
	return column{width: 1}, ""
}

// judge returns a cell's name in its normal form, or what is wrong with it.
func (c column) judge(cell string) (string, problem) {
	id := strings.ToLower(cell)
	switch {
	case cell == "":
		return "", empty
	case strings.ContainsRune("=+-@", rune(cell[0])):
		return "", formula
	case directory.IsID(id):
		return id, ""
	case c.ids:
		return "", noID
	case strings.HasSuffix(cell, ">") && strings.Contains(cell, "<"):
		return "", bracketed
	case strings.ContainsRune(cell, '＠'):
		return "", wideAt
	case strings.IndexFunc(cell, func(char rune) bool { return char > '~' }) >= 0:
		return "", notASCII
	case !strings.Contains(cell, "@"):
		return "", noAt
	case len(cell) > maxName || !address.MatchString(cell):
		return "", noName
	}
	return cell, ""
}

// maxName is the longest mail address in characters (RFC 5321, section 4.5.3.1.3). User
// principal names are shorter.
const maxName = 254

// address is a user principal name: its characters are those that Entra allows ([user
// resource], userPrincipalName), and those that mail addresses have besides. Patterns such
// as *@example.com are none.
//
// [user resource]: https://learn.microsoft.com/graph/api/resources/user
var address = regexp.MustCompile(`^[A-Za-z0-9_.!^~&][A-Za-z0-9_.!#^~&'+=-]*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)
