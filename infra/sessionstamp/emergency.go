package main

import (
	"strings"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/job"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/language"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/screen"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/setup"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// emergencies are the users who look like emergency access accounts. To sign one of them out
// is harmless only if somebody means it.
func emergencies(users []directory.User) (found []directory.User) {
	for _, u := range users {
		if setup.IsEmergency(u) {
			found = append(found, u)
		}
	}
	return found
}

// emergencies are those who would be signed out. Whoever is named one by one is meant, and of
// an order that goes on a person was told before.
func (m mission) emergencies() []directory.User {
	if len(m.whom.names) > 0 || m.goOn {
		return nil
	}
	due := make([]directory.User, 0, m.due())
	for _, u := range m.plan.Users {
		if u.Class == job.Due && len(due) < m.due() {
			due = append(due, u.User)
		}
	}
	return emergencies(due)
}

// withoutThem are the flags that leave users out.
func withoutThem(users []directory.User) string {
	var said strings.Builder
	for _, u := range users {
		said.WriteString(" --exclude " + argument(u.UserPrincipalName))
	}
	return said.String()
}

// emergencyLines warn of users who look like emergency access accounts.
func (c *call) emergencyLines(users []directory.User) (lines []line) {
	const most = 3
	for i, u := range users {
		if i == most {
			lines = append(lines, line{text: "! " + c.say("order.emergency_more", language.Number(len(users)-most)), colour: screen.Notice, hang: 2})
			break
		}
		lines = append(lines, line{text: "! " + c.say("order.emergency", u.UserPrincipalName), colour: screen.Notice, hang: 2})
	}
	return lines
}
