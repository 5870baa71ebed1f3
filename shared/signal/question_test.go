package signal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/signal"
)

func TestQuestions(t *testing.T) {
	t.Parallel()
	address := []directory.Property{"userPrincipalName", "proxyAddresses", "mail"}
	for format, want := range map[signal.Format][]directory.Property{
		signal.UPN: address, signal.Email: address,
		signal.ObjectID:    {"id"},
		signal.ImmutableID: {"onPremisesImmutableId"}, signal.Opaque: {"onPremisesImmutableId"},
		signal.SAMAccountName: {"onPremisesSamAccountName"}, signal.SecurityIdentifier: {"onPremisesSecurityIdentifier"},
		"": nil, "phone_number": nil,
	} {
		questions := signal.Subject{Format: format, Value: "hanako"}.Questions()
		var got []directory.Property
		for _, q := range questions {
			got = append(got, q.Property)
			if q.Value != "hanako" {
				t.Errorf("%s: another value is asked for", format)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: asks %v, want %v", format, got, want)
		}
		if text := fmt.Sprintf("%v %+v %#v", questions, questions, questions); strings.Contains(text, "hanako") {
			t.Errorf("%s: a question tells its value: %s", format, text)
		}
	}
}
