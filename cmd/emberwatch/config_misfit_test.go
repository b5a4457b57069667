package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestASecretAtTheWrongPlaceIsNotRepeated: neither by what is said of its type, nor in words of Go; what belongs there is said.
func TestASecretAtTheWrongPlaceIsNotRepeated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "emberwatch.yml")
	text := `version: 1
http: {tokens: [canary], tls: canary, listen: [canary]}
intake: {secret: [canary], senders: canary}
sources: [canary, {type: feed, name: a, budget: canary, history: "canary", map: canary, query: {x: canary}}]
limits: {auto_brands: "x into main.canary"}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, errs, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range errs {
		got = append(got, strings.TrimPrefix(e.Pos.String(), path+":")+" "+e.What)
		if said := e.Error(); strings.Contains(said, "canary") || strings.Contains(said, "main.") || e.Hint == "" {
			t.Errorf("it says %s", said)
		}
	}
	want := []string{
		"2:17 http.tokens[0]: expected a mapping with name, secret, scopes",
		"2:31 http.tls: expected a mapping with cert, key",
		"2:47 http.listen: expected a text",
		"3:18 intake.secret: expected env:NAME or file:PATH, where the secret stands",
		"3:37 intake.senders: expected a list, each of it a mapping with name, profile, secret",
		"4:11 sources[0]: expected a mapping with type, name and the keys of that type",
		"4:49 sources[1].budget: expected a whole number",
		"4:66 sources[1].history: expected true or false",
		"4:81 sources[1].map: expected what is written like {id: /review/id, text: /review/text}",
		"4:96 sources[1].query: expected a text, or a list of texts",
		"5:23 limits.auto_brands: expected a whole number",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestSecretsOfAddressesAreHidden, and told of: in the query there may be no other place for one, a password is refused.
func TestSecretsOfAddressesAreHidden(t *testing.T) {
	for address, tt := range map[string]struct{ veiled, told string }{
		"https://a.example/f?key=canary&q=x":              {"https://a.example/f?key=***&q=x", "warning the parameter key looks like a secret"},
		"https://a.example/f?q=x&access_token=canary;z=1": {"https://a.example/f?q=x&access_token=***;z=1", "warning the parameter access_token looks like a secret"},
		"https://a.example/f?API%4Bey=canary#sig=open":    {"https://a.example/f?API%4Bey=***#sig=open", "warning the parameter APIKey looks like a secret"},
		"wss://user:canary@a.example/f":                   {"wss://***@a.example/f", "error holds a user name or password"},
		"https://canary@a.example":                        {"https://***@a.example", "error holds a user name or password"},
		"https://user:can%zzary@a.example":                {"https://***@a.example", ""}, // no address at all, which is told elsewhere
		"https://a.example/@b?keyword=x&token=":           {"https://a.example/@b?keyword=x&token=", ""},
	} {
		if got := veiled(address); got != tt.veiled {
			t.Errorf("%s is shown as %s", address, got)
		}
		v := &validation{c: Default()}
		v.openSecrets("", address, "")
		got := ""
		for _, e := range v.errs {
			got += string(e.Level) + " " + e.What
			if strings.Contains(e.Error(), "canary") {
				t.Errorf("it says %s", e.Error())
			}
		}
		if got != tt.told {
			t.Errorf("%s: %q, want %q", address, got, tt.told)
		}
	}
}

func TestPrintHidesSecretsOfAddresses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "emberwatch.yml")
	text := "version: 1\nsources: [{type: feed, name: a, url: \"https://u:canary@a.example/f?key=canary&q=x\"}]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := invoke(t, "--config", path, "check", "--print")
	if code != exitProblems || strings.Contains(out+errs, "canary") || !strings.Contains(out, "https://***@a.example/f?key=***&q=x") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

// An address that is a secret itself stands elsewhere, is used, and never shown.
func TestAddressesMayStandElsewhere(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("FEED_ADDRESS", "https://reader:canary@a.example/f")
	writeFile(t, filepath.Join(dir, "hook"), "https://a.example/hooks/canary\n")
	path := writeFile(t, filepath.Join(dir, "emberwatch.yml"), "version: 1\nsources:\n  - {type: feed, name: a, url: env:FEED_ADDRESS}\n"+
		"notifiers:\n  - {type: webhook, name: b, url: file:hook, secret: file:hook}\n")
	cfg, errs, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if errs = append(errs, cfg.Validate()...); len(errs) > 0 || cfg.Sources[0].URL != "https://reader:canary@a.example/f" || cfg.Notifiers[0].URL != "https://a.example/hooks/canary" {
		t.Errorf("%s: %v, %v", errs, cfg.Sources[0].URL, cfg.Notifiers[0].URL)
	}
	_, out, told := invoke(t, "--config", path, "check", "--print")
	if strings.Contains(out+told, "canary") || !strings.Contains(out, "url: env:FEED_ADDRESS") || !strings.Contains(out, "url: file:hook") {
		t.Errorf("printed\n%s%s", out, told)
	}
	t.Setenv("FEED_ADDRESS", "")
	if _, _, told := invoke(t, "--config", path, "check", "--print"); !strings.Contains(told, "the variable FEED_ADDRESS is not set") {
		t.Errorf("told %s", told)
	}
}
