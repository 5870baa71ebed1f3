package secrets

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
)

// What is wrong with a PEM. No text quotes what it is about.
var (
	errPEM       = errors.New("its certificate or private key is not readable PEM: store the text of the files as it is, from -----BEGIN to -----END")
	errEncrypted = errors.New("its private key is encrypted: store it in clear, or as a PFX with its password")
)

// armour is one block of PEM, whatever has become of its line breaks: AWS's console
// makes blanks of them, and others write them as letters.
var armour = regexp.MustCompile(`(?s)-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END [A-Z0-9 ]+-----`)

// lineBreaks are what stands in the place of line breaks.
var lineBreaks = strings.NewReplacer(`\r`, "", `\n`, "", `\t`, "", "\r", "", "\n", "", "\t", "", " ", "", "\u00a0", "")

// parsePEM returns all certificates and the private key.
func parsePEM(text string) (*finds, error) {
	found := new(finds)
	blocks := armour.FindAllStringSubmatch(text, -1)
	if len(blocks) == 0 {
		return nil, errPEM
	}
	for _, block := range blocks {
		if err := found.addBlock(block[1], block[2]); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (f *finds) addBlock(kind, body string) error {
	isKey := strings.HasSuffix(kind, "PRIVATE KEY")
	if !isKey && kind != "CERTIFICATE" {
		return nil
	}
	if strings.HasPrefix(kind, "ENCRYPTED") || strings.Contains(body, "DEK-Info") {
		return errEncrypted
	}
	der, err := base64.StdEncoding.DecodeString(lineBreaks.Replace(body))
	if err != nil {
		return errPEM
	}
	if !isKey {
		f.addCertificate(der)
		return nil
	}
	key, err := parseKey(kind, der)
	if err != nil {
		return err
	}
	return f.addKey(key)
}

// parseKey reads a private key; Entra knows RSA alone.
func parseKey(kind string, der []byte) (key any, err error) {
	switch kind {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(der)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(der)
	default: // such as "EC PRIVATE KEY"
		return nil, errKeyKind
	}
	if err != nil {
		return nil, errPEM
	}
	return key, nil
}
