package main

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// orderWords are the sentences of stamp and signout.
var orderWords = language.Catalogue{
	"order.named":  {En: "People named: %s", Ja: "指定されたユーザー: %s 人"},
	"order.all":    {En: "People in the tenant: %s", Ja: "テナントのユーザー: %s 人"},
	"order.domain": {En: "People of %[2]s: %[1]s", Ja: "%[2]s のユーザー: %[1]s 人"},
	"order.group":  {En: "Group \"%s\", nested groups included: %s", Ja: "グループ「%s」(入れ子を含む): %s 人"},
	"order.stopped": {
		En: "The order of %s goes on: %s people. Whoever is done is not called again.",
		Ja: "%s に開始した処理の続きです: %s 人。完了した人には再度実行しません。",
	},
	"order.none_stopped": {En: "No order was stopped on this machine.", Ja: "このマシンに中断した処理はありません。"},
	"order.others":       {En: "Left alone: %s.", Ja: "対象外: %s。"},
	"order.comma":        {En: ", ", Ja: "、"},
	"order.line":         {En: "line %d: %s", Ja: "%d 行目: %s"},
	"class.stamped":      {En: "already stamped %s", Ja: "スタンプ済み %s"},
	"class.excluded":     {En: "excluded %s", Ja: "除外 %s"},
	"class.guest":        {En: "guests %s", Ja: "ゲスト %s"},
	"class.managed":      {En: "managed domain %s", Ja: "マネージド ドメイン %s"},
	"class.not_found":    {En: "not found %s", Ja: "見つからない %s"},
	"class.several":      {En: "several users of that name %s", Ja: "同名が複数 %s"},
	"class.unclear":      {En: "unclear to Graph %s", Ja: "Graph で判別できない %s"},
	"class.doubled":      {En: "named twice %s", Ja: "重複 %s"},
	"order.replaces": {
		En: "The order of %s for %s people was stopped, and is given up by this one; --continue would go on with it.",
		Ja: "%s に開始し中断した処理 (%s 人) は、これを実行すると破棄されます。続きから再開するには --continue を指定してください。",
	},
	"order.goes_on": {
		En: "This goes on with the sign-out of %s: whoever was signed out by it is left alone. --afresh signs all of them out.",
		Ja: "%s に開始し中断したサインアウトの続きです。そのときサインアウトされた人は対象外です。全員を対象にするには --afresh を指定してください。",
	},
	"order.under_way": {
		En: "Under way since an earlier run: %s. Their stamps are read back; nobody is called twice.",
		Ja: "前回から処理中: %s 人。スタンプを読み取って確かめます。二重には実行しません。",
	},
	"stamp.due":   {En: "%s will be stamped, and each is signed out once.", Ja: "%s 人にスタンプを付けます。全員が 1 回サインアウトされます。"},
	"signout.due": {En: "%s will be signed out now on all devices, stamp or not.", Ja: "%s 人を、スタンプの有無に関わらず今すぐ全デバイスからサインアウトします。"},
	"order.limited": {
		En: "These are the newest; %s more wait for another run.",
		Ja: "新しい順に選んだ人数です。残り %s 人は次の実行で対象になります。",
	},
	"order.takes": {
		En: "At 20 a second the calls take %s. All stamps are read back by %s.",
		Ja: "毎秒 20 人で所要 %s。スタンプの確認まで含めて %s に終わる見込みです。",
	},
	"order.tokens": {
		En: "Access tokens stay good for up to an hour: apps that are open go on until then. Passwords, sign-in methods and devices stay as they are.",
		Ja: "アクセス トークンは最長 1 時間有効です。開いているアプリはその間使えます。パスワード、認証方法、デバイスの登録は変わりません。",
	},
	"order.reason": {En: "Reason: %s", Ja: "理由: %s"},
	"order.go_on":  {En: "Go on? [y/N] ", Ja: "続行しますか? [y/N] "},
	"order.type":   {En: "Type the number of people to confirm: ", Ja: "確認のため人数を入力してください: "},
	"order.waits": {
		En: "Waits until %s. Ctrl-C ends it; nobody is signed out before.",
		Ja: "%s まで待機します。それまで誰もサインアウトされません。Ctrl-C で中止できます。",
	},
	"order.reads_back": {
		En: "Waits for %s stamps to show, until %s. Ctrl-C loses nothing: the next run reads them back.",
		Ja: "%s 人のスタンプが反映されるのを %s まで待ちます。Ctrl-C で中断しても失われるものはなく、次の実行で確かめます。",
	},
	"stamp.nobody":   {En: "Nobody is to be stamped.", Ja: "スタンプを付ける人はいません。"},
	"signout.nobody": {En: "Nobody is to be signed out.", Ja: "サインアウトする人はいません。"},
	"stamp.done":     {En: "%s stamped, all read back.", Ja: "%s 人にスタンプを付け、全員分を確認しました。"},
	"signout.done":   {En: "%s signed out, all read back.", Ja: "%s 人をサインアウトし、全員分を確認しました。"},
	"stamp.called": {
		En: "%s stamped. %s stamps are not read back yet: the next run does it.",
		Ja: "%s 人にスタンプを付けました。うち %s 人は未確認です。次の実行で確かめます。",
	},
	"signout.called": {
		En: "%s signed out. %s stamps are not read back yet: the next run does it.",
		Ja: "%s 人をサインアウトしました。うち %s 人は未確認です。次の実行で確かめます。",
	},
	"stamp.stopped": {
		En: "Stopped. %s are stamped, %s are not yet; nothing is half done.",
		Ja: "中断しました。%s 人にスタンプを付け、%s 人が残っています。途中の状態の人はいません。",
	},
	"signout.stopped": {
		En: "Stopped. %s are signed out, %s are not yet; nothing is half done.",
		Ja: "中断しました。%s 人をサインアウトし、%s 人が残っています。途中の状態の人はいません。",
	},
	"order.spared": {
		En: "%s were left alone: by then they had a stamp, or were out of scope.",
		Ja: "%s 人は実行時にスタンプがあったか、対象外になったため、変更していません。",
	},
	"order.earlier": {En: "%s of an earlier run were read back as well.", Ja: "前回の実行の %s 人分も確認しました。"},
	"order.failed":  {En: "%s failed: look at them in the Entra admin center.", Ja: "%s 人は失敗しました。Entra 管理センターで確認してください。"},
	"order.more":    {En: "… and %s more: -o csv lists all", Ja: "… 他 %s 件。-o csv ですべて出力します"},

	"column.why":              {En: "Why", Ja: "理由"},
	"failed.forbidden":        {En: "a role protects the user, or the right is missing", Ja: "上位のロールまたは権限が必要"},
	"failed.refused":          {En: "Graph refused", Ja: "Graph が拒否"},
	"failed.still_empty":      {En: "called twice, and no stamp appeared", Ja: "2 回実行したがスタンプが付かない"},
	"failed.known_cannot_fix": {En: "failed before", Ja: "以前に失敗"},
	"failed.gave_up":          {En: "Graph did not answer for four days", Ja: "4 日間 Graph から応答なし"},
	"failed.invalid":          {En: "the file of this machine is wrong", Ja: "このマシンのファイルの内容が不正"},
	"hint.stamp":              {En: "stamps them", Ja: "スタンプを付ける"},
	"hint.signout":            {En: "signs them out", Ja: "サインアウトする"},
	"hint.again":              {En: "again, once that is mended", Ja: "修正後にもう一度"},
	"hint.continue":           {En: "goes on from here", Ja: "続きから再開"},
	"fail.declined":           {En: "Nothing was changed.", Ja: "何も変更していません。"},
	"use.file":                {En: "The file %q cannot be read: see that it is there, and yours.", Ja: "ファイル %q を読み取れません。パスとアクセス権を確認してください。"},
	"use.list":                {En: "The list %q was not taken, and nothing was changed:", Ja: "一覧 %q に問題があるため、何も変更していません。"},
	"use.one_way":             {En: "Say in one way who is meant, and not by all of: %s.", Ja: "対象の指定方法は 1 つだけにしてください: %s。"},
	"use.nobody": {
		En: "Say who is meant: sessionstamp %s USER, or --file, --group, --domain, --all.",
		Ja: "対象を指定してください。sessionstamp %s USER か、--file、--group、--domain、--all を使います。",
	},
	"use.unfinished": {
		En: "The order (%s) of %s for %s people was stopped. To go on: sessionstamp %[1]s --continue. Or say who else is meant: USER, --file, --group, --domain, --all.",
		Ja: "中断した処理 (%s) があります: %s 開始、%s 人。続きから再開するには sessionstamp %[1]s --continue、別の対象なら USER、--file、--group、--domain、--all を指定してください。",
	},
	"use.other_verb": {En: "The order that was stopped is another: sessionstamp %s --continue.", Ja: "中断した処理のコマンドが異なります。sessionstamp %s --continue で再開してください。"},
	"use.unasked_stamp": {
		En: "There is no terminal to ask at: add --yes, or --dry-run to look first.",
		Ja: "端末がないため確認できません。--yes を追加するか、--dry-run で先に確認してください。",
	},
	"use.unasked_signout": {
		En: "There is no terminal to ask at: add --yes --expect N, the number of people that --dry-run shows.",
		Ja: "端末がないため確認できません。--yes --expect N を追加してください。N は --dry-run で表示される人数です。",
	},
	"use.expect": {
		En: "signout --yes needs --expect N, the number of people that --dry-run shows.",
		Ja: "signout --yes には --expect N が必要です。N は --dry-run で表示される人数です。",
	},
	"use.expected": {
		En: "--expect says %s people, and it would be %s. Nothing was changed: look with --dry-run.",
		Ja: "--expect の %s 人に対し、実際の対象は %s 人です。何も変更していません。--dry-run で確認してください。",
	},
	"use.typed": {
		En: "It would be %s people, and you typed something else. Nothing was changed.",
		Ja: "対象は %s 人ですが、入力が一致しません。何も変更していません。",
	},
}
