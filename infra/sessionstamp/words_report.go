package main

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

var reportWords = language.Catalogue{
	"report.written":  {En: "→ The report is in %s. It names people.", Ja: "→ レポートを %s に保存しました。個人名が含まれます。"},
	"report.replaced": {En: "→ Replaced %s with the report. It names people.", Ja: "→ レポートで %s を置き換えました。個人名が含まれます。"},
	"use.html": {
		En: "report writes HTML by itself: leave -o out, or name the file: --out report.html.",
		Ja: "report は指定しなくても HTML を保存します。-o を外すか、--out report.html のようにファイル名を指定してください。",
	},
	"use.page_on_screen": {
		En: "A page is not for a terminal: leave out --out, or write --out report.html.",
		Ja: "HTML は端末には表示できません。--out を外すか、--out report.html のように指定してください。",
	},
	"fail.write": {
		En: "The report could not be written to %s: see that the folder is there, and yours.",
		Ja: "レポートを %s に書き込めません。フォルダーがあり、書き込めることを確認してください。",
	},
}
