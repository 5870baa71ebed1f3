package awstest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
)

// A Refusal is an error of AWS.
type Refusal struct {
	// Status is that of HTTP, Code the error's name, Message what a person reads.
	Status        int
	Code, Message string
}

// Error names code and message.
func (r *Refusal) Error() string { return r.Code + ": " + r.Message }

// Refused is a refusal with status 400.
func Refused(code, format string, args ...any) *Refusal {
	return &Refusal{Status: http.StatusBadRequest, Code: code, Message: fmt.Sprintf(format, args...)}
}

// requestID stands in each answer.
const requestID = "c6104cbe-af31-11e0-8154-cbc7ccf896c7"

// Refuse answers with an error in the protocol of the call. What is no [Refusal] is an
// InternalFailure.
func (c *Call) Refuse(w http.ResponseWriter, err error) {
	r, ok := errors.AsType[*Refusal](err)
	if !ok {
		r = &Refusal{http.StatusInternalServerError, "InternalFailure", err.Error()}
	}
	r = &Refusal{r.Status, c.code(r.Code), r.Message}
	header := w.Header()
	header.Set("X-Amzn-Requestid", requestID)
	header.Set("X-Amzn-Errortype", r.Code)
	switch {
	case c.service == "s3":
		c.write(w, r.Status, "application/xml", fmt.Appendf(nil, "<Error><Code>%s</Code><Message>%s</Message></Error>", escaped(r.Code), escaped(r.Message)))
	case c.Form.Get("Action") != "":
		c.write(w, r.Status, "text/xml", fmt.Appendf(nil, "<ErrorResponse><Error><Type>Sender</Type>%s</Error><RequestId>%s</RequestId></ErrorResponse>",
			elements(map[string]any{"Code": r.Code, "Message": r.Message}), requestID))
	default:
		c.Answer(w, r.Status, map[string]string{"__type": r.Code, "message": r.Message, "Message": r.Message})
	}
}

// code is what an error of the protocol of AWS Query is called by the service of the call
// (https://docs.aws.amazon.com/awssupport/latest/user/CommonErrors.html).
func (c *Call) code(code string) string {
	names := map[string]string{"AccessDenied": "AccessDeniedException", "InvalidClientTokenId": "UnrecognizedClientException", "ExpiredToken": "ExpiredTokenException"}
	switch {
	case c.service == "s3":
		names = map[string]string{"InvalidClientTokenId": "InvalidAccessKeyId"}
	case c.service == "sns":
		names = map[string]string{"AccessDenied": "AuthorizationError"}
	case c.Form.Get("Action") != "":
		return code
	}
	return cmp.Or(names[code], code)
}

// Answer answers with a result in the protocol of the call: XML of AWS Query or JSON.
func (c *Call) Answer(w http.ResponseWriter, status int, result any) {
	if c.Form.Get("Action") == "" {
		text, err := json.Marshal(result)
		if err != nil {
			text, status = []byte(err.Error()), http.StatusInternalServerError
		}
		c.write(w, status, "application/json", text)
		return
	}
	c.write(w, status, "text/xml", fmt.Appendf(nil, "<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult><ResponseMetadata><RequestId>%[3]s</RequestId></ResponseMetadata></%[1]sResponse>",
		c.operation, elements(result), requestID))
}

func (c *Call) write(w http.ResponseWriter, status int, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Amz-Crc32", fmt.Sprint(crc32.ChecksumIEEE(body))) // or DynamoDB's client closes the connection
	w.WriteHeader(status)
	_, _ = w.Write(body) // a caller that is gone can't be told
}

// elements is a value as XML: maps by their keys, lists as members.
func elements(v any) string {
	var b strings.Builder
	switch v := v.(type) {
	case map[string]any:
		for name, item := range v {
			if item != nil {
				fmt.Fprintf(&b, "<%[1]s>%[2]s</%[1]s>", name, elements(item))
			}
		}
	case []any:
		for _, item := range v {
			fmt.Fprintf(&b, "<member>%s</member>", elements(item))
		}
	default:
		b.WriteString(escaped(fmt.Sprint(v)))
	}
	return b.String()
}

func escaped(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a buffer takes everything
	return b.String()
}

func itoa(n int) string { return strconv.Itoa(n) }
