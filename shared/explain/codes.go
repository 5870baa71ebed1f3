package explain

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// class is what a code of the sign-in log has to do with prompts.
type class string

// The classes.
const (
	classInactive   class = "inactive"    // a token ended by inactivity: whose, its text tells
	classPolicy     class = "policy"      // a sign-in frequency; comes again and again
	classApp        class = "app"         // the app's own way; comes again and again
	classRevoked    class = "revoked"     // once, after a revocation
	classPassword   class = "password"    // once, after a password change
	classNoise      class = "noise"       // says nothing by itself
	classExpected   class = "expected"    // part of a sign-in that goes well
	classMFA        class = "mfa"         // MFA is wanted
	classMFAExpired class = "mfa expired" // MFA is wanted again
	classOther      class = "other"
	classDevice     class = "device"
	classSeamless   class = "seamless" // Seamless SSO
	classBlocked    class = "blocked"  // by Conditional Access; no matter of a lifetime
	classRisk       class = "risk"
	classAccount    class = "account"
	classDisabled   class = "disabled"
	classFederation class = "federation"
	classConsent    class = "consent"
	classUnknown    class = "" // of a code that is not in the table
)

// An errorCode is a number of Entra's, as [signIn] and AADSTS errors have it.
type errorCode struct {
	number  int
	class   class
	meaning Text
}

// codes are sorted by number. They are from [Microsoft's list], which warns that they
// change; hence the sentence for codes that stand nowhere (X81). 70044 is not on that list:
// public tools take it for a twin of 70043.
//
// [Microsoft's list]: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
var codes = []errorCode{
	{20001, classFederation, Text{"bad WS-Federation answer of the identity provider", "ID プロバイダーの WS-Federation 応答が不正"}},
	{20012, classFederation, Text{"invalid WS-Federation message", "WS-Federation メッセージが無効"}},
	{50008, classFederation, Text{"SAML assertion missing or misconfigured", "SAML アサーションがないか、構成が不正"}},
	{50034, classAccount, Text{"user not in the directory", "ユーザーがディレクトリに存在しない"}},
	{50053, classAccount, Text{"account locked, or sign-in from a malicious address", "アカウントのロック、または悪意のある IP アドレスからのサインイン"}},
	{50055, classOther, Text{"password expired", "パスワードの有効期限切れ"}},
	{50057, classDisabled, Text{"account disabled", "アカウントが無効"}},
	{50058, classNoise, Text{"no session for a silent sign-in", "サイレント サインインに使えるセッションがない"}},
	{50072, classMFA, Text{"must register for MFA", "MFA の登録が必要"}},
	{50074, classMFA, Text{"strong authentication required and not passed", "強力な認証が必要だが完了していない"}},
	{50076, classMFA, Text{"MFA required", "MFA が必要"}},
	{50078, classMFAExpired, Text{"MFA expired by a policy", "ポリシーにより MFA の有効期限切れ"}},
	{50079, classMFA, Text{"must register for MFA", "MFA の登録が必要"}},
	{50089, classNoise, Text{"sign-in took too long", "サインインの途中で時間切れ"}},
	{50097, classDevice, Text{"device authentication required", "デバイス認証が必要"}},
	{50107, classFederation, Text{"federation realm unknown", "フェデレーション領域 (realm) が存在しない"}},
	{50125, classOther, Text{"interrupted by a password reset or registration", "パスワードのリセットまたは登録による中断"}},
	{50126, classAccount, Text{"wrong user name or password", "ユーザー名またはパスワードの誤り"}},
	{50129, classDevice, Text{"device not workplace joined", "デバイスが登録されていない (Workplace Join なし)"}},
	{50131, classRisk, Text{"refused by Conditional Access as suspicious", "条件付きアクセスで拒否 (不審なアクティビティなど)"}},
	{50132, classPassword, Text{"session ended by a password change or expiry", "パスワードの変更または期限切れによるセッション失効"}},
	{50133, classPassword, Text{"session ended by a password change or expiry", "パスワードの変更または期限切れによるセッション失効"}},
	{50140, classExpected, Text{"\"Stay signed in?\" was shown", "「サインインの状態を維持しますか?」の表示"}},
	{50144, classOther, Text{"Active Directory password expired", "Active Directory のパスワードの有効期限切れ"}},
	{50155, classDevice, Text{"device authentication failed", "デバイス認証の失敗"}},
	{50158, classOther, Text{"external challenge not passed", "外部のセキュリティ チャレンジが未完了"}},
	{50168, classDevice, Text{"Chrome without the Microsoft SSO extension", "Chrome に Microsoft SSO 拡張機能がない"}},
	{50173, classRevoked, Text{"sessions revoked; a new sign-in is needed", "セッションが取り消され、再サインインが必要"}},
	{50187, classDevice, Text{"device information missing", "デバイス情報がない"}},
	{50196, classApp, Text{"the app asks in a loop", "アプリが要求を繰り返している (ループ)"}},
	{50199, classExpected, Text{"the user was asked to confirm the app", "アプリの確認画面の表示"}},
	{53000, classBlocked, Text{"device not compliant", "デバイスが準拠していない"}},
	{53001, classBlocked, Text{"device not domain joined", "デバイスがドメインに参加していない"}},
	{53002, classBlocked, Text{"app not approved", "承認されていないアプリ"}},
	{53003, classBlocked, Text{"blocked by Conditional Access", "条件付きアクセスによるブロック"}},
	{65001, classConsent, Text{"no consent for the app", "アプリへの同意がない"}},
	{65004, classConsent, Text{"user declined consent", "ユーザーが同意を拒否"}},
	{70008, classInactive, Text{"token expired by inactivity, or revoked", "非アクティブによるトークンの期限切れ、または取り消し"}},
	{70043, classPolicy, Text{"token older than the sign-in frequency allows", "サインインの頻度による有効期限切れ"}},
	{70044, classPolicy, Text{"session older than the sign-in frequency allows", "サインインの頻度によるセッションの有効期限切れ"}},
	{81010, classSeamless, Text{"Seamless SSO: Kerberos ticket invalid or expired", "シームレス SSO: Kerberos チケットが無効または期限切れ"}},
	{81012, classSeamless, Text{"Seamless SSO: another user is signed in to the device", "シームレス SSO: デバイスに別のユーザーがサインインしている"}},
	{90072, classFederation, Text{"account of another tenant, or immutable id mismatch", "別テナントのアカウント、または immutableId の不一致"}},
	{90094, classConsent, Text{"administrator consent required", "管理者の同意が必要"}},
	{90095, classConsent, Text{"administrator consent requested", "管理者の同意を要求中"}},
	{135011, classDevice, Text{"device disabled", "デバイスが無効"}},
	{530032, classBlocked, Text{"blocked by the organization's security policy", "組織のセキュリティ ポリシーによるブロック"}},
	{530035, classBlocked, Text{"blocked by security defaults", "セキュリティの既定値群によるブロック"}},
	{700003, classDevice, Text{"device not found in the directory", "デバイスがディレクトリに見つからない"}},
	{700082, classInactive, Text{"refresh token expired by inactivity", "非アクティブによる更新トークンの期限切れ"}},
	{700084, classApp, Text{"refresh token of a single-page app, which lives 24 hours", "シングルページ アプリの更新トークン (24 時間固定) の期限切れ"}},
}

