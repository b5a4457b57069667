package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"emberwatch/detector"
)

// Without a rule explain lists all of them, with what each has done and what there is to doubt; doctor tells the doubts,
// from the running daemon or from the folder that it has left.
func TestRulesThatLookAtTheSameAreToldOf(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "acme.yml"), `version: 1
brands: {acme: {names: [Acme], own_authors: ["shop:acme"]}}
rules:
  - {id: burnt, title: Burnt, kind: each, brand: acme, match: {any_of: [burnt]}, dedupe: {by: [author], for: 1h}, severity: 3}
  - {id: cake, title: Cakes, kind: each, brand: acme, match: {any_of: [cake]}, dedupe: {by: [author], for: 1h}, severity: 3}
`)
	data := filepath.Join(dir, "d")
	c := start(t, launch{data: data, config: writeFile(t, filepath.Join(dir, "e.yml"), anyPort+"rules: [acme.yml]\n")})
	var items []string
	for i := range 21 {
		items = append(items, item(fmt.Sprint("m", i), "Acme", "Acme burnt my cake"))
	}
	if res := c.ask(t, "POST", "/v1/mentions", `{"items":[`+strings.Join(items, ",")+`]}`); res.status != 200 {
		t.Fatalf("%d %s", res.status, res.body)
	}
	const doubt = "W05: it looks at nearly the same as the rule burnt: of the last 21 mentions of acme that one of the two matched, both matched 21"

	var got detector.Survey
	c.ask(t, "GET", "/api/v1/rules/explain", "").decode(t, &got)
	if len(got.Rules) < 2 || got.Compared != 21 || got.Rules[0].Rule != "burnt" || got.Rules[0].Practice.Opened == 0 || len(got.Rules[0].Practice.Doubts) != 0 {
		t.Errorf("got %+v", got)
	}
	if code, out, errs := invoke(t, "rules", "explain", "--server", c.url); code != exitOK || !strings.Contains(out, "warning: cake: "+doubt) || !strings.Contains(out, "compared on the newest 21 mentions, since 20") {
		t.Errorf("explain: exit code %d\n%s%s", code, out, errs)
	}
	if code, out, _ := invoke(t, "rules", "explain", "--server", c.url, "--json"); code != exitOK || strings.Count(out, "\n") != len(got.Rules) || !strings.Contains(out, `{"id":"W05","what":"it looks`) {
		t.Errorf("explain --json: exit code %d\n%s", code, out)
	}
	if code, _, errs := invoke(t, "rules", "explain", "burnt", "--server", c.url, "--brand", "acne"); code != exitUsage || !strings.Contains(errs, `did you mean "acme"?`) {
		t.Errorf("explain of an unknown brand: exit code %d\n%s", code, errs)
	}
	if code, _, errs := invoke(t, "rules", "explain", "neg-burst", "--server", c.url, "--brand", "acme"); code != exitUsage || !strings.Contains(errs, `the rule "neg-burst" is not in force for the brand "acme"`) {
		t.Errorf("explain of a rule that is not in force: exit code %d\n%s", code, errs)
	}
	found := "warning  rule cake: " + doubt + "\n         repair: make one rule of the two"
	here := writeFile(t, filepath.Join(dir, "here.yml"), fmt.Sprintf("version: 1\nhttp: {listen: %q}\nrules: [acme.yml]\n", strings.TrimPrefix(c.url, "http://")))
	if code, out, errs := invoke(t, "--config", here, "--data", data, "doctor"); code != exitOK || !strings.Contains(out, "held by the running daemon") || !strings.Contains(out, found) {
		t.Errorf("doctor beside the daemon: exit code %d\n%s%s", code, out, errs)
	}
	c.stop(t)
	if code, out, errs := invoke(t, "--config", here, "--data", data, "doctor"); code != exitOK || !strings.Contains(out, "nobody holds it") || !strings.Contains(out, found) {
		t.Errorf("doctor without the daemon: exit code %d\n%s%s", code, out, errs)
	}
}
