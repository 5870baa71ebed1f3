// Package lambdatest runs programs the way AWS Lambda does, by its [Runtime API] and
// as much of the [Extensions API] as aws-lambda-go needs to hear of SIGTERM: one
// invocation at a time, with a deadline, after which the process is killed.
//
// [Runtime API]: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
// [Extensions API]: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
package lambdatest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// grace is how long a process has after SIGTERM
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html).
const grace = 500 * time.Millisecond

// Config says what is run and how. All fields are required.
type Config struct {
	// Path is the program.
	Path string
	// Name and ARN are the function's.
	Name, ARN string
	// Environment is all that the process gets, besides what Lambda sets itself.
	Environment map[string]string
	// Timeout is the function's.
	Timeout time.Duration
	// Memory is in MB. It is only told to the process.
	Memory int
	// LogFormat and LogLevel are those of the function's LoggingConfig.
	LogFormat, LogLevel string
	// Region is where the function pretends to be.
	Region string
}

// A Program is a function with one execution environment. It starts a process when
// it is first invoked, and another one after that has ended.
type Program struct {
	t      testing.TB
	config Config
	log    Log
	turn   chan struct{} // holds a token while nobody is invoking

	mu      sync.Mutex
	process *process // nil while there is none
}

// New returns a program that is not running yet. At the end of the test it is closed,
// and the test logs all that it wrote, for the scan of what tests print.
func New(t testing.TB, c Config) *Program {
	t.Helper()
	p := &Program{t: t, config: c, turn: make(chan struct{}, 1)}
	p.turn <- struct{}{}
	t.Cleanup(p.finish)
	return p
}

func (p *Program) finish() {
	p.t.Helper()
	p.Close()
	p.t.Logf("log of the %s:\n%s", p.config.Name, &p.log)
}

// Log is what all processes of the program have written so far.
func (p *Program) Log() *Log { return &p.log }

// The ways in which an invocation fails besides [FunctionError].
var (
	// ErrTimeout tells that the process did not answer in time, and was killed.
	ErrTimeout = errors.New("task timed out")
	// ErrExited tells that the process ended before it answered.
	ErrExited = errors.New("process exited before completing the request")
)

// FunctionError is an error that the function itself reported.
type FunctionError struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (e *FunctionError) Error() string { return e.Type + ": " + e.Message }

// Invoke hands an event over and returns the answer. Who comes while another
// invocation is under way waits. Errors are [*FunctionError], or wrap [ErrTimeout] or
// [ErrExited].
func (p *Program) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	return p.InvokeHop(ctx, event, 0)
}

// InvokeHop is Invoke for an event that is so many hops away from the one that began a
// chain: whatever the process sends tells of it, as Lambda's recursive loop detection
// does (https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html).
func (p *Program) InvokeHop(ctx context.Context, event []byte, hop int) ([]byte, error) {
	select {
	case <-p.turn:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { p.turn <- struct{}{} }()
	running, err := p.running() //nolint:contextcheck // a process outlives the invocation that started it
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.config.Name, err)
	}
	answer, err := running.invoke(ctx, event, hop)
	if err != nil && !isFunctionError(err) {
		p.end(running)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.config.Name, err)
	}
	return answer, nil
}

func isFunctionError(err error) bool {
	_, ok := errors.AsType[*FunctionError](err)
	return ok
}

// running returns the process, which it starts if there is none.
func (p *Program) running() (*process, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.process != nil && !p.process.ended() {
		return p.process, nil
	}
	started, err := p.start()
	p.process = started
	return started, err
}

// end kills the process and forgets it.
func (p *Program) end(running *process) {
	running.kill()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.process == running {
		p.process = nil
	}
}

// PID is the id of the last process, which may have ended, and 0 before the first one
// and after [Program.Close].
func (p *Program) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.process == nil {
		return 0
	}
	return p.process.command.Process.Pid
}

// Kill kills the process as it is, with SIGKILL, as the end of a machine would. It
// tells whether there was one.
func (p *Program) Kill() bool {
	p.mu.Lock()
	running := p.process
	p.mu.Unlock()
	if running == nil {
		return false
	}
	running.kill()
	return true
}

