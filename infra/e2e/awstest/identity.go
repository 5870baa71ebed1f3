package awstest

import (
	"crypto/sha256"
	"encoding/base32"
	"net/http"
	"strings"

	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
	"github.com/sessionstamp/sessionstamp/shared/aws/ststest"
)

// AccessKey is the access key by which whoever has the ARN calls. Any secret fits it.
func (s *Server) AccessKey(arn string) string {
	sum := sha256.Sum256([]byte(arn))
	key := "ASIA" + base32.StdEncoding.EncodeToString(sum[:])[:16]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.callers[key] = arn
	delete(s.expired, arn)
	return key
}

// Expire ends the session of a caller, until it gets an access key again.
func (s *Server) Expire(arn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expired[arn] = true
}

// caller is who has an access key. What is not signed, such as a read of S3, is nobody's.
func (s *Server) caller(key string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	arn, ok := s.callers[key]
	switch {
	case s.expired[arn]:
		return "", &Refusal{http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired"}
	case !ok && key != "":
		return "", &Refusal{http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid."}
	}
	return arn, nil
}

// Issuer is that of the account's tokens, "" while outbound federation is off.
func (s *Server) Issuer() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.federated {
		return ""
	}
	return s.issuer
}

// SetFederation switches outbound federation on or off.
func (s *Server) SetFederation(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.federated = on
}

// playIAM knows outbound federation
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableOutboundWebIdentityFederation.html).
func (s *Server) playIAM(w http.ResponseWriter, c *Call) bool {
	issuer := s.Issuer()
	switch c.operation {
	case "EnableOutboundWebIdentityFederation":
		if issuer != "" {
			c.Refuse(w, &Refusal{http.StatusConflict, "FeatureEnabled", "Outbound web identity federation is already enabled for this account."})
			return true
		}
		s.SetFederation(true)
		c.Answer(w, http.StatusOK, map[string]any{"IssuerIdentifier": s.issuer})
	case "DisableOutboundWebIdentityFederation":
		s.SetFederation(false)
		c.Answer(w, http.StatusOK, map[string]any{})
	case "GetOutboundWebIdentityFederationInfo":
		if issuer == "" {
			c.Refuse(w, &Refusal{http.StatusNotFound, "FeatureDisabled", "Outbound web identity federation is disabled for this account."})
			return true
		}
		c.Answer(w, http.StatusOK, map[string]any{"IssuerIdentifier": issuer, "JwtVendingEnabled": true})
	default:
		return false
	}
	return true
}

// playSTS knows who calls, and vouches for that.
func (s *Server) playSTS(w http.ResponseWriter, c *Call) bool {
	switch c.operation {
	case "GetCallerIdentity":
		c.Answer(w, http.StatusOK, map[string]any{"Arn": c.Caller, "UserId": c.key, "Account": mototest.Account})
	case "GetWebIdentityToken":
		if s.Issuer() == "" {
			c.Refuse(w, Refused("OutboundWebIdentityFederationDisabledException", "Outbound web identity federation is disabled for this account."))
			return true
		}
		c.Request.Form, c.Request.PostForm = c.Form, c.Form //nolint:forbidigo // a field, and no call: its body is read
		ststest.New(ststest.Options{Issuer: s.issuer, Subject: Subject(c.Caller)}).ServeHTTP(w, c.Request)
	default:
		return false
	}
	return true
}

// Subject is the subject of a caller's token: the role itself, where the caller is a
// session of one
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound_token_claims.html).
func Subject(caller string) string {
	if _, session, ok := strings.Cut(caller, ":assumed-role/"); ok {
		role, _, _ := strings.Cut(session, "/")
		return ARN("iam", "role/"+role)
	}
	return caller
}
