package lambdatest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sessionstamp/sessionstamp/infra/integration/lambdatest"
	"github.com/sessionstamp/sessionstamp/internal/leak/leaktest"
)

// TestMain makes a Lambda function of the test binary where a test runs it as one.
func TestMain(m *testing.M) {
	for _, variable := range os.Environ() {
		if api, ok := strings.CutPrefix(variable, "AWS_LAMBDA_RUNTIME_API="); ok {
			bootstrap("http://" + api)
			return
		}
	}
	m.Run()
}

// bootstrap does what its events say, one after the other.
func bootstrap(api string) {
	if slices.Contains(os.Environ(), "INIT=fails") {
		post(api+"/2018-06-01/runtime/init/error", `{"errorType":"Fault","errorMessage":"no table"}`)
		return
	}
	if slices.Contains(os.Environ(), "SIGTERM=heard") {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM)
		post(api+"/2020-01-01/extension/register", `{"events":[]}`)
		go func() {
			<-signals
			fmt.Fprintln(os.Stderr, `{"message":"heard"}`)
			panic("the end") // the quickest way out
		}()
	} else {
		signal.Ignore(syscall.SIGTERM)
	}
	for serve(api) {
	}
}

// serve handles one event, and tells whether to go on.
func serve(api string) bool {
	answer, err := http.Get(api + "/2018-06-01/runtime/invocation/next") //nolint:forbidigo // a few lines that run in a process of their own
	if err != nil {
		return false
	}
	event, _ := io.ReadAll(answer.Body)
	at := api + "/2018-06-01/runtime/invocation/" + answer.Header.Get("Lambda-Runtime-Aws-Request-Id")
	fmt.Println(`{"message":"invoked"}`) //nolint:forbidigo // what a program prints is its log
	switch string(event) {
	case `"fail"`:
		post(at+"/error", `{"errorType":"Fault","errorMessage":"on purpose"}`)
	case `"exit"`:
		return false
	case `"tell"`:
		fmt.Fprintln(os.Stderr, variableOf("TELL"))
		post(at+"/response", `1`)
	case `"break off"`:
		fmt.Fprint(os.Stderr, variableOf("TELL"))
		return false
	case `"blame"`:
		post(at+"/error", `{"errorType":"Fault","errorMessage":"`+variableOf("TELL")+`"}`)
	case `"hang"`:
		select {}
	case `"foreign"`:
		post(api+"/2018-06-01/runtime/invocation/another/response", `1`)
		return false
	default:
		deadline := answer.Header.Get("Lambda-Runtime-Deadline-Ms")
		post(at+"/response", fmt.Sprintf(`{"event":%s,"deadline":%s,"arn":%q,"variable":%q}`, event, deadline,
			answer.Header.Get("Lambda-Runtime-Invoked-Function-Arn"), variableOf("VARIABLE")))
	}
	return true
}

func variableOf(name string) string {
	for _, variable := range os.Environ() {
		if value, ok := strings.CutPrefix(variable, name+"="); ok {
			return value
		}
	}
	return ""
}

func post(url, body string) {
	answer, err := http.Post(url, "application/json", bytes.NewReader([]byte(body))) //nolint:forbidigo,gosec // see serve
	if err != nil {
		return
	}
	_ = answer.Body.Close()
}

func program(t testing.TB, environment map[string]string, timeout time.Duration) *lambdatest.Program {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return lambdatest.New(t, lambdatest.Config{Path: path, Name: "f", ARN: "arn:f", Environment: environment, Timeout: timeout,
		Memory: 128, LogFormat: "JSON", LogLevel: "INFO", Region: "eu-central-1"})
}

const plenty = time.Minute

func TestInvoke(t *testing.T) {
	t.Parallel()
	p := program(t, map[string]string{"VARIABLE": "value"}, plenty)
	before := time.Now()
	for range 3 {
		answer, err := p.Invoke(t.Context(), []byte(`{"a":1}`))
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Event    map[string]int
			Deadline int64
			ARN      string
			Variable string
		}
		if err := json.Unmarshal(answer, &got); err != nil {
			t.Fatalf("%s: %v", answer, err)
		}
		if got.Event["a"] != 1 || got.ARN != "arn:f" || got.Variable != "value" {
			t.Errorf("got %s", answer)
		}
		if left := time.UnixMilli(got.Deadline).Sub(before); left < plenty-time.Second || left > 2*plenty {
			t.Errorf("the deadline is in %s, want it in %s", left, plenty)
		}
	}
	p.Close() // then all that was written is there
	if n := strings.Count(p.Log().String(), "invoked"); n != 3 {
		t.Errorf("the log has %d invocations, want 3", n)
	}
}

