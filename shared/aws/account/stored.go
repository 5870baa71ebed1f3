package account

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// Stored is a credential of the app as it is stored: what [secrets.ClientSecret] or
// [secrets.Certificate] read, and its name.
type Stored struct {
	// Name is the displayName that the credential has at the app, where sessionstamp made it.
	// Else it is empty.
	Name string
	// End is until when the credential is good, zero where that is not stored.
	End time.Time
	// ClientSecret is empty for a certificate.
	ClientSecret directory.Secret
	// Certificate and Key are nil for a client secret.
	Certificate *x509.Certificate
	Key         *rsa.PrivateKey
}

// names is what [Stored.Text] writes beside that which the functions read.
type names struct {
	Name string `json:"name"`
}

// ParseStored reads the text of a secret, in any form that the functions take. Its errors do
// not quote the text.
func ParseStored(text directory.Secret) (Stored, error) {
	var named names
	_ = json.Unmarshal([]byte(strings.TrimPrefix(text.Reveal(), "\ufeff")), &named) // what is wrong is found below
	if secret, err := secrets.ParseClientSecret(text.Reveal()); err == nil {
		return Stored{Name: named.Name, End: secret.Expires, ClientSecret: secret.Text}, nil
	}
	pair, err := secrets.ParseKeyPair(text.Reveal())
	if err != nil {
		return Stored{}, err
	}
	return Stored{Name: named.Name, End: pair.Certificate.NotAfter, Certificate: pair.Certificate, Key: pair.Key}, nil
}

// Text is the text to be stored, which [ParseStored] and the functions read.
func (s Stored) Text() (directory.Secret, error) {
	fields := map[string]string{"name": s.Name}
	if s.Certificate == nil {
		fields["clientSecret"], fields["expires"] = s.ClientSecret.Reveal(), s.End.UTC().Format(time.RFC3339)
	} else {
		key, err := x509.MarshalPKCS8PrivateKey(s.Key)
		if err != nil {
			return directory.Secret{}, err
		}
		fields["certificate"] = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate.Raw}))
		fields["privateKey"] = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	}
	text, err := json.Marshal(fields)
	return directory.NewSecret(string(text)), err
}
