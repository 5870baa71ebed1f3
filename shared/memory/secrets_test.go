package memory_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/memory"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

const (
	secret = "client-state"
	first  = "00000000-0000-4000-8000-000000000001"
	second = "00000000-0000-4000-8000-000000000002"
)

// A version goes through the labels as in Secrets Manager.
func TestSecretsRotate(t *testing.T) {
	t.Parallel()
	s := new(memory.Secrets)
	s.CreateSecret(secret, directory.NewSecret("old"))
	expectStages(t, s, map[string][]string{"first": {"AWSCURRENT"}})
	for range 2 {
		if token := s.RotateSecret(secret, first); token != first {
			t.Errorf("rotation %s has begun", token)
		}
	}
	if token := s.RotateSecret(secret, second); token != first {
		t.Errorf("rotation %s has begun before the one under way was over", token)
	}
	if _, err := s.GetSecretValue(t.Context(), secret, first); !errors.Is(leaktest.Seen(t, err), rotation.ErrNotFound) {
		t.Errorf("a version without a value: %v", err)
	}
	if s.UpdateSecretVersionStage(t.Context(), secret, "AWSCURRENT", "first", first) == nil {
		t.Error("a version without a value is current")
	}
	for range 2 {
		expectDone(t, s.PutSecretValue(t.Context(), secret, first, directory.NewSecret("new")))
	}
	if err := s.PutSecretValue(t.Context(), secret, first, directory.NewSecret("other")); !errors.Is(leaktest.Seen(t, err), rotation.ErrExists) {
		t.Errorf("another value: %v", err)
	}
	expectStages(t, s, map[string][]string{"first": {"AWSCURRENT"}, first: {"AWSPENDING"}})
	expectDone(t, s.UpdateSecretVersionStage(t.Context(), secret, "AWSCURRENT", "first", first))
	expectStages(t, s, map[string][]string{"first": {"AWSPREVIOUS"}, first: {"AWSCURRENT"}})
	current, err := s.Current(t.Context(), secret)
	expectDone(t, err)
	previous, err := s.Previous(t.Context(), secret)
	expectDone(t, err)
	if current.Value.Reveal() != "new" || previous.Value.Reveal() != "old" || current.Created.IsZero() {
		t.Errorf("current and previous are mixed up")
	}
	if token := s.RotateSecret(secret, second); token != second {
		t.Errorf("rotation %s has begun", token)
	}
}

// A label is taken only from whoever carries it, and a secret has to exist.
func TestSecretsRefuse(t *testing.T) {
	t.Parallel()
	s := new(memory.Secrets)
	s.CreateSecret(secret, directory.NewSecret("old"))
	expectDone(t, s.PutSecretValue(t.Context(), secret, first, directory.NewSecret("new")))
	for name, move := range map[string][3]string{
		"from another":         {"AWSCURRENT", first, second},
		"current to nobody":    {"AWSCURRENT", "first", ""},
		"current to no value":  {"AWSCURRENT", "first", second},
		"pending from another": {"AWSPENDING", "first", ""},
	} {
		if s.UpdateSecretVersionStage(t.Context(), secret, move[0], move[1], move[2]) == nil {
			t.Errorf("%s: no error", name)
		}
	}
	expectStages(t, s, map[string][]string{"first": {"AWSCURRENT"}, first: {"AWSPENDING"}})
	if _, err := s.DescribeSecret(t.Context(), "another"); leaktest.Seen(t, err) == nil {
		t.Error("a secret that does not exist is described")
	}
}

func expectDone(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func expectStages(t *testing.T, s *memory.Secrets, want map[string][]string) {
	t.Helper()
	got, err := s.DescribeSecret(t.Context(), secret)
	expectDone(t, err)
	if diff := cmp.Diff(want, got.Stages); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}
