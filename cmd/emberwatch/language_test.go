package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"emberwatch/notifier/notifiertest"
)

// TestARouteSpeaksItsLanguage: the rules say language: de, and all that Slack shows of an incident is German: the message, what
// is read aloud instead of it, and the lines below it.
func TestARouteSpeaksItsLanguage(t *testing.T) {
	fake := notifiertest.NewSlack()
	defer fake.Close()
	fake.AddUser(notifiertest.User{ID: "U0INGRID", Name: "ingrid", Display: "Ingrid"})
	fake.Allow("<@U0INGRID>")
	dir := t.TempDir()
	cfg := e2eConfig(t, dir, fake.URL(), "")
	file := filepath.Join(dir, "rules.yml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	german := strings.Replace(string(text), "    notify: {gather: 1s}\n    ladder:\n",
		"    language: de\n    notify: {gather: 1s}\n    ladder:\n      - {after: 1s, severity: 1, to: lead}\n", 1)
	if err := os.WriteFile(file, []byte(german), 0o600); err != nil {
		t.Fatal(err)
	}
	d, stop := startDaemon(t, filepath.Join(dir, "data"), cfg)
	defer stop()
	sendSigned(t, d, "msg_de", []map[string]any{{
		"id": "harm", "source": "instagram", "network": "instagram", "brand": "Fjellbryg", "kind": "comment", "author": map[string]any{"id": "a", "handle": "@a"},
		"text": "Mein Kind wurde von der Fjellbryg One verletzt, wir waren im Krankenhaus!", "created_at": time.Now().UTC().Format(time.RFC3339),
	}})
	eventually(t, "an alert in Slack", func() bool { return len(fake.Messages("#pr-alerts")) > 0 })
	root := fake.Messages("#pr-alerts")[0]
	eventually(t, "the ladder", func() bool { return len(fake.Thread(root.TS)) > 1 })
	line := fake.Thread(root.TS)[1]
	for what, shown := range map[string][2]string{
		"the text that is read aloud": {root.Text, "Jemand schreibt über Sicherheit und Verletzungen"},
		"the title":                   {root.Shown(), "Möglicherweise wurde jemand verletzt"},
		"the reason":                  {root.Shown(), "eine einzelne glaubhafte Erwähnung über Sicherheit und Verletzungen"},
		"the buttons":                 {root.Shown(), "Übernehmen"},
		"the line below it":           {line.Shown(), "Bitte übernehmen. Niemand hat innerhalb von"},
	} {
		if !strings.Contains(shown[0], shown[1]) {
			t.Errorf("%s: %q is not in\n%s", what, shown[1], shown[0])
		}
	}
	for _, v := range fake.Violations() {
		t.Error(v)
	}
}
