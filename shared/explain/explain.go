// Package explain answers why one user is asked to sign in again and again. It decides by
// what somebody else has read from Microsoft Graph, and says what could not be read; it
// links no SDK and calls nothing.
//
// The rules are tried in the order of their ids. They follow what Microsoft documents of
// [session lifetimes], [reauthentication prompts], sign-in [error codes], and of
// [federated users who must sign in frequently]. None has been proven against a tenant.
//
// [session lifetimes]: https://learn.microsoft.com/entra/identity/conditional-access/concept-session-lifetime
// [reauthentication prompts]: https://learn.microsoft.com/entra/identity/authentication/concepts-azure-multi-factor-authentication-prompts-session-lifetime
// [error codes]: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
// [federated users who must sign in frequently]: https://support.microsoft.com/help/4025960
package explain

import "slices"

// Confidence is how sure a finding is.
type Confidence string

// The degrees. Certain rests on what was read alone; Info explains no prompt by itself.
const (
	Certain Confidence = "certain"
	High    Confidence = "high"
	Medium  Confidence = "medium"
	Low     Confidence = "low"
	Info    Confidence = "info"
)

// A Finding is one answer. It never holds a user principal name or an object id: whoever
// shows it has just been told of whom it speaks.
type Finding struct {
	// ID is that of the rule, such as "X10"; it stays the same from release to release.
	ID string
	// Confidence tells how sure it is. Cause is false for what is only good to know.
	Confidence Confidence
	Cause      bool
	// Because are the pieces of evidence on which it rests; all of them were asked for.
	Because []Piece
	// TellUser is for the person who is asked to sign in; empty: nothing to tell.
	// TellAdmin is for the administrator.
	TellUser, TellAdmin Text
	// Params are codes of what the texts were filled with, by name: ids, Graph's own words,
	// reasons of package stamp, and times. None is a user's name.
	Params map[string]string
	// Outlasts tells of a cause that asks every 12 hours or more often, stamp or not: a
	// stamp alone does not help.
	Outlasts bool
	// Command is what cures it, empty where no command does. [UserName] in it stands for the
	// user.
	Command string
	// Link is the page that tells more, mostly Microsoft's.
	Link string
}

// UserName stands in a [Finding]'s Command where the user's name or object id goes.
const UserName = "USER"

// Explain tries every rule. It is pure: the same evidence gives the same findings, in the
// same order.
func Explain(e Evidence) []Finding {
	m := newMatter(e)
	for _, r := range rules {
		hits := r.try(m)
		for _, h := range hits {
			m.found = append(m.found, r.finding(h))
		}
		if r.stop && len(hits) > 0 {
			break
		}
	}
	return m.found
}

// A rule looks for one cause. One that stops ends the search where it hits; a remark is
// no cause.
type rule struct {
	id           string
	stop, remark bool
	try          func(*matter) []hit
}

// A hit is what a rule has found.
type hit struct {
	confidence Confidence
	because    []Piece
	params     params
	// variant chooses among the texts of the rule: "" or a word.
	variant string
	command string
	link    string // in place of the catalogue's
	// outlasts is the finding's.
	outlasts bool
}

// finding puts a hit into words.
func (r rule) finding(h hit) Finding {
	w := catalogue[r.key(h.variant)]
	link := w.link
	if h.link != "" {
		link = h.link
	}
	return Finding{
		ID: r.id, Confidence: h.confidence, Cause: !r.remark, Because: h.because,
		TellUser: w.user.fill(h.params), TellAdmin: w.admin.fill(h.params),
		Params: h.params.codes(), Outlasts: h.outlasts, Command: h.command, Link: link,
	}
}

// key is where the words of a variant stand in the catalogue.
func (r rule) key(variant string) string {
	if variant == "" {
		return r.id
	}
	return r.id + " " + variant
}

// one is a single hit that rests on the pieces.
func one(c Confidence, because ...Piece) []hit { return []hit{{confidence: c, because: because}} }

// has tells whether one of the rules has hit.
func (m *matter) has(ids ...string) bool {
	return slices.ContainsFunc(m.found, func(f Finding) bool { return slices.Contains(ids, f.ID) })
}

// rules in the order in which they are tried.
var rules = []rule{
	{id: "X01", stop: true, try: notFound},
	{id: "X02", stop: true, try: disabled},
	{id: "X03", stop: true, try: guest},
	{id: "X04", remark: true, try: managed},
	{id: "X10", try: stampEmpty},
	{id: "X10b", try: stampEmptyPasswordSet},
	{id: "X11", try: twelveHours},
	{id: "X12", try: notCured},
	{id: "X13", try: justRevoked},
	{id: "X14", remark: true, try: leftAlone},
	{id: "X15", remark: true, try: justStamped},
	{id: "X20", try: frequency},
	{id: "X21", try: everyTime},
	{id: "X10+X20", try: stampAndPolicy},
	{id: "X22", try: neverPersistent},
	{id: "X23", try: tokenProtection},
	{id: "X24", try: frequencyUnread},
	{id: "X30", try: mfaExpired},
	{id: "X31", remark: true, try: securityDefaults},
	{id: "X32", try: perUserMFA},
	{id: "X33", try: mfaTwice},
	{id: "X34", try: promptLogin},
	{id: "X40", try: noDevice},
	{id: "X41", remark: true, try: registeredOnly},
	{id: "X42", try: deviceRefused},
	{id: "X43", try: blocked},
	{id: "X50", try: risky},
	{id: "X51", try: passwordChanged},
	{id: "X60", try: signInFailed},
	{id: "X61", try: consent},
	{id: "X70", try: cookiesLost},
	{id: "X80", try: otherCodes},
	{id: "X81", remark: true, try: unknownCodes},
	{id: "X82", remark: true, try: remainingCodes},
	{id: "X90", remark: true, try: nothingSeen},
	{id: "X91", remark: true, try: nothingLeft},
}
