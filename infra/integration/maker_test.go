package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/sessionstamp/sessionstamp/infra/integration/templatetest"
)

// A maker makes in moto, by the template's own properties, what the programs work
// with. A property that it does not know is an error, so that nothing of the template
// goes untested unseen.
type maker struct {
	ctx   context.Context // of the test that makes the stack
	cloud cloud
	stack string
	// apiID is the id of the HTTP API, which a replacement changes.
	apiID string
	made  map[string]templatetest.Made // what is there stays in an update
}

// Make implements [templatetest.Maker].
func (m *maker) Make(kind, id string, properties map[string]any) (templatetest.Made, bool, error) {
	if kind == "AWS::Serverless::HttpApi" {
		return templatetest.Made{Ref: m.apiID}, true, nil
	}
	makers := map[string]func(string, map[string]any) (templatetest.Made, error){
		"AWS::SQS::Queue":             m.queue,
		"AWS::DynamoDB::Table":        m.table,
		"AWS::SecretsManager::Secret": m.secret,
	}
	f := makers[kind]
	if f == nil {
		return templatetest.Made{}, false, nil
	}
	if made, ok := m.made[id]; ok {
		return made, true, nil
	}
	made, err := f(m.stack+"-"+id, properties)
	m.made[id] = made
	return made, true, err
}

// queue makes a queue. What is not among the attributes of CreateQueue, moto refuses.
func (m *maker) queue(name string, properties map[string]any) (templatetest.Made, error) {
	attributes := make(map[string]string)
	for property, v := range properties {
		switch v := v.(type) {
		case string:
			attributes[property] = v
		case int:
			attributes[property] = strconv.Itoa(v)
		case bool:
			attributes[property] = strconv.FormatBool(v)
		default:
			text, err := json.Marshal(v)
			if err != nil {
				return templatetest.Made{}, err
			}
			attributes[property] = string(text)
		}
	}
	var out struct {
		QueueURL string `json:"QueueUrl"`
	}
	err := m.cloud.call(m.ctx, "AmazonSQS.CreateQueue", map[string]any{"QueueName": name, "Attributes": attributes}, &out)
	return templatetest.Made{Ref: out.QueueURL, Attributes: map[string]string{"Arn": queueARN(out.QueueURL), "QueueName": name}}, err
}

// table makes a table. CreateTable takes most properties by the names that they have
// in the template.
func (m *maker) table(name string, properties map[string]any) (templatetest.Made, error) {
	in := map[string]any{"TableName": name}
	later := make(map[string]any)
	for property, v := range properties {
		switch property {
		case "BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes":
			in[property] = v
		case "SSESpecification":
			in[property] = map[string]any{"Enabled": v.(map[string]any)["SSEEnabled"]}
		case "TimeToLiveSpecification", "PointInTimeRecoverySpecification":
			later[property] = v
		default:
			return templatetest.Made{}, fmt.Errorf("property %s of a table is not known here", property)
		}
	}
	var out struct {
		TableDescription struct {
			TableArn string
		}
	}
	if err := m.cloud.call(m.ctx, "DynamoDB_20120810.CreateTable", in, &out); err != nil {
		return templatetest.Made{}, err
	}
	for property, target := range map[string]string{
		"TimeToLiveSpecification":          "DynamoDB_20120810.UpdateTimeToLive",
		"PointInTimeRecoverySpecification": "DynamoDB_20120810.UpdateContinuousBackups",
	} {
		if v, ok := later[property]; ok {
			if err := m.cloud.call(m.ctx, target, map[string]any{"TableName": name, property: v}, nil); err != nil {
				return templatetest.Made{}, err
			}
		}
	}
	return templatetest.Made{Ref: name, Attributes: map[string]string{"Arn": out.TableDescription.TableArn}}, nil
}

// secret makes a secret whose text is generated as the template says.
func (m *maker) secret(name string, properties map[string]any) (templatetest.Made, error) {
	var text string
	for property, v := range properties {
		switch property {
		case "Description":
		case "GenerateSecretString":
			var out struct{ RandomPassword string }
			if err := m.cloud.call(m.ctx, "secretsmanager.GetRandomPassword", v, &out); err != nil {
				return templatetest.Made{}, err
			}
			text = out.RandomPassword
		default:
			return templatetest.Made{}, fmt.Errorf("property %s of a secret is not known here", property)
		}
	}
	arn, err := m.cloud.createSecret(m.ctx, name, text)
	return templatetest.Made{Ref: arn}, err
}

// createSecret makes a secret and returns its ARN.
func (c cloud) createSecret(ctx context.Context, name, text string) (string, error) {
	var out struct{ ARN string }
	err := c.call(ctx, "secretsmanager.CreateSecret", map[string]string{"Name": name, "SecretString": text}, &out)
	return out.ARN, err
}
