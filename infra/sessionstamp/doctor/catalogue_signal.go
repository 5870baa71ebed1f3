package doctor

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// listSources shows what there is of signals.
const listSources = "sessionstamp signal list{of}"

var signalWords = map[string]words{
	"resolver_source_missing": {
		problem: language.Text{En: "Nothing hands the signals of providers to the resolver: its event source mapping of {queue} is gone. They are lost after a day.", Ja: "resolver のイベントソースマッピング ({queue}) がなく、プロバイダーのシグナルが処理されません。1 日を過ぎたシグナルは失われます。"},
		cure:    language.Text{En: "Remove the stack and set it up again, or add queue and function again in the Lambda console as the template has them.", Ja: "Lambda コンソールでテンプレートどおりに追加するか、スタックを削除し、セットアップし直してください。"},
		command: "sessionstamp setup{of} --undo",
	},
	"resolver_source_off": {
		problem: language.Text{En: "The resolver's event source mapping of {queue} is switched off: nobody is signed out for the signals in it, and they are lost after a day.", Ja: "resolver のイベントソースマッピング ({queue}) が無効です。このキューのシグナルによるサインアウトは行われず、1 日を過ぎたシグナルは失われます。"},
		cure:    language.Text{En: "Find out who switched it off, and why; then switch it on.", Ja: "停止された理由を確認のうえ、有効にしてください。"},
		command: "aws lambda update-event-source-mapping --region {region} --uuid {id} --enabled",
	},
	"signal_queue_missing": {
		problem: language.Text{En: "A queue of signals is gone: providers are answered with an error.", Ja: "シグナルのキューがなく、プロバイダーにエラーを返しています。"},
		cure:    language.Text{En: "Remove the stack and set it up again.", Ja: "スタックを削除し、セットアップし直してください。"}, command: "sessionstamp setup{of} --undo",
	},
	"signal_secret_missing": {
		problem: language.Text{En: "The secret of the source {source} is gone ({stack}/signal/{id}): nothing that it sends is believed.", Ja: "送信元 {source} のシークレット ({stack}/signal/{id}) がなく、この送信元からのシグナルをすべて拒否しています。"},
		cure:    language.Text{En: "Restore it if it was deleted lately; else remove the source and add it again.", Ja: "最近削除した場合は復元してください。できない場合は、送信元を削除して追加し直してください。"},
		command: "aws secretsmanager restore-secret --region {region} --secret-id {stack}/signal/{id}",
	},
	"signal_secret_orphaned": {
		problem: language.Text{En: "There is a secret for a source of signals that is not registered ({stack}/signal/{id}): a removal broke off.", Ja: "登録されていない送信元のシークレット ({stack}/signal/{id}) が残っています (削除が中断した可能性があります)。"},
		cure:    language.Text{En: "Delete it. For seven days it can be restored.", Ja: "削除してください。7 日間は復元できます。"},
		command: "aws secretsmanager delete-secret --region {region} --secret-id {stack}/signal/{id} --recovery-window-in-days 7",
	},
	"signal_dead_letters": {
		problem: language.Text{En: "Signals were given up ({dead}): these users may have sessions that should have ended. They are kept for four days.", Ja: "{dead} 件のシグナルが処理されず、対象者のセッションが残っている可能性があります。4 日間保管されます。"},
		cure:    language.Text{En: "End the cause first, which the resolver's log names; then send them again.", Ja: "先に resolver のログで原因を取り除き、その後で再送してください。"},
		command: "aws sqs start-message-move-task --region {region} --source-arn {arn}",
	},
	"resolver_untrusted": {
		problem: language.Text{En: "The {app} does not trust the resolver yet, which therefore can't sign in: signals of a provider could not be acted upon.", Ja: "{app}が resolver をまだ信頼していません。resolver がサインインできず、プロバイダーのシグナルを処理できません。"},
		cure:    language.Text{En: "Run setup, which adds it, before you add a source. Or setup --signals off.", Ja: "送信元を追加する前に setup を実行すると、追加されます。不要なら setup --signals off を実行してください。"},
		command: "sessionstamp setup{of}",
	},
	"signals_brake_reached": {
		problem: language.Text{En: "The brake of signals was reached on {since}: whom providers report is not signed out.", Ja: "{since} にシグナルの上限に達して停止しました。シグナルによるサインアウトは行われません。"},
		cure:    language.Text{En: "See who was stamped and who waits (sessionstamp history --signals --stack {stack}), and whether so many reports are real; then release it.", Ja: "対象者と待機者を確認し (sessionstamp history --signals --stack {stack})、シグナルの急増が正しいものであれば解除してください。"}, command: "sessionstamp release --signals{of}",
	},
	"signal_stream_stopped": {
		problem: language.Text{En: "The transmitter of the source {source} has set its stream to {status}: no signal comes.", Ja: "送信元 {source} のストリームが {status} になっており、シグナルが届きません。"},
		cure:    language.Text{En: "The keeper resumes a paused one within 15 minutes. One that is disabled has to be enabled at the provider.", Ja: "paused の場合は keeper が 15 分以内に再開します。disabled の場合はプロバイダー側で有効にしてください。"}, command: listSources,
	},
	"signal_stream_failed": {
		problem: language.Text{En: "The keeper could not look after a stream of signals ({n} in 24 hours).", Ja: "シグナルのストリームを管理できませんでした (24 時間で {n} 回)。"},
		cure:    keeperSays, command: logOf("keeper", "24h"),
	},
	"signal_silent": {
		problem: language.Text{En: "Nothing was heard of the source {source} since {heard}: its provider may not send any more.", Ja: "送信元 {source} から {heard} 以降、何も受信していません。送信が止まっている可能性があります。"},
		cure:    language.Text{En: "See at the provider whether it sends, and what it is answered.", Ja: "プロバイダー側で、送信状況と応答を確認してください。"}, command: listSources,
	},
	"signal_refused": {
		problem: language.Text{En: "Posts to a known source were refused, since their signature or secret is wrong ({n} in 24 hours{sources}).", Ja: "登録済みの送信元への要求を、署名またはシークレットの誤りのため拒否しました (24 時間で {n} 件{sources})。"},
		cure:    language.Text{En: "See first that the provider has the right secret, then that the sender's clock is right. Then read the receiver's log: it names source and reason. If the provider's own reports still arrive, a stranger knows the address: remove the source and add it anew.", Ja: "まずプロバイダー側のシークレット、次に送信側の時刻を確認し、その後 receiver のログで送信元と理由を確認してください。プロバイダーからの通知が正常に届いている場合は、第三者が URL を知っている可能性があります。送信元を削除し、追加し直してください。"}, command: logOf("receiver", "24h"),
	},
	"signal_domain_managed": {
		problem: language.Text{En: "The source {source} speaks for domains that are not federated: {domains}. What it reports of their users is dropped.", Ja: "送信元 {source} の対象ドメインに、フェデレーション ドメインではないものがあります: {domains}。そのユーザーのシグナルは破棄されます。"},
		cure:    language.Text{En: "Remove the source and add it again, with federated domains only.", Ja: "送信元を削除し、フェデレーション ドメインだけを指定して追加し直してください。"}, command: listSources,
	},
	"signal_excluded": {
		problem: language.Text{En: "Providers reported excluded users ({n} in seven days): none of their sessions was ended.", Ja: "7 日間に、除外設定のユーザーのシグナルを {n} 件受信しました。セッションは終了していません。"},
		cure:    language.Text{En: "If a password was stolen, revoke that user's sessions by hand. The history says when which provider reported what; its own log says of whom.", Ja: "パスワードの漏えいが疑われる場合は、手動でセッションを取り消してください。日時と送信元は履歴で、対象者はプロバイダー側のログで確認できます。"}, command: "sessionstamp history --signals --stack {stack}",
	},
	"signals_off": {
		problem: language.Text{En: "Signals are off, though sources are registered ({n}): providers are answered with an error, and nobody is signed out.", Ja: "シグナルの送信元が {n} 件登録されていますが、SignalMode が off のため、受信されません。"},
		cure:    language.Text{En: "Let them in, or remove the sources.", Ja: "SignalMode を変更するか、送信元を削除してください。"}, command: "sessionstamp setup --signals report{of}",
	},
	"signals_reported": {
		problem: language.Text{En: "Signals have only been reported since {since}: nobody is signed out for them.", Ja: "{since} から、シグナルは記録のみです。シグナルによるサインアウトは行われていません。"},
		cure:    language.Text{En: "See who would have been stamped again (sessionstamp history --signals --stack {stack}), then enforce them.", Ja: "再スタンプの対象者を確認し (sessionstamp history --signals --stack {stack})、有効にしてください。"}, command: "sessionstamp setup --signals enforce{of}",
	},
}
