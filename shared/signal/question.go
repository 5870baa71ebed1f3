package signal

import "github.com/sessionstamp/sessionstamp/shared/directory"

// properties are where a subject of each format is looked for. An address is a principal
// name before it is one of a mailbox: that is what people sign in with. An opaque id is an
// immutable id where the provider has written it there, and nothing else in the directory.
var properties = map[Format][]directory.Property{
	UPN:                {directory.PropertyUPN, directory.PropertyProxyAddresses, directory.PropertyMail},
	Email:              {directory.PropertyUPN, directory.PropertyProxyAddresses, directory.PropertyMail},
	ObjectID:           {directory.PropertyID},
	ImmutableID:        {directory.PropertyImmutableID},
	Opaque:             {directory.PropertyImmutableID},
	SAMAccountName:     {directory.PropertySAMAccountName},
	SecurityIdentifier: {directory.PropertySecurityIdentifier},
}

// Questions are what the directory is asked about a subject, one after the other until
// one of them has an answer: the users whom [Resolve] judges. Nobody has none.
func (s Subject) Questions() (questions []directory.Question) {
	for _, p := range properties[s.Format] {
		questions = append(questions, directory.Question{Property: p, Value: s.Value})
	}
	return questions
}
