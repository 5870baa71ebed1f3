package main

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// signalWords are what the verbs of signal say.
var signalWords = language.Catalogue{
	"signal.added": {
		En: "The source %s is there. It may speak for users of: %s",
		Ja: "シグナルの送信元 %s を追加しました。対象ドメイン: %s",
	},
	"signal.reports": {
		En: "The deployment only reports (SignalMode report): its signals sign nobody out.",
		Ja: "このデプロイは記録のみです (SignalMode report)。シグナルを受信してもサインアウトしません。",
	},
	"signal.enforces": {
		En: "The deployment acts (SignalMode enforce): each signal signs its user out at once.",
		Ja: "このデプロイではシグナルが有効です (SignalMode enforce)。受信すると、そのユーザーをすぐにサインアウトします。",
	},
	"signal.steps_okta": {
		En: "1. In the Okta Admin Console: Workflow > Event Hooks > Create Event Hook\n2. URL: {1}\n3. Authentication field: Authorization\n4. Authentication secret, shown only now: {2}\n5. Subscribe to events: %s\n6. Save, then Verify. Nothing else is sent to us.",
		Ja: "1. Okta 管理コンソールで [Workflow] > [Event Hooks] > [Create Event Hook] を開く\n2. [URL]: {1}\n3. [Authentication field]: Authorization\n4. [Authentication secret] (再表示できません): {2}\n5. [Subscribe to events]: %s\n6. 保存し、[Verify] を実行する",
	},
	"signal.steps_script": {
		En: "1. Set two environment variables where the sender runs. The secret is shown only now: {1}\n{2}\n2. Send by send-signal.sh, which came with this program in infra/senders, or by anything that signs as Standard Webhooks says.",
		Ja: "1. 送信するマシンで次の環境変数を設定する (シークレットは再表示できません): {1}\n{2}\n2. infra/senders の send-signal.sh (このプログラムに付属)、または Standard Webhooks の署名に対応した仕組みで送信する",
	},
	"signal.steps_ad": {
		En: "1. Copy Send-PasswordSignal.ps1, which came with this program in infra/senders, to a domain controller. Run as an administrator: {1}\n2. It asks for the secret, which is shown only now: {2}\n3. Each other domain controller that can be written to: a source of its own, and the same again.",
		Ja: "1. infra/senders の Send-PasswordSignal.ps1 (このプログラムに付属) をドメイン コントローラーにコピーし、管理者として次を実行する: {1}\n2. 入力を求められたら、次のシークレットを貼り付ける (再表示できません): {2}\n3. 書き込み可能なドメイン コントローラーがほかにもある場合は、1 台ごとに送信元を追加し、同じ手順を繰り返す",
	},
	"signal.prepare": {En: "Before we make a stream at %s:", Ja: "%s にストリームを作成する前の準備:"},
	"signal.steps_keycloak": {
		En: "1. Realm settings > SSF: enable SSF Transmitter\n2. A client with a service account, the optional client scopes ssf.read and ssf.manage, and SSF Receiver on. On its tab SSF > Receiver: Default Subjects ALL, Subject Format email, Push delivery, Push Socket Timeout 5000\n3. Valid push URLs: {1}",
		Ja: "1. [Realm settings] > [SSF] で [SSF Transmitter] を有効にする\n2. サービス アカウントを持つクライアントに、オプションのクライアント スコープ ssf.read と ssf.manage を割り当て、[SSF Receiver] を有効にする。[SSF] > [Receiver] で [Default Subjects] を ALL、[Subject Format] を email、[Push delivery] をオン、[Push Socket Timeout] を 5000 にする\n3. [Valid push URLs]: {1}",
	},
	"signal.steps_stream": {
		En: "1. Make a token, or a client with a secret, that may manage streams (scopes ssf.read and ssf.manage)\n2. Have it report on all users, by e-mail address if it can\n3. It will push to: {1}",
		Ja: "1. ストリームを管理できるトークン、またはクライアントとシークレットを作成する (スコープ ssf.read、ssf.manage)\n2. 全ユーザーを対象にし、可能ならメール アドレスで通知するよう設定する\n3. 通知の送信先: {1}",
	},
	"signal.asks_token":  {En: "The token (not shown as you type): ", Ja: "トークン (入力は表示されません): "},
	"signal.asks_client": {En: "The secret of the client %s (not shown as you type): ", Ja: "クライアント %s のシークレット (入力は表示されません): "},
	"signal.stream_made": {
		En: "The stream is made at %s (%s). It proves itself by a secret that only the two of us know.",
		Ja: "%s にストリームを作成しました (%s)。認証用のシークレットは自動で設定されています。",
	},
	"signal.stream_told": {En: "%s was told the new secret.", Ja: "%s に新しいシークレットを設定しました。"},
	"signal.no_subjects": {
		En: "The provider reports on nobody yet (default_subjects NONE): set it to ALL there.",
		Ja: "プロバイダーの通知対象が空です (default_subjects NONE)。プロバイダー側で ALL に設定してください。",
	},
	"signal.keeper_goes_on": {
		En: "The source stays. The keeper tries it again every 15 minutes; signal test does so at once. With another token: signal remove, then signal add.",
		Ja: "送信元は登録済みです。keeper が 15 分ごとに再試行します (signal test ですぐに再試行)。トークンを変える場合は signal remove の後に signal add を実行してください。",
	},
	"signal.none":           {En: "The stack %s has no source of signals yet.", Ja: "スタック %s にシグナルの送信元はまだありません。"},
	"signal.nobody_listens": {En: "The stack %s receives no signals (SignalMode off, or an older version).", Ja: "スタック %s はシグナルを受信していません (SignalMode off、または古いバージョン)。"},
	"signal.never":          {En: "never", Ja: "未受信"},
	"signal.silent": {
		En: "Nothing is heard of %s. See that the provider still sends: signal test",
		Ja: "%s から受信がありません。プロバイダーの設定を確認してください (signal test で確認できます)。",
	},
	"column.signal": {En: "Source", Ja: "送信元"},
	"column.kind":   {En: "Kind", Ja: "種類"},
	"column.heard":  {En: "Last heard", Ja: "最終受信"},
	"column.stream": {En: "Stream", Ja: "ストリーム"},

	"signal.sends":       {En: "Sends a harmless test to %s …", Ja: "%s にテストを送信しています (影響はありません) …"},
	"signal.asks_stream": {En: "Asks %s for a verification …", Ja: "%s に検証イベントの送信を要求しています …"},
	"signal.waits":       {En: "Accepted; waits until it has gone all the way (up to a minute)", Ja: "受け付けられました。処理の完了を待っています (最長 1 分)"},
	"signal.heard": {
		En: "A test for %s has gone all the way, at %s. What the provider sends takes the same way.",
		Ja: "%s のテストが最後まで処理されました (%s)。プロバイダーからの通知も同じ経路で処理されます。",
	},
	"signal.resolver_says": {En: "The resolver's last error: %s", Ja: "resolver の最後のエラー: %s"},

	"signal.rotated": {
		En: "%s takes a new secret, and the one before until you finish.",
		Ja: "%s の新しいシークレットを作成しました。切り替えを完了するまで、以前のものも有効です。",
	},
	"signal.rotated_again": {
		En: "An earlier rotation was not finished: its secret holds too. When you finish, only this newest one is left.",
		Ja: "完了していない切り替えがあり、そのシークレットも有効です。切り替えを完了すると、今回の新しいものだけが残ります。",
	},
	"signal.pastes_again": {
		En: "At the provider, put this in the place of the secret. It is shown only now: {1}",
		Ja: "プロバイダーのシークレットを次の値に置き換えてください (再表示できません): {1}",
	},
	"signal.changed_over": {En: "Has the provider the new secret? [y/N] ", Ja: "プロバイダーに新しいシークレットを設定しましたか? [y/N] "},
	"signal.finished":     {En: "%s takes only the new secret now.", Ja: "%s の切り替えが完了しました。有効なのは新しいシークレットだけです。"},

	"signal.removes": {
		En: "%s will be removed: a password change in %s ends no session by its word any more.",
		Ja: "%s を削除します。%s のパスワード変更などの通知を受信しなくなります。",
	},
	"signal.removed":      {En: "%s is removed, and its secret is deleted.", Ja: "%s を削除し、シークレットも削除しました。"},
	"signal.stop_sending": {En: "Delete the hook or the sender at the provider: it is refused from now on.", Ja: "プロバイダー側のフックまたは送信の設定も削除してください。今後の送信は拒否されます。"},
	"signal.stream_left": {
		En: "The stream is left at %s: delete it there. %s",
		Ja: "%s のストリームは残っています。プロバイダー側で削除してください。%s",
	},

	"hint.signal_add":    {En: "which providers, and how", Ja: "送信元の追加方法"},
	"hint.signals_on":    {En: "receives signals", Ja: "シグナルを受信"},
	"hint.signal_list":   {En: "all sources, and when they were heard", Ja: "送信元の一覧と最終受信"},
	"hint.signal_test":   {En: "does it arrive?", Ja: "届くかどうかを確認"},
	"hint.signal_doctor": {En: "are its domains federated?", Ja: "対象ドメインなどの問題を確認"},
	"hint.signal_rotate": {En: "a new secret", Ja: "新しいシークレット"},
	"hint.signal_remove": {En: "takes it away", Ja: "送信元を削除"},
	"hint.signal_finish": {En: "when the provider has it", Ja: "設定後に切り替えを完了"},
}