// lookUp returns what is known of a number; of others the number alone.
func lookUp(number int) errorCode {
	i, found := slices.BinarySearchFunc(codes, number, func(c errorCode, n int) int { return cmp.Compare(c.number, n) })
	if !found {
		return errorCode{number: number}
	}
	return codes[i]
}

// Code tells what a number of Entra's means, as "AADSTS50058" has it, and which page of
// Microsoft's tells more. The meaning of a number that is not in the table is empty.
func Code(number int) (meaning Text, page string) {
	return lookUp(number).meaning, lookUpPage(number)
}

// lookUpPage is Microsoft's page of one code.
func lookUpPage(number int) string {
	return "https://login.microsoftonline.com/error?code=" + strconv.Itoa(number)
}

// inactive is how Entra tells how long a token was not used: "12:00:00", "90.00:00:00".
var inactive = regexp.MustCompile(`inactive for (?:(\d{1,4})\.)?(\d{1,2}):(\d{2}):(\d{2})`)

// inactiveFor returns how long the event says that a token was not used.
func (s SignIn) inactiveFor() (time.Duration, bool) {
	match := inactive.FindStringSubmatch(s.FailureReason + " " + s.AdditionalDetails)
	if match == nil {
		return 0, false
	}
	var d time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi(match[i+1]) // digits, or nothing
		d += time.Duration(n) * unit
	}
	return d, true
}

// lifetime is how Entra tells the seconds that a sign-in frequency allows.
var lifetime = regexp.MustCompile(`lifetime for this request is (\d{1,9})`)

// allowed returns the lifetime that the event says a policy allows.
func (s SignIn) allowed() (time.Duration, bool) {
	match := lifetime.FindStringSubmatch(strings.ToLower(s.FailureReason + " " + s.AdditionalDetails))
	if match == nil {
		return 0, false
	}
	seconds, _ := strconv.Atoi(match[1])
	return time.Duration(seconds) * time.Second, true
}
