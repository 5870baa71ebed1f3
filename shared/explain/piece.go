package explain

import (
	"slices"
	"strings"
)

// Piece names a piece of evidence.
type Piece string

// The pieces, one for each field of [Evidence].
const (
	PieceUser             Piece = "user"
	PieceDomain           Piece = "domain"
	PieceLedger           Piece = "ledger"
	PieceDevices          Piece = "registeredDevices"
	PieceFederation       Piece = "federationConfiguration"
	PiecePolicies         Piece = "conditionalAccessPolicies"
	PieceSecurityDefaults Piece = "securityDefaults"
	PiecePerUserMFA       Piece = "perUserMfaState"
	PieceSignIns          Piece = "signIns"
	PieceRiskState        Piece = "riskState"
)

// A source is where a piece comes from.
type source struct {
	piece Piece
	name  Text
	// grant is the least permission that reads it, by
	// https://learn.microsoft.com/graph/permissions-reference; "" for what is no matter of Graph's.
	grant string
	// licence is what the tenant must have.
	licence string
	// spare: the search is complete without it, or without the licence.
	spare, spareUnlicensed bool
}

var sources = []source{
	{piece: PieceUser, name: Text{"User account", "ユーザー アカウント"}, grant: "User.Read.All"},
	{piece: PieceDomain, name: Text{"Domain", "ドメイン"}, grant: "Domain.Read.All"},
	{piece: PieceLedger, name: Text{"sessionstamp's record", "sessionstamp の記録"}, spare: true},
	{piece: PieceDevices, name: Text{"Registered devices", "登録済みデバイス"}, grant: "User.Read.All"},
	{piece: PieceFederation, name: Text{"Federation settings of the domain", "ドメインのフェデレーション設定"}, grant: "Domain-InternalFederation.Read.All"},
	{piece: PiecePolicies, name: Text{"Conditional Access policies", "条件付きアクセス ポリシー"}, grant: "Policy.Read.ConditionalAccess", licence: "Microsoft Entra ID P1", spareUnlicensed: true},
	{piece: PieceSecurityDefaults, name: Text{"Security defaults", "セキュリティの既定値群"}, grant: "Policy.Read.All"},
	{piece: PiecePerUserMFA, name: Text{"Per-user MFA", "ユーザーごとの MFA"}, grant: "Policy.Read.All"},
	{piece: PieceSignIns, name: Text{"Sign-in log", "サインイン ログ"}, grant: "AuditLog.Read.All", licence: "Microsoft Entra ID P1"},
	{piece: PieceRiskState, name: Text{"User risk", "ユーザー リスク"}, grant: "IdentityRiskyUser.Read.All", licence: "Microsoft Entra ID P2", spareUnlicensed: true},
}

// answers are the pieces of the evidence, by name.
func (e Evidence) answers() map[Piece]interface{ missing() (Gap, bool) } {
	return map[Piece]interface{ missing() (Gap, bool) }{
		PieceUser:             e.User,
		PieceDomain:           e.Domain,
		PieceLedger:           e.Ledger,
		PieceDevices:          e.Devices,
		PieceFederation:       e.Federation,
		PiecePolicies:         e.Policies,
		PieceSecurityDefaults: e.SecurityDefaults,
		PiecePerUserMFA:       e.PerUserMFA,
		PieceSignIns:          e.SignIns,
		PieceRiskState:        e.RiskState,
	}
}

// A Blank is a piece of evidence that was not asked for.
type Blank struct {
	Piece Piece
	Gap   Gap
	// Name is what people call the piece, Grant the least permission that reads it, and
	// Licence what the tenant must have, each "" if there is none.
	Name           Text
	Grant, Licence string
}

// NotLookedAt returns the pieces that were not asked for, in the order of the fields of
// [Evidence]. A managed domain has no federation settings to ask for.
func NotLookedAt(e Evidence) []Blank {
	var blanks []Blank
	domain, known := e.Domain.Get()
	answers := e.answers()
	for _, s := range sources {
		gap, missing := answers[s.piece].missing()
		if !missing || s.piece == PieceFederation && known && !domain.Federated {
			continue
		}
		blanks = append(blanks, Blank{s.piece, gap, s.name, s.grant, s.licence})
	}
	return blanks
}

// Name is what people call the piece.
func (p Piece) Name() Text { return sourceOf(p).name }

// sourceOf returns where a piece comes from.
func sourceOf(p Piece) source {
	i := slices.IndexFunc(sources, func(s source) bool { return s.piece == p })
	return sources[i]
}

// names lists pieces.
func names(pieces []Piece) param {
	var english, japanese, codes []string
	for _, p := range pieces {
		codes = append(codes, string(p))
		english = append(english, sourceOf(p).name.English)
		japanese = append(japanese, sourceOf(p).name.Japanese)
	}
	return param{Text{strings.Join(english, ", "), strings.Join(japanese, "、")}, strings.Join(codes, " ")}
}

// lacking returns the pieces without which the search is not complete. A user whose
// stamp Graph has left out is as good as not read.
func lacking(e Evidence) (pieces []Piece) {
	if u, asked := e.User.Get(); asked && !u.StampKnown {
		pieces = append(pieces, PieceUser)
	}
	for _, b := range NotLookedAt(e) {
		s := sourceOf(b.Piece)
		if !s.spare && (!s.spareUnlicensed || b.Gap.Reason != NoLicence) {
			pieces = append(pieces, b.Piece)
		}
	}
	return pieces
}
