package mototest_test

import (
	"net/http"
	"testing"

	"github.com/sessionstamp/sessionstamp/shared/aws/mototest"
)

func TestStart(t *testing.T) {
	t.Parallel()
	first, second := mototest.Start(t), mototest.Start(t)
	if first == second {
		t.Errorf("two servers have the endpoint %s", first)
	}
	for _, endpoint := range []string{first, second} {
		check(t, endpoint)
	}
}

func TestSharedIsOneServer(t *testing.T) {
	t.Parallel()
	first, second := mototest.Shared(t), mototest.Shared(t)
	if first != second {
		t.Errorf("Shared started two servers, %s and %s", first, second)
	}
	check(t, first)
}

// check asks a server for its own page.
func check(t *testing.T, endpoint string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, endpoint+"/moto-api/", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("%s answers %s", endpoint, answer.Status)
	}
}