// signalTroubles are what keeps them from their work.
var signalTroubles = language.Catalogue{
	"use.signal": {
		En: "There is no signal %s: write sessionstamp signal add, list, test, rotate or remove.",
		Ja: "signal %s はありません。sessionstamp signal add、list、test、rotate、remove のいずれかを指定してください。",
	},
	"use.signal_unnamed":  {En: "Which source? Write %s NAME; sessionstamp signal list shows the names.", Ja: "送信元を %s NAME のように指定してください。名前は sessionstamp signal list で確認できます。"},
	"use.signal_no_kind":  {En: "Who reports? Write sessionstamp signal add %s.", Ja: "通知するプロバイダーを指定してください: sessionstamp signal add %s"},
	"use.signal_kind":     {En: "We do not know the kind %q: write %s. What can call a URL is a webhook.", Ja: "種類 %q には対応していません。%s のいずれかを指定してください。URL を呼び出せるものは webhook です。"},
	"use.signal_add_name": {En: "Give the source a name of your own: --name NAME.", Ja: "送信元の名前を --name NAME で指定してください。"},
	"use.signal_name": {
		En: "--name does not take %q: letters, digits, blanks and . _ - only, at most 32, a letter or digit first.",
		Ja: "--name に %q は指定できません。文字、数字、空白、「.」「_」「-」を 32 文字以内で指定してください (先頭は文字か数字)。",
	},
	"use.signal_issuer":     {En: "Say where %s is: --issuer URL, the issuer of its metadata.", Ja: "%s の場所を --issuer URL (メタデータの issuer) で指定してください。"},
	"use.signal_not_stream": {En: "--%s is for streams (SSF) only: leave it out for %s.", Ja: "--%s はストリーム (SSF) 専用です。%s では外してください。"},
	"use.signal_okta_sessions": {
		En: "At Okta a revoked session is a log-out: leave --sessions-revoked out.",
		Ja: "Okta の session-revoked は通常のログアウトです。--sessions-revoked を外してください。",
	},
	"use.signal_domain": {
		En: "For which domains may it speak? The stack %s names none: write --domain example.com,…",
		Ja: "対象ドメインを --domain example.com,… で指定してください (スタック %s に既定のドメインはありません)。",
	},
	"use.signal_taken": {
		En: "There is a source %s in the stack %s already: give this one another name, or replace that one's secret, or remove it first.",
		Ja: "送信元 %s はスタック %s に登録済みです。別の名前を指定するか、シークレットの更新または削除を行ってください。",
	},
	"use.signal_taken_now": {En: "Somebody else has just added a source %s: see sessionstamp signal list.", Ja: "送信元 %s はほかの人が追加したところです。sessionstamp signal list で確認してください。"},
	"use.signal_secret": {
		En: "The secret is shown on the terminal only, so that it is in no file: redirect nothing. For a program: -o json, which has the secret in it.",
		Ja: "シークレットはファイルに残さないよう、端末だけに表示します。リダイレクトせずに実行してください。プログラムで使う場合は -o json を指定します (シークレットを含みます)。",
	},
	"use.signal_no_credential": {
		En: "A token or secret is one line of printable characters: type it when asked, or send it on standard input.",
		Ja: "トークンまたはシークレットを 1 行で入力してください (標準入力からも渡せます)。",
	},
	"use.signal_no_tokens": {
		En: "%s does not say where a client gets tokens: leave --client-id out, and give a token.",
		Ja: "%s はクライアント用のトークン エンドポイントを公開していません。--client-id を外し、トークンを入力してください。",
	},
	"use.signal_none":     {En: "The stack %s has no source yet: %s", Ja: "スタック %s に送信元はまだありません: %s"},
	"use.signal_unknown":  {En: "There is no source %q in the stack %s. There are: %s", Ja: "送信元 %q はスタック %s にありません。登録済み: %s"},
	"use.signal_finished": {En: "%s takes one secret only: there is nothing to finish.", Ja: "%s のシークレットは 1 つだけです。切り替えの完了は不要です。"},
	"use.unasked_signal":  {En: "Nobody is here to be asked: write --yes.", Ja: "対話入力ができないため、確認できません。--yes を付けて実行してください。"},

	"fail.aws_forbidden_signals": {
		En: "AWS does not let you do this: your role lacks %s. sessionstamp policy signals prints all the rights that it takes.",
		Ja: "AWS の権限がありません。ロールに %s が必要です。必要な権限の一覧は sessionstamp policy signals で表示できます。",
	},
	"fail.signals_off": {
		En: "The stack %s receives no signals (SignalMode off). Switch them on first: %s",
		Ja: "スタック %s はシグナルを受信していません (SignalMode off)。先に有効にしてください: %s",
	},
	"fail.signals_old": {
		En: "The stack %s is of a version that receives no signals. Update it first: %s",
		Ja: "スタック %s のバージョンはシグナルに対応していません。先に更新してください: %s",
	},
	"fail.signal_no_secret": {
		En: "%s has no secret that can be read: remove it, and add it again.",
		Ja: "%s のシークレットを読み取れません。削除してから追加し直してください。",
	},
	"fail.signal_changed": {
		En: "Somebody else has changed %s at the same time; their secret holds. Ask them, or run it again.",
		Ja: "ほかの人が同時に %s を変更しました (相手のシークレットが有効です)。担当者に確認するか、もう一度実行してください。",
	},
	"fail.signal_transmitter":   {En: "%s", Ja: "%s"},
	"fail.signal_no_management": {En: "%s has no interface for making streams, so we cannot use it: add a webhook, if it can call one.", Ja: "%s にはストリームを作成する API がないため使えません。URL を呼び出せる場合は webhook を追加してください。"},
	"fail.signal_unverifiable": {
		En: "The stream is well, but %s cannot be asked for a test. Change the password of a test user there, then see when it was heard.",
		Ja: "ストリームは正常ですが、%s はテストの要求に対応していません。テスト用ユーザーのパスワードを変更し、最終受信を確認してください。",
	},
	"fail.signal_unreachable": {
		En: "%s cannot be reached from here: see the network and the proxy (HTTPS_PROXY).",
		Ja: "ここから %s に接続できません。ネットワークとプロキシ (HTTPS_PROXY) を確認してください。",
	},
	"fail.signal_404": {
		En: "The receiver at %[2]s does not know %[1]s (404): wait a minute and test again, then see %[3]s",
		Ja: "受信先 %[2]s が %[1]s を認識しません (404)。1 分後にもう一度テストし、続く場合は %[3]s で確認してください。",
	},
	"fail.signal_refused": {
		En: "The receiver refuses the secret of %s (%s): see that this machine's clock is right, wait five minutes after a rotation, else make a new one: %s",
		Ja: "受信側が %s のシークレットを拒否しました (%s)。このマシンの時刻を確認し、更新直後は 5 分待ってください。続く場合は作り直してください: %s",
	},
	"fail.signal_503": {
		En: "The receiver at %s cannot take anything now (503): see %s",
		Ja: "受信先 %s が一時的に受け付けられません (503)。%s で確認してください。",
	},
	"fail.signal_status": {En: "%s has answered %s, which the receiver never does: see that nothing stands in between.", Ja: "%s の応答が想定外です (%s)。途中にプロキシなどがないか確認してください。"},
	"fail.signal_unresolved": {
		En: "The receiver has taken the test of %s, but it was not worked off within a minute. Signals that wait: %s, given up: %s.",
		Ja: "%s のテストは受け付けられましたが、1 分以内に処理されませんでした。待機中のシグナル: %s 件、処理できなかったもの: %s 件",
	},
	"fail.signal_unsent": {
		En: "%s has taken the request, but nothing came within a minute: see there whether it delivers to %s.",
		Ja: "%s は要求を受け付けましたが、1 分以内に何も届きませんでした。%s への配信状況をプロバイダー側で確認してください。",
	},

	"stream.no_answer":    {En: "%s does not answer: see that the address is right and reachable from the internet. (%s)", Ja: "%s から応答がありません。アドレスが正しく、インターネットから接続できるか確認してください。(%s)"},
	"stream.not_secure":   {En: "%s names an address without https://, which we do not call. (%s)", Ja: "%s に https:// で始まらないアドレスがあるため、接続しません。(%s)"},
	"stream.no_metadata":  {En: "%s publishes no metadata of a transmitter: see that the issuer is right, and that its shared signals are on. (%s)", Ja: "%s に送信元のメタデータがありません。issuer が正しく、Shared Signals が有効か確認してください。(%s)"},
	"stream.other_issuer": {En: "The metadata at %s names another issuer: write --issuer exactly as it stands there. (%s)", Ja: "%s のメタデータの issuer が異なります。--issuer をメタデータと同じ表記で指定してください。(%s)"},
	"stream.no_push":      {En: "%s cannot push events (RFC 8935): add a webhook, if it can call one. (%s)", Ja: "%s は Push 配信 (RFC 8935) に対応していません。URL を呼び出せる場合は webhook を追加してください。(%s)"},
	"stream.no_token":     {En: "%s gives no token for this client and secret: see both, and that the client may use client credentials. (%s)", Ja: "%s からトークンを取得できません。クライアントとシークレット、クライアント資格情報フローの許可を確認してください。(%s)"},
	"stream.not_allowed":  {En: "%s refuses the token: see that it is good, and may manage streams. (%s)", Ja: "%s がトークンを拒否しました。有効期限と、ストリームの管理権限を確認してください。(%s)"},
	"stream.unavailable":  {En: "%s fails at the moment: try again later. (%s)", Ja: "%s で一時的な障害が発生しています。しばらくしてからもう一度実行してください。(%s)"},
	"stream.not_accepted": {En: "%s does not accept the stream: see that it may push to our address, and send these events. (%s)", Ja: "%s がストリームを受け付けません。送信先のアドレスとイベントが許可されているか確認してください。(%s)"},
	"stream.unreadable":   {En: "What %s answers describes no stream: look at the stream in its console. (%s)", Ja: "%s の応答からストリームを読み取れません。管理コンソールで確認してください。(%s)"},
	"stream.occupied":     {En: "The only stream of %s for this client delivers elsewhere: delete that one, or make another client. (%s)", Ja: "%s のこのクライアントのストリームは別の宛先に配信しています。削除するか、別のクライアントを使ってください。(%s)"},
	"stream.not_enabled":  {En: "%s keeps the stream paused or disabled: enable it there. (%s)", Ja: "%s でストリームが一時停止または無効になっています。プロバイダー側で有効にしてください。(%s)"},
	"stream.not_delivered": {
		En: "%s did not get through to us in time: see that it may reach our address, and that it waits 5 seconds for an answer. Keycloak waits 1: set Push Socket Timeout to 5000. (%s)",
		Ja: "%s からの通知が時間内に届きませんでした。受信先のアドレスに接続できるか、応答を 5 秒待つ設定か確認してください。Keycloak の既定値は 1 秒です。[Push Socket Timeout] を 5000 にしてください。(%s)",
	},
	"stream.no_credential": {En: "There is no token or client to manage the stream at %s with: remove the source, and add it again. (%s)", Ja: "%s のストリームを管理する資格情報がありません。送信元を削除して追加し直してください。(%s)"},
}

