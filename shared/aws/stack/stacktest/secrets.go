package stacktest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// A secret is one of Secrets Manager. Its versions are texts, by their ids, and each stage is at
// one of them.
type secret struct {
	versions map[string]string
	stages   map[string]string
	changed  time.Time
	key      string
}

// Secrets are the texts of the current versions of all secrets, by their names.
func (d *Deployment) Secrets() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	texts := make(map[string]string)
	for name, s := range d.secrets {
		texts[name] = s.versions[s.stages["AWSCURRENT"]]
	}
	return texts
}

// AddSecret adds one that was last changed at a moment.
func (d *Deployment) AddSecret(name, text string, changed time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.secrets[name] = &secret{versions: map[string]string{"1": text}, stages: map[string]string{"AWSCURRENT": "1"}, changed: changed}
}

// SecretKey is the KMS key of a secret, "" for AWS's own.
func (d *Deployment) SecretKey(name string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.secrets[name]; s != nil {
		return s.key
	}
	return ""
}

// secretRequest has the fields of all that is asked
// (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html).
type secretRequest struct {
	Name, SecretString, VersionStage, ClientRequestToken string
	VersionStages                                        []string
	SecretID                                             string `json:"SecretId"`
	KmsKeyID                                             string `json:"KmsKeyId"`
	MoveToVersionID                                      string `json:"MoveToVersionId"`
	RemoveFromVersionID                                  string `json:"RemoveFromVersionId"`
	ForceDeleteWithoutRecovery                           bool
	Filters                                              []struct{ Values []string }
}

func (c *call) secretsManager() (*http.Response, error) {
	var in secretRequest
	if err := json.Unmarshal(c.body, &in); err != nil {
		return nil, err
	}
	c.mu.Lock()
	body, code := c.secret(in)
	c.mu.Unlock()
	if code != "" {
		return c.refuse(http.StatusBadRequest, code, in.SecretID)
	}
	return c.json(body)
}

// secret returns the answer, or the code of an error.
func (c *call) secret(in secretRequest) (map[string]any, string) {
	switch c.operation {
	case "ListSecrets":
		list := []any{}
		for name := range c.secrets {
			if strings.HasPrefix(name, in.Filters[0].Values[0]) {
				list = append(list, map[string]any{"Name": name, "ARN": name})
			}
		}
		return map[string]any{"SecretList": list}, ""
	case "CreateSecret":
		if c.secrets[in.Name] != nil {
			return nil, "ResourceExistsException"
		}
		c.secrets[in.Name] = &secret{
			versions: map[string]string{"1": in.SecretString}, stages: map[string]string{"AWSCURRENT": "1"}, changed: time.Now(), key: in.KmsKeyID,
		}
		return map[string]any{"ARN": in.Name}, ""
	}
	s := c.secrets[in.SecretID]
	if s == nil {
		return nil, "ResourceNotFoundException"
	}
	return c.ofSecret(s, in)
}

func (c *call) ofSecret(s *secret, in secretRequest) (map[string]any, string) {
	switch c.operation {
	case "DeleteSecret":
		delete(c.secrets, in.SecretID)
		return map[string]any{}, ""
	case "DescribeSecret":
		stages := make(map[string][]string)
		for stage, id := range s.stages {
			stages[id] = append(stages[id], stage)
		}
		return map[string]any{"ARN": in.SecretID, "Name": in.SecretID, "VersionIdsToStages": stages, "LastChangedDate": s.changed.Unix()}, ""
	case "GetSecretValue":
		text, is := s.versions[s.stages[in.VersionStage]]
		if !is {
			return nil, "ResourceNotFoundException"
		}
		return map[string]any{"ARN": in.SecretID, "SecretString": text}, ""
	case "PutSecretValue":
		id := fmt.Sprint(len(s.versions) + 1)
		s.versions[id] = in.SecretString
		for _, stage := range in.VersionStages {
			s.stages[stage] = id
		}
		return map[string]any{"VersionId": id}, ""
	default: // UpdateSecretVersionStage
		if s.stages[in.VersionStage] != in.RemoveFromVersionID {
			return nil, "InvalidParameterException"
		}
		s.stages[in.VersionStage] = in.MoveToVersionID
		return map[string]any{"ARN": in.SecretID}, ""
	}
}
