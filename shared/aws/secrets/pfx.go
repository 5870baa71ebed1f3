package secrets

import (
	"crypto/x509"
	"encoding/base64"
	"errors"

	"software.sslmate.com/src/go-pkcs12"
)

// What is wrong with a PFX. The texts of the library are not passed on.
var (
	errPFXText       = errors.New("it is not base64")
	errPFXPassword   = errors.New("the password beside it does not open it")
	errPFXEncryption = errors.New("it is encrypted in a way that is not known here: export it again, with AES-256")
	errPFXNoMAC      = errors.New("nothing in it proves its password (it has no MAC): export it again, with a password")
	errPFX           = errors.New("it is no PFX, or a damaged one: export the certificate and its key again")
)

// parsePFX opens a PFX in all the ways of encryption that Windows, OpenSSL and Key Vault
// have written PFX files in.
func parsePFX(text, password string) (*finds, error) {
	pfx, err := decodeBase64(text)
	if err != nil {
		return nil, err
	}
	key, first, others, err := pkcs12.DecodeChain(pfx, password)
	if err != nil {
		return salvage(pfx, password, err)
	}
	found := &finds{certificates: append([]*x509.Certificate{first}, others...)}
	return found, found.addKey(key)
}

// decodeBase64 also takes what Windows' certutil -encode writes: base64 in the armour of
// a certificate.
func decodeBase64(text string) ([]byte, error) {
	if block := armour.FindStringSubmatch(text); block != nil {
		text = block[2]
	}
	pfx, err := base64.StdEncoding.DecodeString(lineBreaks.Replace(text))
	if err != nil {
		return nil, errPFXText
	}
	return pfx, nil
}

// salvage takes out of a PFX what can be read. The library gives up all of it for one
// issuer that Go can't read.
func salvage(pfx []byte, password string, err error) (*finds, error) {
	if known := pfxFault(err); !errors.Is(known, errPFX) {
		return nil, known
	}
	blocks, err := pkcs12.ToPEM(pfx, password) //nolint:staticcheck // only it does not read the certificates
	if err != nil {
		return nil, errPFX
	}
	found := new(finds)
	for _, block := range blocks {
		if block.Type == "CERTIFICATE" {
			found.addCertificate(block.Bytes)
			continue
		}
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes) // which ToPEM makes of an RSA key
		if err != nil {
			return nil, errKeyKind
		}
		if err := found.addKey(key); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// pfxFault is what an error of the library means, errPFX if it is not known.
func pfxFault(err error) error {
	_, unknown := errors.AsType[pkcs12.NotImplementedError](err)
	switch {
	case unknown:
		return errPFXEncryption
	case errors.Is(err, pkcs12.ErrIncorrectPassword), errors.Is(err, pkcs12.ErrDecryption):
		return errPFXPassword
	}
	switch err.Error() { // the library has no values for these
	case "pkcs12: no MAC in data":
		return errPFXNoMAC
	case "pkcs12: certificate missing":
		return errNone
	case "pkcs12: private key missing":
		return errNoKey
	case "pkcs12: expected exactly one key bag":
		return errKeys
	}
	return errPFX
}