// Close ends the process as Lambda does: SIGTERM, and SIGKILL half a second later.
// It tells whether SIGTERM was enough.
func (p *Program) Close() (ended bool) {
	p.mu.Lock()
	running := p.process
	p.process = nil
	p.mu.Unlock()
	if running == nil {
		return true
	}
	_ = running.command.Process.Signal(syscall.SIGTERM) // it may be gone
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-running.done:
		ended = true
	case <-timer.C:
	}
	running.kill()
	return ended
}

// start starts a process and the API that it asks.
func (p *Program) start() (*process, error) {
	api, err := newRuntime(p.config)
	if err != nil {
		return nil, err
	}
	// No context: a process outlives the invocation that started it.
	command := exec.Command(p.config.Path) //nolint:gosec,noctx // the test names its own programs
	command.Dir = filepath.Dir(p.config.Path)
	command.Env = p.config.environment(api.address())
	command.Stdout, command.Stderr = &p.log, &p.log
	if err := command.Start(); err != nil {
		api.close()
		return nil, err
	}
	running := &process{command: command, runtime: api, started: time.Now(), done: make(chan struct{})}
	go running.wait()
	return running, nil
}

// environment is what Lambda gives to a process
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html).
func (c Config) environment(api string) []string {
	environment := []string{
		"AWS_LAMBDA_RUNTIME_API=" + api,
		"AWS_LAMBDA_FUNCTION_NAME=" + c.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(c.Memory),
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_FORMAT=" + c.LogFormat,
		"AWS_LAMBDA_LOG_LEVEL=" + c.LogLevel,
		"AWS_REGION=" + c.Region,
		"AWS_DEFAULT_REGION=" + c.Region,
		"AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
		"AWS_SECRET_ACCESS_KEY=no-secret",
		"AWS_SESSION_TOKEN=no-token",
		"AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023",
		"LAMBDA_TASK_ROOT=" + filepath.Dir(c.Path),
		"_HANDLER=bootstrap",
		"LANG=en_US.UTF-8",
		"TZ=:UTC",
		"PATH=/usr/local/bin:/usr/bin:/bin",
		"HOME=" + os.DevNull, // no credentials and no configuration of the machine's owner
	}
	for name, value := range c.Environment {
		environment = append(environment, name+"="+value)
	}
	return environment
}

// process is one process of a program.
type process struct {
	command *exec.Cmd
	runtime *runtime
	started time.Time
	done    chan struct{} // closed when the process has ended
}

// wait waits for the end of the process, and closes what it asked.
func (r *process) wait() {
	_ = r.command.Wait() // how it ended, its log tells better
	close(r.done)
	r.runtime.close()
}

func (r *process) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

func (r *process) kill() {
	_ = r.command.Process.Kill() // it may be gone
	<-r.done
}

// invoke hands an event over and waits for the answer, the end of the process or the
// end of the time.
func (r *process) invoke(ctx context.Context, event []byte, hop int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, r.runtime.config.Timeout)
	defer cancel()
	deadline, _ := ctx.Deadline()
	given := newInvocation(event, deadline, hop)
	select {
	case r.runtime.invocations <- given:
	case fault := <-r.runtime.faults:
		return nil, fmt.Errorf("%w: it could not start: %w", ErrExited, fault)
	case <-r.done:
		return nil, r.exited()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w before it asked for an event: %w", ErrTimeout, ctx.Err())
	}
	select {
	case result := <-given.result:
		return result.answer, result.err
	case <-r.done:
		return nil, r.exited()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrTimeout, ctx.Err())
	}
}

// exited tells how the process ended; it may have said why before.
func (r *process) exited() error {
	select {
	case fault := <-r.runtime.faults:
		return fmt.Errorf("%w: it could not start: %w", ErrExited, fault)
	default:
		return fmt.Errorf("%w: %s", ErrExited, r.command.ProcessState)
	}
}
