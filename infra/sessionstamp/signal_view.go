package main

import (
	"strconv"
	"strings"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/signal"
	"github.com/sessionstamp/sessionstamp/shared/signal/stream"
)

// shownSource is the JSON of signal add and signal rotate, with the secret: who asks for JSON
// wants to hand it on. Streams are told theirs by us, so there it is left out.
type shownSource struct {
	Stack string `json:"stack"`
	Mode  string `json:"mode"`
	listedSource

	Secret string `json:"secret,omitempty"`
}

// streamProblems are sentences about a transmitter: who, and what was tried.
var streamProblems = map[stream.Problem]language.Key{
	stream.NoAnswer: "stream.no_answer", stream.NotSecure: "stream.not_secure", stream.NoMetadata: "stream.no_metadata",
	stream.OtherIssuer: "stream.other_issuer", stream.NoPush: "stream.no_push",
	stream.NoToken: "stream.no_token", stream.NotAllowed: "stream.not_allowed",
	stream.Unavailable: "stream.unavailable", stream.NotAccepted: "stream.not_accepted", stream.Occupied: "stream.occupied",
	stream.Unreadable: "stream.unreadable", stream.NotEnabled: "stream.not_enabled", stream.NoCredential: "stream.no_credential",
	stream.NotDelivered: "stream.not_delivered",
}

// preparation says what must be set at the provider before a stream can be made there.
func (c *call) preparation(a addition, s *stack.Stack) []line {
	lines := []line{{text: c.say("signal.prepare", a.issuer), colour: screen.Strong}}
	if a.sender == "keycloak" {
		return append(lines, steps(c.say("signal.steps_keycloak"), s.SignalURL()+"*")...)
	}
	return append(lines, steps(c.say("signal.steps_stream"), s.SignalURL()+"…")...)
}

// steps are lines. Where one is to be followed by what is copied, it ends with {1} and so on;
// such a value has a line of its own, which stays whole.
func steps(text string, values ...string) (lines []line) {
	for one := range strings.SplitSeq(text, "\n") {
		before, mark, copied := strings.Cut(one, "{")
		if before = strings.TrimSpace(before); before != "" {
			lines = append(lines, line{text: before, hang: 3})
		}
		if i, err := strconv.Atoi(strings.TrimSuffix(mark, "}")); copied && err == nil && i <= len(values) {
			lines = append(lines, line{text: values[i-1], whole: true})
		}
	}
	return lines
}

// addedView says that the source is there, and what is left to do at the provider.
func (c *call) addedView(a addition, added source, credential signal.Credential, refused error) view {
	v := view{object: c.shown(added, credential.Secrets[0]), next: []hint{
		{a.on("test", added.Name), "hint.signal_test"}, {"doctor" + a.given(), "hint.signal_doctor"}, {"signal list" + a.given(), "hint.signal_list"},
	}}
	v.before = append(v.before, marked("✓ "+c.say("signal.added", added.Name, c.and(added.Domains)), screen.Good))
	v.before = append(v.before, c.modeLine(added.stack))
	switch {
	case a.sender == "ad":
		v.before = append(v.before, steps(c.say("signal.steps_ad"), installSender+added.url(), credential.Secrets[0])...)
	case added.Kind != signal.KindSSF:
		v.before = append(v.before, c.pasted(added, credential.Secrets[0])...)
	case refused != nil:
		v.before = append(v.before, c.streamRefused(added, refused)...)
	default:
		v.before = append(v.before, c.streamLines(added)...)
	}
	return v
}

// installSender is how infra/senders/Send-PasswordSignal.ps1 is called, before the address.
const installSender = `powershell -ExecutionPolicy Bypass -File .\Send-PasswordSignal.ps1 -Install -Url `

// modeLine says whether the source acts, or only tells.
func (c *call) modeLine(s *stack.Stack) line {
	if enforces(s) {
		return marked("! "+c.say("signal.enforces"), screen.Notice)
	}
	return line{text: c.say("signal.reports")}
}

// streamRefused says why the transmitter does not do what we want, and who asks again.
func (c *call) streamRefused(s source, refused error) []line {
	c.status = wrong
	return []line{marked("✗ "+c.streamTrouble(s.Stream.Issuer, refused), screen.Wrong), {text: c.say("signal.keeper_goes_on")}}
}

// streamLines say how the stream is that was just made.
func (c *call) streamLines(s source) []line {
	lines := []line{marked("✓ "+c.say("signal.stream_made", s.Stream.Issuer, s.Stream.Status), screen.Good)}
	if s.Stream.Subjects == "NONE" {
		lines = append(lines, marked("! "+c.say("signal.no_subjects"), screen.Notice))
	}
	return lines
}

// pasted is what is to be entered at the provider, in the words of its console
// (https://help.okta.com/en-us/Content/Topics/automation-hooks/add-event-hooks.htm).
func (c *call) pasted(s source, secret string) []line {
	if s.Kind == signal.KindOkta {
		return steps(c.say("signal.steps_okta", strings.Join(signal.OktaEvents(), ", ")), s.url(), secret)
	}
	return steps(c.say("signal.steps_script"), "SESSIONSTAMP_URL="+s.url(), "SESSIONSTAMP_SECRET="+secret)
}

func (c *call) shown(s source, secret string) shownSource {
	if s.Kind == signal.KindSSF {
		secret = ""
	}
	return shownSource{Stack: s.stack.Name, Mode: string(s.stack.SignalMode()), listedSource: c.described(s), Secret: secret}
}
