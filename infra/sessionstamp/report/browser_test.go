//go:build page

package report_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

var chromium = flag.String("chromium", "chromium", "the `program` that draws the page")

// A browser is a headless Chromium with one tab. It is driven over a pipe in the [DevTools
// Protocol]: JSON that ends in a zero byte.
//
// [DevTools Protocol]: https://chromedevtools.github.io/devtools-protocol/
type browser struct {
	t       *testing.T
	in      io.Writer
	out     *bufio.Reader
	session string
	last    int
	// events are the methods and parameters of all that was told unasked.
	events []message
}

type message struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
}

// open starts Chromium, which ends with the test.
func open(t *testing.T) *browser {
	t.Helper()
	toIt, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, fromIt, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), *chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", //nolint:gosec // the browser that make names
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--hide-scrollbars", "--user-data-dir="+t.TempDir(), "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{toIt, fromIt} // 3 and 4, as it wants them
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatalf("start Chromium (make page CHROMIUM=… names another): %v", err)
	}
	_, _ = toIt.Close(), fromIt.Close()
	b := &browser{t: t, in: in, out: bufio.NewReader(out)}
	t.Cleanup(func() {
		b.session = "" // the whole of it, before its folder is removed
		b.call("Browser.close", nil, nil)
		_, _ = in.Close(), cmd.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.call(domain+".enable", nil, nil)
	}
	return b
}

// call carries out one command, and reads until its answer comes.
func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	b.last++
	command := map[string]any{"id": b.last, "method": method}
	if params != nil {
		command["params"] = params
	}
	if b.session != "" {
		command["sessionId"] = b.session
	}
	text, err := json.Marshal(command)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.in.Write(append(text, 0)); err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
	for {
		m := b.read(method)
		if m.ID != b.last {
			continue
		}
		if m.Error != nil {
			b.t.Fatalf("%s: %s", method, m.Error)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				b.t.Fatal(err)
			}
		}
		return
	}
}

func (b *browser) read(during string) (m message) {
	b.t.Helper()
	text, err := b.out.ReadBytes(0)
	if err == nil {
		err = json.Unmarshal(bytes.TrimSuffix(text, []byte{0}), &m)
	}
	if err != nil {
		b.t.Fatalf("%s: Chromium has ended: %v", during, err)
	}
	if m.Method != "" {
		b.events = append(b.events, m)
	}
	return m
}

// show loads a page into a window of so many pixels.
func (b *browser) show(url string, width, height int, scheme string) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	seen := len(b.events)
	b.call("Page.navigate", map[string]any{"url": url}, nil)
	for ; ; seen++ {
		for seen == len(b.events) {
			b.read("load")
		}
		if b.events[seen].Method == "Page.loadEventFired" {
			return
		}
	}
}

// ask evaluates an expression of JavaScript in the page.
func (b *browser) ask(expression string, value any) {
	b.t.Helper()
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &answer)
	if answer.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, answer.ExceptionDetails)
	}
	if value != nil {
		if err := json.Unmarshal(answer.Result.Value, value); err != nil {
			b.t.Fatal(err)
		}
	}
}

// bytes carries out a command whose answer is a picture or a document.
func (b *browser) bytes(method string, params map[string]any) []byte {
	b.t.Helper()
	var answer struct{ Data string }
	b.call(method, params, &answer)
	text, err := base64.StdEncoding.DecodeString(answer.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	return text
}

// complaints are all errors that the page has made, and all requests but for itself.
func (b *browser) complaints() (found []string) {
	for _, e := range b.events {
		switch e.Method {
		case "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded":
			found = append(found, fmt.Sprintf("%s %s", e.Method, e.Params))
		case "Network.requestWillBeSent":
			var sent struct{ Request struct{ URL string } }
			if err := json.Unmarshal(e.Params, &sent); err != nil || !strings.HasPrefix(sent.Request.URL, "file://") || !strings.HasSuffix(sent.Request.URL, ".html") {
				found = append(found, "request "+sent.Request.URL)
			}
		}
	}
	return found
}
