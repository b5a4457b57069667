package rules

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

func compiledSchema(t *testing.T) (*jsonschema.Schema, map[string]any) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("rules.json", doc); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile("rules.json"), doc.(map[string]any)
}

// Every file that is known to be right is right by the schema.
func TestSchemaTakesWhatParseTakes(t *testing.T) {
	s, _ := compiledSchema(t)
	files := []string{"testdata/full.yml", "testdata/fjellbryg.yml"}
	packs, _ := filepath.Glob("packs/*.yml")
	trades, _ := filepath.Glob("packs/trades/*.yml")
	for _, name := range slices.Concat(files, packs, trades) {
		if name == "packs/scope.yml" {
			continue // ours alone
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := yaml.Unmarshal(data, &v); err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(asJSON(v)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// asJSON turns what YAML takes for times back into text, as editors see it.
func asJSON(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = asJSON(v[k])
		}
	case []any:
		for i := range v {
			v[i] = asJSON(v[i])
		}
	case time.Time:
		return v.Format(time.RFC3339)
	}
	return v
}

// The schema knows the same keys as the parser, object by object.
func TestSchemaHasTheKeysOfParse(t *testing.T) {
	_, doc := compiledSchema(t)
	defs := doc["$defs"].(map[string]any)
	places := map[string]string{
		"a rule": "rule", "a brand": "brand", "match": "match", "a route": "route", "a window": "window", "a category": "category",
		"a playbook": "playbook", "a test": "test", "a history": "history", "an item of a feed": "feed_item", "an expected alert": "expected",
		"an expected draft": "expected_draft", "facts": "facts", "next_update": "next_update", "a draft": "draft", "for": "draft_for", "slack": "slack",
		"quiet_hours": "quiet_hours", "a step": "step", "notify": "notify", "baseline": "baseline", "floor": "floor", "dedupe": "dedupe",
		"resolve": "resolve", "a watch": "watch", "tone": "tone", "an ambiguous name": "ambiguous", "a metric": "metric",
		"a calendar": "calendar", "an sla": "sla", "authors": "authors",
	}
	l := newLoader(Options{})
	l.keys = map[string][]string{}
	for _, name := range []string{"testdata/full.yml", "testdata/fjellbryg.yml"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		l.read(File{name, data})
	}
	l.read(File{"more.yml", []byte("version: 1\ntests: [{name: x, feed: [{at: 0m, metric: {name: followers, value: 1}}], expect: []}]\n")})
	for what, place := range places {
		known, seen := l.keys[what]
		if !seen {
			t.Errorf("the examples hold no %s", what)
			continue
		}
		props := defs[place].(map[string]any)["properties"].(map[string]any)
		if have := slices.Sorted(maps.Keys(props)); !slices.Equal(have, known) {
			t.Errorf("%s:\nschema %v\nparser %v", what, have, known)
		}
	}
	top := slices.Sorted(maps.Keys(doc["properties"].(map[string]any)))
	if !slices.Equal(top, l.keys["a rule file"]) {
		t.Errorf("the outermost:\nschema %v\nparser %v", top, l.keys["a rule file"])
	}
}
