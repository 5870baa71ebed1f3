package secrets_test

import (
	"io"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/aws/secrets"
)

func TestClientSecret(t *testing.T) {
	t.Parallel()
	const shape = `{"clientSecret":"…"}`
	day := time.Date(2027, 5, 21, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name, stored, want string
		expires            time.Time
		fault              string
	}{
		{name: "as documented", stored: `{"clientSecret":"abc8Q~._-x","expires":"2027-05-21T00:00:00Z"}`, want: "abc8Q~._-x", expires: day},
		{name: "with other members", stored: ` {"note":["of","somebody"],"clientSecret":"abc8Q~"} `, want: "abc8Q~"},
		{name: "byte order mark", stored: "\ufeff" + `{"clientSecret":"abc8Q~"}`, want: "abc8Q~"},
		{name: "expiry without a time", stored: `{"clientSecret":"abc8Q~","expires":"2027-05-21"}`, want: "abc8Q~"},
		{name: "expiry that is a number", stored: `{"clientSecret":"abc8Q~","expires":20270521}`, want: "abc8Q~"},
		{name: "the value alone", stored: `hunter2`, fault: shape},
		{name: "another name", stored: `{"secret":"hunter2"}`, fault: shape},
		{name: "another type", stored: `{"clientSecret":["hunter2"]}`, fault: shape},
		{name: "empty", stored: `{"clientSecret":""}`, fault: shape},
		{name: "nothing", stored: ` `, fault: shape},
		{name: "line break", stored: `{"clientSecret":"hunter2\n"}`, fault: "blanks"},
		{name: "quotes of its own", stored: `{"clientSecret":"\"hunter2\""}`, fault: "quotation marks"},
		{name: "its id", stored: `{"clientSecret":"0B7E4000-0000-4000-8000-000000000001"}`, fault: "secret ID"},
		{name: "more after it", stored: `{"clientSecret":"hunter2"}{}`, fault: shape},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := secrets.NewClientSecret(config(holding(test.stored), io.Discard))
			got, err := s.ClientSecret(t.Context(), false)
			checkFault(t, err, test.fault)
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			expires, err := s.Expires(t.Context())
			checkFault(t, err, test.fault)
			if !expires.Equal(test.expires) {
				t.Errorf("expires %s, want %s", expires, test.expires)
			}
		})
	}
}
