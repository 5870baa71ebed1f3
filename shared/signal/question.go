package signal

import "github.com/sessionstamp/sessionstamp/shared/directory"

// Questions are what the directory is asked about a subject, one after the other until
// one of them has an answer: the users whom [Resolve] judges. Nobody has none.
//
// An address is a principal name before it is one of a mailbox: that is what people sign
// in with. An opaque id is an immutable id where the provider has written it there, and
// nothing else in the directory.
func (s Subject) Questions() []directory.Question {
	var properties []directory.Property
	switch s.Format {
	case UPN, Email:
		properties = []directory.Property{directory.PropertyUPN, directory.PropertyProxyAddresses, directory.PropertyMail}
	case ObjectID:
		properties = []directory.Property{directory.PropertyID}
	case ImmutableID, Opaque:
		properties = []directory.Property{directory.PropertyImmutableID}
	case SAMAccountName:
		properties = []directory.Property{directory.PropertySAMAccountName}
	case SecurityIdentifier:
		properties = []directory.Property{directory.PropertySecurityIdentifier}
	}
	questions := make([]directory.Question, len(properties))
	for i, p := range properties {
		questions[i] = directory.Question{Property: p, Value: s.Value}
	}
	return questions
}
