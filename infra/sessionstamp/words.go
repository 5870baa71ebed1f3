package main

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// words are the sentences of the screens and of the errors; helps are those of --help.
var words = language.Join(
	commonWords, whyWords, orderWords, watchWords, reportWords, accessWords, deploymentWords, statusWords, operateWords, endedWords,
	doctorWords, updateWords, setupWords, setupProblems, credentialWords, orderStackWords, signalWords, signalTroubles, restampWords, listenWords,
)

var commonWords = language.Catalogue{
	"next":        {En: "Next: ", Ja: "次: "},
	"none":        {En: "none", Ja: "なし"},
	"more":        {En: "%s and %s more", Ja: "%s 他 %s 件"},
	"rest":        {En: "… and %s more: --limit 0 shows all", Ja: "… 他 %s 件。--limit 0 ですべて表示します"},
	"before_2018": {En: "before June 2018", Ja: "2018 年 6 月より前"},

	"signed_in.env":     {En: "app %s  (environment)", Ja: "アプリ %s  (環境変数)"},
	"signed_in.browser": {En: "%s  (browser)", Ja: "%s  (ブラウザー)"},
	"signed_in.device":  {En: "%s  (device code)", Ja: "%s  (デバイス コード)"},
	"signed_in.az":      {En: "%s  (az)", Ja: "%s  (az)"},
	"signed_in.demo":    {En: "invented tenant", Ja: "架空のテナント"},
	"browser":           {En: "Sign in in the browser that opens now.", Ja: "開いたブラウザーでサインインしてください。"},
	"device": {
		En: "Open %s on any device, and enter the code %s",
		Ja: "任意の端末で %s を開き、コード %s を入力してください",
	},
	"demo": {En: "Demonstration: none of these users exists.", Ja: "デモ: 表示されるユーザーはすべて架空です。"},

	"check.reads":     {En: "  reads only, stores nothing", Ja: "  読み取りのみ、保存なし"},
	"check.federated": {En: "Federated: %s", Ja: "フェデレーション: %s"},
	"check.managed":   {En: "Managed:   %s", Ja: "マネージド:       %s"},
	"check.count": {
		En: "%s of %s members of federated domains have no stamp.",
		Ja: "フェデレーション ドメインのメンバー %[2]s 人中、%[1]s 人にスタンプがありません。",
	},
	"check.count.one": {
		En: "1 of %s members of federated domains has no stamp.",
		Ja: "フェデレーション ドメインのメンバー %s 人中、1 人にスタンプがありません。",
	},
	"check.stamp": {
		En: "A stamp is the time from which a user's sign-in sessions are valid (signInSessionsValidFromDateTime). A federated user without one is asked to sign in again every 12 hours.",
		Ja: "スタンプとは、サインイン セッションの有効開始日時 (signInSessionsValidFromDateTime) です。これが空のフェデレーション ユーザーは、12 時間ごとに再サインインを求められます。",
	},
	"check.recent": {
		En: "Created in the last 30 days: %[2]s, without a stamp: %[1]s.",
		Ja: "過去 30 日間に作成されたメンバー: %[2]s 人、うちスタンプなし: %[1]s 人",
	},
	"verdict.not_federated": {
		En: "No domain is federated. You don't need this.",
		Ja: "フェデレーション ドメインがありません。sessionstamp は不要です。",
	},
	"verdict.nobody": {
		En: "Federated domains have no members yet. Create one, and look again.",
		Ja: "フェデレーション ドメインにまだメンバーがいません。1 人作成してから、もう一度実行してください。",
	},
	"verdict.needed":      {En: "New users get none. You need this.", Ja: "新しいユーザーにスタンプが付いていません。sessionstamp が必要です。"},
	"verdict.needed_some": {En: "Some new users get none. You need this.", Ja: "一部の新しいユーザーにスタンプが付いていません。sessionstamp が必要です。"},
	"verdict.once": {
		En: "New users get theirs. Cure the others once; you don't need more than that.",
		Ja: "新しいユーザーには付いています。残りの人を一度だけ直せば十分です。",
	},
	"verdict.untold": {
		En: "Nobody is new enough to tell whether new users get one. Create one, and look again.",
		Ja: "最近作成された人がいないため、新しいユーザーに付くかどうかわかりません。1 人作成してから、もう一度実行してください。",
	},
	"verdict.emergency":  {En: "Everybody else has a stamp. You don't need this.", Ja: "ほかの全員にスタンプがあります。sessionstamp は不要です。"},
	"verdict.not_needed": {En: "Everybody has a stamp. You don't need this.", Ja: "全員にスタンプがあります。sessionstamp は不要です。"},
	"doubt.unknown": {
		En: "Of %s more Graph does not say whether they have a stamp.",
		Ja: "ほかに %s 人は、スタンプの有無を Graph が返しませんでした。",
	},
	"doubt.unreadable": {
		En: "%s users could not be read and are not counted.",
		Ja: "%s 人は読み取れなかったため、数に含まれていません。",
	},

	"users.count.one": {En: "1 of %s members has no stamp.", Ja: "メンバー %s 人中、1 人にスタンプがありません。"},
	"users.count":     {En: "%s of %s members have no stamp.", Ja: "メンバー %[2]s 人中、%[1]s 人にスタンプがありません。"},
	"history.count": {
		En: "This machine has stamped %s people.",
		Ja: "このマシンからスタンプを付けたユーザー: %s 人",
	},

	"history.single": {En: "This machine has stamped 1 person.", Ja: "このマシンからスタンプを付けたユーザー: 1 人"},
	"history.not": {
		En: "This machine has not stamped %s.",
		Ja: "このマシンから %s にスタンプを付けた記録はありません。",
	},

	"column.created": {En: "Created", Ja: "作成日時"},
	"column.user":    {En: "User", Ja: "ユーザー"},
	"column.domain":  {En: "Domain", Ja: "ドメイン"},
	"column.month":   {En: "Created", Ja: "作成月"},
	"column.without": {En: "Without", Ja: "なし"},
	"column.with":    {En: "With", Ja: "あり"},
	"column.stamped": {En: "Stamped", Ja: "日時"},
	"column.after":   {En: "After", Ja: "作成後"},
	"column.source":  {En: "By", Ja: "契機"},
	"column.state":   {En: "Result", Ja: "結果"},

	"source.notification":    {En: "Graph", Ja: "通知"},
	"source.sweep":           {En: "sweep", Ja: "巡回"},
	"source.person":          {En: "person", Ja: "担当者"},
	"source.signal":          {En: "signal", Ja: "シグナル"},
	"by.password_changed":    {En: "password", Ja: "PW 変更"},
	"by.user_disabled":       {En: "disabled", Ja: "無効化"},
	"by.sessions_revoked":    {En: "sessions", Ja: "失効"},
	"cause.password_changed": {En: "password changed", Ja: "パスワードの変更"},
	"cause.user_disabled":    {En: "user disabled", Ja: "ユーザーの無効化"},
	"cause.sessions_revoked": {En: "sessions revoked", Ja: "セッションの取り消し"},
	"state.claimed":          {En: "unknown", Ja: "不明"},
	"state.called":           {En: "called", Ja: "確認中"},
	"state.stamped":          {En: "stamped", Ja: "完了"},
	"state.cannot_fix":       {En: "failed", Ja: "失敗"},

	"after.seconds": {En: "%s s", Ja: "%s 秒"},
	"after.minutes": {En: "%s min", Ja: "%s 分"},
	"after.hours":   {En: "%s h", Ja: "%s 時間"},
	"after.days":    {En: "%s d", Ja: "%s 日"},

	"hint.preview":     {En: "who would be stamped", Ja: "対象を確認 (変更なし)"},
	"hint.preview_new": {En: "and new users as they come", Ja: "新しい人も確認 (変更なし)"},
	"hint.users":       {En: "who has none", Ja: "スタンプのない人の一覧"},
	"hint.by_month":    {En: "since when", Ja: "いつからか"},
	"hint.by_domain":   {En: "in which domain", Ja: "どのドメインか"},
	"hint.csv":         {En: "the whole list, for Excel", Ja: "全員の一覧 (Excel 用)"},
	"hint.check":       {En: "does this tenant need it?", Ja: "このテナントに必要か"},
	"hint.demo":        {En: "what it looks like elsewhere", Ja: "必要な場合の表示例"},
	"hint.names":       {En: "with names, from the directory", Ja: "名前を表示 (ディレクトリから取得)"},

	"use.verb": {
		En: "There is no verb %q: sessionstamp --help lists them.",
		Ja: "コマンド %q はありません。sessionstamp --help で一覧を表示します。",
	},
	"use.verb_like": {
		En: "There is no verb %q: did you mean sessionstamp %s?",
		Ja: "コマンド %q はありません。sessionstamp %s のことですか?",
	},
	"use.flag": {
		En: "There is no flag %s here: --help lists them.",
		Ja: "オプション %s はありません。--help で一覧を表示します。",
	},
	"use.flag_like": {
		En: "There is no flag %s here: did you mean --%s?",
		Ja: "オプション %s はありません。--%s のことですか?",
	},
	"use.two_dashes": {
		En: "%s takes two dashes: --%s.",
		Ja: "%s のハイフンは 2 つ必要です。--%s と指定してください。",
	},
	"use.dash": {
		En: "%q begins with a dash that is none of the keyboard's: write --%s.",
		Ja: "%q の先頭が半角のハイフンではありません。--%s と入力してください。",
	},
	"use.dashed_value": {
		En: "--%[1]s needs a value: write --%[1]s %[3]s; a value that begins with - is written --%[1]s=-x.",
		Ja: "--%[1]s には値が必要です。--%[1]s %[3]s のように指定してください。「-」で始まる値は --%[1]s=-x のように指定します。",
	},
	"use.twice": {
		En: "Give --%[1]s once.",
		Ja: "--%[1]s は 1 回だけ指定してください。",
	},
	"use.number": {
		En: "--%[1]s does not take %[2]q: write a whole number, 0 or more.",
		Ja: "--%[1]s に %[2]q は指定できません。0 以上の整数を半角数字で指定してください。",
	},
	"use.future": {
		En: "--%[1]s %[2]s is in the future: write a date that has come.",
		Ja: "--%[1]s に未来の日付は指定できません (%[2]s)。",
	},
	"use.interval": {
		En: "--%[1]s does not take %[2]q: write a time from 10s to 1h, such as 30s or 5m.",
		Ja: "--%[1]s に %[2]q は指定できません。30s (30 秒)、5m (5 分) のように、10s から 1h の範囲で指定してください。",
	},
	"use.no_value": {
		En: "--%s needs a value: write --%[1]s %s.",
		Ja: "--%s には値が必要です。--%[1]s %s のように指定してください。",
	},
	"use.value": {
		En: "--%s does not take %q: write --%[1]s %[3]s.",
		Ja: "--%s に %q は指定できません。--%[1]s %[3]s のように指定してください。",
	},
	"use.no_arguments": {
		En: "%q is one argument too many: see %s --help.",
		Ja: "引数 %q は指定できません。%s --help を参照してください。",
	},
	"use.no_shell": {
		En: "Name your shell: sessionstamp completion %s.",
		Ja: "シェルを指定してください: sessionstamp completion %s",
	},
	"use.shell": {
		En: "%q is not a shell that we know: write sessionstamp completion %s.",
		Ja: "シェル %q には対応していません。sessionstamp completion %s のように指定してください。",
	},
	"use.environment": {
		En: "To sign in as an app, set %s; leave out --sign-in env to sign in yourself.",
		Ja: "アプリとしてサインインするには、環境変数 %s を設定してください。自分でサインインするには --sign-in env を外してください。",
	},
	"use.certificate": {
		En: "%s names a file that cannot be read: see that it is there, and yours.",
		Ja: "%s のファイルを読み取れません。パスとアクセス権を確認してください。",
	},
	"use.exclude": {
		En: "--exclude %q would protect nobody, or not whom you mean: write name@domain, a pattern such as svc-*@example.com, or an object id.",
		Ja: "--exclude %q では誰も除外されないか、意図と異なる人が除外されます。名前@ドメイン、svc-*@example.com のようなパターン、またはオブジェクト ID を指定してください。",
	},
	"use.too_many_groups": {
		En: "At most %s groups can be excluded: make one group of them, and exclude that.",
		Ja: "除外できるグループは最大 %s 個です。1 つのグループにまとめて指定してください。",
	},
	"use.unknown_group": {
		En: "The tenant has no group %q: look at the spelling, or write the object id.",
		Ja: "テナントにグループ %q はありません。つづりを確認するか、オブジェクト ID を指定してください。",
	},
	"use.several_groups": {
		En: "Several groups are called %q: write the object id of the one you mean: %s.",
		Ja: "グループ %q は複数あります。オブジェクト ID で指定してください: %s。",
	},
	"use.hidden_group": {
		En: "The group %q hides its members (HiddenMembership), so nobody could be found in it: name another group, or the users.",
		Ja: "グループ %q はメンバーが非表示 (HiddenMembership) のため、誰が含まれるかわかりません。別のグループか、ユーザーを指定してください。",
	},
	"use.several_users": {
		En: "Several users have the name or address %s: write the object id.",
		Ja: "名前またはアドレスが %s のユーザーは複数います。オブジェクト ID を指定してください。",
	},
	"use.no_file": {
		En: "This machine has not stamped anybody yet: begin with sessionstamp check.",
		Ja: "このマシンではまだ誰にもスタンプを付けていません。まず sessionstamp check を実行してください。",
	},
	"use.several_files": {
		En: "This machine knows several tenants: choose one with --tenant: %s.",
		Ja: "このマシンには複数のテナントの記録があります。--tenant で選んでください: %s。",
	},
	"use.no_guid": {
		En: "%s is not a GUID: the Entra admin center shows it, or try it with --demo.",
		Ja: "%s が GUID ではありません。Entra 管理センターで確認するか、--demo で試してください。",
	},
	"use.domain": {
		En: "%s is not a federated domain of this tenant, which has: %s.",
		Ja: "%s はこのテナントのフェデレーション ドメインではありません。フェデレーション ドメイン: %s",
	},
	"use.user": {
		En: "%q is neither a user principal name (name@domain) nor an object id.",
		Ja: "%q はユーザー プリンシパル名 (名前@ドメイン) でもオブジェクト ID でもありません。",
	},
	"use.unknown_user": {
		En: "The tenant has no user %s: look at the spelling, or write the object id.",
		Ja: "テナントにユーザー %s はいません。つづりを確認するか、オブジェクト ID を指定してください。",
	},
	"use.unknown_id": {
		En: "No user of the tenant has the object id %s.",
		Ja: "オブジェクト ID が %s のユーザーはテナントにいません。",
	},
	"use.folder": {
		En: "Your files have no place: set HOME, or LOCALAPPDATA on Windows.",
		Ja: "ファイルの保存先がわかりません。環境変数 HOME (Windows では LOCALAPPDATA) を設定してください。",
	},

	"fail.stopped": {En: "Stopped. Nothing was changed.", Ja: "中断しました。何も変更していません。"},
	"fail.busy": {
		En: "Another sessionstamp is at work on this tenant: wait for it, or end it.",
		Ja: "別の sessionstamp がこのテナントで実行中です。終わるのを待つか、終了させてください。",
	},
	"fail.damaged": {
		En: "The file of this machine is damaged: move it away and start again; the stamps are in the directory, only the history is lost. (%s)",
		Ja: "このマシンのファイルが壊れています。別の場所に移して、やり直してください。スタンプはディレクトリにあり、失われるのは記録だけです。(%s)",
	},
	"fail.certificate": {
		En: "The certificate cannot be used: AZURE_CLIENT_CERTIFICATE_PATH must name a PEM or PFX file with its private key, and AZURE_CLIENT_CERTIFICATE_PASSWORD hold the password of a PFX.",
		Ja: "証明書を使用できません。AZURE_CLIENT_CERTIFICATE_PATH には秘密キーを含む PEM または PFX ファイルを、PFX のパスワードは AZURE_CLIENT_CERTIFICATE_PASSWORD に指定してください。",
	},
	"fail.no_answer": {
		En: "Microsoft did not answer (%s): see that this machine reaches graph.microsoft.com and login.microsoftonline.com, by the proxy in HTTPS_PROXY if there is one.",
		Ja: "Microsoft から応答がありません (%s)。このマシンから graph.microsoft.com と login.microsoftonline.com に届くか、必要なら HTTPS_PROXY のプロキシを確認してください。",
	},
	"fail.sign_in": {
		En: "Entra refused the sign-in (%s): look the number up at https://login.microsoftonline.com/error, or try another --sign-in.",
		Ja: "Entra がサインインを拒否しました (%s)。https://login.microsoftonline.com/error で番号を調べるか、--sign-in で別の方法を試してください。",
	},
	"fail.consent": {
		En: "The app has no consent for what this verb needs (%s): ask an administrator to run it once and to tick “Consent on behalf of your organization”.",
		Ja: "このコマンドに必要なアクセス許可への同意がありません (%s)。管理者に一度実行してもらい、「組織の代理として同意する」をオンにしてもらってください。",
	},
	"fail.consent_apps": {
		En: "What this verb needs has no consent (%s): run it again, and accept for yourself; you need Global Administrator, or Privileged Role Administrator and Cloud Application Administrator.",
		Ja: "このコマンドに必要なアクセス許可への同意がありません (%s)。もう一度実行し、自分の分だけ同意してください。グローバル管理者、または特権ロール管理者とクラウド アプリケーション管理者の両方のロールが必要です。",
	},
	"fail.no_sign_in": {
		En: "Nobody signed in (%s): run the command again, and sign in within 15 minutes.",
		Ja: "サインインされませんでした (%s)。もう一度実行し、15 分以内にサインインしてください。",
	},
	"fail.policy": {
		En: "A Conditional Access policy forbids this sign-in (%s): try --sign-in browser on a managed device.",
		Ja: "条件付きアクセス ポリシーでサインインが禁止されています (%s)。管理対象のデバイスで --sign-in browser を試してください。",
	},
	"fail.other_tenant": {
		En: "This account or tenant is not the one that was asked for (%s): see --tenant and AZURE_TENANT_ID, and sign in with an account of that tenant.",
		Ja: "指定したテナントのアカウントではないか、テナントがありません (%s)。--tenant と AZURE_TENANT_ID を確認し、そのテナントのアカウントでサインインしてください。",
	},
	"fail.not_assigned": {
		En: "You are not assigned to the app (%s): ask an administrator to assign you under Enterprise applications, or use --client-id.",
		Ja: "アプリに割り当てられていません (%s)。管理者に [エンタープライズ アプリケーション] での割り当てを依頼するか、--client-id を使ってください。",
	},
	"fail.client": {
		En: "The app does not take this sign-in (%s): see that the client id is right, that public client flows are allowed, and that http://localhost is a redirect URI.",
		Ja: "アプリがこのサインインに対応していません (%s)。クライアント ID、パブリック クライアント フローの許可、リダイレクト URI http://localhost を確認してください。",
	},
	"fail.again": {
		En: "Entra wants a new sign-in (%s): run az login --scope https://graph.microsoft.com/.default, or use --sign-in browser.",
		Ja: "もう一度サインインが必要です (%s)。az login --scope https://graph.microsoft.com/.default を実行するか、--sign-in browser を使ってください。",
	},
	"fail.secret": {
		En: "The client secret is wrong or has expired (%s): make a new one in the app registration, and set AZURE_CLIENT_SECRET to its value, not its id.",
		Ja: "クライアント シークレットが誤っているか、期限切れです (%s)。アプリの登録で新しく作成し、その「値」(ID ではありません) を AZURE_CLIENT_SECRET に設定してください。",
	},
	"fail.forbidden": {
		En: "Graph forbids it (%s): grant %s, and consent for the tenant; who signs in in person also needs a role that may do it, such as User Administrator.",
		Ja: "Graph に権限がありません (%s)。アクセス許可 %s を付与し、管理者の同意を与えてください。自分でサインインする場合は、ユーザー管理者などのロールも必要です。",
	},
	"fail.forbidden_apps": {
		En: "Graph forbids it (%s): grant %s; who signs in in person also needs Global Administrator, or Privileged Role Administrator and Cloud Application Administrator.",
		Ja: "Graph に権限がありません (%s)。アクセス許可 %s を付与してください。自分でサインインする場合は、グローバル管理者、または特権ロール管理者とクラウド アプリケーション管理者の両方のロールも必要です。",
	},
	"fail.browser": {
		En: "No browser opened, or nobody signed in there in 15 minutes: try again, or write --sign-in device.",
		Ja: "ブラウザーが開かないか、15 分以内にサインインされませんでした。もう一度実行するか、--sign-in device を指定してください。",
	},
	"fail.az": {
		En: "The Azure CLI gave no token: see that az is installed, and run az login.",
		Ja: "Azure CLI からトークンを取得できません。az がインストールされているか確認し、az login を実行してください。",
	},
	"fail.throttled": {
		En: "Graph has too much to do (%s): try again in five minutes.",
		Ja: "Graph の要求数の上限に達しました (%s)。5 分後にもう一度実行してください。",
	},
	"fail.graph": {
		En: "Graph refused (%s): try again, and give Microsoft's support these words if it stays so.",
		Ja: "Graph がエラーを返しました (%s)。もう一度実行し、続く場合はこの内容を Microsoft サポートに伝えてください。",
	},
	"fail.endless": {
		En: "Graph's list of users did not end after %s pages: try again.",
		Ja: "Graph のユーザー一覧が %s ページを超えても終わりません。もう一度実行してください。",
	},
	"fail.other": {En: "It did not work: %s.", Ja: "失敗しました: %s"},
}
