package lambdatest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// maxAnswer is the most that a function may answer, in bytes
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const maxAnswer = 6 << 20

// runtime is the API that one process asks for events.
type runtime struct {
	config      Config
	listener    net.Listener
	server      *http.Server
	invocations chan *invocation
	faults      chan error // of a process that could not start

	mu      sync.Mutex
	pending *invocation // the one that the process is at
}

// invocation is one event on its way through the process.
type invocation struct {
	id       string
	event    []byte
	deadline time.Time
	hop      int
	result   chan result // takes one
}

type result struct {
	answer []byte
	err    error
}

func newInvocation(event []byte, deadline time.Time, hop int) *invocation {
	return &invocation{id: uuid.NewString(), event: event, deadline: deadline, hop: hop, result: make(chan result, 1)}
}

// newRuntime listens on a free port of 127.0.0.1 until it is closed.
func newRuntime(c Config) (*runtime, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not wait for anybody
	if err != nil {
		return nil, err
	}
	r := &runtime{config: c, listener: listener, invocations: make(chan *invocation), faults: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // it ends with the server
	r.server = &http.Server{
		Handler:           r.routes(),
		ReadHeaderTimeout: time.Minute,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	r.server.RegisterOnShutdown(cancel)
	go func() { // ends with close
		defer cancel()
		_ = r.server.Serve(listener)
	}()
	return r, nil
}

func (r *runtime) address() string { return r.listener.Addr().String() }

func (r *runtime) close() { _ = r.server.Close() }

func (r *runtime) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", r.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", r.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", r.failure)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", r.initError)
	mux.HandleFunc("POST /2020-01-01/extension/register", r.register)
	mux.HandleFunc("GET /2020-01-01/extension/event/next", r.wait)
	return mux
}

// next answers when there is an event.
func (r *runtime) next(w http.ResponseWriter, request *http.Request) {
	select {
	case given := <-r.invocations:
		r.mu.Lock()
		r.pending = given
		r.mu.Unlock()
		header := w.Header()
		header.Set("Content-Type", "application/json")
		header.Set("Lambda-Runtime-Aws-Request-Id", given.id)
		header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(given.deadline.UnixMilli(), 10))
		header.Set("Lambda-Runtime-Invoked-Function-Arn", r.config.ARN)
		header.Set("Lambda-Runtime-Trace-Id", trace(given.hop))
		_, _ = w.Write(given.event) // a process that is gone can't be told
	case <-request.Context().Done():
	}
}

// lineage is how a trace counts hops.
const lineage = "Lineage=1:9a9197af:"

func trace(hop int) string {
	return "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0;" + lineage + strconv.Itoa(hop)
}

// Hop is how many hops a call's trace counts, 0 without a trace.
func Hop(header http.Header) int {
	_, count, _ := strings.Cut(header.Get("X-Amzn-Trace-Id"), lineage)
	hop, _ := strconv.Atoi(count)
	return hop
}

// response takes the answer of the function.
func (r *runtime) response(w http.ResponseWriter, request *http.Request) {
	answer, err := io.ReadAll(http.MaxBytesReader(w, request.Body, maxAnswer))
	if err != nil {
		r.settle(w, request, result{err: fmt.Errorf("%w: read the answer: %w", ErrExited, err)})
		return
	}
	if kind := request.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
		r.settle(w, request, result{err: &FunctionError{Type: kind, Message: "the answer broke off"}})
		return
	}
	r.settle(w, request, result{answer: answer})
}

// failure takes the error of the function.
func (r *runtime) failure(w http.ResponseWriter, request *http.Request) {
	r.settle(w, request, result{err: readError(request)})
}

// settle ends the invocation, if it is the one that the process is at.
func (r *runtime) settle(w http.ResponseWriter, request *http.Request, outcome result) {
	r.mu.Lock()
	given := r.pending
	r.pending = nil
	r.mu.Unlock()
	if given == nil || given.id != request.PathValue("id") {
		http.Error(w, `{"errorType":"InvalidRequestID"}`, http.StatusBadRequest)
		return
	}
	given.result <- outcome
	w.WriteHeader(http.StatusAccepted)
}

// initError takes the reason why the process cannot start.
func (r *runtime) initError(w http.ResponseWriter, request *http.Request) {
	select {
	case r.faults <- readError(request):
	default: // the first one is kept
	}
	w.WriteHeader(http.StatusAccepted)
}

func readError(request *http.Request) error {
	fault := new(FunctionError)
	if err := json.NewDecoder(request.Body).Decode(fault); err != nil {
		return fmt.Errorf("read the function's error: %w", err)
	}
	return fault
}

// register takes an extension, such as the one by which aws-lambda-go asks for
// SIGTERM. It may not ask for events, which nobody would send.
func (r *runtime) register(w http.ResponseWriter, request *http.Request) {
	var wanted struct {
		Events []string `json:"events"`
	}
	if err := json.NewDecoder(request.Body).Decode(&wanted); err != nil || len(wanted.Events) > 0 {
		http.Error(w, "only extensions without events are known here", http.StatusBadRequest)
		return
	}
	w.Header().Set("Lambda-Extension-Identifier", uuid.NewString())
	w.WriteHeader(http.StatusOK)
}

// wait never answers: there is nothing that the extension has asked for.
func (r *runtime) wait(_ http.ResponseWriter, request *http.Request) { <-request.Context().Done() }
