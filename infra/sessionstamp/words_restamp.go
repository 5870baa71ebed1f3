package main

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// restampWords are what restamp says besides the words of orders.
var restampWords = language.Catalogue{
	"restamp.title": {
		En: "People in the log: %s, by the column %q. In a log of administrators' operations that may be who did it: see the names.",
		Ja: "ログのユーザー: %s 人 (列 %q)。管理者の操作ログでは、この列が操作した人を表すことがあります。名前を確認してください。",
	},
	"restamp.lines": {
		En: "Lines taken: %[2]s of %[1]s. Of them left out: failed %[3]s, older than 14 days %[4]s.",
		Ja: "対象の行: %[1]s 行のうち %[2]s 行。そこから除外: 失敗 %[3]s 行、14 日より前 %[4]s 行。",
	},
	"restamp.no_kinds": {
		En: "No column tells which operation a line is about: each counts as a changed password or a disabled user.",
		Ja: "操作の種類を示す列がないため、すべての行をパスワードの変更またはユーザーの無効化とみなします。",
	},
	"restamp.kind":       {En: "%6s  %s", Ja: "%6s  %s"},
	"restamp.more_kinds": {En: "and %s more kinds", Ja: "他 %s 種類"},
	"restamp.zone": {
		En: "Times that name no zone are read as %s; --time-zone says another.",
		Ja: "時間帯のない日時は %s として読み取りました。変更するには --time-zone を指定します。",
	},
	"class.since": {En: "stamped since then %s", Ja: "その後にスタンプ済み %s 人"},

	"restamp.due": {
		En: "%s people will be signed out on all devices, once: their stamps are older than what the log tells.",
		Ja: "%s 人を、すべてのデバイスから 1 回サインアウトします。スタンプがログの日時より前のためです。",
	},
	"restamp.due.one": {
		En: "1 person will be signed out on all devices, once: the stamp is older than what the log tells.",
		Ja: "1 人を、すべてのデバイスから 1 回サインアウトします。スタンプがログの日時より前のためです。",
	},
	"restamp.nobody":   {En: "Nobody is to be stamped again.", Ja: "スタンプを付け直す対象はありません。"},
	"restamp.done":     {En: "%s stamped again, all read back.", Ja: "%s 人にスタンプを付け直し、全員分を確認しました。"},
	"restamp.done.one": {En: "1 stamped again, and read back.", Ja: "1 人にスタンプを付け直し、確認しました。"},
	"restamp.called": {
		En: "%s stamped again. Not read back yet: %s; the next stamp, signout, restamp or watch here does it.",
		Ja: "%s 人にスタンプを付け直しました。結果が未確認: %s 人。次に stamp、signout、restamp、watch を実行したときに確認します。",
	},
	"restamp.stopped": {
		En: "Stopped. Stamped again: %s. Not yet: %s. Nothing is half done.",
		Ja: "中断しました。%s 人にスタンプを付け直し、%s 人が残っています。処理が途中のままのユーザーはいません。",
	},
	"restamp.left": {
		En: "Handed over to the deployment %s: %s. Stamped again so far: %s.",
		Ja: "デプロイ %s に %s 人を引き渡しました。付け直し済み: %s 人。",
	},
	"restamp.not_handed": {
		En: "Not everybody was handed over to the deployment %s. Whoever was is stamped again, once: --continue asks for no second time.",
		Ja: "デプロイ %s への引き渡しが途中で止まりました。引き渡した人には、このままスタンプを付け直します。--continue で再開しても、二重には実行されません。",
	},
	"hint.restamp": {En: "stamps them again", Ja: "スタンプを付け直す"},
	"use.unasked_restamp": {
		En: "There is no terminal to ask at: add --yes --expect N, the number of people that --dry-run shows.",
		Ja: "対話入力ができないため、確認できません。--yes --expect N を追加してください。N は --dry-run で表示される人数です。",
	},
	"use.no_log": {
		En: "Say which log of your provider is meant: sessionstamp restamp --from FILE.",
		Ja: "プロバイダーのログを指定してください: sessionstamp restamp --from FILE",
	},
	"use.log_others": {
		En: "The log holds other operations than changed passwords and disabled users, and nothing was changed. Say by --containing TEXT, once or more, which lines are meant:",
		Ja: "ログにパスワードの変更とユーザーの無効化以外の操作があるため、何も変更していません。対象の行に含まれる文字列を --containing TEXT で指定してください (繰り返し可):",
	},
}

// restampHelps are what --help says of restamp.
var restampHelps = language.Catalogue{
	"restamp.use":   same("restamp --from FILE [--containing TEXT] [--stack NAME]"),
	"restamp.short": {En: "stamps again whose password a log says was changed", Ja: "ログでパスワード変更がわかる人に付け直す"},
	"restamp.long": {
		En: "It is for providers that only export a log (CloudGate UNO, HENNGE, TrustLogin): CSV or TSV with headings, one column of users and one of times, or a date and a time. Whose stamp is older than the latest time of theirs is signed out once; the others are left alone. Times of the last 14 days count. You type how many people it is; a script writes --yes --expect N. More flags: sessionstamp signout --help. With --stack NAME a deployment does it.",
		Ja: "ログの出力しかできないプロバイダー (CloudGate UNO、HENNGE、トラスト・ログイン) 用です。見出しのある CSV か TSV で、ユーザーの列と日時の列 (または日付と時刻の列) を読み取ります。スタンプがその人の最新の日時より前なら 1 回サインアウトし、ほかの人は変更しません。対象は過去 14 日間です。続けるには人数を入力します (スクリプトでは --yes --expect N)。ほかのオプション: sessionstamp signout --help。--stack NAME: デプロイで実行。",
	},
	"restamp.examples": same("  sessionstamp restamp --from log.csv --containing パスワード変更 --dry-run"),

	"flag.log":         {En: "the log as CSV or TSV; - for standard input", Ja: "ログの CSV または TSV (- は標準入力)"},
	"flag.containing":  {En: "only lines with this text (again for more)", Ja: "この文字列を含む行だけ (繰り返し可)"},
	"flag.user-column": {En: "the heading of those whose password changed", Ja: "対象ユーザーの列の見出し"},
	"flag.time-zone":   {En: "of times that name none; else this machine's", Ja: "時間帯のない日時の時間帯"},
}
