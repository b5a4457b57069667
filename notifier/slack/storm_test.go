package slack_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier/notifiertest"
)

// TestStorm: 200 incidents within five minutes, as the channel shows them. It takes a message a second and 429 for more.
func TestStorm(t *testing.T) {
	fake := notifiertest.NewSlack()
	defer fake.Close()
	fake.Limit(time.Second)
	synctest.Test(t, func(t *testing.T) {
		r := openNewsroom(t, fake, `{slack: {channel: "#pr-alerts"}}`)
		for n := range 200 {
			r.complain(n, map[bool]string{true: "crisis", false: map[bool]string{true: "serious", false: "issue"}[n%10 == 0]}[n%40 == 20])
			r.run(1500 * time.Millisecond)
		}
		r.run(2 * time.Minute)
		r.check(200)
		for _, a := range r.all() {
			if late := a.TriedAt.Sub(a.CreatedAt); a.Severity == 1 && a.Reason == detector.ReasonFirst && late > time.Minute {
				t.Errorf("%s was told after %s", a.Key, late)
			}
		}
		if n := fake.Calls("chat.postMessage"); n != len(fake.Messages("#pr-alerts")) {
			t.Errorf("%d calls for %d messages: the channel's budget was overdrawn", n, len(fake.Messages("#pr-alerts")))
		}
		if n := len(fake.Messages("#pr-alerts")); n > 6+5+1 {
			t.Errorf("%d messages in seven minutes", n)
		}
		transcript(t, fake, "storm.golden")
	})
}

// transcript compares what a channel shows with what was agreed on.
func transcript(t *testing.T, fake *notifiertest.Slack, name string) {
	t.Helper()
	var b strings.Builder
	for _, m := range fake.Messages("#pr-alerts") {
		sec, _, _ := strings.Cut(m.TS, ".")
		at, _ := strconv.ParseInt(sec, 10, 64)
		edited := ""
		if m.Edits > 0 {
			edited = fmt.Sprintf(" (edited %d times)", m.Edits)
		}
		fmt.Fprintf(&b, "%s%s\n%s\n\n", time.Unix(at, 0).UTC().Format("15:04:05"), edited, shown(t, &m))
	}
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the channel reads differently; look at it and run with -update:\n%s", b.String())
	}
}

// shown is a message as a person reads it, a line for each paragraph; of an incident's root only what it begins with.
func shown(t *testing.T, m *notifiertest.Message) string {
	t.Helper()
	var blocks []struct {
		Type     string
		Text     struct{ Text string }
		Elements []struct{ Text any }
	}
	if err := json.Unmarshal(m.Blocks, &blocks); err != nil {
		t.Fatal(err)
	}
	if len(blocks) > 0 && blocks[0].Type == "header" {
		blocks = blocks[:2]
	}
	var lines []string
	for _, b := range blocks {
		if b.Type != "actions" {
			lines = append(lines, b.Text.Text)
			continue
		}
		for _, e := range b.Elements {
			label, _ := e.Text.(map[string]any)
			lines = append(lines, fmt.Sprintf("[%v]", label["text"]))
		}
	}
	s := strings.ReplaceAll(strings.Join(lines, "\n"), "\u2060", "")
	return "    " + strings.ReplaceAll(s, "\n", "\n    ")
}
