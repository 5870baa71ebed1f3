package ststest

import (
	"cmp"
	"crypto/rand"
	"encoding/xml"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// algorithm is the one that Entra takes; STS would also sign by ES384.
const algorithm = "RS256"

// The bounds of [DurationSeconds].
//
// [DurationSeconds]: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html#API_GetWebIdentityToken_RequestParameters
const minSeconds, maxSeconds = 60, 3600

// refusal is an error of the protocol of AWS Query. The codes are those that are [common]
// to all calls; a value that breaks a limit is a ValidationError.
//
// [common]: https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
type refusal struct {
	status        int
	code, message string
}

// call answers a call in the protocol of AWS Query
// (https://smithy.io/2.0/aws/protocols/aws-query-protocol.html).
func (s *Server) call(w http.ResponseWriter, r *http.Request) {
	asked := Request{
		Host:      cmp.Or(r.Host, r.URL.Host),
		Audience:  r.FormValue("Audience.member.1"),
		Algorithm: r.FormValue("SigningAlgorithm"),
	}
	asked.Seconds, _ = strconv.Atoi(r.FormValue("DurationSeconds"))
	s.requests = append(s.requests, asked)
	if refused := cmp.Or(check(r, asked), s.refusal); refused != nil {
		refuse(w, *refused)
		return
	}
	s.grant(w, asked)
}

// signed is a signature of version 4, for STS
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html). It is not
// computed again: the keys are nobody's.
var signed = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=[^/]+/[0-9]{8}/[a-z0-9-]+/sts/aws4_request, *SignedHeaders=[^,]+, *Signature=[0-9a-f]+$`)

// check tells why a call is refused, nil if it is not. The global endpoint does not have
// this call.
func check(r *http.Request, asked Request) *refusal {
	action := r.FormValue("Action")
	switch {
	case !signed.MatchString(r.Header.Get("Authorization")):
		return &refusal{http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token"}
	case action != "GetWebIdentityToken" || asked.Host == "sts.amazonaws.com":
		return &refusal{http.StatusBadRequest, "InvalidAction", "Could not find operation " + action}
	case asked.Algorithm != algorithm:
		return invalid("signingAlgorithm")
	case asked.Seconds < minSeconds || asked.Seconds > maxSeconds:
		return invalid("durationSeconds")
	case asked.Audience == "" || r.Form.Has("Audience.member.2"):
		return invalid("audience")
	}
	return nil
}

func invalid(member string) *refusal {
	return &refusal{http.StatusBadRequest, "ValidationError", fmt.Sprintf("1 validation error detected: Value at '%s' failed to satisfy constraint", member)}
}

func refuse(w http.ResponseWriter, r refusal) {
	type fault struct{ Type, Code, Message string }
	writeXML(w, r.status, struct {
		XMLName   xml.Name `xml:"ErrorResponse"`
		Error     fault
		RequestID string `xml:"RequestId"`
	}{Error: fault{"Sender", r.code, r.message}, RequestID: "c6104cbe-af31-11e0-8154-cbc7ccf896c7"})
}

func (s *Server) grant(w http.ResponseWriter, asked Request) {
	now := s.options.Now()
	ends := now.Add(time.Duration(asked.Seconds) * time.Second)
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": s.options.Issuer, "sub": s.options.Subject, "aud": asked.Audience,
		"iat": now.Unix(), "exp": ends.Unix(), "jti": rand.Text(),
	})
	token.Header["kid"] = keyID
	text, err := token.SignedString(key())
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	type result struct{ WebIdentityToken, Expiration string }
	writeXML(w, http.StatusOK, struct {
		XMLName xml.Name `xml:"GetWebIdentityTokenResponse"`
		Result  result   `xml:"GetWebIdentityTokenResult"`
	}{Result: result{text, ends.UTC().Format(time.RFC3339)}})
}

func writeXML(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(body) // a client that is gone can't be told
}
