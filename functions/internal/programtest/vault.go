package programtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Vault plays AWS Secrets Manager, whose clock is package time's.
type Vault struct {
	t testing.TB
	// Others are what the other services answer, as JSON: by default nothing, which
	// is an item that is not there.
	Others string
	// KeepsPending tells that a version which becomes AWSCURRENT stays AWSPENDING, as
	// some that stand in for Secrets Manager have it.
	KeepsPending bool

	mu       sync.Mutex
	secrets  map[string][]*version // by ARN
	requests map[string]int
	denied   string
}

// version is one of a secret; its value may be missing yet.
type version struct {
	id      string
	value   *string
	stages  []string
	created time.Time
}

// NewVault makes a Vault with secrets, by ARN, that were made long ago.
func NewVault(t testing.TB, values map[string]string) *Vault {
	t.Helper()
	v := &Vault{t: t, secrets: make(map[string][]*version), requests: make(map[string]int)}
	for arn, value := range values {
		v.secrets[arn] = []*version{{"made-by-hand", &value, []string{"AWSCURRENT"}, time.Now().Add(-24 * time.Hour)}}
	}
	return v
}

// Begin begins a rotation, as Secrets Manager does before the first step.
func (v *Vault) Begin(arn, token string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.secrets[arn] = append(v.secrets[arn], &version{id: token, created: time.Now()})
	v.moveLocked(arn, "AWSPENDING", "", token)
}

// Put makes a value the current one.
func (v *Vault) Put(arn, value string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	id := fmt.Sprintf("put-%d", len(v.secrets[arn]))
	v.secrets[arn] = append(v.secrets[arn], &version{id: id, value: &value, created: time.Now()})
	v.moveLocked(arn, "AWSCURRENT", "", id)
}

// Deny lets an operation fail from now on; "" lets none.
func (v *Vault) Deny(operation string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.denied = operation
}

// Value returns the value at a stage, "" if there is none.
func (v *Vault) Value(arn, stage string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, version := range v.secrets[arn] {
		if slices.Contains(version.stages, stage) && version.value != nil {
			return *version.value
		}
	}
	return ""
}

// Requests returns how often an operation was asked for.
func (v *Vault) Requests(operation string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.requests[operation]
}

// input has the members of all operations.
type input struct {
	ARN                string `json:"SecretId"`
	VersionID          string `json:"VersionId"`
	VersionStage       string
	ClientRequestToken string
	SecretString       string
	MoveToVersionID    string `json:"MoveToVersionId"`
	RemoveFromID       string `json:"RemoveFromVersionId"`
}

// ServeHTTP implements [http.Handler], by the AWS JSON protocol.
func (v *Vault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "secretsmanager.")
	if !ok {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = io.WriteString(w, cmp.Or(v.Others, "{}"))
		return
	}
	var in input
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		v.t.Errorf("%s: %v", operation, err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.requests[operation]++
	if operation == v.denied {
		Denied(w, r)
		return
	}
	if out := v.doLocked(operation, in); out != nil {
		answer(w, http.StatusOK, out)
		return
	}
	answer(w, http.StatusBadRequest, map[string]any{"__type": "ResourceNotFoundException", "message": "no such version"})
}

// doLocked returns what an operation answers, nil where the version is not there.
func (v *Vault) doLocked(operation string, in input) map[string]any {
	versions := v.secrets[in.ARN]
	switch operation {
	case "DescribeSecret":
		return v.describeLocked(in.ARN)
	case "GetSecretValue":
		i := slices.IndexFunc(versions, func(one *version) bool {
			return one.id == in.VersionID || slices.Contains(one.stages, in.VersionStage)
		})
		if i < 0 || versions[i].value == nil {
			return nil
		}
		return map[string]any{"SecretString": *versions[i].value, "CreatedDate": float64(versions[i].created.Unix())}
	case "PutSecretValue":
		for _, one := range versions {
			if one.id == in.ClientRequestToken && one.value == nil {
				one.value, one.created = &in.SecretString, time.Now()
			}
		}
	case "UpdateSecretVersionStage":
		v.moveLocked(in.ARN, in.VersionStage, in.RemoveFromID, in.MoveToVersionID)
	default:
		v.t.Errorf("unexpected operation %s", operation)
	}
	return map[string]any{}
}

func (v *Vault) describeLocked(arn string) map[string]any {
	stages := make(map[string][]string)
	for _, one := range v.secrets[arn] {
		if len(one.stages) > 0 {
			stages[one.id] = slices.Clone(one.stages)
		}
	}
	return map[string]any{"ARN": arn, "RotationEnabled": true, "VersionIdsToStages": maps.Clone(stages)}
}

// moveLocked takes a label from one version, or from whichever has it, and gives it to
// another; "" is none.
func (v *Vault) moveLocked(arn, stage, from, to string) {
	for _, one := range v.secrets[arn] {
		if to == "" && one.id != from {
			continue
		}
		had := slices.Contains(one.stages, stage)
		one.stages = slices.DeleteFunc(one.stages, func(s string) bool {
			promoted := stage == "AWSCURRENT" && one.id == to
			return s == stage || stage == "AWSCURRENT" && s == "AWSPREVIOUS" || promoted && s == "AWSPENDING" && !v.KeepsPending
		})
		switch {
		case one.id == to:
			one.stages = append(one.stages, stage)
		case had && stage == "AWSCURRENT":
			one.stages = append(one.stages, "AWSPREVIOUS")
		}
	}
}
