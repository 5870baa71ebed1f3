package report

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// words are the sentences of the page.
var words = language.Catalogue{
	"title":     {En: "Session stamps of Microsoft 365 users", Ja: "Microsoft 365 ユーザーのセッション スタンプ"},
	"what":      {En: "Users without a stamp have to sign in again every 12 hours.", Ja: "スタンプがないユーザーは、12 時間ごとに再サインインが必要です。"},
	"tenant":    {En: "Tenant", Ja: "テナント"},
	"demo":      {En: "Demonstration: none of these users exists.", Ja: "デモ: 実在しないユーザーです。"},
	"not_known": {En: "not known", Ja: "不明"},
	"numbers":   {En: "Numbers", Ja: "数値"},
	"month":     {En: "Month", Ja: "月"},
	"without":   {En: "Without", Ja: "なし"},
	"with":      {En: "With", Ja: "あり"},
	"people":    {En: "People", Ja: "人数"},
	"domain":    {En: "Domain", Ja: "ドメイン"},
	"user":      {En: "User", Ja: "ユーザー"},
	"created":   {En: "Created", Ja: "作成日"},
	"why":       {En: "Why", Ja: "理由"},
	"waited":    {En: "Waited", Ja: "待ち時間"},

	"of":             {En: "of %s members of federated domains have no stamp", Ja: "人にスタンプがありません (フェデレーション ドメインのメンバー %s 人中)"},
	"of_share":       {En: "%s of %s have no stamp", Ja: "%[2]s 人中 %[1]s 人にスタンプがありません"},
	"verdict.needed": {En: "New users get no stamp: the number will grow until something stamps them.", Ja: "新しいユーザーにスタンプが付いていません。対策するまで増え続けます。"},
	"verdict.needed_some": {
		En: "Some of the users created in the last 30 days have no stamp.",
		Ja: "過去 30 日間に作成されたユーザーの一部にスタンプがありません。",
	},
	"verdict.once": {En: "New users get theirs. The others have to be stamped once.", Ja: "新しいユーザーには付いています。残りの人に一度だけ付ければ十分です。"},
	"verdict.untold": {
		En: "Nobody is new enough to tell whether new users get a stamp.",
		Ja: "最近作成された人がいないため、新しいユーザーに付くかどうかはわかりません。",
	},
	"verdict.not_needed":    {En: "Everybody has a stamp.", Ja: "全員にスタンプがあります。"},
	"verdict.nobody":        {En: "Federated domains have no members yet.", Ja: "フェデレーション ドメインにまだメンバーがいません。"},
	"verdict.not_federated": {En: "No domain is federated: nobody can lack the stamp for this cause.", Ja: "フェデレーション ドメインがないため、この問題は起こりません。"},
	"unknown":               {En: "Not counted, since Graph does not say whether they have a stamp: %s.", Ja: "ほかに %s 人は、スタンプの有無を Graph が返しませんでした。"},
	"unreadable":            {En: "Not counted, since they could not be read: %s.", Ja: "%s 人は読み取れなかったため、数に含まれていません。"},

	"recent_of":  {En: "%s / %s", Ja: "%s / %s 人"},
	"recent":     {En: "without a stamp, of those created in the last %s days", Ja: "最近 %s 日の新規ユーザーのうちスタンプなし"},
	"machine":    {En: "stamped by this machine since %s", Ja: "%s 以降にこのマシンがスタンプを付けた人数"},
	"by_person":  {En: "%s of them named by a person.", Ja: "うち管理者の指示によるもの %s 人。"},
	"by_sweep":   {En: "%s found by the sweep.", Ja: "うち巡回で見つけたもの %s 人。"},
	"median":     {En: "from creation to stamp, in the median", Ja: "作成からスタンプまで (中央値)"},
	"p95":        {En: "95 %% within %s", Ja: "95 %% は %s以内"},
	"no_machine": {En: "This machine has stamped nobody in this tenant.", Ja: "このマシンは、このテナントでまだ誰にもスタンプを付けていません。"},

	// Those of a deployment, in the place of this machine's.
	"machine.stack":    {En: "stamped by the deployment since %s", Ja: "%s 以降にデプロイがスタンプを付けた人数"},
	"no_machine.stack": {En: "The deployment has stamped none of today's users.", Ja: "デプロイは、現在のユーザーにまだスタンプを付けていません。"},
	"time.note.stack": {
		En: "At the end of each month, at least: those who have none today, and those whom the deployment has stamped since. Who was stamped elsewhere is not known.",
		Ja: "各月末の最少人数です。現在スタンプのない人と、その後デプロイがスタンプを付けた人です。ほかの方法で付けた人は含まれません。",
	},
	"zero.unknown.stack": {
		En: "Not known: there was no full round lately, or nobody was stamped, or the deployment serves only some domains or excludes groups: `sessionstamp status` tells.",
		Ja: "確認できません。最近の全体の巡回やスタンプがないか、対象ドメインや除外グループの設定があります。`sessionstamp status` で確認できます。",
	},
	"zero.missed_how.stack":  {En: "New users without a stamp, who were there when the deployment last looked at everybody.", Ja: "デプロイが最後に全員を確認した時点で存在し、まだスタンプのない新しいユーザーです。"},
	"zero.outside_how.stack": {En: "Stamped by the deployment, and a guest, excluded or in a managed domain today, or too old when it stamped them by itself.", Ja: "デプロイが付けた人のうち、現在ゲスト、除外、マネージド ドメインの人、または自動で付けた時点で古すぎた人です。"},
	"speed.note.stack":       {En: "%s users whom the deployment has stamped by itself, by how long they waited.", Ja: "自動でスタンプを付けた %s 人の、待ち時間ごとの人数です。"},

	"time.title": {En: "Without a stamp over time", Ja: "スタンプのない人の推移"},
	"time.note": {
		En: "At the end of each month, at least: those who have none today, and those whom this machine has stamped since. Who was stamped elsewhere is not known.",
		Ja: "各月末の最少人数です。現在スタンプのない人と、その後このマシンがスタンプを付けた人です。ほかの方法で付けた人は含まれません。",
	},
	"created.title": {En: "By month of creation", Ja: "作成月別"},
	"created.note":  {En: "Members by the month in which they were created. The number above a column counts all of them.", Ja: "作成された月ごとのメンバー数です。棒の上の数字は合計です。"},
	"earlier":       {En: "Created before: %s without, %s with.", Ja: "それより前に作成: なし %s 人、あり %s 人。"},

	"zeros.title":      {En: "Is it working? (each should be 0)", Ja: "動作の確認 (いずれも 0 が正常)"},
	"zero.unknown":     {En: "To know it, keep `sessionstamp watch` running on this machine.", Ja: "このマシンで `sessionstamp watch` を動かすと確認できます。"},
	"zero.missed":      {En: "new users missed", Ja: "付け漏れ"},
	"zero.missed_how":  {En: "New users without a stamp, who were there when this machine last looked at everybody.", Ja: "このマシンが最後に全員を確認した時点で存在し、まだスタンプのない新しいユーザーです。"},
	"zero.again":       {En: "signed out twice", Ja: "二重のサインアウト"},
	"zero.again_how":   {En: "At most: those for whom a second call was made later, after two reads had shown no stamp.", Ja: "最大の人数です。2 回読み取ってもスタンプがなく、後で 2 回目の呼び出しを行った人を数えます。"},
	"zero.outside":     {En: "stamped by mistake", Ja: "対象外への誤った適用"},
	"zero.outside_how": {En: "Stamped by this machine, and a guest, excluded or in a managed domain today, or too old when it stamped them by itself.", Ja: "このマシンが付けた人のうち、現在ゲスト、除外、マネージド ドメインの人、または自動で付けた時点で作成から 72 時間を過ぎていた人です。"},

	"speed.title":  {En: "Time from creation to stamp", Ja: "作成からスタンプまでの時間"},
	"speed.note":   {En: "%s users whom this machine has stamped by itself, by how long they waited.", Ja: "自動でスタンプを付けた %s 人の、待ち時間ごとの人数です。"},
	"wait.seconds": {En: "%s s", Ja: "%s 秒"},
	"wait.minutes": {En: "%s min", Ja: "%s 分"},
	"wait.hours":   {En: "%s h", Ja: "%s 時間"},
	"wait.days":    {En: "%s d", Ja: "%s 日"},
	"wait.below":   {En: "< %s", Ja: "%s未満"},
	"wait.more":    {En: "≥ %s", Ja: "%s以上"},

	"left.title":                    {En: "Who is left without, and why", Ja: "スタンプのない人とその理由"},
	"reason.existing":               {En: "waits for a person", Ja: "管理者の判断待ち"},
	"reason.existing_then":          {En: "Created more than 72 hours ago: `sessionstamp stamp --all`", Ja: "作成から 72 時間以上。`sessionstamp stamp --all` で付けられます"},
	"reason.new":                    {En: "new", Ja: "新規"},
	"reason.new_then":               {En: "Created in the last 72 hours: stamped by itself where sessionstamp keeps watch", Ja: "作成から 72 時間以内。sessionstamp が監視していれば自動で付きます"},
	"reason.excluded":               {En: "excluded", Ja: "除外"},
	"reason.excluded_then":          {En: "Named as an exclusion: never stamped", Ja: "除外に指定。スタンプは付けません"},
	"reason.known_cannot_fix":       {En: "could not be stamped", Ja: "付けられません"},
	"reason.known_cannot_fix_then":  {En: "Calls have failed: `sessionstamp why USER`", Ja: "呼び出しに失敗。`sessionstamp why USER` で調べられます"},
	"reason.read_back_pending":      {En: "under way", Ja: "処理中"},
	"reason.read_back_pending_then": {En: "Called: the stamp has not been seen yet", Ja: "呼び出し済み。スタンプの確認待ち"},
	"outside":                       {En: "Not counted, since they need none:", Ja: "スタンプが不要なため数えていない人:"},
	"comma":                         {En: ", ", Ja: "、"},
	"reason.guest":                  {En: "guests %s", Ja: "ゲスト %s 人"},
	"reason.not_federated":          {En: "in managed domains %s", Ja: "マネージド ドメイン %s 人"},
	"reason.not_member":             {En: "neither members nor guests %s", Ja: "メンバーでもゲストでもない人 %s 人"},
	"exclusions": {
		En: "Accounts that you exclude are counted as any others here. To tell them apart, name them: `--exclude`.",
		Ja: "除外アカウントも、ほかの人と同じように数えています。区別するには `--exclude` で指定してください。",
	},

	"domains.title": {En: "By domain", Ja: "ドメイン別"},
	"domains.rest":  {En: "%s more", Ja: "その他 %s 件"},

	"list.title":  {En: "Members without a stamp", Ja: "スタンプのないメンバー"},
	"find":        {En: "Filter", Ja: "絞り込み"},
	"before_2018": {En: "before June 2018", Ja: "2018 年 6 月より前"},
	"hidden":      {En: "%s more are not on this page: sessionstamp report -o csv has all.", Ja: "ほかに %s 人います。sessionstamp report -o csv には全員が入ります。"},

	"stamp": {
		En: "The stamp is signInSessionsValidFromDateTime. Without it, Entra ID keeps the tokens of a user of a federated domain for 12 hours only. One call of revokeSignInSessions sets it, and signs the user out once.",
		Ja: "スタンプとは signInSessionsValidFromDateTime のことです。ないと、フェデレーション ドメインのユーザーのトークンは 12 時間しか保持されません。revokeSignInSessions を 1 回呼び出すと設定され、ユーザーは一度だけサインアウトされます。",
	},
	"private": {
		En: "This page names people: give it to those only who may see them. It sends nothing, and loads nothing.",
		Ja: "このページには個人名が含まれます。閲覧を許可された人だけに渡してください。外部との通信は行いません。",
	},
}
