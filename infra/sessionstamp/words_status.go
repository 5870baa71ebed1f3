package main

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// statusWords are what status says.
var statusWords = language.Catalogue{
	"status.works":     {En: "It works.", Ja: "正常に動作しています。"},
	"status.wrong":     {En: "%s things are wrong, or wait for you:", Ja: "問題または対応が必要な項目が %s 件あります:"},
	"status.wrong.one": {En: "Something is wrong, or waits for you:", Ja: "問題または対応が必要な項目が 1 件あります:"},

	"status.missed":          {En: "Missed, 7 days", Ja: "通知漏れ (7 日)"},
	"status.attention":       {En: "Needed a person", Ja: "要対応 (7 日)"},
	"status.forged":          {En: "Forged calls", Ja: "偽の通知 (7 日)"},
	"status.stack":           {En: "Stack", Ja: "スタック"},
	"status.stack_is":        {En: "%s %s, %s since %s", Ja: "%s %s、%s (%s)"},
	"status.where":           {En: "Where", Ja: "場所"},
	"status.where_is":        {En: "%s, account %s", Ja: "%s、アカウント %s"},
	"status.tenant":          {En: "Tenant", Ja: "テナント"},
	"status.subscription":    {En: "Subscription", Ja: "サブスクリプション"},
	"status.until":           {En: "until %s; it is renewed by itself", Ja: "%s まで (自動更新)"},
	"status.sweep":           {En: "Last sweep", Ja: "最後の巡回"},
	"status.finished":        {En: "finished at %s", Ja: "%s に完了"},
	"status.not_yet":         {En: "not counted yet; the first sweep comes by %s", Ja: "未集計 (最初の巡回は %s まで)"},
	"status.not_counted":     {En: "not counted yet", Ja: "未集計"},
	"status.begins":          {En: "It is set up, and has counted nobody yet.", Ja: "セットアップ済みです。まだ集計していません。"},
	"status.under_way":       {En: "; a full one is under way", Ja: "、全件の巡回中"},
	"status.so_far":          {En: "so far %s", Ja: "途中まで: %s"},
	"status.held":            {En: "%s held back while it is paused, %s given up", Ja: "一時停止中のため保留 %s、失敗 %s (件)"},
	"status.members":         {En: "Members", Ja: "メンバー"},
	"status.members_are":     {En: "%s; without a stamp: %s, of whom %s wait for you", Ja: "%s 人、スタンプなし %s 人 (うち判断待ち %s 人)"},
	"status.stamped":         {En: "By itself, 24 h", Ja: "自動 (24 時間)"},
	"status.stamped_are":     {En: "%s; the brake stops at %s", Ja: "%s 人 (上限 %s 人)"},
	"status.signals":         {En: "Signals", Ja: "シグナル"},
	"status.signals_off":     {En: "off, nobody listens; sources: %s, last heard: %s", Ja: "無効 (受信しない)、送信元 %s 件、最後の受信: %s"},
	"status.signals_report":  {En: "report, nobody is signed out; sources: %s, last heard: %s", Ja: "記録のみ (サインアウトしない)、送信元 %s 件、最後の受信: %s"},
	"status.signals_enforce": {En: "enforce; sources: %s, last heard: %s", Ja: "有効 (サインアウトする)、送信元 %s 件、最後の受信: %s"},
	"status.signalled":       {En: "By signals, 24 h", Ja: "シグナル (24 時間)"},
	"status.would":           {En: "%s would have been stamped again (report)", Ja: "%s 人が再スタンプの対象 (記録のみ)"},
	"status.queue":           {En: "Queue", Ja: "キュー"},
	"status.waiting":         {En: "%s waiting, %s at work, %s for later, %s given up", Ja: "待機 %s、処理中 %s、再試行待ち %s、失敗 %s (件)"},
	"status.alarms":          {En: "Alarms", Ja: "アラーム"},
	"status.alarms_are":      {En: "%s of %s ring", Ja: "%[2]s 件中 %[1]s 件がアラーム状態"},

	"status.not_serving": {
		En: "The stack is in the state %s: wait until its operation ends.",
		Ja: "スタックは %s の状態です。処理が終わるまでお待ちください。",
	},
	"status.failed": {
		En: "The stack is in the state %s: %s — sessionstamp doctor says what to do.",
		Ja: "スタックは %s の状態です: %s — 対処は sessionstamp doctor で確認できます。",
	},
	"status.update_failed": {
		En: "The last update failed, and the version before it runs: %s",
		Ja: "最後の更新に失敗し、以前のバージョンが動作しています: %s",
	},
	"status.paused": {
		En: "Paused since %s: nobody is stamped until you resume.",
		Ja: "%s から一時停止中です。再開するまで誰にもスタンプを付けません。",
	},
	"status.braked": {
		En: "The brake was reached at %s, after %s stamps: new users wait.",
		Ja: "%s に上限 (%s 人) に達し、新しいユーザーへのスタンプが止まっています。",
	},
	"status.signals_braked": {
		En: "The brake of signals was reached at %s, after %s users: whom providers report is not signed out.",
		Ja: "%s にシグナルの上限 (%s 人) に達し、シグナルによるサインアウトが止まっています。",
	},
	"status.signals_silent": {
		En: "Sources of signals that are silent: %s. sessionstamp doctor names them.",
		Ja: "受信が途絶えているシグナルの送信元が %s 件あります。送信元は sessionstamp doctor で確認できます。",
	},
	"status.signals_excluded": {
		En: "Reports of excluded users in 24 hours: %s. Their sessions did not end: sessionstamp history --signals --stack %s",
		Ja: "24 時間に除外設定のユーザーのシグナルを %s 件受信しました (セッションは終了していません): sessionstamp history --signals --stack %s",
	},
	"status.stopped": {
		En: "The stamper's queue is switched off in Lambda, so nobody is stamped: find out who did it, and why. doctor has the command that switches it on.",
		Ja: "Lambda でキューのトリガーが無効になっており、誰にもスタンプを付けていません。無効にした理由を確認してください。有効にするコマンドは doctor で表示されます。",
	},
	"status.taken_down": {
		En: "The subscription was removed on purpose: deploy the stack again.",
		Ja: "サブスクリプションは意図的に削除されています。スタックをもう一度デプロイしてください。",
	},
	"status.no_subscription": {
		En: "There is no subscription: the keeper tries every 15 minutes, and sessionstamp doctor says what keeps it from that.",
		Ja: "サブスクリプションがありません。15 分ごとに作成を試みています。原因は sessionstamp doctor で確認できます。",
	},
	"status.subscription_ended": {
		En: "The subscription ended at %s, and could not be renewed: sessionstamp doctor says why.",
		Ja: "サブスクリプションは %s に期限切れとなり、更新できていません。原因は sessionstamp doctor で確認できます。",
	},
	"status.no_sweep": {
		En: "No sweep has finished in the last three hours: users of whom no notification told are not found.",
		Ja: "3 時間以内に完了した巡回がありません。通知が届かなかったユーザーを見つけられません。",
	},
	"status.dead_letters": {
		En: "Requests given up: %s. Why, and what to do: sessionstamp doctor",
		Ja: "処理できなかった要求が %s 件あります。原因と対処: sessionstamp doctor",
	},
	"status.dry_run": {
		En: "It observes only, and stamps nobody.",
		Ja: "判定のみで、誰にもスタンプを付けません。",
	},
	"status.existing": {En: "%s older users without a stamp wait for you: sessionstamp stamp --all --stack %s", Ja: "既存の %s 人が判断待ち: sessionstamp stamp --all --stack %s"},

	"alarm.subscription":   {En: "Alarm since %s: the subscription cannot be renewed.", Ja: "アラーム (%s から): サブスクリプションを更新できません。"},
	"alarm.sweep":          {En: "Alarm since %s: for three hours no sweep came to its end.", Ja: "アラーム (%s から): 巡回が 3 時間以上完了していません。"},
	"alarm.missed":         {En: "Alarm since %s: notifications missed new users; the sweep found them late. If it comes again within a week, look at the webhook's log.", Ja: "アラーム (%s から): 通知が漏れ、巡回で遅れて見つかったユーザーがいます。1 週間以内に再発したら webhook のログを確認してください。"},
	"alarm.attention":      {En: "Alarm since %s: something needed a person in the last hours; sessionstamp doctor says what.", Ja: "アラーム (%s から): 担当者の対応が必要な事象がありました。内容は sessionstamp doctor で確認できます。"},
	"alarm.dead_letters":   {En: "Alarm since %s: requests were given up.", Ja: "アラーム (%s から): 処理できなかった要求があります。"},
	"alarm.age":            {En: "Alarm since %s: requests wait for more than half an hour.", Ja: "アラーム (%s から): 要求が 30 分以上待っています。"},
	"alarm.api_faults":     {En: "Alarm since %s: Graph's notifications are answered with errors; look at the webhook's log.", Ja: "アラーム (%s から): Graph の通知にエラーを返しています。webhook のログを確認してください。"},
	"alarm.stamper_errors": {En: "Alarm since %s: the stamper broke off more than once; its requests come back by themselves. Look at its log.", Ja: "アラーム (%s から): stamper が繰り返し異常終了しました。要求は自動で再処理されます。ログを確認してください。"},
	"alarm.flood":          {En: "Alarm since %s: far more calls reach the webhook than Graph makes, and each costs.", Ja: "アラーム (%s から): Graph の通知をはるかに超える要求が届いています。件数に応じて課金されます。"},
	"alarm.volume":         {En: "Alarm since %s: more than a hundred users were stamped in an hour. After an import that is right; else pause.", Ja: "アラーム (%s から): 1 時間に 100 人を超えてスタンプを付けました。一括登録の後なら問題ありません。心当たりがなければ一時停止してください。"},

	"hint.resume":       {En: "lets it go on", Ja: "再開"},
	"hint.observe_ends": {En: "lets it stamp", Ja: "スタンプを開始"},
	"hint.sweep":        {En: "looks at everybody now", Ja: "全員を今すぐ確認"},
	"hint.status":       {En: "how it is", Ja: "稼働状況"},
	"hint.pause":        {En: "stops at once", Ja: "一時停止"},
}
