package main

import (
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/setup"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// spare leaves those alone who look like emergency access accounts, unless they are named one
// by one: then they are meant.
func (m *mission) spare() {
	if len(m.whom.names) > 0 {
		return
	}
	for i, u := range m.plan.Users {
		if u.Class == job.Due && setup.IsEmergency(u.User) {
			m.plan.Users[i].Class, m.plan.Users[i].Reason = job.Emergency, ""
		}
	}
}

// emergencyLines warn of users who look like emergency access accounts, each in a sentence.
func (c *call) emergencyLines(key language.Key, users []directory.User) (lines []line) {
	const most = 3
	for i, u := range users {
		if i == most {
			lines = append(lines, line{text: "! " + c.say("order.emergency_more", language.Number(len(users)-most)), colour: screen.Notice, hang: 2})
			break
		}
		lines = append(lines, line{text: "! " + c.say(key, u.UserPrincipalName), colour: screen.Notice, hang: 2})
	}
	return lines
}

// spared warn of those who are left alone, and of those who are named and meant.
func (c *call) spared(m mission) []line {
	var spared, meant []directory.User
	for _, u := range m.plan.Users {
		switch {
		case u.Class == job.Emergency:
			spared = append(spared, u.User)
		case u.Class == job.Due && !m.goOn: // of an order that goes on a person was told before
			meant = append(meant, u.User)
		}
	}
	return append(c.emergencyLines("order.left_alone", spared), c.emergencyLines("order.emergency", setup.Emergencies(meant))...)
}
