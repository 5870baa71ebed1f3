package access

import "github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"

// A Sheet is what a company wants to know before it approves sessionstamp, in both languages.
// Names of rights, roles and commands are Microsoft's, AWS's and ours.
type Sheet struct {
	Purpose     []language.Text `json:"purpose"`
	People      []Person        `json:"people"`
	Permissions []Permission    `json:"permissions"`
	Can         []language.Text `json:"can"`
	Cannot      []language.Text `json:"cannot"`
	Stores      []Store         `json:"stores"`
	Leaves      []language.Text `json:"leaves"`
	Stop        []language.Text `json:"stop"`
	Remove      []language.Text `json:"remove"`
}

// A Person is somebody who needs a right, at Microsoft Entra or AWS.
type Person struct {
	// At is "entra" or "aws".
	At       string        `json:"at"`
	Who      language.Text `json:"who"`
	Right    language.Text `json:"right"`
	Duration language.Text `json:"duration"`
	Why      language.Text `json:"why"`
}

// A Permission is an application permission of Microsoft Graph that one of the apps holds.
type Permission struct {
	// Name and ID are those of the app role, in
	// https://learn.microsoft.com/graph/permissions-reference
	Name string `json:"name"`
	ID   string `json:"id"`
	// Apps are those that hold it: "reader", "stamper".
	Apps []string `json:"apps"`
	// Optional permissions are held only where groups are excluded.
	Optional bool          `json:"optional"`
	Allows   language.Text `json:"allows"`
	Not      language.Text `json:"not"`
	Why      language.Text `json:"why"`
	// Smaller is what a smaller permission would be, or why there is none.
	Smaller language.Text `json:"smaller"`
}

// A Store is where something is kept.
type Store struct {
	Where language.Text `json:"where"`
	What  language.Text `json:"what"`
	Until language.Text `json:"until"`
}

// NewSheet returns the sheet. What it says follows from template.yaml, and from the calls of
// Graph that shared/msgraph makes.
func NewSheet() Sheet {
	return Sheet{
		Purpose: purpose, People: people, Permissions: permissions, Can: can, Cannot: cannot,
		Stores: stores, Leaves: leaves, Stop: stop, Remove: remove,
	}
}

var both = []string{"reader", "stamper"}

var permissions = []Permission{
	{
		Name: "User.Read.All", ID: "df021288-bdef-4463-88db-98f22de89214", Apps: both,
		Allows: language.Text{
			En: "reads every user's profile",
			Ja: "全ユーザーのプロファイルの読み取り",
		},
		Not: language.Text{
			En: "no change of a user; Graph returns no passwords",
			Ja: "ユーザーの変更。パスワードは Graph から取得できません",
		},
		Why: language.Text{
			En: "hears of new users, and reads whether each is new, federated and without a stamp. Seven properties are asked for: id, userPrincipalName, userType, creationType, externalUserState, createdDateTime, signInSessionsValidFromDateTime",
			Ja: "新しいユーザーの通知を受け取り、新規か、フェデレーションか、スタンプがないかを判定します。取得するのは次の 7 項目だけです: id、userPrincipalName、userType、creationType、externalUserState、createdDateTime、signInSessionsValidFromDateTime",
		},
		Smaller: language.Text{
			En: "User.ReadBasic.All, but it hides the properties on which the decision rests",
			Ja: "User.ReadBasic.All では、判定に必要な項目を読み取れません",
		},
	},
	{
		Name: "Domain.Read.All", ID: "dbb9058a-0e50-45d7-ae91-66909b5d4664", Apps: both,
		Allows: language.Text{
			En: "reads the tenant's domains and their settings",
			Ja: "テナントのドメインとその設定の読み取り",
		},
		Not: language.Text{En: "no change of a domain or of its federation", Ja: "ドメインやフェデレーションの変更"},
		Why: language.Text{
			En: "tells which domains are federated: users of the others are left alone",
			Ja: "フェデレーション ドメインを調べ、それ以外のユーザーを対象から外します",
		},
		Smaller: language.Text{
			En: "none: it is the least that Graph takes for the list of domains",
			Ja: "なし (ドメインの一覧に必要な最小のアクセス許可です)",
		},
	},
	{
		Name: "User.RevokeSessions.All", ID: "77f3a031-c388-4f99-b373-dc68676a979e", Apps: []string{"stamper"},
		Allows: language.Text{
			En: "signs any user out: revokeSignInSessions",
			Ja: "任意のユーザーのサインアウト (revokeSignInSessions)",
		},
		Not: language.Text{
			En: "no other change of a user; the account, its password and its data stay as they are",
			Ja: "ユーザーのそれ以外の変更。アカウント、パスワード、データはそのままです",
		},
		Why: language.Text{
			En: "it is the call that sets the stamp, and the only one that changes anything about a user",
			Ja: "スタンプを付ける呼び出しです。ユーザーを変更する呼び出しはこれだけです",
		},
		Smaller: language.Text{
			En: "none: the other permissions that do it (User.ReadWrite.All, Directory.ReadWrite.All) allow far more",
			Ja: "なし (同じことができる User.ReadWrite.All、Directory.ReadWrite.All は権限がはるかに大きくなります)",
		},
	},
	{
		Name: "GroupMember.Read.All", ID: "98830695-27a2-44f7-8c18-0c3ebc9698f6", Apps: both, Optional: true,
		Allows: language.Text{
			En: "reads groups, their basic properties and members",
			Ja: "グループの基本的な項目とメンバーの読み取り",
		},
		Not: language.Text{
			En: "no change of a group, no content of groups and teams",
			Ja: "グループの変更、グループや Teams のコンテンツの読み取り",
		},
		Why: language.Text{
			En: "only where groups are excluded: asks whether a user is a member before that user is stamped",
			Ja: "除外グループを使う場合のみ。スタンプを付ける前に、そのグループのメンバーかを調べます",
		},
		Smaller: language.Text{
			En: "leave it out: exclude users by object id or by pattern",
			Ja: "グループを使わず、オブジェクト ID かパターンで除外すれば不要です",
		},
	},
}
