package setup

import (
	"fmt"
	"slices"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// apps returns the apps of a deployment. A reader looks after subscription and sweep; the
// stamper alone may revoke sessions, unless one app does all.
func (p *Plan) apps(one, groups bool) []App {
	rights := []string{readDomains, readUsers}
	if groups {
		rights = append(rights, readGroups)
	}
	reader := App{
		Parameter: clientID, UniqueName: p.UniqueName("reader"), DisplayName: p.display("reads users"),
		Rights: slices.Clone(rights), Trusts: p.trusts(keeper, sweeper),
	}
	if one {
		reader.DisplayName = p.display("stamps new federated users")
		reader.Rights = append(reader.Rights, revoke)
		reader.Trusts = p.trusts(keeper, sweeper, stamper)
		return []App{reader}
	}
	return []App{reader, {
		Parameter: stamperClientID, UniqueName: p.UniqueName("stamper"), DisplayName: p.display("stamps new federated users"),
		Rights: append(rights, revoke), Trusts: p.trusts(stamper),
	}}
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
