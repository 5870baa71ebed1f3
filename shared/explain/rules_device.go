package explain

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// staleAfter is how long a device may be unseen and still keep a user signed in: the
// default rolling window of Entra's tokens. Entra writes the time every 14 days or so:
// https://learn.microsoft.com/entra/identity/devices/manage-stale-devices
const staleAfter = 90 * 24 * time.Hour

// usable are the devices that are neither disabled nor stale.
func (m *matter) usable(devices []Device) (usable []Device) {
	for _, d := range devices {
		if !d.Disabled && (d.LastSignIn.IsZero() || m.Now.Sub(d.LastSignIn) < staleAfter) {
			usable = append(usable, d)
		}
	}
	return usable
}

// promptLogin guesses that an app sends prompt=login from how often it asks: the log does
// not hold it. What Entra makes of it by default goes to the provider as a fresh sign-in:
// https://learn.microsoft.com/windows-server/identity/ad-fs/operations/ad-fs-prompt-login
func promptLogin(m *matter) []hit {
	f, asked := m.Federation.Get()
	fresh := f.PromptLoginBehavior == "" || strings.EqualFold(f.PromptLoginBehavior, "translateToFreshPasswordAuthentication")
	app, often := m.oftenAsked()
	if !asked || !fresh || !often {
		return nil
	}
	return []hit{{
		confidence: Low, because: []Piece{PieceFederation, PieceSignIns},
		params: params{"app": {same(cmp.Or(app.AppDisplayName, app.AppID)).or(phrases["no name"]), app.AppID}},
	}}
}

// oftenAsked returns an app to which one device has signed in three times within less
// time than any token lives.
func (m *matter) oftenAsked() (event, bool) {
	type pair struct{ app, device string }
	times := make(map[pair][]time.Time) // the latest first
	for _, e := range m.events {
		if e.failed() {
			continue
		}
		key := pair{e.AppID, cmp.Or(e.DeviceID, e.UserAgent)}
		times[key] = append(times[key], e.Created)
		if n := len(times[key]); n > sameGaps && times[key][n-1-sameGaps].Sub(e.Created) < leastGap {
			return e, true
		}
	}
	return event{}, false
}

// noDevice: without a device of the user's there is no primary refresh token.
// https://learn.microsoft.com/entra/identity/devices/concept-primary-refresh-token
func noDevice(m *matter) []hit {
	devices, asked := m.Devices.Get()
	desktop := m.matching(func(e event) bool {
		return strings.EqualFold(e.ClientAppUsed, "Mobile Apps and Desktop clients")
	})
	if !asked || len(m.usable(devices)) > 0 || len(desktop) == 0 {
		return nil
	}
	h := hit{confidence: Medium, because: []Piece{PieceDevices, PieceSignIns}}
	if len(devices) > 0 {
		h.variant = "stale"
	}
	return []hit{h}
}

func registeredOnly(m *matter) []hit {
	devices, _ := m.Devices.Get()
	usable := m.usable(devices)
	joined := slices.ContainsFunc(usable, func(d Device) bool { return !strings.EqualFold(d.TrustType, "Workplace") })
	if len(usable) == 0 || joined {
		return nil
	}
	return one(Info, PieceDevices)
}

func deviceRefused(m *matter) []hit { return seen(High, "", m.failures(classDevice)) }

func blocked(m *matter) []hit { return seen(Certain, "", m.failures(classBlocked)) }

func risky(m *matter) []hit {
	state, _ := m.RiskState.Get()
	if strings.EqualFold(state, "atRisk") || strings.EqualFold(state, "confirmedCompromised") {
		return one(High, PieceRiskState)
	}
	return seen(High, "code", m.failures(classRisk))
}

// passwordChanged is for sessions that ended once. X13 has said so already where the
// stamp is of the last day.
func passwordChanged(m *matter) []hit {
	if m.has("X13") {
		return nil
	}
	if hits := seen(High, "", m.failures(classPassword)); hits != nil {
		return hits
	}
	u, _ := m.User.Get()
	good := m.matching(func(e event) bool { return !e.failed() })
	changed := u.SignInSessionsValidFrom
	if u.LastPasswordChange.After(changed) {
		changed = u.LastPasswordChange
	}
	if len(good) == 0 || !changed.After(good[0].Created) {
		return nil
	}
	return []hit{{
		confidence: High, variant: "later", because: []Piece{PieceSignIns, PieceUser},
		params: params{"changed": at(changed)},
	}}
}

func signInFailed(m *matter) []hit {
	return slices.Concat(
		seen(High, "account", m.failures(classAccount)),
		seen(High, "seamless", m.failures(classSeamless)),
		seen(High, "federation", m.failures(classFederation)),
	)
}

func consent(m *matter) []hit { return seen(High, "", m.failures(classConsent)) }

// noSession is the code of a silent sign-in for which the browser has no cookie. Some are
// usual.
const (
	noSession    = 50058
	stayPrompted = 50140
	usualADay    = 20
)

func cookiesLost(m *matter) []hit {
	asked := slices.ContainsFunc(m.events, func(e event) bool { return e.ErrorCode == stayPrompted })
	silent := m.matching(func(e event) bool {
		return e.ErrorCode == noSession && strings.EqualFold(e.ClientAppUsed, "Browser")
	})
	if asked {
		return nil
	}
	for i := usualADay; i < len(silent); i++ {
		if silent[i-usualADay].Created.Sub(silent[i].Created) < 24*time.Hour {
			return seen(Low, "", silent)
		}
	}
	return nil
}
