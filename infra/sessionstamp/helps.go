package main

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// helps are what --help says. What stands in usage and examples is typed, in any language.
var helps = language.Catalogue{
	"title.usage":    {En: "Usage", Ja: "使い方"},
	"title.verbs":    {En: "Verbs", Ja: "コマンド"},
	"title.flags":    {En: "Flags", Ja: "オプション"},
	"title.examples": {En: "Next", Ja: "次"},

	"sessionstamp.use":   same("sessionstamp VERB"),
	"sessionstamp.short": {En: "ends daily sign-in prompts of federated users", Ja: "フェデレーション ユーザーの毎日の再サインインをなくします"},
	"sessionstamp.long": {
		En: "It finds the users without a stamp (signInSessionsValidFromDateTime), whom Entra asks to sign in every 12 hours. Exit status: 0 fine, 1 something is wrong, 2 wrong use.",
		Ja: "スタンプ (signInSessionsValidFromDateTime) のないユーザーを見つけます。ないと 12 時間ごとに再サインインを求められます。終了コード: 0 正常、1 問題あり、2 使い方の誤り。",
	},
	"sessionstamp.examples": same("  sessionstamp check --demo\n  sessionstamp check\n  sessionstamp help flags"),

	"flags.long": {
		En: "Every verb has these flags. You sign in in the browser, unless the environment names an app: AZURE_TENANT_ID, AZURE_CLIENT_ID, and AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH or AZURE_FEDERATED_TOKEN_FILE.",
		Ja: "すべてのコマンドに共通のオプションです。サインインにはブラウザーを使います。ただし、環境変数でアプリ (AZURE_TENANT_ID、AZURE_CLIENT_ID と、AZURE_CLIENT_SECRET、AZURE_CLIENT_CERTIFICATE_PATH、AZURE_FEDERATED_TOKEN_FILE のいずれか) が指定されていれば、そのアプリでサインインします。",
	},
	"flags.examples": same("  sessionstamp check --sign-in device"),

	"check.use":   same("check"),
	"check.short": {En: "does this tenant need it?", Ja: "このテナントに必要か"},
	"check.long": {
		En: "It counts the members of federated domains who have no stamp, and those of them who were created in the last 30 days, and says: you need this, or you don't.\nIt reads domains and users (Domain.Read.All, User.Read.All), changes nothing, and stores nothing. The exit status is 1 if somebody has no stamp.",
		Ja: "フェデレーション ドメインのメンバーのうちスタンプのない人と、過去 30 日間に作成された人を数え、必要か不要かを答えます。\nドメインとユーザーを読み取るだけで (Domain.Read.All、User.Read.All)、変更も保存もしません。スタンプのない人がいれば終了コードは 1 です。",
	},
	"check.examples": same("  sessionstamp check --demo\n  sessionstamp check -o json\n  sessionstamp users"),

	"users.use":   same("users [--by domain|month] [--domain D] [--since T] [--limit N]"),
	"users.short": {En: "who has no stamp", Ja: "スタンプのない人"},
	"users.long": {
		En: "It lists the members of federated domains who have no stamp, the newest first, or counts them. CSV and JSON always have all of them.",
		Ja: "フェデレーション ドメインのメンバーのうちスタンプのない人を、新しい順に一覧にするか、数えます。CSV と JSON には常に全員が入ります。",
	},
	"users.examples": same("  sessionstamp users --by month --demo\n  sessionstamp users --domain example.co.jp --since 30d\n  sessionstamp users -o csv > users.csv"),

	"history.use":   same("history [USER] [--names] [--limit N]"),
	"history.short": {En: "whom this machine has stamped", Ja: "このマシンからスタンプを付けた人"},
	"history.long": {
		En: "It tells who was stamped, when, how soon after creation, and by whose word. The file on this machine holds object ids and no names; AZURE_TENANT_ID says whose file it is. USER is a name (name@domain) or an object id.",
		Ja: "誰に、いつ、作成からどれだけ後に、何を契機にスタンプを付けたかを示します。このマシンのファイルにはオブジェクト ID だけがあり、名前はありません。対象のテナントは AZURE_TENANT_ID で決まります。USER は名前 (名前@ドメイン) またはオブジェクト ID です。",
	},
	"history.examples": same("  sessionstamp history --names --demo\n  sessionstamp history -o csv > history.csv"),

	"watch.use":   same("watch [--every T] [--once] [--dry-run] [--domain D] [--exclude U]"),
	"watch.short": {En: "stamps new users as they come", Ja: "新しいユーザーに自動でスタンプを付ける"},
	"watch.long": {
		En: "It asks Graph for new users, and stamps those of federated domains. What it knows stands in this machine's file, so it goes on after a restart. It writes a line for each event, without names.\nFor a service, sign in as an app (sessionstamp help flags): your own sign-in ends sometime. --once is for cron; the status is 1 if a person is needed.",
		Ja: "Graph に新しいユーザーを問い合わせ、フェデレーション ドメインの人にスタンプを付けます。状態はこのマシンのファイルに残り、再起動後も続きから動きます。イベントを 1 行ずつ出力し、名前は出しません。\nサービスにはアプリでのサインインを使います (sessionstamp help flags)。自分のサインインはいずれ切れます。--once は cron 用で、要対応なら終了コードは 1 です。",
	},
	"watch.examples": same("  sessionstamp watch --demo\n  sessionstamp watch --once --dry-run\n  sessionstamp watch --exclude 'svc-*@example.co.jp'"),

	"completion.use":   same("completion bash|zsh|fish|powershell"),
	"completion.short": {En: "completes verbs and flags in your shell", Ja: "シェルの補完"},
	"completion.long": {
		En: "It writes a script that makes your shell complete verbs, flags and their values with the tab key.",
		Ja: "タブ キーでコマンド、オプション、値を補完するためのスクリプトを出力します。",
	},
	"completion.examples": same("  source <(sessionstamp completion bash)\n  sessionstamp completion powershell | Out-String | Invoke-Expression"),

	"flag.output":        {En: "how the result is written", Ja: "結果の形式"},
	"flag.lang":          {En: "English or Japanese; else as your system", Ja: "表示言語 (既定はシステムの言語)"},
	"flag.sign-in":       {En: "how you sign in", Ja: "サインインの方法"},
	"flag.tenant":        {En: "your tenant, if you have several", Ja: "テナント (複数ある場合)"},
	"flag.client-id":     {En: "your own app for people to sign in to", Ja: "サインインに使う自社アプリ"},
	"flag.cloud":         {En: "where your tenant lives", Ja: "テナントのクラウド"},
	"flag.demo":          {En: "try it on an invented tenant", Ja: "架空のテナントで試す"},
	"flag.help":          {En: "teaches a verb", Ja: "説明を表示"},
	"flag.by":            {En: "counts instead of a list", Ja: "一覧の代わりに人数を表示"},
	"flag.domain":        {En: "only this domain and those below it", Ja: "このドメインとその下だけ"},
	"flag.since":         {En: "only users created since then", Ja: "それ以降に作成された人だけ"},
	"flag.limit":         {En: "rows on a screen; 0 for all", Ja: "画面に出す行数 (0 はすべて)"},
	"flag.exclude":       {En: "never these users (again for more)", Ja: "対象から外すユーザー (繰り返し可)"},
	"flag.exclude-group": {En: "never the members of this group", Ja: "対象から外すグループ"},
	"flag.every":         {En: "how often it looks", Ja: "確認の間隔"},
	"flag.once":          {En: "looks once, for cron", Ja: "1 回だけ確認 (cron 用)"},
	"flag.watch-dry-run": {En: "decides, and signs nobody out", Ja: "判定だけを行う"},
	"flag.only-domain":   {En: "only this domain (again for more)", Ja: "このドメインだけ (繰り返し可)"},
	"flag.release":       {En: "releases the brake, and ends", Ja: "上限による停止を解除"},
	"flag.names":         {En: "looks up names in the directory", Ja: "ディレクトリから名前を取得"},
}

// same is what is typed, and so the same in both languages.
func same(text string) language.Text { return language.Text{En: text, Ja: text} }
