package userlist

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// Words are the sentences of this package.
var Words = language.Catalogue{
	where: {En: "line %d, %q: %s", Ja: "%d 行目 %q: %s"},
	more:  {En: "There may be more.", Ja: "ほかにもあるかもしれません。"},
	tooLarge: {
		En: "the file is larger than %d MB: take out the columns that are not needed, or split it",
		Ja: "ファイルが %d MB を超えています。不要な列を削除するか、分割してください",
	},
	workbook: {
		En: `this is an Excel workbook: in Excel, choose Save As, "CSV UTF-8", and give that file`,
		Ja: "Excel ブックです。Excel の「名前を付けて保存」で「CSV UTF-8」を選び、そのファイルを指定してください",
	},
	unreadable: {
		En: `the file is neither UTF-8, UTF-16 nor Shift_JIS: save it as "CSV UTF-8"`,
		Ja: "UTF-8、UTF-16、Shift_JIS のどれでもありません。「CSV UTF-8」で保存し直してください",
	},
	nulByte: {
		En: `there is a NUL character, so this is no text, or UTF-16 without its mark: save it as "CSV UTF-8"`,
		Ja: "NUL 文字があります。テキストではないか、BOM のない UTF-16 です。「CSV UTF-8」で保存し直してください",
	},
	garbled: {
		En: `a character cannot be read, so the encoding is unknown: save the file as "CSV UTF-8"`,
		Ja: "読めない文字があり、文字コードを判別できません。「CSV UTF-8」で保存し直してください",
	},
	control: {
		En: "there is a control character, %s: delete it",
		Ja: "制御文字 %s があります。削除してください",
	},
	quotes: {
		En: `a quotation mark (") is not closed, or stands within a cell: delete it, or put the whole cell into quotation marks`,
		Ja: `引用符 (") が閉じていないか、セルの途中にあります。削除するか、セル全体を引用符で囲んでください`,
	},
	twoSeparators: {
		En: "commas, semicolons and tabs are mixed here: separate columns by one of them",
		Ja: "コンマ、セミコロン、タブが混在しています。列の区切りを 1 種類にしてください",
	},
	manyColumns: {
		En: "there are several columns and no known heading above them: give the column of the users the heading UserPrincipalName, Mail or ObjectId, or write one name a line",
		Ja: "複数の列がありますが、見出しがわかりません。ユーザーの列に見出し「ユーザー プリンシパル名」「メール アドレス」「オブジェクト ID」(UserPrincipalName、Mail、ObjectId) のどれかを付けるか、1 行に 1 人だけ書いてください",
	},
	twoColumns: {
		En: "two headings mean the same: keep the column that is to be read, and rename the other",
		Ja: "同じ意味の見出しが 2 つあります。使う列だけを残し、もう一方の見出しを変えてください",
	},
	manyCells: {
		En: "this line has %d cells, and there should be at most %d: put a cell that holds the separator into quotation marks, or write one name a line",
		Ja: "セルが %d 個あります (最大 %d 個)。区切り文字を含むセルを引用符で囲むか、1 行に 1 人だけ書いてください",
	},
	empty: {
		En: "nobody is named here: fill in the name, or delete the line",
		Ja: "ユーザーが書かれていません。記入するか、行を削除してください",
	},
	formula: {
		En: "this looks like a formula of a spreadsheet: write name@domain or the object id instead",
		Ja: "表計算の数式に見えます。名前@ドメイン、またはオブジェクト ID を書いてください",
	},
	noID: {
		En: "this is no object id, though the heading is %q: rename the heading if the column holds something else",
		Ja: "見出しは %q ですが、オブジェクト ID ではありません。別の内容の列なら、見出しを変えてください",
	},
	bracketed: {
		En: "write the address alone, without the name and the brackets",
		Ja: "アドレスだけを書いてください",
	},
	wideAt: {
		En: "the at sign ＠ is full-width: write @",
		Ja: "「＠」が全角です。半角の @ にしてください",
	},
	noHeading: {
		En: "this is neither a user (name@domain or an object id) nor a heading that is known: UserPrincipalName, Mail, ObjectId",
		Ja: "ユーザー (名前@ドメイン、オブジェクト ID) でも、使える見出しでもありません。見出しは「ユーザー プリンシパル名」「メール アドレス」「オブジェクト ID」(UserPrincipalName、Mail、ObjectId) のどれかにしてください",
	},
	notASCII: {
		En: "there is a character that no user principal name has, perhaps full-width or invisible: type the name anew, or write the object id",
		Ja: "ユーザー プリンシパル名に使えない文字 (全角や見えない文字など) があります。入力し直すか、オブジェクト ID を書いてください",
	},
	noAt: {
		En: "this is neither a user principal name (name@domain) nor an object id",
		Ja: "ユーザー プリンシパル名 (名前@ドメイン) でもオブジェクト ID でもありません",
	},
	noName: {
		En: "this is not one name: write name@domain or an object id, without brackets, blanks or patterns",
		Ja: "1 人の名前ではありません。名前@ドメイン、またはオブジェクト ID だけを、かっこ、空白、ワイルドカードなしで書いてください",
	},
	nobody: {
		En: "the file names nobody: write one user principal name, mail address or object id a line",
		Ja: "ユーザーが 1 人も書かれていません。ユーザー プリンシパル名、メール アドレス、オブジェクト ID のどれかを 1 行に 1 つ書いてください",
	},

	noColumn: {
		En: "no column is known to name users: give the column of those whose password changed the heading UserPrincipalName, Mail or Target in the first line, or say its heading by --user-column",
		Ja: "ユーザーの列がわかりません。1 行目で、パスワードを変更された人の列に見出し「ユーザー プリンシパル名」「メール アドレス」「対象ユーザー」(UserPrincipalName、Mail、Target) のどれかを付けるか、--user-column で見出しを指定してください",
	},
	actorColumn: {
		En: "the only column of people tells who did it, and not to whom: export a log that names those whose password changed, or say the heading of their column by --user-column",
		Ja: "操作した人の列しかなく、対象者がわかりません。パスワードを変更された人が含まれるログを出力するか、その列の見出しを --user-column で指定してください",
	},
	noTime: {
		En: "no column is known to hold the time: give one the heading Timestamp, or two of them Date and Time",
		Ja: "日時の列がわかりません。見出し「日時」(Timestamp) を付けるか、2 列なら「日付」と「時刻」(Date、Time) にしてください",
	},
	badTime: {
		En: "this is no time that can be read: write it as 2026-11-29 10:00:00, with +09:00 behind it if it is not of --time-zone",
		Ja: "日時として読み取れません。2026-11-29 10:00:00 の形式で書いてください。--time-zone 以外の時間帯の日時には +09:00 のように付けてください",
	},
	noClock: {
		En: "there is a day and no time of day: export the log with the time, or add a column with the heading Time",
		Ja: "日付だけで時刻がありません。時刻を含めて出力するか、見出し「時刻」の列を追加してください",
	},
	dayOrMonth: {
		En: "nobody can tell the day from the month here: write the year first, as 2026-11-29 10:00:00",
		Ja: "日と月を区別できません。2026-11-29 10:00:00 のように年から書いてください",
	},
	future: {
		En: "this time is yet to come: see that --time-zone is that of the file",
		Ja: "未来の日時です。--time-zone がファイルの時間帯と合っているか確認してください",
	},
}
