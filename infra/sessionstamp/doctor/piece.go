package doctor

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// Group is where a fault is to be looked for.
type Group string

// The groups, in the order in which they are shown.
const (
	Machine Group = "machine"
	Entra   Group = "entra"
	AWS     Group = "aws"
	State   Group = "state"
)

// Groups returns them.
func Groups() []Group { return []Group{Machine, Entra, AWS, State} }

// A Piece is a piece of evidence: what people call it, and how its question ended.
type Piece struct {
	// ID is the name of the field of [Evidence], in snake_case.
	ID    string
	Name  language.Text
	Group Group
	Known bool
	// Gap is why it is not known.
	Gap Gap
}

// Pieces returns all there are, in the order of [Groups]. Those of the stack are left out
// where there is none.
func Pieces(e Evidence) []Piece {
	var pieces []Piece
	d, deployed := matter{e}.deployed()
	left := map[string]bool{"stamper": deployed && d.Stamper == ""} // one app does all
	for _, id := range []string{"signal_queue", "signal_secrets"} {
		left[id] = d.SignalMode == signalsOff
	}
	for _, p := range []struct {
		id       string
		name     language.Text
		group    Group
		answer   interface{ missing() (Gap, bool) }
		deployed bool
	}{
		{"clock", language.Text{En: "clock", Ja: "時計"}, Machine, e.Clock, false},
		{"sam", language.Text{En: "AWS SAM CLI", Ja: "AWS SAM CLI"}, Machine, e.SAM, false},
		{"file", language.Text{En: "local file", Ja: "ローカル ファイル"}, Machine, e.File, false},
		{"signed_in", language.Text{En: "tenant", Ja: "テナント"}, Entra, e.SignedIn, false},
		{"reader", language.Text{En: "reader app", Ja: "読み取り用アプリ"}, Entra, e.Reader, true},
		{"stamper", language.Text{En: "stamper app", Ja: "スタンプ用アプリ"}, Entra, e.Stamper, true},
		{"domains", language.Text{En: "domains", Ja: "ドメイン"}, Entra, e.Domains, false},
		{"excluded", language.Text{En: "exclusions", Ja: "除外設定"}, Entra, e.Excluded, true},
		{"users", language.Text{En: "users", Ja: "ユーザー"}, Entra, e.Users, false},
		{"account", language.Text{En: "account", Ja: "アカウント"}, AWS, e.Account, false},
		{"issuer", language.Text{En: "outbound federation", Ja: "アウトバウンド ID フェデレーション"}, AWS, e.Issuer, false},
		{"stacks", language.Text{En: "other stacks", Ja: "ほかのスタック"}, AWS, e.Stacks, false},
		{"deployment", language.Text{En: "stack", Ja: "スタック"}, AWS, e.Deployment, false},
		{"functions", language.Text{En: "functions", Ja: "関数"}, AWS, e.Functions, true},
		{"switches", language.Text{En: "triggers", Ja: "トリガー"}, AWS, e.Switches, true},
		{"queue", language.Text{En: "queues", Ja: "キュー"}, AWS, e.Queue, true},
		{"key", language.Text{En: "KMS key", Ja: "KMS キー"}, AWS, e.Key, true},
		{"table", language.Text{En: "table", Ja: "テーブル"}, AWS, e.Table, true},
		{"secrets", language.Text{En: "secrets", Ja: "シークレット"}, AWS, e.Secrets, true},
		{"alarms", language.Text{En: "alarms", Ja: "アラーム"}, AWS, e.Alarms, true},
		{"receivers", language.Text{En: "receivers of alarms", Ja: "アラームの通知先"}, AWS, e.Receivers, true},
		{"front", language.Text{En: "API", Ja: "API"}, AWS, e.Front, true},
		{"signal_queue", language.Text{En: "queues of signals", Ja: "シグナルのキュー"}, AWS, e.SignalQueue, true},
		{"signal_secrets", language.Text{En: "secrets of signals", Ja: "シグナルのシークレット"}, AWS, e.SignalSecrets, true},
		{"signals", language.Text{En: "sources of signals", Ja: "シグナルの送信元"}, State, e.Signals, true},
		{"keeper", language.Text{En: "subscription", Ja: "サブスクリプション"}, State, e.Keeper, true},
		{"sweep", language.Text{En: "sweep", Ja: "巡回"}, State, e.Sweep, true},
		{"brake", language.Text{En: "pause and brake", Ja: "一時停止と上限"}, State, e.Brake, true},
		{"attention", language.Text{En: "calls for attention", Ja: "要確認の記録"}, State, e.Attention, true},
		{"traffic", language.Text{En: "traffic", Ja: "処理件数"}, State, e.Traffic, true},
	} {
		gap, missing := p.answer.missing()
		if (deployed || !p.deployed) && !left[p.id] {
			pieces = append(pieces, Piece{p.id, p.name, p.group, !missing, gap})
		}
	}
	return pieces
}

// Worst is the severity of the worst finding of a group, Fine where there is none.
func Worst(g Group, found []Finding) Severity {
	for _, f := range found { // the worst first
		if f.Group == g {
			return f.Severity
		}
	}
	return Fine
}