// signalHelps are what --help says.
var signalHelps = language.Catalogue{
	"signal.use":   same("signal add|list|test|rotate|remove"),
	"signal.short": {En: "providers that report password changes", Ja: "パスワード変更を通知するプロバイダー"},
	"signal.long": {
		En: "After the stamp, a password reset at your provider no longer ends Microsoft 365 sessions by itself. Let the provider tell us (password changed, user disabled), and it does again. sessionstamp signal ACTION --help says more of each. You sign in to AWS only.",
		Ja: "スタンプを付けると、プロバイダー側でパスワードを変更しても Microsoft 365 のセッションは終了しません。プロバイダーからの通知 (パスワードの変更、ユーザーの無効化) を受信すると、終了できるようになります。詳細: sessionstamp signal ACTION --help。サインインは AWS だけです。",
	},
	"signal.examples": same("  sessionstamp signal add okta --name Okta --domain example.co.jp\n  sessionstamp signal list"),

	"signal-add.use":   same("add KIND --name NAME --domain D[,D…] [--issuer URL]"),
	"signal-add.short": {En: "adds a provider, and prints what to paste there", Ja: "プロバイダーを追加し、設定値を表示"},
	"signal-add.long": {
		En: "KIND: okta (event hook) · keycloak, authentik, oci, sailpoint, ssf (a stream of the Shared Signals Framework, made for you; the token or secret is asked for, or read from standard input) · ad, script, webhook (AD or AD FS by our script, anything that can call a URL and sign).\nThe secret is shown once. With -o json it is in the JSON, on purpose. It takes the rights of sessionstamp policy signals.",
		Ja: "KIND: okta (イベント フック) / keycloak、authentik、oci、sailpoint、ssf (Shared Signals Framework のストリームを自動作成。トークンまたはシークレットは対話か標準入力で渡す) / ad、script、webhook (AD と AD FS は付属のスクリプト、ほかに URL を呼び出して署名できるもの)。\nシークレットの表示は 1 回だけです (-o json では JSON に含まれます)。権限: sessionstamp policy signals。",
	},
	"signal-add.examples": same("  sessionstamp signal add ad --name AD --domain example.co.jp"),

	"signal-list.use":      same("list [--stack NAME] [--region R] [--profile P]"),
	"signal-list.short":    {En: "the sources, and when each was heard", Ja: "送信元の一覧と最終受信"},
	"signal-list.long":     {En: "It shows each source, its kind, the domains that it may speak for, when something authentic last came of it, and how its stream is. It changes nothing.", Ja: "送信元ごとに、種類、対象ドメイン、最終受信、ストリームの状態を示します。変更はしません。"},
	"signal-list.examples": same("  sessionstamp signal list -o json"),

	"signal-test.use":   same("test NAME [--stack NAME] [--region R] [--profile P]"),
	"signal-test.short": {En: "does what the provider sends arrive?", Ja: "通知が届くかどうかを確認"},
	"signal-test.long": {
		En: "It sends something harmless to the real address, signed by the source's secret, and waits up to a minute until it has gone all the way. A stream's transmitter is asked to send a verification. Nobody is signed out. If it stops on the way, it says where.",
		Ja: "送信元のシークレットで署名した無害なテストを実際の URL に送り、処理が完了するまで最長 1 分待ちます。ストリームの場合は、プロバイダーに検証イベントの送信を要求します。誰もサインアウトされません。途中で止まった場合は、その箇所を示します。",
	},
	"signal-test.examples": same("  sessionstamp signal test Okta"),

	"signal-rotate.use":   same("rotate NAME [--finish]"),
	"signal-rotate.short": {En: "replaces a source's secret", Ja: "シークレットを更新"},
	"signal-rotate.long": {
		En: "It makes a new secret and shows it once. The one before holds as well until you finish, so no signal is lost: paste the new one at the provider, then write --finish. A stream's transmitter is told by us.",
		Ja: "新しいシークレットを作成し、1 回だけ表示します。切り替えを完了するまで以前のものも有効なため、通知は失われません。プロバイダーに設定した後、--finish を実行してください。ストリームの場合は自動で設定されます。",
	},
	"signal-rotate.examples": same("  sessionstamp signal rotate Okta\n  sessionstamp signal rotate Okta --finish"),

	"signal-remove.use":      same("remove NAME [--yes]"),
	"signal-remove.short":    {En: "takes a source away", Ja: "送信元を削除"},
	"signal-remove.long":     {En: "It deletes the stream at the provider if there is one, the source, and its secret at once: what a provider sends later is refused. Broken off, it goes on when you call it again.", Ja: "プロバイダーのストリーム (あれば)、送信元、シークレットをすぐに削除します。以後の通知は拒否されます。中断した場合はもう一度実行してください。"},
	"signal-remove.examples": same("  sessionstamp signal remove Okta"),

	"flag.signal-name":     {En: "your name for the source", Ja: "送信元の名前"},
	"flag.signal-domain":   {En: "the domains that it may speak for", Ja: "対象ドメイン"},
	"flag.signal-issuer":   {En: "where a stream's transmitter is", Ja: "ストリームの送信元 (issuer)"},
	"flag.signal-client":   {En: "the client there; else a token is asked for", Ja: "クライアント ID (省略時はトークンを入力)"},
	"flag.signal-sessions": {En: "revoked sessions are signals too", Ja: "セッションの取り消しも対象にする"},
	"flag.signal-finish":   {En: "the provider has the new secret", Ja: "切り替えを完了"},
}
