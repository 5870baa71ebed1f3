package explain

import (
	"slices"
	"strconv"
	"strings"
)

// otherCodes are those by which an app or a provider asks again, and no rule of theirs.
func otherCodes(m *matter) []hit { return seen(Medium, "", m.failures(classApp, classOther)) }

// unknownCodes are told as Entra tells them, each once: Microsoft changes codes at will.
func unknownCodes(m *matter) (hits []hit) {
	told := make(map[int]bool)
	for _, e := range m.failures(classUnknown) {
		if told[e.ErrorCode] {
			continue
		}
		told[e.ErrorCode] = true
		hits = append(hits, hit{
			confidence: Info, because: []Piece{PieceSignIns}, link: lookUpPage(e.ErrorCode),
			params: params{
				"code":   plain(strconv.Itoa(e.ErrorCode)),
				"reason": {Text: same(strings.TrimSuffix(clean(e.FailureReason), ".")).or(phrases["no reason"])},
				"page":   {Text: same(lookUpPage(e.ErrorCode))},
			},
		})
	}
	return hits
}

// remainingCodes are known, tell little by themselves, and no finding has named them.
func remainingCodes(m *matter) []hit {
	return seen(Info, "", m.matching(func(e event) bool {
		switch e.code.class {
		case classMFA:
			return !m.has("X33")
		case classRevoked, classPassword:
			return !m.has("X13", "X51")
		case classInactive:
			_, told := e.inactiveFor()
			return !told
		case classDisabled:
			return true
		default:
			return false
		}
	}))
}

// caused tells whether anything found explains a prompt.
func (m *matter) caused() bool {
	return slices.ContainsFunc(m.found, func(f Finding) bool { return f.Cause })
}

// nothingSeen is for a search that found nothing where something was not looked at.
func nothingSeen(m *matter) []hit {
	blank := lacking(m.Evidence)
	if m.caused() || len(blank) == 0 {
		return nil
	}
	h := hit{confidence: Info, params: params{"pieces": names(blank)}}
	switch {
	case !slices.Contains(blank, PieceSignIns):
		h.variant = "other"
	case len(blank) > 1:
		h.variant = "more"
	}
	return []hit{h}
}

func nothingLeft(m *matter) []hit {
	if m.caused() || len(lacking(m.Evidence)) > 0 {
		return nil
	}
	return []hit{{confidence: Info}}
}
