package doctor

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

var stateWords = map[string]words{
	"keeper_never_ran": {
		problem: language.Text{En: "The keeper has never made a subscription: Microsoft Graph tells nobody of new users.", Ja: "サブスクリプションが一度も作成されておらず、新しいユーザーが通知されません。"},
		cure:    keeperSays, command: logOf("keeper", "6h"),
	},
	"taken_down": {
		problem: language.Text{En: "The subscription was taken down, as on removal, though the stack is there: nobody is notified.", Ja: "スタックがあるのにサブスクリプションが (削除時と同様に) 解除されており、通知されません。"},
		cure:    language.Text{En: "Deploy again, or finish the removal.", Ja: "デプロイし直すか、削除を完了してください。"}, command: "sessionstamp setup{of}",
	},
	"subscription_missing": {
		problem: language.Text{En: "There is no subscription that delivers to us: only the sweep finds new users, and late.", Ja: "有効なサブスクリプションがなく、新しいユーザーは巡回でしか見つからないため、適用が遅れます。"},
		cure:    language.Text{En: "The keeper makes one every 15 minutes; its log says why it can't.", Ja: "keeper が 15 分ごとに作成を試みます。失敗の原因はログを確認してください。"}, command: logOf("keeper", "1h"),
	},
	"subscription_expired": {
		problem: language.Text{En: "The subscription ended on {expires}: only the sweep finds new users, and late.", Ja: "サブスクリプションは {expires} に期限が切れました。新しいユーザーは巡回でしか見つからず、適用が遅れます。"},
		cure:    language.Text{En: "The keeper's log says why it was not renewed.", Ja: "更新されなかった原因は keeper のログを確認してください。"}, command: logOf("keeper", "6h"),
	},
	"subscription_ends": {
		problem: language.Text{En: "The subscription ends on {expires} and was not renewed lately: afterwards users are found late.", Ja: "サブスクリプションが更新されておらず、{expires} に期限が切れます。以後、新しいユーザーの検出が遅れます。"},
		cure:    keeperSays, command: logOf("keeper", "6h"),
	},
	"keeper_stuck": {
		problem: language.Text{En: "A run of the keeper began to replace the subscription at {claimed}, and no run has finished it.", Ja: "{claimed} に始まったサブスクリプションの置き換えが完了していません。"},
		cure:    keeperSays, command: logOf("keeper", "6h"),
	},
	"keeper_failed": {
		problem: language.Text{En: "The keeper failed for a reason that does not end by itself ({n} in 24 hours).", Ja: "keeper が 24 時間に {n} 回失敗しており、自然には回復しません。"},
		cure:    language.Text{En: "Its log says what to do.", Ja: "対処方法はログを確認してください。"}, command: logOf("keeper", "24h"),
	},
	"sign_in_refused": {
		problem: language.Text{En: "Entra refused sign-ins of the functions ({n} in 24 hours): what they were to do is not done.", Ja: "24 時間に関数のサインインが {n} 回拒否され、処理が行われていません。"},
		cure: language.Text{En: "If nothing of Entra stands above, the sign-in log says why: Microsoft Entra admin center > Sign-in logs > Service principal sign-ins.",
			Ja: "上に Entra の項目がなければ、サインイン ログで確認してください: Microsoft Entra 管理センター > サインイン ログ > サービス プリンシパルのサインイン。"},
	},
	"paused": {
		problem: language.Text{En: "Stamping was paused on {since}: nobody is stamped, and {waiting} requests wait. Who is new no longer on resume waits for a person.", Ja: "{since} から一時停止中です。誰にもスタンプが付かず、{waiting}要求が待機中です。再開時に「新しいユーザー」の期間を過ぎた人は、担当者の対応待ちになります。"},
		cure:    language.Text{En: "Go on when the reason is over.", Ja: "理由がなくなったら再開してください。"}, command: "sessionstamp resume{of}",
	},
	"brake_reached": {
		problem: language.Text{En: "The brake was reached on {since}: nobody is stamped automatically, and {waiting} requests wait.", Ja: "{since} に 24 時間の上限に達して停止しました。自動では誰にもスタンプが付かず、{waiting}要求が待機中です。"},
		cure:    language.Text{En: "See whether so many new users are real; then release it.", Ja: "新しいユーザーの急増が正しいものか確認し、解除してください。"}, command: "sessionstamp release{of}",
	},
	"sweep_never_ran": {
		problem: language.Text{En: "The sweep has never run: users whom no notification told of are not found.", Ja: "巡回が一度も実行されておらず、通知のなかったユーザーが見つかりません。"},
		cure:    sweeperSays, command: logOf("sweeper", "6h"),
	},
	"full_round_late": {
		problem: language.Text{En: "No full round has begun since it was due on {due}: whoever was missed stays so.", Ja: "{due} に予定された全件の巡回が始まっておらず、漏れたユーザーが見つかりません。"},
		cure:    language.Text{En: "Ask for one; if it does not begin, the sweeper's log says why.", Ja: "巡回を実行してください。始まらない場合は sweeper のログを確認してください。"}, command: "sessionstamp sweep{of}",
	},
	"sweep_owed": {
		problem: language.Text{En: "Notifications were lost, or may have been; a full round is still to be asked for.", Ja: "通知が失われた可能性があり、全件の巡回がまだ依頼されていません。"},
		cure:    language.Text{En: "The keeper does so within 15 minutes.", Ja: "keeper が 15 分以内に依頼します。"},
	},
	"full_round_owed": {
		problem: language.Text{En: "A full round was asked for and has not begun yet.", Ja: "全件の巡回が依頼済みで、まだ始まっていません。"},
		cure:    language.Text{En: "It begins within the hour, or at once with sweep.", Ja: "1 時間以内に始まります。すぐに始めるには次のコマンドを実行します。"}, command: "sessionstamp sweep{of}",
	},
	"notifications_silent": {
		problem: language.Text{En: "No notification told of any of the {missed} users stamped in seven days: they were stamped late.", Ja: "7 日間にスタンプを付けた {missed} 人のいずれも通知されず、適用が遅れました。"},
		cure:    language.Text{En: "If nothing stands above, see in the webhook's log what Graph delivers.", Ja: "上に該当する項目がなければ、webhook のログで Graph からの通知を確認してください。"}, command: logOf("webhook", "24h"),
	},
	"notifications_missed": {
		problem: language.Text{En: "No notification told of {missed} of the {stamped} users stamped in seven days: they were stamped late.", Ja: "7 日間にスタンプを付けた {stamped} 人のうち {missed} 人は通知されず、適用が遅れました。"},
		cure:    language.Text{En: "The sweep has found them. If it goes on, look at the webhook's log.", Ja: "巡回で対応済みです。続く場合は webhook のログを確認してください。"}, command: logOf("webhook", "24h"),
	},
	"notifications_forged": {
		problem: language.Text{En: "Notifications that were not Microsoft Graph's were refused ({n} in seven days).", Ja: "7 日間に、Microsoft Graph のものではない通知 {n} 件を拒否しました。"},
		cure:    language.Text{En: "Somebody else posts to the URL; its log shows from where.", Ja: "第三者が URL に送信しています。送信元はログを確認してください。"}, command: "aws logs tail /aws/vendedlogs/apigateway/{stack} --region {region} --since 24h",
	},
	"users_cannot_fix": {
		problem: language.Text{En: "Microsoft Graph does not let sessionstamp stamp some users ({n}), who are asked to sign in again and again.", Ja: "{n} 人には Microsoft Graph がスタンプを許可せず、再サインインを求められ続けます。"},
		cure:    language.Text{En: "Most hold an administrator's role: a higher one signs them out in the Entra admin center. history names them.", Ja: "多くは管理者ロールを持つユーザーです。より上位の管理者が Entra 管理センターで取り消してください。対象者は history で確認できます。"}, command: "sessionstamp history --stack {stack}",
	},
	"put_back": {
		problem: language.Text{En: "Requests have been put back for an hour ({n} in 24 hours): these users are stamped late.", Ja: "1 時間以上先送りされている要求があり (24 時間で {n} 回)、適用が遅れています。"},
		cure:    language.Text{En: "The stamper's log names the reason.", Ja: "理由はスタンプ用関数のログを確認してください。"}, command: logOf("stamper", "24h"),
	},
	"unreadable_user": {
		problem: language.Text{En: "The sweep met users whom it could not read ({n} in 24 hours): they are not served.", Ja: "巡回で読み取れないユーザーがいました (24 時間で {n} 回)。このユーザーは対象になりません。"},
		cure:    language.Text{En: "The sweeper's log counts them; open a case with Microsoft if it goes on.", Ja: "件数は sweeper のログで確認し、続く場合は Microsoft サポートに問い合わせてください。"}, command: logOf("sweeper", "24h"),
	},
	"malformed_delivery": {
		problem: language.Text{En: "Microsoft Graph delivered what can't be read ({n} in 24 hours); the sweep finds these users, late.", Ja: "Microsoft Graph から読み取れない通知が届きました (24 時間で {n} 回)。該当者は巡回で検出されますが、適用が遅れます。"},
		cure:    language.Text{En: "Update sessionstamp; if that does not help, open an issue with the webhook's log.", Ja: "sessionstamp を更新し、改善しなければ webhook のログを添えて問題を報告してください。"}, command: "sessionstamp update{of}",
	},
	"dry_run": {
		problem: language.Text{En: "It observes only: everything is decided, and nobody is stamped.", Ja: "判定のみで、誰にもスタンプを付けません。"},
		cure:    language.Text{En: "Let it stamp when you have seen enough.", Ja: "確認が済んだら、スタンプを開始してください。"}, command: "sessionstamp setup --observe false{of}",
	},
	"exclusion_unmatched": {
		problem: language.Text{En: "Exclusions matched nobody in the last full round: {exclusions}.", Ja: "直近の全件の巡回で、誰にも一致しなかった除外設定があります: {exclusions}。"},
		cure:    language.Text{En: "Correct them, or take them off the list.", Ja: "修正するか、一覧から外してください。"}, command: "sessionstamp setup{of}",
	},
}
