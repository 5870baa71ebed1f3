package main

import (
	"strconv"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/shared/aws/stack"
	"github.com/sessionstamp/sessionstamp/shared/stamp"
)

// stateOfStack is the JSON of status.
type stateOfStack struct {
	Works   bool           `json:"works"`
	Stack   statedStack    `json:"stack"`
	Matters []statedMatter `json:"matters"`
	// The three that should be zero, over seven days.
	Missed    int `json:"missed"`
	Attention int `json:"needsAttention"`
	Forged    int `json:"forged"`

	SubscriptionUntil string        `json:"subscriptionUntil,omitempty"`
	LastSweep         string        `json:"lastSweep,omitempty"`
	Members           int           `json:"members"`
	Unstamped         int           `json:"unstamped"`
	Existing          int           `json:"existing"`
	Stamped           int           `json:"stamped24h"`
	Limit             int           `json:"limit24h"`
	BrakeReached      string        `json:"brakeReached,omitempty"`
	Paused            string        `json:"paused,omitempty"`
	Visible           int           `json:"queueVisible"`
	Hidden            int           `json:"queueInFlight"`
	Delayed           int           `json:"queueDelayed"`
	DeadLetters       int           `json:"deadLetters"`
	Alarms            []statedAlarm `json:"alarms"`
	// Signals is there where a provider reports something, or is to.
	Signals *statedSignals `json:"signals,omitempty"`
}

type statedSignals struct {
	Mode         stack.SignalMode `json:"mode"`
	Sources      int              `json:"sources"`
	Silent       int              `json:"silent"`
	LastHeard    string           `json:"lastHeard,omitempty"`
	Stamped      int              `json:"stamped24h"`
	Reported     int              `json:"reported24h"`
	Excluded     int              `json:"excluded24h"`
	BrakeReached string           `json:"brakeReached,omitempty"`
}

type statedStack struct {
	Name    string `json:"name"`
	Account string `json:"account"`
	Region  string `json:"region"`
	Tenant  string `json:"tenant"`
	Version string `json:"version,omitempty"`
	Status  string `json:"status"`
	Created string `json:"created"`
	Updated string `json:"updated,omitempty"`
}

type statedMatter struct {
	Code  string `json:"code"`
	Wrong bool   `json:"wrong"`
	Text  string `json:"text"`
}

type statedAlarm struct {
	Name  string `json:"name"`
	State string `json:"state"`
	Since string `json:"since"`
}

func (c *call) statusObject(s condition, matters []matter) stateOfStack {
	english := *c
	english.lang = language.English
	counts := s.Sweep.Counts
	o := stateOfStack{
		Works: s.Serves(), Matters: []statedMatter{}, Alarms: []statedAlarm{},
		Stack: statedStack{
			s.Name, s.Account().ID, s.Account().Region, s.Tenant(), s.Version, s.Status, moment(s.Created), moment(s.Updated),
		},
		Missed: int(s.sums[missed]), Attention: int(s.sums[attention]), Forged: int(s.sums[forged]),
		SubscriptionUntil: moment(s.Keeper.Expires), LastSweep: moment(s.swept),
		Members: counts.Members, Unstamped: counts.Unstamped, Existing: counts.Existing,
		Stamped: s.Brake.Taken(s.now), Limit: s.Limit, BrakeReached: moment(s.Brake.Reached), Paused: moment(s.Brake.Paused),
		Visible: s.requests.Visible, Hidden: s.requests.Hidden, Delayed: s.requests.Delayed, DeadLetters: s.dead.Sum(),
	}
	if n := len(s.Signals.Sources); n > 0 {
		b := s.Brake.Signals
		o.Signals = &statedSignals{
			s.SignalMode(), n, s.silent(), moment(s.heard()), b.Taken(s.now),
			countEnded(s.ended, stamp.ReasonReported), countEnded(s.ended, stamp.ReasonExcluded), moment(b.Reached),
		}
	}
	for _, m := range matters {
		o.Works = o.Works && !m.wrong
		o.Matters = append(o.Matters, statedMatter{string(m.key), m.wrong, english.matterText(m)})
	}
	for _, a := range s.alarms {
		o.Alarms = append(o.Alarms, statedAlarm{a.Name, a.State, moment(a.Since)})
	}
	return o
}

// statusSheet has a line for each matter, and one for the stack.
func statusSheet(s condition, matters []matter) screen.Table {
	sheet := screen.Table{
		Columns: []screen.Column{{Title: "stack"}, {Title: "code"}, {Title: "wrong"}},
		Rows:    [][]string{{s.Name, s.Status, strconv.FormatBool(!s.Serves())}},
	}
	for _, m := range matters {
		sheet.Rows = append(sheet.Rows, []string{s.Name, string(m.key), strconv.FormatBool(m.wrong)})
	}
	return sheet
}
