package awstest

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
)

// Confirm confirms all subscriptions to topics by e-mail, as the people do who get AWS's
// letter. moto needs nobody for that.
func (s *Server) Confirm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.confirmed = true
}

var subscriptionARN = regexp.MustCompile(`<SubscriptionArn>[^<]*</SubscriptionArn>`)

// playSNS lists subscriptions by e-mail as [pending] until they are confirmed.
//
// [pending]: https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
func (s *Server) playSNS(w http.ResponseWriter, c *Call) bool {
	s.mu.Lock()
	confirmed := s.confirmed
	s.mu.Unlock()
	if confirmed || c.operation != "ListSubscriptionsByTopic" {
		return false
	}
	answer := httptest.NewRecorder()
	s.pass(answer, c)
	text := answer.Body.String()
	if strings.Contains(text, "<Protocol>email</Protocol>") {
		text = subscriptionARN.ReplaceAllString(text, "<SubscriptionArn>PendingConfirmation</SubscriptionArn>")
	}
	c.write(w, answer.Code, "text/xml", []byte(text))
	return true
}
