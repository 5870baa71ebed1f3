package renew

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/setup"
	"github.com/sessionstamp/sessionstamp/shared/aws/account"
)

const (
	day = 24 * time.Hour
	// minimum is how long a credential of an earlier run must still be good to be used.
	minimum = 30 * day
	// skew is how far the clocks of this machine and of Entra may differ.
	skew = 5 * time.Minute
	// keyBits is the size that Entra's own examples have
	// (https://learn.microsoft.com/entra/identity-platform/howto-create-self-signed-certificate).
	keyBits = 2048
)

// A Deployment is whose credential is renewed.
type Deployment struct {
	setup.Deployment
	// ClientID is the app's, SecretARN that of the secret which holds the credential.
	ClientID, SecretARN string
	// Certificate tells a certificate from a client secret.
	Certificate bool
	// Days is how long a new credential is good.
	Days int
	// Now is the clock.
	Now func() time.Time
}

// End is until when a credential is good that is made now.
func (d Deployment) End() time.Time { return d.Now().Add(time.Duration(d.Days) * day) }

// certificate makes a key and its certificate, which it signs itself. They are in no file.
func (d Deployment) certificate(name string) (account.Stored, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return account.Stored{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return account.Stored{}, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "sessionstamp"},
		NotBefore: d.Now().Add(-skew), NotAfter: d.End(), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return account.Stored{}, err
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		return account.Stored{}, err
	}
	return account.Stored{Name: name, End: made.NotAfter, Certificate: made, Key: key}, nil
}
