package directory

// Property is a property of Graph's user resource by which a user can be looked for.
type Property string

// The properties, in Graph's words. PropertyID and PropertyUPN are keys: at most one user
// answers to one.
const (
	PropertyID                 Property = "id"
	PropertyUPN                Property = "userPrincipalName"
	PropertyProxyAddresses     Property = "proxyAddresses"
	PropertyMail               Property = "mail"
	PropertyImmutableID        Property = "onPremisesImmutableId"
	PropertySAMAccountName     Property = "onPremisesSamAccountName"
	PropertySecurityIdentifier Property = "onPremisesSecurityIdentifier"
)

// A Question asks who has a value in a property.
type Question struct {
	Property Property
	// Value must never reach a log or a metric. Of PropertyProxyAddresses it is an
	// address without its prefix.
	Value string
}

// String tells the property only.
func (q Question) String() string { return string(q.Property) }

// GoString tells the property only.
func (q Question) GoString() string { return string(q.Property) }

// Found is the answer to one Question.
type Found struct {
	// Users are nobody, the one, or the first of several, which are two at least. Neither
	// Created nor the stamp is known of them.
	Users []User
	// Err is of type [*Error]. Then Users say nothing.
	Err error
}
