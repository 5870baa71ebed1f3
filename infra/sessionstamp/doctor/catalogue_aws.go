package doctor

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// Deploying again puts back what somebody has removed or changed by hand.
var deployAgain = language.Text{En: "Deploy the stack again, which puts it back.", Ja: "スタックをデプロイし直すと元に戻ります。"}

var awsWords = map[string]words{
	"function_missing": {
		problem: language.Text{En: "The function {function} is gone, though the stack has one.", Ja: "スタックにあるはずの関数 {function} がありません。"},
		cure:    language.Text{En: "Remove the stack and set it up again: CloudFormation does not bring it back by itself.", Ja: "CloudFormation は自動では復元しません。スタックを削除し、セットアップし直してください。"},
		command: "sessionstamp setup{of} --undo",
	},
	"function_failed": {
		problem: language.Text{En: "AWS can't run the function {function}: {why}", Ja: "AWS が関数 {function} を実行できません: {why}"},
		cure:    deployAgain, command: "sessionstamp setup{of}",
	},
	"function_stopped": {
		problem: language.Text{En: "Somebody has stopped the function {function}: its reserved concurrency is 0.", Ja: "関数 {function} は、予約済み同時実行数が 0 のため停止しています。"},
		cure:    language.Text{En: "Find out why; then take the reservation away.", Ja: "理由を確認のうえ、予約を解除してください。"},
		command: "aws lambda delete-function-concurrency --region {region} --function-name {stack}-{function}",
	},
	"function_errors": {
		problem: language.Text{En: "The function {function} broke off {n} times within an hour; what it did not do comes again.", Ja: "関数 {function} が 1 時間に {n} 回異常終了しました。未処理の分は再試行されます。"},
		cure:    language.Text{En: "Its log says why.", Ja: "原因はログを確認してください。"}, command: logOf("{function}", "1h"),
	},
	"source_missing": {
		problem: language.Text{En: "Nothing hands the notifications to the stamper: its event source mapping is gone. Nobody is stamped.", Ja: "スタンプ用関数のイベントソースマッピングがなく、誰にもスタンプが付きません。"},
		cure:    language.Text{En: "In the Lambda console, add queue and function again as the template has them, or set the stack up again.", Ja: "Lambda コンソールでテンプレートどおりに追加するか、セットアップし直してください。"},
		command: "sessionstamp setup{of} --undo",
	},
	"source_off": {
		problem: language.Text{En: "The stamper's event source mapping is switched off: nobody is stamped, and requests are lost after four days.", Ja: "スタンプ用関数のイベントソースマッピングが無効です。誰にもスタンプが付かず、4 日を過ぎた要求は失われます。"},
		cure:    language.Text{En: "Find out who switched it off, and why; then switch it on.", Ja: "停止された理由を確認のうえ、有効にしてください。"},
		command: "aws lambda update-event-source-mapping --region {region} --uuid {id} --enabled",
	},
	"schedule_missing": {
		problem: language.Text{En: "Nothing starts the {function}: its schedule is gone.", Ja: "{function} のスケジュールがなく、起動されません。"},
		cure:    language.Text{En: "Make it again in EventBridge Scheduler as the template has it, or set the stack up again.", Ja: "EventBridge Scheduler でテンプレートどおりに作成するか、セットアップし直してください。"},
		command: "sessionstamp setup{of} --undo",
	},
	"schedule_off": {
		problem: language.Text{En: "The schedule of the {function} is switched off: it does not run.", Ja: "{function} のスケジュールが無効で、実行されません。"},
		cure:    language.Text{En: "Find out why; then EventBridge > Schedules > {id} > Enable.", Ja: "理由を確認のうえ、EventBridge > スケジュール > {id} で有効にしてください。"},
	},
	"queue_missing": {
		problem: language.Text{En: "The queue of the notifications is gone: no user is stamped.", Ja: "通知のキューがなく、誰にもスタンプが付きません。"},
		cure:    language.Text{En: "Remove the stack and set it up again.", Ja: "スタックを削除し、セットアップし直してください。"}, command: "sessionstamp setup{of} --undo",
	},
	"queue_old": {
		problem: language.Text{En: "{n} requests wait, the oldest for {minutes} minutes: new users are stamped late.", Ja: "{n} 件が待機中で、最も古いものは {minutes} 分経過しています。新しいユーザーへの適用が遅れています。"},
		cure:    stamperSays, command: logOf("stamper", "1h"),
	},
	"dead_letters": {
		problem: language.Text{En: "Requests were given up ({dead}): these users are not stamped. What was given up is kept for 14 days.", Ja: "{dead} 件の要求が処理されず、対象者にスタンプが付いていません。14 日間保管されます。"},
		cure:    language.Text{En: "End the cause first, which the stamper's log names; then send them again.", Ja: "先にスタンプ用関数のログで原因を取り除き、その後で再送してください。"},
		command: "aws sqs start-message-move-task --region {region} --source-arn {arn}",
	},
	"api_faults": {
		problem: language.Text{En: "Deliveries of Microsoft Graph were answered with an error ({n} in 24 hours); Graph tries again for four hours.", Ja: "24 時間で Microsoft Graph からの通知 {n} 件にエラーを返しました。Graph は 4 時間再送します。"},
		cure:    webhookSays, command: logOf("webhook", "24h"),
	},
	"api_throttled": {
		problem: language.Text{En: "The API turned requests away since there were too many at once ({n} in 24 hours); Graph sends its own again.", Ja: "要求が集中したため、API が 24 時間で {n} 件を拒否しました。Graph からの通知は再送されます。"},
		cure:    language.Text{En: "Nothing after a large import. Otherwise see who posts there.", Ja: "大量作成の直後なら対処は不要です。それ以外は送信元を確認してください。"},
		command: "aws logs tail /aws/vendedlogs/apigateway/{stack} --region {region} --since 24h",
	},
	"key_disabled": {
		problem: language.Text{En: "The stack's KMS key is disabled: no part can read or write, and nobody is stamped.", Ja: "スタックの KMS キーが無効のため、読み書きができず、誰にもスタンプが付きません。"},
		cure:    language.Text{En: "Enable it: KMS > Customer managed keys > Key actions.", Ja: "KMS > カスタマー管理型のキー > キーのアクション で有効にしてください。"},
	},
	"key_deleted": {
		problem: language.Text{En: "The stack's KMS key can't be used ({state}). Once it is deleted, the table is lost for good.", Ja: "スタックの KMS キーを使用できません ({state})。キーが削除されると、テーブルは二度と読めません。"},
		cure:    language.Text{En: "Cancel the deletion now: KMS > Customer managed keys > Key actions.", Ja: "ただちに削除を取り消してください: KMS > カスタマー管理型のキー > キーのアクション。"},
	},
	"table_missing": {
		problem: language.Text{En: "The table {table} is gone: nothing is remembered, and nobody is stamped.", Ja: "テーブル {table} がなく、記録できないため、誰にもスタンプが付きません。"},
		cure:    language.Text{En: "Restore it under the same name within 35 days: DynamoDB > Backups.", Ja: "35 日以内に同じ名前で復元してください: DynamoDB > バックアップ。"},
	},
	"table_unprotected": {
		problem: language.Text{En: "Deletion protection of the table {table} is off: one click can end all records.", Ja: "テーブル {table} の削除保護が無効で、誤操作で全記録が失われるおそれがあります。"},
		cure:    language.Text{En: "Switch it on.", Ja: "有効にしてください。"}, command: "aws dynamodb update-table --region {region} --table-name {table} --deletion-protection-enabled",
	},
	"table_unrecoverable": {
		problem: language.Text{En: "Point-in-time recovery of the table {table} is off: what is lost there is lost.", Ja: "テーブル {table} のポイントインタイム リカバリが無効で、失われた記録を復元できません。"},
		cure:    language.Text{En: "Switch it on.", Ja: "有効にしてください。"},
		command: "aws dynamodb update-continuous-backups --region {region} --table-name {table} --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true",
	},
	"secret_missing": {
		problem: language.Text{En: "The secret {secret} is gone from Secrets Manager, and what needs it does not work.", Ja: "Secrets Manager にシークレット {secret} がなく、必要とする機能が動作しません。"},
		cure:    language.Text{En: "credential: renew it with sessionstamp credential renew. clientState: set the stack up again.", Ja: "credential は sessionstamp credential renew で更新し、clientState はセットアップし直してください。"},
		command: "sessionstamp setup{of} --plan",
	},
	"secret_deleted": {
		problem: language.Text{En: "The secret {secret} is to be deleted and can't be read: what needs it does not work.", Ja: "シークレット {secret} は削除予定で読み取れず、必要とする機能が動作しません。"},
		cure:    language.Text{En: "Restore it now.", Ja: "ただちに復元してください。"}, command: "aws secretsmanager restore-secret --region {region} --secret-id {arn}",
	},
	"alarms_unconfirmed": {
		problem: language.Text{En: "The address for alarms was never confirmed: nobody hears when something is wrong.", Ja: "アラームの通知先が未確認のため、異常が誰にも通知されません。"},
		cure: language.Text{En: "Open the mail \"AWS Notification - Subscription Confirmation\" and confirm; after three days it has to be sent again: SNS > Subscriptions > Request confirmation.",
			Ja: "メール「AWS Notification - Subscription Confirmation」のリンクで確認してください。3 日を過ぎたら SNS > サブスクリプション > 「リクエストの確認」で再送します。"},
	},
	"alarms_unheard": {
		problem: language.Text{En: "Nobody receives the alarms: they only stand on the dashboard.", Ja: "アラームの通知先がなく、ダッシュボードに表示されるだけです。"},
		cure:    language.Text{En: "Name an address or a topic in AlarmsTo.", Ja: "AlarmsTo にメール アドレスか SNS トピックを指定してください。"}, command: "sessionstamp setup --alarms ADDRESS{of}",
	},
	"alarms_muted": {
		problem: language.Text{En: "Actions of alarms are switched off ({alarms}): nobody hears when they ring.", Ja: "アラームのアクションが無効です ({alarms})。鳴っても誰にも通知されません。"},
		cure:    language.Text{En: "Switch them on.", Ja: "有効にしてください。"}, command: "aws cloudwatch enable-alarm-actions --region {region} --alarm-names {alarms}",
	},
}

