package directory_test

import (
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// What was presented tells apart what Entra has one number for.
func TestRefusal(t *testing.T) {
	t.Parallel()
	token, certificate := new(directory.PresentedToken), new(directory.PresentedCertificate)
	for _, tt := range []struct {
		name string
		err  directory.Error
		want directory.Refusal
	}{
		{"secret", directory.Error{Code: "AADSTS7000215"}, directory.SecretUnknown},
		{"certificate", directory.Error{Code: "AADSTS700027", Err: certificate}, directory.CertificateUnknown},
		{"signature, of whom is not known", directory.Error{Code: "AADSTS700027"}, directory.CertificateUnknown},
		{"signature of an outside issuer", directory.Error{Code: "AADSTS700027", Err: token}, directory.FederationUnverified},
		{"key of an outside issuer", directory.Error{Code: "AADSTS7000272", Err: token}, directory.FederationKeyUnknown},
		{"number nobody knows", directory.Error{Code: "AADSTS1"}, ""},
		{"word of OAuth", directory.Error{Code: "invalid_client"}, ""},
		{"consent, as Graph says it", directory.Error{StatusCode: 401, Code: "Authorization_IdentityNotFound"}, directory.NotConsented},
		{"of Graph", directory.Error{Code: "Authorization_RequestDenied"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.err.Refusal(); got != tt.want {
				t.Errorf("refusal %q, want %q", got, tt.want)
			}
		})
	}
}

// The id has the name under which it is found again: in Entra's sign-in log, or by
// Graph's support.
func TestIDs(t *testing.T) {
	t.Parallel()
	for want, operation := range map[string]string{
		"token: status 401 (correlation id c0rr-1)":       directory.Token,
		"certificate: status 401 (correlation id c0rr-1)": directory.Certificate,
		"listDomains: status 401 (request-id c0rr-1)":     "listDomains",
	} {
		e := &directory.Error{Operation: operation, StatusCode: 401, RequestID: "c0rr-1"}
		if got := e.Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
