package setup

import (
	"fmt"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// apps returns the apps of a deployment. A reader looks after subscription and sweep; the
// stamper alone may revoke sessions, unless one app does all. What providers report is
// resolved as the reader.
func (p *Plan) apps(one, groups, signals bool) []App {
	reader := App{
		Parameter: clientID, UniqueName: p.UniqueName("reader"), DisplayName: p.display("reads users"),
		Rights: Rights(groups, one), Trusts: p.trusts(keeper, sweeper),
	}
	if signals {
		reader.Trusts = p.trusts(keeper, sweeper, resolver)
	}
	if one {
		reader.DisplayName = p.display("stamps new federated users")
		reader.Trusts = append(reader.Trusts, p.trusts(stamper)...)
		return []App{reader}
	}
	return []App{reader, {
		Parameter: stamperClientID, UniqueName: p.UniqueName("stamper"), DisplayName: p.display("stamps new federated users"),
		Rights: Rights(groups, true), Trusts: p.trusts(stamper),
	}}
}

// Rights are the permissions of Graph that an app needs: that of a deployment which excludes
// groups, and that which stamps.
func Rights(groups, stamps bool) []string {
	rights := []string{readDomains, readUsers}
	if groups {
		rights = append(rights, readGroups)
	}
	if stamps {
		rights = append(rights, revoke)
	}
	return rights
}

// display is the name of an app that does something: it stands in the audit log beside each
// stamp.
func (p *Plan) display(does string) string {
	if p.Stack == "sessionstamp" {
		return fmt.Sprintf("sessionstamp (%s)", does)
	}
	return fmt.Sprintf("sessionstamp (%s, %s)", does, p.Stack)
}

// trusts are federated credentials but for the issuer, which may not be known yet. An app
// that signs in by a client secret trusts nobody.
func (p *Plan) trusts(functions ...string) (trusts []directory.FederatedCredential) {
	if p.Mode != directory.AuthWebIdentity {
		return nil
	}
	for _, f := range functions {
		trusts = append(trusts, directory.FederatedCredential{
			Name: p.Stack + "-" + f, Issuer: p.Issuer, Subject: p.Role(f), Audience: p.Audience,
		})
	}
	return trusts
}
