package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBackupOverHTTPNeedsAnAbsolutePath(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := start(t, launch{config: writeFile(t, filepath.Join(dir, "e.yml"), anyPort), data: filepath.Join(dir, "d"), home: dir})
	defer c.stop(t)
	to := func(path string) reply {
		return c.ask(t, http.MethodPost, "/api/v1/store/backup?"+url.Values{"to": {path}}.Encode(), "")
	}
	if res := to("copy"); res.status != http.StatusBadRequest || !strings.Contains(res.body, "relative path") {
		t.Errorf("relative: %d %s", res.status, res.body)
	}
	if _, err := os.Stat(filepath.Join(dir, "copy")); err == nil {
		t.Error("it was made all the same")
	}
	if res := to(filepath.Join(dir, "copy")); res.status != http.StatusOK {
		t.Errorf("absolute: %d %s", res.status, res.body)
	}
	if res := to(filepath.Join(dir, "copy")); res.status != http.StatusBadRequest || !strings.Contains(res.body, "name a folder that does not exist yet") {
		t.Errorf("again: %d %s", res.status, res.body)
	}
}
