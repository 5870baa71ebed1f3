package main

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// helps are what --help says. What stands in usage and examples is typed, in any language.
var helps = language.Join(commonHelps, accessHelps, deploymentHelps, doctorHelps, updateHelps, setupHelps, credentialHelps, signalHelps, restampHelps, listenHelps)

var commonHelps = language.Catalogue{
	"title.usage":    {En: "Usage", Ja: "使い方"},
	"title.verbs":    {En: "Verbs", Ja: "コマンド"},
	"title.flags":    {En: "Flags", Ja: "オプション"},
	"title.examples": {En: "Next", Ja: "次"},

	"sessionstamp.use":   same("sessionstamp VERB"),
	"sessionstamp.short": {En: "ends daily sign-in prompts of federated users", Ja: "フェデレーション ユーザーの毎日の再サインインをなくします"},
	"sessionstamp.long": {
		En: "A stamp is the time from which a user's sign-in sessions are valid (signInSessionsValidFromDateTime). A federated user without one signs in again every 12 hours. Exit status: 0 fine, 1 something is wrong, 2 wrong use.",
		Ja: "スタンプとは、サインイン セッションの有効開始日時 (signInSessionsValidFromDateTime) です。空のフェデレーション ユーザーは 12 時間ごとに再サインインが必要です。終了コード: 0 正常、1 問題、2 誤用。",
	},
	"sessionstamp.examples": same("  sessionstamp check --demo\n  sessionstamp help flags"),

	"flags.long": {
		En: "Every verb has these flags. You sign in in the browser, unless the environment names an app: AZURE_TENANT_ID, AZURE_CLIENT_ID, and AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH or AZURE_FEDERATED_TOKEN_FILE.",
		Ja: "すべてのコマンドに共通のオプションです。サインインにはブラウザーを使います。ただし、環境変数でアプリ (AZURE_TENANT_ID、AZURE_CLIENT_ID と、AZURE_CLIENT_SECRET、AZURE_CLIENT_CERTIFICATE_PATH、AZURE_FEDERATED_TOKEN_FILE のいずれか) が指定されていれば、そのアプリでサインインします。",
	},
	"flags.examples": same("  sessionstamp check --sign-in device"),

	"check.use":   same("check"),
	"check.short": {En: "does this tenant need it?", Ja: "このテナントに必要か"},
	"check.long": {
		En: "It counts the members of federated domains who have no stamp, and those of them who were created in the last 30 days, and says: you need this, or you don't.\nIt reads domains and users (Domain.Read.All, User.Read.All), changes nothing, and stores nothing. The exit status is 1 if somebody has no stamp.",
		Ja: "フェデレーション ドメインのメンバーのうちスタンプのない人と、過去 30 日間に作成された人を数え、必要かどうかを判定します。\nドメインとユーザーを読み取るだけで (Domain.Read.All、User.Read.All)、変更も保存もしません。スタンプのない人がいれば終了コードは 1 です。",
	},
	"check.examples": same("  sessionstamp check --demo\n  sessionstamp check -o json\n  sessionstamp users"),

	"users.use":   same("users [--by domain|month] [--domain D] [--since T] [--reason R]"),
	"users.short": {En: "who has no stamp", Ja: "スタンプのない人"},
	"users.long": {
		En: "It lists the members of federated domains who have no stamp, the newest first, or counts them. CSV and JSON always have all of them.",
		Ja: "フェデレーション ドメインのメンバーのうちスタンプのない人を、新しい順の一覧か、人数で示します。CSV と JSON には常に全員が入ります。",
	},
	"users.examples": same("  sessionstamp users --by month --demo\n  sessionstamp users --domain example.co.jp --since 30d\n  sessionstamp users -o csv > users.csv"),

	"report.use":   same("report [--out FILE] [--exclude NAME] [--stack NAME]"),
	"report.short": {En: "one file to forward, or JSON or CSV", Ja: "人に渡せる 1 ファイルのレポート"},
	"report.long": {
		En: "It writes one HTML file that needs no network: who has no stamp and since when, how soon users were stamped, whether it works, and the list. It reads domains and users (Domain.Read.All, User.Read.All), and the file of this machine if there is one, or with --stack what a deployment knows. -o json has all numbers, -o csv the list.",
		Ja: "ネットワークなしで開ける HTML ファイルを 1 つ作ります。スタンプのない人とその推移、付くまでの時間、動作の確認、一覧が入ります。ドメインとユーザー (Domain.Read.All、User.Read.All) と、あればこのマシンの記録 (--stack ではデプロイの記録) を読み取ります。-o json にはすべての数値、-o csv には一覧が入ります。",
	},
	"report.examples": same("  sessionstamp report --demo --out report.html\n  sessionstamp report --exclude taro.yamada@example.co.jp\n  sessionstamp report -o json > report.json"),
	"stamp.use":       same("stamp USER…|--file F|--group G|--domain D|--all"),
	"stamp.short":     {En: "stamps those who have none", Ja: "スタンプのない人に付ける"},
	"stamp.long": {
		En: "It shows whom it means, asks once, signs each out once, and reads the stamps back. USER is name@domain or an object id. --reason, --no-wait and --afresh are as in sessionstamp signout --help. With --stack NAME a deployment does it.",
		Ja: "対象を表示し、確認後に実行して、スタンプが付いたことを確認します。対象者は 1 回サインアウトされます。USER は 名前@ドメイン か ID です。--reason、--no-wait、--afresh は sessionstamp signout --help を参照。--stack NAME: デプロイで実行。",
	},
	"stamp.examples": same("  sessionstamp stamp --all --demo"),

	"signout.use":   same("signout USER…|--file F|--group G|--domain D|--all"),
	"signout.short": {En: "signs people out now, stamp or not", Ja: "スタンプの有無にかかわらずサインアウト"},
	"signout.long": {
		En: "It is for people who have a stamp as well: a policy has changed, say. Guests and managed domains are left alone by design, since this is for federated users: use the Entra admin center. You type how many people it is; a script writes --yes --expect N, and if N is wrong, nobody is signed out. More flags: sessionstamp stamp --help. With --stack NAME a deployment does it.",
		Ja: "スタンプのある人もサインアウトします (ポリシーの変更後などに使います)。フェデレーション ユーザー専用のため、ゲストとマネージド ドメインは対象外です (Microsoft Entra 管理センターを使用)。続けるには人数を入力します。スクリプトでは --yes --expect N を指定します。N が誤りなら誰もサインアウトされません。ほかのオプション: sessionstamp stamp --help。--stack NAME: デプロイで実行。",
	},
	"signout.examples": same("  sessionstamp signout --group 外部委託 --reason CA-1234 --demo"),

	"history.use":   same("history [USER] [--stack NAME [--signals]] [--names] [--orders]"),
	"history.short": {En: "whom this machine or a deployment has stamped", Ja: "スタンプを付けた履歴"},
	"history.long": {
		En: "It tells who was stamped, when, how soon after creation, and by whose word. The file on this machine holds object ids and no names; AZURE_TENANT_ID says whose file it is. With --stack the log of a deployment is searched instead. USER is a name (name@domain) or an object id.",
		Ja: "誰に、いつ、作成からどれだけ後に、何を契機にスタンプを付けたかを示します。このマシンのファイルにはオブジェクト ID だけがあり、名前はありません。対象のテナントは AZURE_TENANT_ID で決まります。--stack を指定すると、代わりにデプロイのログを検索します。USER は名前 (名前@ドメイン) またはオブジェクト ID です。",
	},
	"history.examples": same("  sessionstamp history --names --demo\n  sessionstamp history -o csv > history.csv"),

	"why.use":   same("why USER|AADSTS50058 [--all] [--all-rights] [--stack NAME]"),
	"why.short": {En: "why is this user asked to sign in?", Ja: "サインインを求められる理由"},
	"why.long": {
		En: "It says what makes Entra ask one user again and again, what else was looked at, and what was not, with the right that it takes. USER is a name (name@domain) or an object id; a code such as AADSTS50058 is explained alone. It changes nothing. The exit status is 1 if a cause was found.\nYou are asked for User.Read.All and Domain.Read.All. Rights that you have consented to before are used as well. --all-rights asks for all that help, and most need an administrator: Policy.Read.All, Policy.Read.ConditionalAccess, Domain-InternalFederation.Read.All, IdentityRiskyUser.Read.All, and AuditLog.Read.All for the sign-in log.",
		Ja: "あるユーザーが繰り返しサインインを求められる原因、ほかに確認した項目、権限がなく確認できなかった項目を示します。USER は名前 (名前@ドメイン) またはオブジェクト ID です。AADSTS50058 のようなコードを指定すると、その意味を示します。変更はしません。原因が見つかれば終了コードは 1 です。\nサインイン時に求める権限は User.Read.All と Domain.Read.All だけです。同意済みの権限があれば、それも使います。--all-rights は調査に使える権限をすべて求めます (ほとんどは管理者の同意が必要): Policy.Read.All、Policy.Read.ConditionalAccess、Domain-InternalFederation.Read.All、IdentityRiskyUser.Read.All、サインイン ログ用の AuditLog.Read.All。",
	},
	"why.examples": same("  sessionstamp why taro.yamada@example.co.jp --demo\n  sessionstamp why hanako.sato@example.co.jp --demo"),
	"watch.use":    same("watch [--every T] [--once] [--dry-run] [--exclude U] | --release"),
	"watch.short":  {En: "stamps new users as they come", Ja: "新しいユーザーに自動でスタンプを付ける"},
	"watch.long": {
		En: "It stamps members of federated domains who were created in the last 72 hours. The brake: at most 200 people in 24 hours, or a fifth of the members if that is more; then nobody is stamped until --release. Its file is in XDG_STATE_HOME or ~/.local/state/sessionstamp (Windows: LOCALAPPDATA). Lines hold no names.\nA service signs in as an app (sessionstamp help flags) with User.Read.All, Domain.Read.All, User.RevokeSessions.All, and GroupMember.Read.All for --exclude-group. --once exits with 1 if a person is needed.",
		Ja: "作成から 72 時間以内の、フェデレーション ドメインのメンバーに付けます。24 時間の上限は 200 人 (メンバーの 5 分の 1 の方が多ければその人数) で、達すると --release まで付けません。名前は出力しません。ファイルの場所: XDG_STATE_HOME か ~/.local/state/sessionstamp (Windows: LOCALAPPDATA)。\nサービスで動かす場合はアプリでサインインします (sessionstamp help flags)。権限: User.Read.All、Domain.Read.All、User.RevokeSessions.All、GroupMember.Read.All (--exclude-group 用)。--once は要対応なら終了コード 1 です。",
	},
	"watch.examples": same("  sessionstamp watch --once --dry-run --demo\n  sessionstamp help listen"),

	"completion.use":   same("completion bash|zsh|fish|powershell"),
	"completion.short": {En: "completes verbs and flags in your shell", Ja: "シェルの補完"},
	"completion.long": {
		En: "It writes a script that makes your shell complete verbs, flags and their values with the tab key.",
		Ja: "タブ キーでコマンド、オプション、値を補完するためのスクリプトを出力します。",
	},
	"completion.examples": same("  source <(sessionstamp completion bash)\n  sessionstamp completion powershell | Out-String | Invoke-Expression"),

	"version.use":   same("version"),
	"version.short": {En: "which program this is", Ja: "バージョン"},
	"version.long": {
		En: "It says the version and the commit that the program was built from, its Go, its system, and whether the functions to deploy are inside.",
		Ja: "プログラムのバージョン、ビルド元のコミット、Go のバージョン、システム、デプロイ用の関数を内蔵しているかどうかを示します。",
	},
	"version.examples": same("  sessionstamp version -o json"),

	"flag.output":        {En: "how the result is written", Ja: "結果の形式"},
	"flag.lang":          {En: "English or Japanese; else as your system", Ja: "表示言語 (既定はシステムの言語)"},
	"flag.sign-in":       {En: "how you sign in", Ja: "サインインの方法"},
	"flag.tenant":        {En: "your tenant, if you have several", Ja: "テナント (複数ある場合)"},
	"flag.client-id":     {En: "your own app for people to sign in to", Ja: "サインインに使う自社アプリ"},
	"flag.cloud":         {En: "where your tenant lives", Ja: "テナントのクラウド"},
	"flag.demo":          {En: "try it on an invented tenant", Ja: "架空のテナントで試す"},
	"flag.help":          {En: "teaches a verb", Ja: "説明を表示"},
	"flag.by":            {En: "counts instead of a list", Ja: "一覧の代わりに人数を表示"},
	"flag.since":         {En: "only users created since then", Ja: "それ以降に作成された人だけ"},
	"flag.limit":         {En: "rows; on a screen 15, 0 for all", Ja: "表示する行数 (画面では 15、0 はすべて)"},
	"flag.exclude":       {En: "never these users (again for more)", Ja: "対象から外すユーザー (繰り返し可)"},
	"flag.exclude-group": {En: "nor this group's members (again for more)", Ja: "対象から外すグループ (繰り返し可)"},
	"flag.out":           {En: "where to; - for standard output", Ja: "出力先 (- は標準出力)"},
	"flag.exclude_known": {En: "users whom you exclude (again for more)", Ja: "除外しているユーザー (繰り返し可)"},
	"flag.why-all":       {En: "shows all that was looked at", Ja: "確認した項目をすべて表示"},
	"flag.message":       {En: "prints only the message for the user", Ja: "ユーザーへの案内文だけを表示"},
	"flag.all-rights":    {En: "asks you for every right that helps", Ja: "調査に使える権限をすべて要求"},
	"flag.file":          {En: "a CSV or text file; - for standard input", Ja: "CSV またはテキスト (- は標準入力)"},
	"flag.group":         {En: "its members, nested groups included", Ja: "グループのメンバー (入れ子を含む)"},
	"flag.only-domain":   {En: "the users of this domain, none below it", Ja: "このドメイン (サブドメインを除く)"},
	"flag.all":           {En: "everybody in the tenant", Ja: "テナントの全員"},
	"flag.continue":      {En: "goes on where it was stopped", Ja: "中断した続きから再開"},
	"flag.first":         {En: "the newest N only; 0 for all", Ja: "新しい順に N 人まで (0 は全員)"},
	"flag.at":            {En: "only in these hours; keep this window open", Ja: "この時間帯だけ実行 (画面は開いたまま)"},
	"flag.dry-run":       {En: "shows, and changes nothing", Ja: "表示のみ、変更なし"},
	"flag.yes":           {En: "asks nothing", Ja: "確認しない"},
	"flag.no-wait":       {En: "leaves the reading back to the next run", Ja: "結果の確認を次の実行時に行う"},
	"flag.expect":        {En: "only if it is that many people", Ja: "人数がこのとおりの場合だけ実行"},
	"flag.reason":        {En: "why, for history --orders", Ja: "理由 (history --orders に記録)"},
	"flag.afresh":        {En: "gives up the order that was stopped", Ja: "中断した処理を破棄して新しく実行"},
	"flag.every":         {En: "how often it looks", Ja: "確認の間隔"},
	"flag.once":          {En: "looks once, for cron", Ja: "1 回だけ確認 (cron 用)"},
	"flag.watch-dry-run": {En: "decides, and signs nobody out", Ja: "判定だけを行う"},
	"flag.release":       {En: "releases the brake, and ends", Ja: "上限による停止を解除"},
	"flag.orders":        {En: "orders of stamp and signout, and why", Ja: "stamp と signout の処理の記録"},
	"flag.only-reason":   {En: "only those without one for this reason", Ja: "この理由でスタンプのない人だけ"},
	"flag.names":         {En: "looks up names in the directory", Ja: "ディレクトリから名前を取得"},
}

// same is what is typed, and so the same in both languages.
func same(text string) language.Text { return language.Text{En: text, Ja: text} }
