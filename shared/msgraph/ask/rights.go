package ask

import (
	"errors"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// The calls of this package, in Graph's words.
const (
	opGetUser          = "getUser"
	opGetGroup         = "getGroup"
	opFindUser         = "findUser"
	opFindGroup        = "findGroup"
	opMembers          = "listTransitiveMembers"
	opNames            = "getByIds"
	opMe               = "getMe"
	opOrganization     = "getOrganization"
	opDevices          = "listRegisteredDevices"
	opFederation       = "listFederationConfiguration"
	opEvaluate         = "evaluate"
	opSecurityDefaults = "getIdentitySecurityDefaultsEnforcementPolicy"
	opRequirements     = "getAuthenticationRequirements"
	opSignIns          = "listSignIns"
	opRiskyUser        = "getRiskyUser"

	opGetApp          = "getApplication"
	opUpsertApp       = "upsertApplication"
	opUpdateApp       = "updateApplication"
	opDeleteApp       = "deleteApplication"
	opPurgeApp        = "deleteDeletedItem"
	opListDeleted     = "listDeletedItems"
	opGetPrincipal    = "getServicePrincipal"
	opUpsertPrincipal = "upsertServicePrincipal"
	opAssignments     = "listAppRoleAssignments" //nolint:gosec // a name, and no secret
	opGrant           = "grantAppRole"
	opWithdraw        = "withdrawAppRole"
	opListFederated   = "listFederatedIdentityCredentials"
	opTrust           = "upsertFederatedIdentityCredential"
	opDistrust        = "deleteFederatedIdentityCredential"
	opAddPassword     = "addPassword"
	opRemovePassword  = "removePassword"
	opListOwners      = "listOwners"
	opDisown          = "deleteOwner"
)

// rights are the least delegated permissions that Microsoft documents for the calls of a
// [Client], of those whose errors are returned. For evidence package explain has them.
var rights = map[string]string{
	opGetUser:              "User.Read.All",
	opFindUser:             "User.Read.All",
	"listUsers":            "User.Read.All",
	"usersDelta":           "User.Read.All",
	"listDomains":          "Domain.Read.All",
	opGetGroup:             "GroupMember.Read.All",
	opFindGroup:            "GroupMember.Read.All",
	opMembers:              "GroupMember.Read.All",
	"checkMemberGroups":    "GroupMember.Read.All",
	"revokeSignInSessions": "User.RevokeSessions.All",
	opNames:                "Directory.Read.All",
	opMe:                   "User.Read",
	opOrganization:         "User.Read.All",

	opGetApp: ReadApps, opGetPrincipal: ReadApps, opAssignments: ReadApps, opListFederated: ReadApps, opListDeleted: ReadApps, opListOwners: ReadApps,
	opUpsertApp: ManageApps, opUpdateApp: ManageApps, opDeleteApp: ManageApps, opPurgeApp: ManageApps,
	opUpsertPrincipal: ManageApps, opDisown: ManageApps,
	opTrust: ManageApps, opDistrust: ManageApps, opAddPassword: ManageApps, opRemovePassword: ManageApps,
	opGrant: ManageRoles, opWithdraw: ManageRoles,
}

// MissingRight returns the least delegated permission of a call that Graph has refused for
// the lack of a right, such as "User.Read.All", and "" for any other error. Who has the
// permission lacks a role in the directory. A call that is evidence returns no error: package
// explain tells of every gap what to grant.
func MissingRight(err error) string {
	e, ok := errors.AsType[*directory.Error](err)
	if !ok || !e.Forbidden() || errors.Is(err, directory.ErrNoLicence) {
		return ""
	}
	return rights[e.Operation]
}
