package command_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/notifier/command"
	"emberwatch/notifier/notifiertest"
)

// TestMain also is the program that the tests run: "siren DIR" writes its input into DIR.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "siren" {
		os.Exit(siren(os.Args[2]))
	}
	os.Exit(m.Run())
}

// siren appends its input to the file heard, and its environment to the file env. It fails once for a file fail.
func siren(dir string) int {
	body, err := io.ReadAll(os.Stdin)
	if err != nil {
		return 9
	}
	f, err := os.OpenFile(filepath.Join(dir, "heard"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 9
	}
	defer f.Close()
	if _, err := f.Write(body); err != nil { // one write: several may run at once
		return 9
	}
	if err := os.WriteFile(filepath.Join(dir, "env"), []byte(strings.Join(os.Environ(), "\n")), 0o600); err != nil {
		return 9
	}
	if os.Remove(filepath.Join(dir, "fail")) == nil {
		fmt.Println("no power")
		return 3
	}
	return 0
}

func lines(t *testing.T, dir string) [][]byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "heard"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return bytes.SplitAfter(b, []byte("\n"))
}

func program(t *testing.T, run ...string) *command.Notifier {
	t.Helper()
	n, err := command.New(command.Options{Name: "siren", Run: run})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestContract(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a program for each message, one after the other")
	}
	notifiertest.Run(t, func(t *testing.T) notifiertest.Harness {
		dir := t.TempDir()
		return notifiertest.Harness{
			Notifier: program(t, os.Args[0], "siren", dir),
			Sent:     func() int { return len(lines(t, dir)) - 1 },
			Shown: func() string {
				return strings.ReplaceAll(string(bytes.Join(lines(t, dir), nil)), "_", " ")
			},
			Leaks: func() (leaks []string) {
				for _, l := range lines(t, dir) {
					var e notifier.Envelope
					if len(l) > 0 && json.Unmarshal(l, &e) != nil {
						leaks = append(leaks, "a line that is no alert: "+string(l))
					}
				}
				return leaks
			},
			Break: func() {
				if err := os.WriteFile(filepath.Join(dir, "fail"), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			},
		}
	})
}

func TestItInheritsNoSecret(t *testing.T) {
	t.Setenv("SLACK_BOT_TOKEN", "xoxb-canary")
	dir := t.TempDir()
	if _, err := program(t, os.Args[0], "siren", dir).Notify(t.Context(), notifiertest.Sample()); err != nil {
		t.Fatal(err)
	}
	env, err := os.ReadFile(filepath.Join(dir, "env"))
	if err != nil || strings.Contains(string(env), "canary") || !strings.Contains(string(env), "PATH=") {
		t.Errorf("environment %s, %v", env, err)
	}
}

func TestHowItEnds(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell here")
	}
	for _, c := range []struct {
		name    string
		run     []string
		outcome notifier.Outcome
		reason  string
	}{
		{"exit code", []string{sh, "-c", "exit 7"}, notifier.NotSent, "exit_7"},
		{"ended from outside", []string{sh, "-c", "kill -9 $$"}, notifier.NotSent, "killed"},
		{"not there", []string{"/nowhere/siren"}, notifier.ForGood, "cannot_start"},
		{"too long, with what it has started", []string{sh, "-c", "sleep 60 & sleep 60"}, notifier.Unknown, "timeout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := command.New(command.Options{Name: "siren", Run: c.run, Timeout: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			ref, err := n.Notify(t.Context(), notifiertest.Sample())
			de, ok := errors.AsType[*notifier.DeliveryError](err)
			if !ok || de.Outcome != c.outcome || de.Reason != c.reason || ref != (detector.Ref{}) {
				t.Errorf("%v, %v", ref, err)
			}
		})
	}
}

func TestItMayIgnoreItsInputAndTalkWithoutEnd(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell here")
	}
	m := notifiertest.Sample()
	m.Alert.Note = strings.Repeat("long ", 100_000)
	for _, script := range []string{"exit 0", "head -c 3000000 /dev/zero; exit 0"} {
		if _, err := program(t, sh, "-c", script).Notify(t.Context(), m); err != nil {
			t.Errorf("%s: %v", script, err)
		}
	}
}

func TestNewSaysWhatIsMissing(t *testing.T) {
	for _, o := range []command.Options{{Run: []string{"x"}}, {Name: "siren"}, {Name: "siren", Run: []string{""}}} {
		if _, err := command.New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}
