package main

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// doctorWords are those of doctor, besides the sentences of package doctor.
var doctorWords = language.Catalogue{
	"use.unasked_doctor": {
		En: "Nobody is here who could answer: write --yes with --fix, or leave --fix out to see what is wrong.",
		Ja: "対話入力ができないため、確認できません。--fix に --yes を付けるか、--fix を外して診断だけを行ってください。",
	},
	"fail.mend_elsewhere": {
		En: "You are not signed in where this is mended: see what could not be looked at.",
		Ja: "修復先にサインインしていません。「確認できなかった項目」を参照してください。",
	},
	"doctor.wrong":     {En: "%s things are wrong.", Ja: "問題が %s 件あります。"},
	"doctor.wrong.one": {En: "1 thing is wrong.", Ja: "問題が 1 件あります。"},
	"doctor.warning": {
		En: "Nothing is wrong, and %s things need a look.",
		Ja: "問題はありませんが、確認が必要な項目が %s 件あります。",
	},
	"doctor.warning.one": {En: "Nothing is wrong, and 1 thing needs a look.", Ja: "問題はありませんが、確認が必要な項目が 1 件あります。"},
	"doctor.fine":        {En: "Nothing wrong was found.", Ja: "問題は見つかりませんでした。"},
	"doctor.partly": {
		En: "Not everything could be looked at: see at the end.",
		Ja: "確認できなかった項目があります (末尾を参照)。",
	},
	"doctor.mends":  {En: " (--fix does it.)", Ja: " (--fix で修復できます。)"},
	"doctor.unseen": {En: "not looked at", Ja: "未確認"},
	"doctor.group_machine": {
		En: "This machine: ", Ja: "このマシン: ",
	},
	"doctor.group_entra": {En: "Microsoft Entra: ", Ja: "Microsoft Entra: "},
	"doctor.group_aws":   {En: "AWS: ", Ja: "AWS: "},
	"doctor.group_state": {En: "At work: ", Ja: "稼働状態: "},
	"doctor.gap":         {En: "Not looked at: %s: %s", Ja: "確認できなかった項目: %s: %s"},
	"doctor.right":       {En: "you lack %s.", Ja: "%s の権限がありません。"},
	"doctor.no_right":    {En: "you lack the right.", Ja: "権限がありません。"},
	"doctor.plan":        {En: "--fix will do (%s):", Ja: "--fix で行う修復 (%s 件):"},
	"doctor.question":    {En: "Go on? [y/N] ", Ja: "続行しますか? [y/N] "},

	"doctor.do_grant":           {En: "grant %s the permission %s", Ja: "%s に %s を付与"},
	"doctor.do_withdraw":        {En: "withdraw from %s the permission %s", Ja: "%s から %s を取り消し"},
	"doctor.do_trust":           {En: "let %s trust by the federated credential %s: issuer %s, subject %s", Ja: "%s のフェデレーション資格情報 %s を設定: 発行者 %s、サブジェクト %s"},
	"doctor.do_distrust":        {En: "delete from %s the federated credential %s", Ja: "%s のフェデレーション資格情報 %s を削除"},
	"doctor.do_remove_secret":   {En: "delete from %s the client secret %s", Ja: "%s のクライアント シークレット %s を削除"},
	"doctor.do_remove_cert":     {En: "delete from %s the certificate %s", Ja: "%s の証明書 %s を削除"},
	"doctor.do_disown":          {En: "remove from %s the owner %s", Ja: "%s の所有者 %s を削除"},
	"doctor.do_enable_schedule": {En: "switch the schedule on: %s", Ja: "スケジュールを有効化: %s"},
	"doctor.do_protect_table":   {En: "switch deletion protection on: %s", Ja: "削除保護を有効化: %s"},
	"doctor.do_ask_full_round":  {En: "have the sweeper look at everybody: up to 15 minutes", Ja: "全件の巡回を実行 (最長 15 分)"},

	"hint.doctor": {En: "what is wrong, and its cure", Ja: "問題と対処方法の確認"},
	"hint.fix":    {En: "mends what is safe to mend", Ja: "安全に修復できる項目を修復"},
}

// doctorHelps are what --help says of it.
var doctorHelps = language.Catalogue{
	"doctor.use":   same("doctor [--fix [--yes]] [--stack NAME] [--region R] [--profile P]"),
	"doctor.short": {En: "everything that can be wrong, and its cure", Ja: "問題の診断と対処方法"},
	"doctor.long": {
		En: "It looks at this machine, Microsoft Entra, AWS and what the deployment remembers, and tells what is wrong for whom and what ends it; without a deployment, whether one can be made. It changes nothing, and names the rights that you lack. The exit status is 1 if something is wrong.\n--fix does what is safe, after one question: it mends permissions, owners and credentials of the apps that setup has made, and switches on what was switched off, but for the stamper: it never ends a stop.",
		Ja: "このマシン、Microsoft Entra、AWS、デプロイの記録を調べ、問題とその影響、対処方法を示します。デプロイがなければ、作成できるかを調べます。変更はせず、不足している権限も示します。問題があれば終了コードは 1 です。\n--fix は、安全な修復だけを確認後に行います: setup が作成したアプリの権限、所有者、資格情報の修復、無効になっているスケジュールなどの有効化。意図的に停止されたスタンプの処理は再開しません。",
	},
	"doctor.examples": same("  sessionstamp doctor --demo\n  sessionstamp doctor --fix\n  sessionstamp doctor -o json"),
	"flag.fix":        {En: "mends what is safe to mend, after a question", Ja: "安全に修復できる項目を、確認後に修復"},
}