// TestFailures: after each of them, the next event finds a function that works.
func TestFailures(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		event   string
		timeout time.Duration
		want    error
	}{
		"exit":                   {`"exit"`, plenty, lambdatest.ErrExited},
		"time":                   {`"hang"`, time.Second, lambdatest.ErrTimeout},
		"answer of another call": {`"foreign"`, plenty, lambdatest.ErrExited},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := program(t, nil, test.timeout)
			if answer, err := p.Invoke(t.Context(), []byte(test.event)); !errors.Is(leaktest.Seen(t, err), test.want) {
				t.Errorf("got %s, %v, want %v", answer, err, test.want)
			}
			if _, err := p.Invoke(t.Context(), []byte(`{}`)); err != nil {
				t.Errorf("the next invocation: %v", err)
			}
		})
	}
}

func TestFunctionError(t *testing.T) {
	t.Parallel()
	p := program(t, nil, plenty)
	_, err := p.Invoke(t.Context(), []byte(`"fail"`))
	fault, ok := errors.AsType[*lambdatest.FunctionError](leaktest.Seen(t, err))
	if !ok || fault.Type != "Fault" || fault.Message != "on purpose" {
		t.Errorf("got %v, want the function's own error", err)
	}
}

func TestInitError(t *testing.T) {
	t.Parallel()
	p := program(t, map[string]string{"INIT": "fails"}, plenty)
	if _, err := p.Invoke(t.Context(), []byte(`{}`)); !errors.Is(leaktest.Seen(t, err), lambdatest.ErrExited) || !strings.Contains(err.Error(), "no table") {
		t.Errorf("got %v, want the reason why it could not start", err)
	}
}

func TestKill(t *testing.T) {
	t.Parallel()
	p := program(t, nil, plenty)
	if p.Kill() || p.PID() != 0 {
		t.Error("there is a process that had not started")
	}
	done := make(chan error, 1)
	go func() {
		_, err := p.Invoke(t.Context(), []byte(`"hang"`))
		done <- err
	}()
	if _, err := p.Log().Wait(t.Context(), func(r map[string]any) bool { return r["message"] == "invoked" }); err != nil {
		t.Fatal(err)
	}
	if told := syscall.Kill(p.PID(), 0); told != nil {
		t.Errorf("its process is said to be %d, which there isn't: %v", p.PID(), told)
	}
	if !p.Kill() {
		t.Error("nothing was killed")
	}
	if err := <-done; !errors.Is(leaktest.Seen(t, err), lambdatest.ErrExited) {
		t.Errorf("got %v, want that the process has ended", err)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		environment map[string]string
		want        bool
	}{
		"heard":   {map[string]string{"SIGTERM": "heard"}, true},
		"ignored": {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := program(t, test.environment, plenty)
			if _, err := p.Invoke(t.Context(), []byte(`{}`)); err != nil {
				t.Fatal(err)
			}
			if ended := p.Close(); ended != test.want {
				t.Errorf("SIGTERM was enough: %t, want %t", ended, test.want)
			}
			if heard := strings.Contains(p.Log().String(), "heard"); heard != test.want {
				t.Errorf("SIGTERM was heard: %t, want %t", heard, test.want)
			}
		})
	}
}

// judged is a test whose outcome another one judges.
type judged struct {
	testing.TB
	failed   int
	cleanups []func()
}

func (j *judged) Helper()               {}
func (j *judged) Failed() bool          { return j.failed > 0 }
func (j *judged) Cleanup(f func())      { j.cleanups = append(j.cleanups, f) }
func (j *judged) Errorf(string, ...any) { j.failed++ }
func (j *judged) Logf(string, ...any)   {}

// A test fails by itself if its program writes what nobody may read.
func TestLeaks(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		event, text string
		want        int
	}{
		"line":            {`"tell"`, "no such user: hanako@contoso.com", 1},
		"unfinished line": {`"break off"`, "panic: abc8Q~0123456789", 1},
		"error":           {`"blame"`, "eyJhbGciOiJSUzI1NiJ9.e30.c2ln", 1},
		"nothing":         {`"tell"`, "harmless", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := &judged{TB: t}
			p := program(j, map[string]string{"TELL": test.text}, plenty)
			_, _ = p.Invoke(t.Context(), []byte(test.event)) // how it ends is not the question
			for _, cleanup := range j.cleanups {
				cleanup()
			}
			if j.failed != test.want {
				t.Errorf("failed %d times, want %d; the log is\n%s", j.failed, test.want, p.Log())
			}
		})
	}
}

func TestLogWait(t *testing.T) {
	t.Parallel()
	var log lambdatest.Log
	ctx, cancel := context.WithCancel(t.Context())
	found := make(chan any, 1)
	go func() {
		record, _ := log.Wait(ctx, func(r map[string]any) bool { return r["n"] == 2.0 })
		found <- record["text"]
	}()
	for _, part := range []string{`{"n":1}` + "\nno JSON\n{\"n\"", `:2,"text":"whole"}`, "\n"} {
		if _, err := io.WriteString(&log, part); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-found; got != "whole" {
		t.Errorf("found %v, want the second record", got)
	}
	cancel()
	if _, err := log.Wait(ctx, func(map[string]any) bool { return false }); !errors.Is(leaktest.Seen(t, err), context.Canceled) {
		t.Errorf("got %v after the end", err)
	}
}
