package main

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// listenWords are what watch says where it hears a provider.
var listenWords = language.Catalogue{
	"listen.at": {
		En: "Hears your provider at %s; your proxy hands it on by https.",
		Ja: "プロバイダーからのシグナルを %s で受け取ります。https はプロキシで受けて転送してください。",
	},
	"listen.domains": {En: "It may speak for users of: %s", Ja: "対象ドメイン: %s"},
	"listen.paste_webhook": {
		En: "Your sender posts to %s, signed as Standard Webhooks says with the secret in %s.",
		Ja: "送信先: %s。Standard Webhooks に従い、%s のシークレットで署名してください。",
	},
	"listen.paste_okta": {
		En: "In Okta, Event Hooks: URL %s, authentication field Authorization, secret as in %s. Then Verify.",
		Ja: "Okta の [Event Hooks]: URL は %s、Authentication field は Authorization、シークレットは %s の値です。保存後に [Verify] を実行してください。",
	},
	"listen.paste_ssf": {
		En: "At the transmitter, make a push stream to %s with the authorization header as in %s. The watch asks for no verification.",
		Ja: "送信側で、送信先 %s、Authorization ヘッダー %s の値のプッシュ ストリームを作成してください。ストリームの検証は自動では行いません。",
	},
	"listen.reports": {
		En: "It only says whom it would stamp again; --enforce does it.",
		Ja: "対象者を表示するだけです。実際に付け直すには --enforce を指定します。",
	},
	"listen.enforces": {En: "Whoever is reported is signed out once.", Ja: "シグナルのユーザーを 1 回サインアウトします。"},

	"watch.signal":            {En: "your provider reports: %s", Ja: "プロバイダーのシグナル: %s"},
	"watch.stamped_again":     {En: "stamped again: %s %s before", Ja: "付け直しました: %s (%s後)"},
	"watch.signal_reported":   {En: "would be stamped again: %s", Ja: "付け直しの対象 (表示のみ): %s"},
	"watch.signal_sufficient": {En: "has a newer stamp already: %s", Ja: "より新しいスタンプがあります: %s"},
	"watch.signal_unheeded":   {En: "reported, and no session ends: %s", Ja: "シグナルを受信しましたが、サインアウトしません: %s"},
	"watch.signal_refused": {
		En: "A request was refused (%s): somebody knows the address, and the secret or the keys don't fit. See that the provider has the secret.",
		Ja: "要求を拒否しました (%s)。アドレスは正しく、シークレットか鍵が一致しません。プロバイダーの設定を確認してください。",
	},
	"watch.signal_waits": {
		En: "What your provider reports waits, and is tried again: %s",
		Ja: "シグナルを処理できず、再試行しています: %s",
	},
	"watch.signal_lost": {
		En: "A report was given up after a day: nobody knows whom it meant. See your provider's log, and stamp them again: sessionstamp restamp --from FILE",
		Ja: "1 日処理できなかったシグナルを 1 件破棄しました。プロバイダーのログを確認し、スタンプを付け直してください: sessionstamp restamp --from FILE",
	},
	"watch.signal_heard":  {En: "heard your provider", Ja: "プロバイダーからの受信を確認しました"},
	"watch.signal_silent": {En: "Nothing is heard of your provider: see that it still sends.", Ja: "プロバイダーから受信がありません。送信の設定を確認してください。"},
	"watch.signals_held": {
		En: "The brake of signals holds: %s were stamped again in 24 hours. See whether your provider is right (sessionstamp history); then: sessionstamp watch --release --signals",
		Ja: "シグナルによる付け直しが 24 時間で上限の %s 人に達したため、止めています。プロバイダーに問題がないか確認し (sessionstamp history)、解除してください: sessionstamp watch --release --signals",
	},

	"unheeded.subject_unknown":        {En: "the directory knows nobody by this name", Ja: "該当するユーザーがディレクトリにいません"},
	"unheeded.subject_ambiguous":      {En: "several users have this name", Ja: "該当するユーザーが複数います"},
	"unheeded.subject_foreign_domain": {En: "not of a domain of --domain", Ja: "--domain のドメインではありません"},
	"unheeded.guest":                  {En: "a guest", Ja: "ゲストです"},
	"unheeded.not_member":             {En: "not a member", Ja: "メンバーではありません"},
	"unheeded.excluded":               {En: "you have excluded this user, stolen password or not", Ja: "除外されているため (パスワードが盗まれた場合も対象外)"},
	"unheeded.existing":               {En: "the user was created after it happened", Ja: "シグナルの発生後に作成されたユーザーです"},
	"unheeded.not_federated":          {En: "the domain is managed", Ja: "マネージド ドメインです"},
	"unheeded.not_found":              {En: "the user is gone", Ja: "ユーザーが見つかりません"},

	"use.listen_address": {
		En: "Say where to listen, as --listen 127.0.0.1:8787: sessionstamp help listen",
		Ja: "待ち受けるアドレスを --listen 127.0.0.1:8787 のように指定してください: sessionstamp help listen",
	},
	"use.listen_once": {En: "--once looks and ends, so nobody would listen: leave out one of --once and --listen.", Ja: "--once は 1 回で終わるため、--listen と一緒に指定できません。どちらかを外してください。"},
	"use.listen_whom": {
		En: "Say who reports, and for which domains: --signal webhook|okta|ssf --domain example.com",
		Ja: "シグナルの種類と対象ドメインを指定してください: --signal webhook|okta|ssf --domain example.com",
	},
	"use.listen_ssf": {
		En: "--signal ssf needs --issuer URL and --audience TEXT, as the stream has them; the others take neither.",
		Ja: "--signal ssf には --issuer URL と --audience TEXT が必要です。ほかの種類では指定できません。",
	},
	"use.listen_anywhere": {
		En: "Other machines reach %s, and there is no TLS here: listen at 127.0.0.1 behind your proxy, or insist by --any-address.",
		Ja: "%s は他のマシンから接続でき、TLS もありません。プロキシの内側で 127.0.0.1 を指定するか、必要な場合だけ --any-address を追加してください。",
	},
	"use.listen_secret": {
		En: "The environment variable %s, or %s, holds no secret that can be used: for a webhook whsec_ and base64 of 24 to 64 bytes, else at least 24 characters.",
		Ja: "環境変数 %s (または %s) に使えるシークレットがありません。webhook では whsec_ と 24 ～ 64 バイトの base64、ほかでは 24 文字以上です。",
	},
	"use.watch_signals": {En: "--signals says which brake --release releases: add --release.", Ja: "--signals は --release と一緒に指定してください。"},
	"fail.listen_address": {
		En: "Nobody can listen at %s: see that no other program does, and that the port is yours.",
		Ja: "%s で待ち受けできません。他のプログラムが使用していないか、権限があるか確認してください。",
	},
	"fail.listen_issuer": {
		En: "The transmitter %s does not say where its keys are: see that --issuer is just as its metadata has it. (%s)",
		Ja: "送信側 %s のメタデータを取得できません。--issuer がメタデータの issuer と一致しているか確認してください。(%s)",
	},
}

