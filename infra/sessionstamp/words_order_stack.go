package main

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// orderStackWords are what stamp and signout say where a deployment does it.
var orderStackWords = language.Catalogue{
	"stack.does_it": {
		En: "The deployment %s (%s, account %s) does it. Whom it excludes is left alone too.",
		Ja: "実行はデプロイ %s (%s、アカウント %s) が行います。デプロイの除外設定も適用されます。",
	},
	"stack.read_later": {En: "The deployment reads the stamps back.", Ja: "結果はデプロイが確認します。"},
	"stack.reads_back": {
		En: "Waits for %s stamps to show, until %s. Ctrl-C ends the waiting only: the deployment goes on.",
		Ja: "%s 人のスタンプが反映されるのを %s まで待ちます。Ctrl-C で待機をやめても、デプロイは処理を続けます。",
	},
	"stack.reads_back.one": {
		En: "Waits for the stamp to show, until %s. Ctrl-C ends the waiting only: the deployment goes on.",
		Ja: "スタンプが反映されるのを %s まで待ちます。Ctrl-C で待機をやめても、デプロイは処理を続けます。",
	},
	"stamp.left": {
		En: "Handed over to the deployment %s: %s. Stamped so far: %s.",
		Ja: "デプロイ %s に %s 人を引き渡しました。スタンプ済み: %s 人。",
	},
	"signout.left": {
		En: "Handed over to the deployment %s: %s. Signed out so far: %s.",
		Ja: "デプロイ %s に %s 人を引き渡しました。サインアウト済み: %s 人。",
	},
	"stamp.not_handed": {
		En: "Not everybody was handed over to the deployment %s. Whoever was is stamped; handing them over again does them nothing.",
		Ja: "デプロイ %s への引き渡しが途中で止まりました。引き渡した人には、このまま処理が行われます。もう一度引き渡しても、二重には実行されません。",
	},
	"signout.not_handed": {
		En: "Not everybody was handed over to the deployment %s. Whoever was is signed out, once: --continue asks for no second time.",
		Ja: "デプロイ %s への引き渡しが途中で止まりました。引き渡した人は、このままサインアウトされます。--continue で再開しても、二重にはサインアウトされません。",
	},
	"stack.goes_on": {
		En: "It goes on with the rest by itself, and reads the stamps back.",
		Ja: "残りの処理と結果の確認は、デプロイが続けます。",
	},
	"stack.paused": {
		En: "It was paused meanwhile: nobody else is signed out until it is resumed. A request that waits for four days is given up.",
		Ja: "途中で一時停止されました。再開するまで、残りの人はサインアウトされません。4 日間保留された要求は破棄されます。",
	},
	"stack.silent": {
		En: "For a while neither its log nor Graph has told what became of the rest: see whether it works.",
		Ja: "残りの人の結果が、ログでも Graph でもしばらく確認できません。デプロイの稼働状況を確認してください。",
	},
	"why.stack":         {En: "Deployment %s: %s", Ja: "デプロイ %s: %s"},
	"why.stack_unknown": {En: "has no record of this user", Ja: "このユーザーの記録なし"},
	"why.stack_braked_signals": {
		En: "The deployment's brake of signals was reached at %s: whom providers report waits for sessionstamp release --signals",
		Ja: "デプロイは %s にシグナルの上限に達しました。シグナルの対象者は sessionstamp release --signals を待っています",
	},
	"why.stack_signal": {En: " (signed out, since a provider reported: %s)", Ja: " (プロバイダーのシグナルによりサインアウト: %s)"},
	"why.stack_reported": {
		En: "a provider reported: %s (%s). Nothing was done, since SignalMode was report",
		Ja: "プロバイダーのシグナルを受信しましたが (%s、%s)、SignalMode が report のため何もしていません",
	},
	"why.stack_excluded": {
		En: "a provider reported: %s (%s). Nothing was done, since the user is excluded",
		Ja: "プロバイダーのシグナルを受信しましたが (%s、%s)、除外設定のユーザーのため何もしていません",
	},
	"why.stack_waits": {
		En: "a provider reported: %s. That waits for the brake of signals (last tried: %s)",
		Ja: "プロバイダーのシグナル (%s) が、上限のため待機中です (最終試行 %s)",
	},
	"why.stack_source": {En: " (told by: %s)", Ja: " (契機: %s)"},
	"why.stack_paused": {
		En: "The deployment is paused since %s: nobody is stamped",
		Ja: "デプロイは %s から一時停止中のため、誰にもスタンプが付きません",
	},
	"why.stack_braked": {
		En: "The deployment's brake was reached at %s: new users wait for sessionstamp release",
		Ja: "デプロイは %s に上限に達しました。新しいユーザーは sessionstamp release を待っています",
	},
	"hint.hand_rest": {En: "hands over the rest", Ja: "残りを引き渡す"},
	"fail.stack_paused": {
		En: "The deployment %s is paused since %s, and would sign nobody out. Resume it first: %s",
		Ja: "デプロイ %s は %s から一時停止しているため、実行できません。先に再開してください: %s",
	},
	"fail.stack_dry_run": {
		En: "The deployment %s observes only, and signs nobody out: sessionstamp setup --observe false%s ends that.",
		Ja: "デプロイ %s は判定のみのため、誰もサインアウトしません。解除するには: sessionstamp setup --observe false%s",
	},
	"use.too_many_groups_stack": {
		En: "Graph looks into %s groups at once, and the deployment excludes %s already: leave --exclude-group out, or make one group of them.",
		Ja: "Graph で一度に確認できるグループは %s 個までで、デプロイがすでに %s 個を除外しています。--exclude-group を減らすか、1 つのグループにまとめてください。",
	},
	"use.at_stack": {
		En: "A deployment works at once, and knows no hours: leave --at out, and give the order when it may begin.",
		Ja: "デプロイはすぐに処理を始めるため、--at は指定できません。開始したい時刻に実行してください。",
	},
	"use.unfinished_stack": {
		En: "The order (%s) of %s for %s people was not handed over whole: go on by sessionstamp %[1]s --continue --stack %[4]s, or give up what is left by --afresh.",
		Ja: "引き渡しが途中で止まった処理 (%s) があります (%s 開始、%s 人)。続けるには sessionstamp %[1]s --continue --stack %[4]s を実行し、残りを破棄するには --afresh を追加してください。",
	},
	"use.unfinished_stack.one": {
		En: "The order (%s) of %s for %s person was not handed over whole: go on by sessionstamp %[1]s --continue --stack %[4]s, or give up what is left by --afresh.",
		Ja: "引き渡しが途中で止まった処理 (%s) があります (%s 開始、%s 人)。続けるには sessionstamp %[1]s --continue --stack %[4]s を実行し、残りを破棄するには --afresh を追加してください。",
	},
	"use.is_stack": {
		En: "The order that was stopped is for the deployment %s: add --stack %[1]s.",
		Ja: "中断した処理はデプロイ %s へのものです。--stack %[1]s を追加してください。",
	},
	"use.is_here": {
		En: "The order that was stopped is this machine's: leave --stack out.",
		Ja: "中断した処理はこのマシンのものです。--stack を外してください。",
	},
}
