package renew_test

import (
	"errors"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/renew"
	"github.com/sessionstamp/sessionstamp/infra/sessionstamp/setup"
	"github.com/sessionstamp/sessionstamp/shared/aws/account"
	"github.com/sessionstamp/sessionstamp/shared/directory"
)

// TestNext plans a run for what an earlier one, or somebody else, has left, and decides its
// first step.
func TestNext(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)
	d := renew.Deployment{Deployment: setup.Deployment{Stack: "prod", Account: "123456789012", Region: "ap-northeast-1"}, Days: 180, Now: func() time.Time { return now }}
	oldName, newName := d.CredentialName(), d.CredentialName()
	stored := func(id, name string, days int) renew.Version {
		return renew.Version{ID: id, Stored: account.Stored{Name: name, End: now.AddDate(0, 0, days)}}
	}
	app := func(names ...string) (app directory.App) {
		for _, name := range names {
			app.Credentials = append(app.Credentials, directory.AppCredential{KeyID: name, Name: name})
		}
		return app
	}
	none, before, made := renew.Version{}, stored("1", oldName, 20), stored("2", newName, 180)
	for name, c := range map[string]struct {
		state renew.State
		// change happens between the plan and the first step.
		change func(*renew.State)
		want   renew.Step
		err    error
	}{
		"nothing stored":               {renew.State{App: app()}, nil, renew.Add, nil},
		"the usual":                    {renew.State{App: app(oldName), Current: before}, nil, renew.Add, nil},
		"made by hand":                 {renew.State{App: app("portal"), Current: stored("1", "", 20)}, nil, renew.Add, nil},
		"just renewed, and wanted":     {renew.State{App: app(newName), Current: made}, nil, renew.Add, nil},
		"an orphan that nobody knows":  {renew.State{App: app(oldName, newName), Current: before}, nil, renew.Add, nil},
		"broken off before the proof":  {renew.State{App: app(oldName, newName), Current: before, Pending: made}, nil, renew.Prove, nil},
		"pending, and not at the app":  {renew.State{App: app(oldName), Current: before, Pending: made}, nil, renew.Drop, nil},
		"pending for too long":         {renew.State{App: app(oldName, newName), Current: before, Pending: stored("2", newName, 29)}, nil, renew.Drop, nil},
		"broken off before it settled": {renew.State{App: app(oldName, newName), Current: made, Pending: made}, nil, renew.Prove, nil},
		"broken off before removal":    {renew.State{App: app(oldName, newName), Current: made}, nil, renew.Remove, nil},
		"theirs settled":               {renew.State{App: app(oldName), Current: stored("2", "", 9), Pending: stored("2", "", 9)}, nil, renew.Add, nil},
		"theirs is pending":            {renew.State{App: app(oldName), Current: before, Pending: stored("2", "", 180)}, nil, "", renew.ErrRotation},
		"pending without a value":      {renew.State{App: app(oldName), Current: before, Pending: renew.Version{ID: "2"}}, nil, "", renew.ErrRotation},
		"another run began": {
			renew.State{App: app(oldName), Current: before},
			func(s *renew.State) { s.App, s.Pending = app(oldName, newName), made }, "", renew.ErrChanged,
		},
		"another run ended": {
			renew.State{App: app(oldName), Current: before}, func(s *renew.State) { s.Current = made }, "", renew.ErrChanged,
		},
		"pending was taken away": {
			renew.State{App: app(oldName, newName), Current: before, Pending: made}, func(s *renew.State) { s.Pending = none }, "", renew.ErrChanged,
		},
	} {
		run := d.Begin(c.state)
		if c.change != nil {
			c.change(&c.state)
		}
		if got, err := run.Next(c.state); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %v, want %q, %v", name, got, err, c.want, c.err)
		}
	}
}