// listenHelps are what help listen says.
var listenHelps = language.Catalogue{
	"listen.long": {
		En: "sessionstamp watch hears what your identity provider reports: a changed password, a disabled user. Whose stamp is older than that is stamped again, signed out once, and stays protected if the password was stolen. Your own proxy takes https and hands the path /idp/… on to --listen. The secret is in SESSIONSTAMP_SIGNAL_SECRET, and never an argument; while it is replaced, the one before in SESSIONSTAMP_SIGNAL_SECRET_BEFORE. What was acknowledged is in the file of this machine, and outlives the process.",
		Ja: "sessionstamp watch は、プロバイダーからのシグナル (パスワードの変更、ユーザーの無効化) を受け取り、スタンプがそれより古いユーザーに付け直します。対象者は 1 回サインアウトされ、盗まれたパスワードのセッションは終了します。https は自社のプロキシで受け、パス /idp/… を --listen に転送してください。シークレットは環境変数 SESSIONSTAMP_SIGNAL_SECRET で渡します (引数では渡せません。切り替え中は以前の値を SESSIONSTAMP_SIGNAL_SECRET_BEFORE に設定)。受け付けたシグナルはこのマシンのファイルに保存され、停止しても失われません。",
	},
	"listen.examples": same("  sessionstamp watch --listen 127.0.0.1:8787 --signal okta --domain example.com"),

	"flag.listen":             {En: "where your proxy hands requests on", Ja: "プロキシからの転送先"},
	"flag.listen-signal":      {En: "who reports", Ja: "シグナルの種類"},
	"flag.listen-domain":      {En: "for whose users it may speak", Ja: "対象ドメイン"},
	"flag.listen-issuer":      {En: "the transmitter, for ssf", Ja: "送信側の issuer (ssf)"},
	"flag.listen-audience":    {En: "the aud of its stream, for ssf", Ja: "ストリームの aud (ssf)"},
	"flag.listen-enforce":     {En: "signs out; else it only says who would be", Ja: "実際に付け直す (既定は表示のみ)"},
	"flag.listen-any-address": {En: "other machines may reach it without TLS", Ja: "他のマシンからの TLS なしの接続を許可"},
	"flag.watch-signals":      {En: "with --release: the brake of signals", Ja: "--release と使用: シグナルの上限を解除"},
}
