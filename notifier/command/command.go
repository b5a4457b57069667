// Package command tells by running a program: a siren, a pager's own tool, a script.
//
// The program gets the alert on its standard input, as the JSON of a [notifier.Envelope]; its arguments are those of
// the configuration and never hold anything foreign. Exit code 0 means told; any other means that it was not, and the
// alert is tried again later under the same key. A program that cannot be started is a failure for good. One that runs
// too long is ended, with what it has started; whether people were told is then unknown and it is run again.
//
// # Caveats
//
// The program inherits no secret: of the environment it gets PATH, HOME, LANG, TZ and TMPDIR. What it prints is read
// up to a limit, and only its last words go to the log, at the debug level.
package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
)

const (
	defaultTimeout = 30 * time.Second
	lastWords      = 2 << 10 // bytes of what the program printed
)

// Options are what a Notifier is made from. Name and Run are mandatory.
type Options struct {
	Name    string
	Run     []string      // the program and its arguments
	Timeout time.Duration // 0: 30 s
	Log     *slog.Logger  // nil: silent
}

// Notifier runs one program. It is safe for concurrent use.
type Notifier struct{ o Options }

var _ notifier.Notifier = (*Notifier)(nil)

// New returns a notifier, or says what is wrong with its options. Whether the program is there shows when it is run.
func New(o Options) (*Notifier, error) {
	switch {
	case o.Name == "":
		return nil, errors.New("command: no name")
	case len(o.Run) == 0 || o.Run[0] == "":
		return nil, fmt.Errorf("command %s: nothing to run; write run: [\"/path/to/program\"]", o.Name)
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Notifier{o}, nil
}

// Startable says why a program cannot be run: it is not there, or not executable. nil: it can.
func Startable(program string) error {
	_, err := exec.LookPath(program)
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no program %s", program)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s is not executable", program)
	case err != nil:
		return fmt.Errorf("%s cannot be run: %w", program, err)
	}
	return nil
}

// Name returns the configured name.
func (n *Notifier) Name() string { return n.o.Name }

// Notify runs the program once. The reference is the name and the key of the root.
func (n *Notifier) Notify(ctx context.Context, m *notifier.Message) (detector.Ref, error) {
	body, err := notifier.EncodeEnvelope(m)
	if err != nil {
		return detector.Ref{}, &notifier.DeliveryError{Outcome: notifier.ForGood, Reason: "not_encodable", Err: err}
	}
	if err := n.run(ctx, append(body, '\n')); err != nil {
		return detector.Ref{}, err
	}
	if m.Alert.Kind == detector.KindEdit && m.Root != (detector.Ref{}) {
		return m.Root, nil
	}
	return detector.Ref{Channel: n.o.Name, ID: m.Alert.Key}, nil
}

func (n *Notifier) run(ctx context.Context, input []byte) error {
	ctx, cancel := context.WithTimeout(ctx, n.o.Timeout)
	defer cancel()
	var said tail
	c := exec.CommandContext(ctx, n.o.Run[0], n.o.Run[1:]...)
	c.Stdin, c.Stdout, c.Stderr, c.Env = bytes.NewReader(input), &said, &said, environment()
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) } // with what it has started
	c.WaitDelay = time.Second
	if err := c.Start(); err != nil {
		return &notifier.DeliveryError{Outcome: notifier.ForGood, Reason: "cannot_start", Err: fmt.Errorf("run %s: %w", n.o.Run[0], err)}
	}
	err := c.Wait()
	n.o.Log.Debug("command has run", "notifier", n.o.Name, "exit", c.ProcessState.ExitCode(), "said", said.String())
	return n.judge(ctx, err)
}

// judge says what an end means.
func (n *Notifier) judge(ctx context.Context, err error) error {
	e := &notifier.DeliveryError{Outcome: notifier.NotSent, Err: fmt.Errorf("run %s", n.o.Run[0])}
	exit, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case ctx.Err() != nil:
		e.Outcome, e.Reason = notifier.Unknown, "timeout"
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // what it left running holds its output open
		return nil
	case exited && exit.ExitCode() >= 0:
		e.Reason = "exit_" + strconv.Itoa(exit.ExitCode())
	case exited:
		e.Reason = "killed"
	default:
		e.Outcome, e.Reason = notifier.Unknown, "run"
	}
	return e
}

// environment is what a program needs of ours, without our secrets.
func environment() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "LANG", "TZ", "TMPDIR"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// tail keeps the last of what is written to it.
type tail struct{ last []byte }

// Write takes everything.
func (t *tail) Write(p []byte) (int, error) {
	t.last = append(t.last, p[max(0, len(p)-lastWords):]...)
	t.last = t.last[max(0, len(t.last)-lastWords):]
	return len(p), nil
}

func (t *tail) String() string { return string(t.last) }
