package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what has to happen; it is far more than a busy machine needs.
const patience = 3 * time.Minute

// child is a daemon in a process of its own.
type child struct {
	cmd  *exec.Cmd
	url  string // where it listens, once it runs
	log  *logBook
	done chan struct{} // closed when the process has ended
}

// launch is how to start a child.
type launch struct {
	config string   // file; empty: none
	data   string   // folder; empty: the default place
	env    []string // besides PATH and a home of its own
	home   string   // empty: a temporary one
}

// start starts a daemon and waits until it runs.
func start(t *testing.T, l launch) *child {
	t.Helper()
	c := spawn(t, l)
	select {
	case c.url = <-c.log.running:
	case <-c.done:
		t.Fatalf("the daemon ended at once, exit code %d\n%s", c.code(), c.log)
	case <-time.After(patience):
		t.Fatalf("the daemon does not say that it runs\n%s", c.log)
	}
	return c
}

// spawn starts a daemon and does not wait.
func spawn(t *testing.T, l launch) *child {
	t.Helper()
	home := l.home
	if home == "" {
		home = t.TempDir()
	}
	args := []string{"--log-format", "json"}
	if l.config != "" {
		args = append(args, "--config", l.config)
	}
	if l.data != "" {
		args = append(args, "--data", l.data)
	}
	c := &child{cmd: exec.Command("emberwatch", append(args, "run")...), log: newLogBook(), done: make(chan struct{})}
	c.cmd.Dir = home
	c.cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_CONFIG_HOME=" + filepath.Join(home, "config"),
		"XDG_STATE_HOME=" + filepath.Join(home, "state"),
	}, l.env...)
	c.cmd.Stdout, c.cmd.Stderr = c.log.out(), c.log
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the process, which the clean-up ends at the latest
		_ = c.cmd.Wait()
		close(c.done)
	}()
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		<-c.done
	})
	return c
}

// signal sends a signal.
func (c *child) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		t.Fatalf("signal %s: %v", s, err)
	}
}

// wait waits for the end and returns the exit code; -1 stands for a signal.
func (c *child) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-c.done:
	case <-time.After(patience):
		t.Fatalf("the daemon does not end\n%s", c.log)
	}
	return c.code()
}

func (c *child) code() int { return c.cmd.ProcessState.ExitCode() }

// stop asks a daemon to leave and expects that it does so in order.
func (c *child) stop(t *testing.T) {
	t.Helper()
	c.signal(t, syscall.SIGTERM)
	if code := c.wait(t); code != exitOK {
		t.Fatalf("exit code %d after SIGTERM\n%s", code, c.log)
	}
}

// kill ends a daemon as a power cut would, and waits until it is gone.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	<-c.done
}

// reply is an answer with its body read.
type reply struct {
	status int
	header http.Header
	body   string
}

// decode reads the body as JSON.
func (r reply) decode(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), v); err != nil {
		t.Fatalf("answer %d %q: %v", r.status, r.body, err)
	}
}

// ask makes a request; change may alter it before it goes out. As senders do, it comes again after a 503: right
// after the start the intake may still be closed.
func (c *child) ask(t *testing.T, method, path, body string, change ...func(*http.Request)) (r reply) {
	t.Helper()
	soon(t, method+" "+path+" is answered", func() bool {
		var err error
		if r, err = c.try(method, path, body, change...); err != nil {
			t.Fatalf("%s %s: %v\n%s", method, path, err, c.log)
		}
		return r.status != http.StatusServiceUnavailable
	})
	return r
}

// try is ask for a daemon that may be gone.
func (c *child) try(method, path, body string, change ...func(*http.Request)) (reply, error) {
	req, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	for _, f := range change {
		f(req)
	}
	transport := &http.Transport{DisableKeepAlives: true} // a connection of a killed daemon is of no use
	res, err := (&http.Client{Transport: transport, Timeout: patience}).Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, string(b)}, err
}

// header sets a header of a request.
func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// soon polls until ok holds.
func soon(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("did not happen: %s", what)
		}
	}
}

// logBook keeps what a child writes and notices that it runs.
type logBook struct {
	running chan string // gets the address once

	mu     sync.Mutex
	stderr bytes.Buffer
	stdout bytes.Buffer
	rest   []byte // of a line not yet ended
	told   bool
}

func newLogBook() *logBook { return &logBook{running: make(chan string, 1)} }

// Write takes what the child writes to stderr.
func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stderr.Write(p)
	b.rest = append(b.rest, p...)
	for {
		line, rest, ok := bytes.Cut(b.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		b.rest = rest
		var entry struct{ Msg, Listen string }
		if json.Unmarshal(line, &entry) == nil && entry.Msg == "running" && !b.told {
			b.told = true
			b.running <- entry.Listen
		}
	}
}

// out is where stdout goes.
func (b *logBook) out() io.Writer { return writerFunc(b.writeOut) }

func (b *logBook) writeOut(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stdout.Write(p)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func (b *logBook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stderr.String()
}

// said is what the child wrote to stdout so far.
func (b *logBook) said() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stdout.String()
}

// at returns the messages that were logged at a level.
func (b *logBook) at(level string) []string {
	var found []string
	for s := bufio.NewScanner(strings.NewReader(b.String())); s.Scan(); {
		var entry struct{ Level, Msg string }
		if json.Unmarshal(s.Bytes(), &entry) == nil && entry.Level == level {
			found = append(found, s.Text())
		}
	}
	return found
}

// writeFile writes a file, with its folder.
func writeFile(t *testing.T, path, text string) string {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}
