package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// A folder stands for its rule files, a configuration is known for what it is, and the rules that are in force are counted,
// whoever wrote them.
func TestCheckTakesWhatPeopleName(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	const packed = "version: 1\nbrands: {hav: {names: [Havbryg], own_authors: [\"x:hav\"]}}\npacks: [starter]\n"
	for name, text := range map[string]string{
		"rules/own.yml": twoBrands, "rules/packed.yaml": packed, "rules/notes.txt": "no: {rules", "empty/notes.txt": "none",
		"emberwatch.yml": "version: 1\nrules: [rules]\n", "keys.yml": "version: 1\nhttp: {listen: \"127.0.0.1:0\"}\nslak: {}\n",
		"stray.yml": packed + "http: {}\n",
	} {
		writeFile(t, path(name), text)
	}
	for _, c := range []struct {
		args string // names of files below dir have a point
		code int
		want string
	}{
		{"check ./rules", exitOK, "ok: 2 rule files, 3 brands, 18 rules, 17 of them from packs, 0 routes; 0 errors, "},
		{"check ./rules/packed.yaml", exitOK, "ok: 1 rule file, 1 brand, 17 rules, 17 of them from packs, 0 routes; 0 errors, 0 warnings\n"},
		{"check ./rules/own.yml", exitOK, "ok: 1 rule file, 2 brands, 1 rule, 0 of them from packs, 0 routes; 0 errors, "},
		{"check ./emberwatch.yml", exitOK, "ok: 2 rule files, 3 brands, 18 rules, "},
		{"check ./keys.yml", exitProblems, `keys.yml:3:1: key: unknown key "slak"`},
		{"check ./stray.yml", exitProblems, `unknown key "http" in a rule file`},
		{"check ./emberwatch.yml ./rules", exitUsage, "emberwatch.yml is a configuration, no rule file; check it by itself"},
		{"check ./empty", exitUsage, "empty holds no rule file (*.yml, *.yaml)"},
		{"check ./gone.yml", exitUsage, "there is no file or folder "},
		{"rules test ./emberwatch.yml", exitUsage, "emberwatch.yml is a configuration, no rule file; name it with --config "},
		{"rules test ./rules", exitOK, "0 tests, 0 failed"},
	} {
		args := strings.Fields(strings.ReplaceAll(c.args, "./", dir+"/"))
		if code, out, errs := invoke(t, args...); code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("%s: exit code %d\n%s%s", c.args, code, out, errs)
		}
	}
}
