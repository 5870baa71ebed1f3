package memory

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

// The labels of a secret's versions, as Secrets Manager calls them.
const (
	stageCurrent  = "AWSCURRENT"
	stagePending  = "AWSPENDING"
	stagePrevious = "AWSPREVIOUS"
)

// Secrets is a [rotation.SecretsManager] that forgets with the process. Rotation is
// switched on for all of its secrets. The zero value is empty and ready. It is safe
// for concurrent use.
type Secrets struct {
	mu      sync.Mutex
	secrets map[string]versions // by ARN
}

// versions are those of one secret, by id.
type versions map[string]*version

type version struct {
	value   directory.Secret
	created time.Time // zero as long as there is no value
	stages  []string
}

var (
	errNoSecret = errors.New("there is no such secret")
	errLabel    = errors.New("a label can be taken only from the version that carries it, and AWSCURRENT only to be given to another with a value")
)

// CreateSecret stores a secret with its first version.
func (s *Secrets) CreateSecret(secretID string, value directory.Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secrets == nil {
		s.secrets = make(map[string]versions)
	}
	s.secrets[secretID] = versions{"first": {value, time.Now(), []string{stageCurrent}}}
}

// RotateSecret begins a rotation, or goes on with the one that is not over. It
// returns the token that the rotator is to be called with: the one given, or that of
// the rotation under way.
func (s *Secrets) RotateSecret(secretID, token string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.secrets[secretID]
	if pending := held.holder(stagePending); pending != "" {
		return pending
	}
	held.move(stagePending, token)
	return token
}

// Current returns the version that everybody is to use.
func (s *Secrets) Current(ctx context.Context, secretID string) (rotation.Version, error) {
	return s.staged(ctx, secretID, stageCurrent)
}

// Previous returns the version that was current before, or an error that is
// [rotation.ErrNotFound].
func (s *Secrets) Previous(ctx context.Context, secretID string) (rotation.Version, error) {
	return s.staged(ctx, secretID, stagePrevious)
}

func (s *Secrets) staged(ctx context.Context, secretID, stage string) (found rotation.Version, err error) {
	err = s.with(ctx, secretID, func(held versions) error {
		found, err = held.read(held.holder(stage))
		return err
	})
	return found, err
}

// DescribeSecret implements [rotation.SecretsManager].
func (s *Secrets) DescribeSecret(ctx context.Context, secretID string) (rotation.Description, error) {
	d := rotation.Description{ARN: secretID, RotationEnabled: true, Stages: make(map[string][]string)}
	err := s.with(ctx, secretID, func(held versions) error {
		for id, v := range held {
			if len(v.stages) > 0 {
				d.Stages[id] = slices.Clone(v.stages)
			}
		}
		return nil
	})
	return d, err
}

// GetSecretValue implements [rotation.SecretsManager].
func (s *Secrets) GetSecretValue(ctx context.Context, secretID, versionID string) (found rotation.Version, err error) {
	err = s.with(ctx, secretID, func(held versions) error {
		found, err = held.read(versionID)
		return err
	})
	return found, err
}

// PutSecretValue implements [rotation.SecretsManager].
func (s *Secrets) PutSecretValue(ctx context.Context, secretID, token string, value directory.Secret) error {
	return s.with(ctx, secretID, func(held versions) error {
		old, err := held.read(token)
		switch {
		case err == nil && old.Value.Reveal() == value.Reveal():
			return nil
		case err == nil:
			return rotation.ErrExists
		}
		held.move(stagePending, token)
		held[token].value, held[token].created = value, time.Now()
		return nil
	})
}

// UpdateSecretVersionStage implements [rotation.SecretsManager].
func (s *Secrets) UpdateSecretVersionStage(ctx context.Context, secretID, stage, removeFrom, moveTo string) error {
	return s.with(ctx, secretID, func(held versions) error {
		holder := held.holder(stage)
		if removeFrom != holder && moveTo != holder {
			return errLabel
		}
		if stage == stageCurrent && moveTo != holder {
			if _, err := held.read(moveTo); err != nil {
				return errLabel
			}
			held.promote(holder, moveTo)
			return nil
		}
		held.move(stage, moveTo)
		return nil
	})
}

// with does something with a secret's versions.
func (s *Secrets) with(ctx context.Context, secretID string, do func(versions) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	held, ok := s.secrets[secretID]
	if !ok {
		return errNoSecret
	}
	return do(held)
}

func (v versions) read(id string) (rotation.Version, error) {
	found, ok := v[id]
	if !ok || found.created.IsZero() {
		return rotation.Version{}, rotation.ErrNotFound
	}
	return rotation.Version{Value: found.value, Created: found.created}, nil
}

// holder returns the version that carries a label, "" if none does.
func (v versions) holder(stage string) string {
	for id, candidate := range v {
		if slices.Contains(candidate.stages, stage) {
			return id
		}
	}
	return ""
}

// promote makes a version current, which then is not pending any more.
func (v versions) promote(from, to string) {
	v.move(stagePrevious, from)
	v.move(stageCurrent, to)
	if v.holder(stagePending) == to {
		v.move(stagePending, "")
	}
}

// move takes a label from whoever carries it, and gives it to a version, which is
// made if there is none. "" is nobody.
func (v versions) move(stage, to string) {
	if from := v.holder(stage); from != "" {
		v[from].stages = slices.DeleteFunc(v[from].stages, func(s string) bool { return s == stage })
	}
	if to == "" {
		return
	}
	if v[to] == nil {
		v[to] = new(version)
	}
	v[to].stages = append(v[to].stages, stage)
}