// alarm is the problem of an alarm that rings.
func alarm(en, ja string) language.Text {
	return language.Text{En: "Alarm {alarm} has been ringing since {since}: " + en, Ja: "アラーム {alarm} ({since} から): " + ja}
}

var alarmWords = map[string]words{
	"alarm_subscription": {
		problem: alarm("the keeper is silent, or the subscription ends soon; notifications are about to stop.", "keeper が応答しないか、サブスクリプションの期限が近づいています。"),
		cure:    keeperSays, command: logOf("keeper", "6h"),
	},
	"alarm_sweep": {
		problem: alarm("no sweep has come to its end; users whom no notification told of are not found.", "巡回が完了しておらず、通知のなかったユーザーが見つかりません。"),
		cure:    sweeperSays, command: logOf("sweeper", "6h"),
	},
	"alarm_missed": {
		problem: alarm("the sweep found new users of whom no notification told; they were stamped late.", "通知のなかった新規ユーザーを巡回で検出しました。適用が遅れています。"),
		cure:    language.Text{En: "If it comes again within a week, look at the webhook's log.", Ja: "1 週間以内に再発したら、webhook のログを確認してください。"}, command: logOf("webhook", "24h"),
	},
	"alarm_needs_attention": {
		problem: alarm("something needs a person.", "管理者の確認が必要な事象があります。"),
		cure:    language.Text{En: "The dashboard's table \"What needs attention, and why\" names the reasons.", Ja: "理由はダッシュボードの「What needs attention, and why」の表で確認してください。"}, command: "sessionstamp status{of}",
	},
	"alarm_dead_letters": {
		problem: alarm("requests were given up; these users are not stamped.", "処理されなかった要求があり、対象者にスタンプが付いていません。"),
		cure:    language.Text{En: "The stamper's log says why; afterwards send them again by the command in the stack's output Redrive.", Ja: "スタンプ用関数のログで原因を取り除き、スタックの出力 Redrive のコマンドで再送してください。"}, command: logOf("stamper", "24h"),
	},
	"alarm_age": {
		problem: alarm("requests wait for more than half an hour; new users are stamped late.", "30 分以上待機している要求があり、新しいユーザーへの適用が遅れています。"),
		cure:    stamperSays, command: logOf("stamper", "1h"),
	},
	"alarm_api_faults": {
		problem: alarm("Microsoft Graph's notifications were answered with an error again and again.", "Microsoft Graph からの通知に繰り返しエラーを返しています。"),
		cure:    webhookSays, command: logOf("webhook", "4h"),
	},
	"alarm_stamper_errors": {
		problem: alarm("the stamper broke off more than once; its requests come back by themselves.", "スタンプ用関数が繰り返し異常終了しました。要求は自動的に再試行されます。"),
		cure:    language.Text{En: "Its log says why.", Ja: "原因はログを確認してください。"}, command: logOf("stamper", "1h"),
	},
	"alarm_flood": {
		problem: alarm("the API gets far more requests than Graph sends, and each costs.", "API への要求が Graph の送信量を大きく超えており、費用がかかります。"),
		cure:    language.Text{En: "See who posts there.", Ja: "送信元を確認してください。"}, command: "aws logs tail /aws/vendedlogs/apigateway/{stack} --region {region} --since 1h",
	},
	"alarm_volume": {
		problem: alarm("more than a hundred users were stamped in an hour.", "1 時間に 100 人を超えるユーザーにスタンプを付けました。"),
		cure:    language.Text{En: "Nothing after an import. Otherwise stop it at once, and look at who was stamped.", Ja: "大量作成の後なら対処は不要です。それ以外は、ただちに停止して対象者を確認してください。"}, command: "sessionstamp pause{of}",
	},
}
