package awstest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/sessionstamp/sessionstamp/infra/e2e/lambdatest"
)

// A Function is one that Lambda runs.
type Function struct {
	// Program is what runs it.
	Program *lambdatest.Program
	// Configuration is what GetFunctionConfiguration answers; FunctionName and
	// FunctionArn stand in it.
	Configuration map[string]any
	// Concurrency is what is reserved, nil without any.
	Concurrency *int
	// LogGroup is where it logs to.
	LogGroup string
}

// A Mapping is an event source mapping, as its calls answer it: UUID, FunctionArn, State.
type Mapping map[string]any

// Lambda are the functions of the account.
type Lambda struct {
	// Settings is what GetAccountSettings answers.
	Settings map[string]any
	// Switched is called when a mapping is switched on or off; nil means nobody cares.
	Switched func(uuid string, enabled bool)

	mu        sync.Mutex
	functions map[string]*Function // by name
	mappings  map[string]Mapping   // by UUID
	measured  map[string]float64   // by metric
	running   sync.WaitGroup       // asynchronous invocations
}

// NewLambda lets a server have functions.
func NewLambda(s *Server) *Lambda {
	l := &Lambda{functions: make(map[string]*Function), mappings: make(map[string]Mapping), measured: make(map[string]float64),
		Settings: map[string]any{"AccountLimit": map[string]any{"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}}}
	s.Play("lambda", l.play)
	s.Play("logs", l.playLogs)
	s.Play("monitoring", l.playMetrics)
	return l
}

// Put makes a function, or changes it.
func (l *Lambda) Put(name string, f *Function) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.functions[name] = f
}

// Map makes an event source mapping.
func (l *Lambda) Map(uuid string, m Mapping) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mappings[uuid] = m
}

// Remove takes a function or a mapping away.
func (l *Lambda) Remove(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.functions, name)
	delete(l.mappings, name)
}

// Function is the function of a name or ARN, nil if there is none.
func (l *Lambda) Function(name string) *Function {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.functions[functionName(name)]
}

// functionName is the name in an ARN, or the name.
func functionName(name string) string {
	return name[strings.LastIndex(name, ":")+1:]
}

// play answers calls of Lambda.
func (l *Lambda) play(w http.ResponseWriter, c *Call) bool {
	name := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(c.Request.URL.Path, "/invocations"), "/configuration"), "/concurrency")
	f, m := l.Function(path.Base(name)), l.mapping(path.Base(name))
	switch c.operation {
	case "ListFunctions":
		c.Answer(w, http.StatusOK, map[string]any{"Functions": l.all()})
	case "GetAccountSettings":
		c.Answer(w, http.StatusOK, l.Settings)
	case "ListEventSourceMappings":
		c.Answer(w, http.StatusOK, map[string]any{"EventSourceMappings": l.mapped(c.Form.Get("FunctionName"), c.Form.Get("EventSourceArn"))})
	case "GetEventSourceMapping", "UpdateEventSourceMapping":
		l.playMapping(w, c, m)
	default:
		if f == nil {
			c.Refuse(w, &Refusal{http.StatusNotFound, "ResourceNotFoundException", "Function not found: " + c.Resource})
			return true
		}
		l.playFunction(w, c, f)
	}
	return true
}

func (l *Lambda) playFunction(w http.ResponseWriter, c *Call, f *Function) {
	l.mu.Lock()
	configuration, concurrency := maps.Clone(f.Configuration), f.Concurrency
	l.mu.Unlock()
	switch c.operation {
	case "InvokeFunction":
		l.invoke(w, c, f)
	case "GetFunctionConfiguration":
		c.Answer(w, http.StatusOK, configuration)
	case "GetFunction":
		c.Answer(w, http.StatusOK, map[string]any{"Configuration": configuration, "Code": map[string]any{"RepositoryType": "S3"},
			"Concurrency": reserved(concurrency), "Tags": configuration["Tags"]})
	case "GetFunctionConcurrency":
		c.Answer(w, http.StatusOK, reserved(concurrency))
	case "PutFunctionConcurrency":
		var wanted struct{ ReservedConcurrentExecutions *int }
		if err := json.Unmarshal(c.Body, &wanted); err != nil {
			c.Refuse(w, Refused("InvalidParameterValueException", "%v", err))
			return
		}
		l.mu.Lock()
		f.Concurrency = wanted.ReservedConcurrentExecutions
		l.mu.Unlock()
		c.Answer(w, http.StatusOK, reserved(wanted.ReservedConcurrentExecutions))
	default:
		c.Refuse(w, Refused("InvalidAction", "%s is not played here", c.Action))
	}
}

