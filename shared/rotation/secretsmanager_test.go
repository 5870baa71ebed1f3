package rotation_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
	"github.com/sessionstamp/sessionstamp/shared/directory"
	"github.com/sessionstamp/sessionstamp/shared/rotation"
)

const (
	awsCurrent  = "AWSCURRENT"
	awsPending  = "AWSPENDING"
	awsPrevious = "AWSPREVIOUS"
)

// A vault is Secrets Manager with one secret. It refuses what Secrets Manager
// refuses, and fails the test at what must never happen.
type vault struct {
	t        *testing.T
	arn      string
	off      bool // rotation is switched off
	lenient  bool // a label may be on two versions
	keeps    bool // what is promoted keeps AWSPENDING
	versions map[string]*version
	// seen changes what DescribeSecret answers; nil means that nothing does.
	seen func(rotation.Description) rotation.Description
	// promoting is called before AWSCURRENT moves.
	promoting func(value string)
}

type version struct {
	value   string // "" for none
	created time.Time
	stages  []string
}

var (
	errNoVersion = errors.New("ResourceNotFoundException: no such version")
	errParameter = errors.New("InvalidParameterException")
)

func newVault(t *testing.T, value string) *vault {
	return &vault{t: t, arn: secretID, versions: map[string]*version{
		"hand": {value: value, created: time.Now(), stages: []string{awsCurrent}},
	}}
}

// holder returns the version with a label, nil if there is none.
func (v *vault) holder(stage string) *version {
	var found *version
	for _, candidate := range v.versions {
		if !slices.Contains(candidate.stages, stage) {
			continue
		}
		if found != nil && !v.lenient {
			v.t.Errorf("two versions are %s", stage)
		}
		found = candidate
	}
	return found
}

func (v *vault) value(stage string) string {
	if held := v.holder(stage); held != nil {
		return held.value
	}
	return ""
}

// take takes a label from whoever has it.
func (v *vault) take(stage string) {
	for _, held := range v.versions {
		held.stages = slices.DeleteFunc(held.stages, func(s string) bool { return s == stage })
	}
}

// rotateSecret begins a rotation, or goes on with one that is not over: it returns
// the token that Secrets Manager calls the function with. What stands in for it may
// begin another, and leave the label on both.
func (v *vault) rotateSecret(token string) string {
	if v.lenient {
		v.versions[token] = &version{stages: []string{awsPending}}
		return token
	}
	for id, held := range v.versions {
		if slices.Contains(held.stages, awsPending) && !slices.Contains(held.stages, awsCurrent) {
			return id
		}
	}
	v.take(awsPending)
	v.versions[token] = &version{stages: []string{awsPending}}
	return token
}

// cancel is what an administrator does with a rotation that will not end.
func (v *vault) cancel() {
	if held := v.holder(awsPending); held != nil && !slices.Contains(held.stages, awsCurrent) {
		v.take(awsPending)
	}
}

func (v *vault) DescribeSecret(context.Context, string) (rotation.Description, error) {
	d := rotation.Description{ARN: v.arn, RotationEnabled: !v.off, Stages: make(map[string][]string)}
	for id, held := range v.versions {
		if len(held.stages) > 0 {
			d.Stages[id] = slices.Clone(held.stages)
		}
	}
	if v.seen != nil {
		d = v.seen(d)
	}
	return d, nil
}

func (v *vault) GetSecretValue(_ context.Context, _, id string) (rotation.Version, error) {
	held := v.versions[id]
	if held == nil || held.value == "" {
		return rotation.Version{}, rotation.ErrNotFound
	}
	return rotation.Version{Value: directory.NewSecret(held.value), Created: held.created}, nil
}

func (v *vault) PutSecretValue(_ context.Context, _, token string, value directory.Secret) error {
	if len(token) < 32 || len(token) > 64 || value.Reveal() == "" {
		return errParameter
	}
	leaktest.Known(v.t, value.Reveal())
	held := v.versions[token]
	switch {
	case held == nil:
		held = new(version)
		v.versions[token] = held
	case held.value == value.Reveal():
		return nil
	case held.value != "":
		return rotation.ErrExists
	}
	held.value, held.created = value.Reveal(), time.Now()
	v.take(awsPending)
	held.stages = append(held.stages, awsPending)
	return nil
}

func (v *vault) UpdateSecretVersionStage(_ context.Context, _, stage, from, to string) error {
	holder := v.holder(stage)
	switch {
	case from == "" && to == "":
		return errParameter
	case v.lenient && stage == awsPending:
		v.versions[from].stages = slices.DeleteFunc(v.versions[from].stages, func(s string) bool { return s == stage })
		return nil
	case holder != nil && holder != v.versions[to] && holder != v.versions[from]:
		return errParameter // it must be named whom the label is taken from
	case from != "" && (v.versions[from] == nil || v.versions[from] != holder):
		return errParameter
	case to != "" && v.versions[to] == nil:
		return errNoVersion
	case stage == awsCurrent && to == "":
		return errParameter
	}
	if stage == awsCurrent && holder != v.versions[to] {
		v.promote(holder, v.versions[to])
	}
	v.take(stage)
	if to != "" {
		v.versions[to].stages = append(v.versions[to].stages, stage)
	}
	return nil
}

func (v *vault) promote(from, to *version) {
	if to.value == "" {
		v.t.Error("a version without a value becomes AWSCURRENT")
	}
	v.promoting(to.value)
	if !v.keeps {
		to.stages = slices.DeleteFunc(to.stages, func(s string) bool { return s == awsPending })
	}
	v.take(awsPrevious)
	from.stages = append(from.stages, awsPrevious)
}

// check checks that the next rotation can begin.
func (v *vault) check() {
	v.t.Helper()
	v.holder(awsCurrent)
	v.holder(awsPrevious)
	if held := v.holder(awsPending); held != nil && !slices.Contains(held.stages, awsCurrent) {
		v.t.Errorf("AWSPENDING is left on a version that is %v", held.stages)
	}
}

// labels are the labels of all versions, for messages.
func (v *vault) labels() map[string][]string {
	labels := make(map[string][]string)
	for _, id := range slices.Sorted(maps.Keys(v.versions)) {
		labels[id] = v.versions[id].stages
	}
	return labels
}
