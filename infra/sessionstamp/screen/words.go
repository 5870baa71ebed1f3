package screen

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

const (
	counted   language.Key = "progress.counted"
	failed    language.Key = "progress.failed"
	paced     language.Key = "progress.paced"
	ending    language.Key = "progress.ending"
	endingAt  language.Key = "progress.ending_at"
	stalled   language.Key = "progress.stalled"
	took      language.Key = "progress.took"
	reading   language.Key = "progress.reading"
	inSeconds language.Key = "time.seconds"
	inMinutes language.Key = "time.minutes"
	inHours   language.Key = "time.hours"
)

// Words are the sentences of this package.
var Words = language.Catalogue{
	counted:   {En: "%s of %s", Ja: "%s / %s 人"},
	failed:    {En: "%s failed", Ja: "失敗 %s 人"},
	paced:     {En: "%.1f/s", Ja: "%.1f 人/秒"},
	ending:    {En: "about %s left", Ja: "残り約 %s"},
	endingAt:  {En: "about %s left (%s)", Ja: "残り約 %s (%s)"},
	stalled:   {En: "nothing done for %s", Ja: "%s 進んでいません"},
	took:      {En: "in %s", Ja: "所要 %s"},
	reading:   {En: "Reading users: %s …", Ja: "ユーザーを読み取り中: %s 人 …"},
	inSeconds: {En: "%d s", Ja: "%d 秒"},
	inMinutes: {En: "%d min", Ja: "%d 分"},
	inHours:   {En: "%d h %d min", Ja: "%d 時間 %d 分"},
}
