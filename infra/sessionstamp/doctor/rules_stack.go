package doctor

import (
	"slices"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

var accountRules = []rule{
	{"credentials_missing", Wrong, AWS, troubleIs(NoCredentials)},
	{"profile_unknown", Wrong, AWS, troubleIs(NoProfile)},
	{"credentials_invalid", Wrong, AWS, troubleIs(InvalidCredentials)},
	{"credentials_expired", Wrong, AWS, troubleIs(ExpiredCredentials)},
	{"region_unknown", Wrong, AWS, troubleIs(NoRegion)},
	{"federation_off", Wrong, AWS, federationOff},
	{"federation_to_come", Note, AWS, federationToCome},
}

func troubleIs(t Trouble) func(matter) []hit {
	return func(m matter) []hit {
		a, asked := m.Account.Get()
		with := ""
		if a.Profile != "" {
			with = ` --profile "` + a.Profile + `"`
		}
		return when(asked && a.Trouble == t, params{"profile": plain(a.Profile), "with": plain(with)})
	}
}

// issuerOff tells whether it is known that outbound federation is off.
func (m matter) issuerOff() bool {
	issuer, asked := m.Issuer.Get()
	return asked && issuer == ""
}

func federationOff(m matter) []hit {
	d, deployed := m.deployed()
	return when(deployed && d.Mode == directory.AuthWebIdentity && m.issuerOff(), nil)
}

// federationToCome is of an account without a stack.
func federationToCome(m matter) []hit {
	d, asked := m.Deployment.Get()
	return when(asked && !d.Found && m.issuerOff(), nil)
}

// The stack's statuses are CloudFormation's:
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
var stackRules = []rule{
	{"stack_missing", Wrong, AWS, func(m matter) []hit {
		d, asked := m.Deployment.Get()
		return when(asked && !d.Found && m.Named, nil)
	}},
	{"not_deployed", Note, AWS, func(m matter) []hit {
		d, asked := m.Deployment.Get()
		return when(asked && !d.Found && !m.Named, nil)
	}},
	{"stack_never_stood", Wrong, AWS, statusIs("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS")},
	{"stack_update_stuck", Wrong, AWS, statusIs("UPDATE_ROLLBACK_FAILED", "UPDATE_FAILED")},
	{"stack_delete_failed", Wrong, AWS, statusIs("DELETE_FAILED")},
	{"stack_update_undone", Warning, AWS, statusIs("UPDATE_ROLLBACK_COMPLETE")},
	{"stack_busy", Note, AWS, stackBusy},
	{"stacks_same_tenant", Wrong, AWS, sameTenant},
	{"app_shared", Warning, Entra, appShared},
}

func statusIs(statuses ...string) func(matter) []hit {
	return func(m matter) []hit {
		d, deployed := m.deployed()
		why := d.Failure
		if why == "" {
			why = d.Status
		}
		return when(deployed && slices.Contains(statuses, d.Status), params{"status": plain(d.Status), "why": plain(why)})
	}
}

func stackBusy(m matter) []hit {
	d, deployed := m.deployed()
	return when(deployed && m.busy(), params{"status": plain(d.Status)})
}

// busy tells whether the stack is being changed: its resources are not as they will be.
func (m matter) busy() bool {
	d, _ := m.deployed()
	return strings.HasSuffix(d.Status, "_IN_PROGRESS") && d.Status != "REVIEW_IN_PROGRESS"
}

// others are the stacks beside the one that is looked at.
func (m matter) others() (others []Deployment) {
	stacks, _ := m.Stacks.Get()
	d, deployed := m.deployed()
	for _, s := range stacks {
		if !deployed || s.Name != d.Name {
			others = append(others, s)
		}
	}
	return others
}

// sameTenant finds stacks that stamp the same users.
func sameTenant(m matter) []hit {
	d, deployed := m.deployed()
	var names []string
	for _, s := range m.others() {
		if deployed && s.Tenant != "" && strings.EqualFold(s.Tenant, d.Tenant) {
			names = append(names, s.Name)
		}
	}
	return when(len(names) > 0, params{"others": list(names)})
}

func appShared(m matter) []hit {
	d, deployed := m.deployed()
	var names []string
	for _, s := range m.others() {
		if deployed && s.shares(d) {
			names = append(names, s.Name)
		}
	}
	return when(len(names) > 0, params{"others": list(names)})
}

// shares tells whether two stacks have an app in common.
func (d Deployment) shares(other Deployment) bool {
	for _, id := range []string{d.Reader, d.Stamper} {
		if id != "" && (id == other.Reader || id == other.Stamper) {
			return true
		}
	}
	return false
}
