package stacktest

import (
	"bytes"
	"crypto/md5" //nolint:gosec // SQS's own
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// query answers in the protocol of AWS Query.
func (c *call) query(result string) (*http.Response, error) {
	text := fmt.Sprintf("<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></%[1]sResponse>", c.operation, result)
	return c.respond(http.StatusOK, "text/xml", []byte(text)), nil
}

// refuse answers with an error, in the protocol of the call.
func (c *call) refuse(status int, code, message string) (*http.Response, error) {
	if c.form.Get("Action") != "" {
		text := "<ErrorResponse><Error><Type>Sender</Type>" + element("Code", code) + element("Message", message) + "</Error><RequestId>r</RequestId></ErrorResponse>"
		return c.respond(status, "text/xml", []byte(text)), nil
	}
	if c.service == "cloudwatch" {
		return c.cbor(status, cbor.Map{"__type": cbor.String(code), "message": cbor.String(message)})
	}
	response, err := c.json(map[string]string{"__type": code, "message": message})
	if err == nil {
		response.StatusCode = status
		response.Header.Set("X-Amzn-Errortype", code)
	}
	return response, err
}

// cbor answers in Smithy's RPC v2.
func (c *call) cbor(status int, v cbor.Value) (*http.Response, error) {
	response := c.respond(status, "application/cbor", cbor.Encode(v))
	response.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
	return response, nil
}

func element(name, text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a buffer takes everything
	return "<" + name + ">" + b.String() + "</" + name + ">"
}

// members is a list of pairs, such as tags, sorted by the keys.
func members(key, value string, of map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(of)) {
		b.WriteString("<member>" + element(key, name) + element(value, of[name]) + "</member>")
	}
	return b.String()
}

func (c *call) callerIdentity() (*http.Response, error) {
	return c.query(element("Account", Account) + element("Arn", Caller))
}

func (d *Deployment) id(name string) string {
	return "arn:aws:cloudformation:" + Region + ":" + Account + ":stack/" + name + "/0"
}

func (c *call) describeStacks() (*http.Response, error) {
	wanted := c.form.Get("StackName")
	var found []string
	if c.Name != "" && (wanted == "" || wanted == c.Name || wanted == c.id(c.Name)) {
		found = append(found, c.Name)
	}
	if wanted == "" {
		found = append(found, c.Others...)
	}
	if wanted != "" && len(found) == 0 {
		return c.refuse(http.StatusBadRequest, "ValidationError", "Stack with id "+wanted+" does not exist")
	}
	var b strings.Builder
	for _, name := range found {
		b.WriteString("<member>" + element("StackName", name) + element("StackId", c.id(name)) + element("Description", c.Description) +
			element("StackStatus", c.Status) + element("CreationTime", c.Created) +
			"<Parameters>" + members("ParameterKey", "ParameterValue", c.Parameters) + "</Parameters>" +
			"<Outputs>" + members("OutputKey", "OutputValue", c.Outputs) + "</Outputs>" +
			"<Tags>" + members("Key", "Value", c.Tags) + "</Tags></member>")
	}
	return c.query("<Stacks>" + b.String() + "</Stacks>")
}

func (c *call) listResources() (*http.Response, error) {
	return c.query("<StackResourceSummaries>" + strings.ReplaceAll(members("LogicalResourceId", "PhysicalResourceId", c.Resources),
		"</member>", "<ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>") + "</StackResourceSummaries>")
}

// describeEvents answers them as CloudFormation does: the newest first.
func (c *call) describeEvents() (*http.Response, error) {
	var b strings.Builder
	for _, e := range slices.Backward(c.Events) {
		logical, physical := e.Logical, c.Resources[e.Logical]
		if logical == "" {
			logical, physical = c.Name, c.id(c.Name)
		}
		b.WriteString("<member>" + element("StackId", c.id(c.Name)) + element("LogicalResourceId", logical) + element("PhysicalResourceId", physical) +
			element("ResourceStatus", e.Status) + element("ResourceStatusReason", e.Reason) + "</member>")
	}
	return c.query("<StackEvents>" + b.String() + "</StackEvents>")
}

func (c *call) describeAlarms() (*http.Response, error) {
	list := cbor.List{}
	for _, a := range c.Alarms {
		list = append(list, cbor.Map{
			"AlarmName": cbor.String(a.Name), "StateValue": cbor.String(a.State), "AlarmDescription": cbor.String(a.Description),
			"StateUpdatedTimestamp": &cbor.Tag{ID: 1, Value: cbor.Float64(float64(a.Since.UnixNano()) / float64(time.Second))},
		})
	}
	return c.cbor(http.StatusOK, cbor.Map{"MetricAlarms": list})
}

func (c *call) metricData() (*http.Response, error) {
	results := cbor.List{}
	for name, sum := range c.Sums {
		results = append(results, cbor.Map{"Label": cbor.String(name), "Values": cbor.List{cbor.Float64(sum)}})
	}
	return c.cbor(http.StatusOK, cbor.Map{"MetricDataResults": results})
}

func (c *call) sendMessages() (*http.Response, error) {
	var in struct {
		QueueURL string `json:"QueueUrl"`
		Entries  []struct {
			ID          string `json:"Id"`
			MessageBody string
		}
	}
	if err := json.Unmarshal(c.body, &in); err != nil || in.QueueURL != c.Resources["NotificationQueue"] {
		return c.refuse(http.StatusBadRequest, "InvalidAddress", in.QueueURL)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var stored []map[string]string
	for i, e := range in.Entries {
		c.Sent(e.MessageBody)
		sum := md5.Sum([]byte(e.MessageBody)) //nolint:gosec // SQS's own
		stored = append(stored, map[string]string{"Id": e.ID, "MessageId": fmt.Sprint(i), "MD5OfMessageBody": hex.EncodeToString(sum[:])})
	}
	return c.json(map[string]any{"Successful": stored, "Failed": []any{}})
}
