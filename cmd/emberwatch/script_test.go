package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/detector/sentiment"
	"emberwatch/detector/store"
	"emberwatch/rules"
	"emberwatch/sources"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScript runs the command line as people do. Each file under testdata/script is one story; besides what
// testscript offers they may say:
//
//	exits CODE PROGRAM ARG…     run a program and expect its exit code
//	oneline FILE                the file (or stderr) holds exactly one line
//	jsonkeys FILE [K=V] KEY…    every line (or those with K=V) is a JSON object with these keys
//	gz FILE                     compress FILE to FILE.gz
//	datafolder DIR              make a data folder with two brands, an open incident and texts
//	lock DIR                    hold a data folder until the end of the script
//	daemon CONFIG DIR           start a daemon and name it in EMBERWATCH_SERVER
//
// A short run, such as the one with the race detector, plays those that speak to a daemon: the others start one program
// after the other, and nothing in these runs side by side.
func TestScript(t *testing.T) {
	dir := filepath.Join(root, "testdata", "script")
	var files []string
	if testing.Short() {
		for _, name := range []string{"doctor", "incidents", "store"} {
			files = append(files, filepath.Join(dir, name+".txtar"))
		}
		dir = ""
	}
	testscript.Run(t, testscript.Params{
		Dir: dir, Files: files,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			home := filepath.Join(e.WorkDir, "home")
			e.Setenv("HOME", home)
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
			e.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
			return os.Mkdir(home, 0o755)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "oneline": oneline, "jsonkeys": jsonKeys,
			"gz": gz, "datafolder": dataFolder, "lock": lock, "daemon": daemon,
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if err != nil || neg {
		ts.Fatalf("usage: exits CODE PROGRAM ARG…")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d\n%s%s", got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

func oneline(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile(args[0])
	if one := strings.Count(text, "\n") == 1 && strings.HasSuffix(text, "\n"); one == neg {
		ts.Fatalf("%s is\n%s", args[0], text)
	}
}

func jsonKeys(ts *testscript.TestScript, neg bool, args []string) {
	text, keys, n := ts.ReadFile(args[0]), args[1:], 0
	key, value, filtered := strings.Cut(keys[0], "=")
	if filtered {
		keys = keys[1:]
	}
	for line := range strings.Lines(text) {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			ts.Fatalf("%v in %s", err, line)
		}
		if filtered && fmt.Sprint(o[key]) != value {
			continue
		}
		n++
		for _, k := range keys {
			if _, ok := o[k]; ok == neg {
				ts.Fatalf("key %q in %s", k, line)
			}
		}
	}
	if n == 0 {
		ts.Fatalf("no such line in\n%s", text)
	}
}

func gz(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.Create(ts.MkAbs(args[0] + ".gz"))
	ts.Check(err)
	z := gzip.NewWriter(f)
	_, err = z.Write([]byte(ts.ReadFile(args[0])))
	ts.Check(errors.Join(err, z.Close(), f.Close()))
}

// dataFolder makes a data folder the way a daemon does: by handing in mentions.
func dataFolder(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	db, err := store.Open(ts.MkAbs(args[0]), store.Options{})
	ts.Check(err)
	d, err := detector.Open(ctx, detector.Options{Store: db, Reader: db, Scorer: sentiment.New(), Rules: rules.Starter()})
	ts.Check(err)
	now := time.Now().UTC()
	b := sources.Batch{Source: "shop"}
	for i := range 20 {
		m := sources.Mention{
			V: 1, ID: fmt.Sprintf("m%02d", i), Source: "shop", Kind: sources.Comment, Op: sources.Create, Brand: "Fjellbryg",
			Author: sources.Author{Handle: fmt.Sprintf("@u%d", i%10)}, Text: fmt.Sprintf("where is parcel %d", i),
			Visibility: sources.Public, CreatedAt: now.Add(time.Duration(i-20) * time.Minute),
		}
		if i%5 == 0 {
			m.Brand = "Hav"
		}
		if i == 7 {
			m.Text = "my wife was injured and is in hospital"
		}
		b.Mentions = append(b.Mentions, m)
	}
	taken, err := d.Ingest(ctx, b)
	ts.Check(err)
	if taken.Accepted != 20 {
		ts.Fatalf("taken: %+v", taken)
	}
	d.Close()
	ts.Check(db.Close())
}

func lock(ts *testscript.TestScript, _ bool, args []string) {
	db, err := store.Open(ts.MkAbs(args[0]), store.Options{})
	ts.Check(err)
	ts.Defer(func() { _ = db.Close() })
}

func daemon(ts *testscript.TestScript, _ bool, args []string) {
	cmd := exec.Command("emberwatch", "--log-format", "json", "--config", ts.MkAbs(args[0]), "--data", ts.MkAbs(args[1]), "run")
	book := newLogBook()
	cmd.Env, cmd.Dir = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + ts.Getenv("HOME")}, ts.MkAbs(".")
	cmd.Stdout, cmd.Stderr = book.out(), book
	ts.Check(cmd.Start())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	ts.Defer(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
		}
		if code := cmd.ProcessState.ExitCode(); code != exitOK {
			ts.Logf("%s", book)
			ts.Fatalf("the daemon ended with exit code %d", code)
		}
	})
	select {
	case url := <-book.running:
		ts.Setenv("EMBERWATCH_SERVER", url)
	case <-ended:
		ts.Fatalf("the daemon does not start\n%s", book)
	case <-time.After(patience):
		ts.Fatalf("the daemon does not say that it runs\n%s", book)
	}
}
