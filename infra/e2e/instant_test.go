package e2e

import (
	"bytes"
	"crypto/md5" //nolint:gosec // SQS confirms bodies by it
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
)

// An instant answers at once for DynamoDB and SQS, from memory, where moto takes
// milliseconds for each call and makes them queue. It knows the calls by which the
// programs read and write items and send messages; all others go on to moto.
type instant struct {
	*httptest.Server
	moto http.Handler

	mu    sync.Mutex
	items map[string]attributes // by key
	sent  int                   // messages
	calls int
}

// attributes are an item, or its key.
type attributes map[string]json.RawMessage

func (a attributes) key() string { return string(a["pk"]) }

// instantCall is the input of any call that is answered here.
type instantCall struct {
	TableName, ConditionExpression string
	Key, Item                      attributes
	ExpressionAttributeValues      attributes
	MessageBody                    string
	Entries                        []struct {
		ID          string `json:"Id"`
		MessageBody string
	}
}

// newInstant starts one that ends with the test.
func newInstant(t *testing.T, moto string) *instant {
	t.Helper()
	target, err := url.Parse(moto)
	if err != nil {
		t.Fatal(err)
	}
	i := &instant{items: make(map[string]attributes),
		moto: &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target) }}}
	i.Server = httptest.NewServer(i)
	t.Cleanup(i.Close)
	return i
}

// ServeHTTP implements [http.Handler].
func (i *instant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the process is gone
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	answer := map[string]func(instantCall) any{
		"GetItem": i.get, "PutItem": i.put,
		"SendMessage": i.send, "SendMessageBatch": i.sendBatch,
	}[operation]
	var call instantCall
	if answer == nil || json.Unmarshal(body, &call) != nil {
		r.Body = io.NopCloser(bytes.NewReader(body))
		i.moto.ServeHTTP(w, r)
		return
	}
	i.mu.Lock()
	i.calls++
	status, out := http.StatusOK, answer(call)
	i.mu.Unlock()
	if _, refused := out.(refusal); refused {
		status = http.StatusBadRequest
	}
	text, err := json.Marshal(out)
	if err != nil {
		text, status = nil, http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amz-Crc32", fmt.Sprint(crc32.ChecksumIEEE(text))) // or DynamoDB's client closes the connection
	w.WriteHeader(status)
	_, _ = w.Write(text) // a process that is gone can't be told
}

func (i *instant) get(call instantCall) any {
	return map[string]any{"Item": i.items[call.Key.key()]}
}

// refusal is an error of the AWS JSON protocol.
type refusal struct {
	Type string `json:"__type"`
	Item attributes
}

// put knows the two conditions that there are: the item is new, or it has the
// version that the writer has read. Without one it replaces whatever there is.
func (i *instant) put(call instantCall) any {
	stored := i.items[call.Item.key()]
	if call.ConditionExpression != "" && string(stored["version"]) != string(call.ExpressionAttributeValues[":version"]) {
		return refusal{Type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", Item: stored}
	}
	i.items[call.Item.key()] = call.Item
	return struct{}{}
}

// sentMessage is how SQS confirms a message.
type sentMessage struct {
	ID        string `json:"Id,omitempty"` // in a batch
	MessageID string `json:"MessageId"`
	MD5       string `json:"MD5OfMessageBody"`
}

func (i *instant) send(call instantCall) any { return i.confirm("", call.MessageBody) }

func (i *instant) sendBatch(call instantCall) any {
	var sent []sentMessage
	for _, entry := range call.Entries {
		sent = append(sent, i.confirm(entry.ID, entry.MessageBody))
	}
	return map[string]any{"Successful": sent, "Failed": []any{}}
}

func (i *instant) confirm(id, body string) sentMessage {
	i.sent++
	sum := md5.Sum([]byte(body)) //nolint:gosec // no secret
	return sentMessage{ID: id, MessageID: uuid.NewString(), MD5: hex.EncodeToString(sum[:])}
}

// take returns how many messages were sent and how many calls made since it was last asked.
func (i *instant) take() (sent, calls int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	sent, calls = i.sent, i.calls
	i.sent, i.calls = 0, 0
	return sent, calls
}