func reserved(n *int) map[string]any {
	if n == nil {
		return map[string]any{}
	}
	return map[string]any{"ReservedConcurrentExecutions": *n}
}

// tail is how much of its log an invocation answers, in bytes.
const tail = 4 << 10

// invoke runs a function (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html).
func (l *Lambda) invoke(w http.ResponseWriter, c *Call, f *Function) {
	l.mu.Lock()
	concurrency := f.Concurrency
	l.mu.Unlock()
	if concurrency != nil && *concurrency == 0 {
		c.Refuse(w, &Refusal{http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded."})
		return
	}
	switch c.Request.Header.Get("X-Amz-Invocation-Type") {
	case "DryRun":
		w.WriteHeader(http.StatusNoContent)
		return
	case "Event":
		ctx := context.WithoutCancel(c.Request.Context())
		l.running.Go(func() { _, _ = f.Program.Invoke(ctx, c.Body) }) // its log tells
		w.WriteHeader(http.StatusAccepted)
		return
	}
	before := len(f.Program.Log().String())
	answer, err := f.Program.Invoke(c.Request.Context(), c.Body)
	if err != nil {
		answer = failure(err)
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
	}
	if log := f.Program.Log().String()[before:]; c.Request.Header.Get("X-Amz-Log-Type") == "Tail" {
		w.Header().Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString([]byte(log[max(0, len(log)-tail):])))
	}
	w.Header().Set("X-Amz-Executed-Version", "$LATEST")
	c.write(w, http.StatusOK, "application/json", answer)
}

// failure is what the caller of a function that failed is told.
func failure(err error) []byte {
	told := map[string]string{"errorMessage": err.Error()}
	if of, ok := errors.AsType[*lambdatest.FunctionError](err); ok {
		told = map[string]string{"errorType": of.Type, "errorMessage": of.Message}
	}
	text, _ := json.Marshal(told) //nolint:errchkjson // texts
	return text
}

func (l *Lambda) all() []any {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := []any{}
	for _, name := range slices.Sorted(maps.Keys(l.functions)) {
		all = append(all, l.functions[name].Configuration)
	}
	return all
}

func (l *Lambda) mapping(uuid string) Mapping {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.mappings[uuid])
}

// mapped are the mappings of a function and of a source, each "" for all.
func (l *Lambda) mapped(function, source string) []any {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := []any{}
	for _, m := range l.mappings {
		arn, _ := m["FunctionArn"].(string)
		if (function == "" || functionName(arn) == functionName(function)) && (source == "" || m["EventSourceArn"] == source) {
			all = append(all, maps.Clone(m))
		}
	}
	return all
}

// playMapping shows a mapping, or switches it.
func (l *Lambda) playMapping(w http.ResponseWriter, c *Call, m Mapping) {
	if m == nil {
		c.Refuse(w, &Refusal{http.StatusNotFound, "ResourceNotFoundException", "The resource you requested does not exist."})
		return
	}
	var wanted struct{ Enabled *bool }
	if c.operation == "UpdateEventSourceMapping" && json.Unmarshal(c.Body, &wanted) == nil && wanted.Enabled != nil {
		m["State"] = map[bool]string{true: "Enabled", false: "Disabled"}[*wanted.Enabled]
		l.Map(path.Base(c.Request.URL.Path), m)
		if l.Switched != nil {
			l.Switched(path.Base(c.Request.URL.Path), *wanted.Enabled)
		}
	}
	c.Answer(w, http.StatusOK, map[string]any(m))
}

// Wait waits for the end of all asynchronous invocations.
func (l *Lambda) Wait() { l.running.Wait() }

// Enabled tells whether a mapping hands messages over.
func (l *Lambda) Enabled(uuid string) bool { return l.mapping(uuid)["State"] == "Enabled" }
