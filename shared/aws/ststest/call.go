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

// The limits of [GetWebIdentityToken].
//
// [GetWebIdentityToken]: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html#API_GetWebIdentityToken_RequestParameters
const (
	minSeconds, defaultSeconds, maxSeconds = 60, 300, 3600
	maxAudiences, maxAudience              = 10, 1000
)

// The errors that are [common] to all calls. A value that breaks a limit is a
// ValidationError, as of all calls of STS.
//
// [common]: https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
const (
	codeAction     = "InvalidAction"
	codeUnsigned   = "MissingAuthenticationToken"
	codeSignature  = "SignatureDoesNotMatch"
	codeMalformed  = "MalformedInput"
	codeValidation = "ValidationError"
)

// refusal is an error of the protocol of AWS Query.
type refusal struct {
	status        int
	code, message string
}

// call answers a call in the protocol of AWS Query
// (https://smithy.io/2.0/aws/protocols/aws-query-protocol.html).
func (s *Server) call(w http.ResponseWriter, r *http.Request) {
	host := cmp.Or(r.Host, r.URL.Host)
	if refused := checkCall(r, host); refused != nil {
		refuse(w, *refused)
		return
	}
	asked, refused := read(r)
	asked.Host = host
	s.requests = append(s.requests, asked)
	if refused == nil {
		refused = asked.check()
	}
	if refused == nil {
		refused = s.refusal
	}
	if refused != nil {
		refuse(w, *refused)
		return
	}
	s.grant(w, asked)
}

// globalEndpoint has all calls but this one.
const globalEndpoint = "sts.amazonaws.com"

// signed is how a signature of version 4 begins: with the key, the day and the region,
// and with the service that it is for. See
// https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html.
var signed = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=[^/]+/[0-9]{8}/[a-z0-9-]+/([a-z0-9-]+)/aws4_request, *SignedHeaders=[^,]+, *Signature=[0-9a-f]+$`)

// checkCall tells why a call is refused whatever it asks for. The signature is not
// computed again: the keys are nobody's.
//
// What the global endpoint answers is not documented, other than that it does not have
// the call: so it is what any endpoint answers then.
func checkCall(r *http.Request, host string) *refusal {
	signature := signed.FindStringSubmatch(r.Header.Get("Authorization"))
	action := r.FormValue("Action")
	switch {
	case signature == nil:
		return &refusal{http.StatusForbidden, codeUnsigned, "Request is missing Authentication Token"}
	case signature[1] != "sts":
		return &refusal{http.StatusForbidden, codeSignature, "Credential should be scoped to correct service: 'sts'. "}
	case action != "GetWebIdentityToken" || host == globalEndpoint:
		return &refusal{http.StatusBadRequest, codeAction, fmt.Sprintf("Could not find operation %s for version %s", action, r.FormValue("Version"))}
	}
	return nil
}

// read reads what is asked for.
func read(r *http.Request) (asked Request, refused *refusal) {
	asked = Request{Algorithm: r.FormValue("SigningAlgorithm"), Seconds: defaultSeconds}
	for i := 1; r.Form.Has(fmt.Sprint("Audience.member.", i)); i++ {
		asked.Audience = append(asked.Audience, r.FormValue(fmt.Sprint("Audience.member.", i)))
	}
	if r.Form.Has("DurationSeconds") {
		var err error
		if asked.Seconds, err = strconv.Atoi(r.FormValue("DurationSeconds")); err != nil {
			return asked, &refusal{http.StatusBadRequest, codeMalformed, "DurationSeconds must be an integer"}
		}
	}
	return asked, nil
}

// check holds what is asked for to the limits.
func (asked Request) check() *refusal {
	if _, ok := signers()[asked.Algorithm]; !ok {
		return invalid(asked.Algorithm, "signingAlgorithm", "Member must satisfy enum value set: [RS256, ES384]")
	}
	if asked.Seconds < minSeconds || asked.Seconds > maxSeconds {
		return invalid(asked.Seconds, "durationSeconds", fmt.Sprintf("Member must have value from %d to %d", minSeconds, maxSeconds))
	}
	if n := len(asked.Audience); n < 1 || n > maxAudiences {
		return invalid(asked.Audience, "audience", fmt.Sprintf("Member must have length from 1 to %d", maxAudiences))
	}
	for _, audience := range asked.Audience {
		if audience == "" || len(audience) > maxAudience {
			return invalid(audience, "audience", fmt.Sprintf("Member must satisfy constraint: [Member must have length from 1 to %d]", maxAudience))
		}
	}
	return nil
}

func invalid(value any, member, constraint string) *refusal {
	return &refusal{http.StatusBadRequest, codeValidation, fmt.Sprintf(
		"1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s", value, member, constraint)}
}

func refuse(w http.ResponseWriter, r refusal) {
	type fault struct{ Type, Code, Message string }
	body := struct {
		XMLName   xml.Name `xml:"ErrorResponse"`
		Error     fault
		RequestID string `xml:"RequestId"`
	}{Error: fault{"Sender", r.code, r.message}, RequestID: "c6104cbe-af31-11e0-8154-cbc7ccf896c7"}
	writeXML(w, r.status, body)
}

func (s *Server) grant(w http.ResponseWriter, asked Request) {
	now := s.options.Now()
	ends := now.Add(time.Duration(asked.Seconds) * time.Second)
	claims := jwt.MapClaims{
		"iss": s.options.Issuer, "sub": s.options.Subject, "aud": audience(asked.Audience),
		"iat": now.Unix(), "exp": ends.Unix(), "jti": rand.Text(),
	}
	if s.change != nil {
		s.change(claims)
	}
	token, err := signers()[asked.Algorithm].sign(claims)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	type result struct {
		WebIdentityToken string
		Expiration       string
	}
	writeXML(w, http.StatusOK, struct {
		XMLName xml.Name `xml:"GetWebIdentityTokenResponse"`
		Result  result   `xml:"GetWebIdentityTokenResult"`
	}{Result: result{token, ends.UTC().Format(time.RFC3339)}})
}

// audience is the claim: a text for one, and a list for several (RFC 7519, 4.1.3).
func audience(all []string) any {
	if len(all) == 1 {
		return all[0]
	}
	return all
}

func writeXML(w http.ResponseWriter, status int, body any) {
	text, err := xml.Marshal(body)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}
