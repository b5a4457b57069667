package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTheMentionOfInit raises an incident of the brand that init was told, whatever it is called.
func TestTheMentionOfInit(t *testing.T) {
	for i, brand := range []string{"Fjellbryg", "Fjell \"Bryg\" Ø's", "شركة"} {
		dir := filepath.Join(t.TempDir(), "desk")
		code, out, errs := invoke(t, "init", "--brand", brand, dir)
		if code != exitOK {
			t.Fatal(errs)
		}
		_, mention, _ := strings.Cut(out, "curl -d '")
		mention, _, _ = strings.Cut(mention, "' http://")
		mention = strings.Replace(mention, "'$(date -u +%FT%TZ)'", time.Now().UTC().Format(time.RFC3339), 1)
		file := writeFile(t, filepath.Join(dir, "one.ndjson"), mention+"\n")
		code, out, errs = invoke(t, "--config", filepath.Join(dir, "emberwatch.yml"), "replay", "--json", file)
		if code != exitOK || !strings.Contains(out, `"event":"opened"`) || i == 0 && !strings.Contains(out, `"incident":"fjellbryg-1"`) {
			t.Errorf("%s: exit code %d\n%s%s", brand, code, out, errs)
		}
	}
}
