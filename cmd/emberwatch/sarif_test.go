package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"emberwatch/rules"
)

// sarifShape is what readers of SARIF 2.1.0 rely on, by the names of the standard.
type sarifShape struct {
	Schema  string `json:"$schema"`
	Version string `json:"version"`
	Runs    []struct {
		Tool struct {
			Driver struct {
				Name  string `json:"name"`
				Rules []struct {
					ID    string `json:"id"`
					Short struct {
						Text string `json:"text"`
					} `json:"shortDescription"`
					Full struct {
						Text string `json:"text"`
					} `json:"fullDescription"`
					Help struct {
						Text string `json:"text"`
					} `json:"help"`
					Default struct {
						Level string `json:"level"`
					} `json:"defaultConfiguration"`
				} `json:"rules"`
			} `json:"driver"`
		} `json:"tool"`
		ColumnKind string `json:"columnKind"`
		Results    []struct {
			RuleID  string `json:"ruleId"`
			Level   string `json:"level"`
			Message struct {
				Text string `json:"text"`
			} `json:"message"`
			Locations []struct {
				Physical struct {
					Artifact struct {
						URI string `json:"uri"`
					} `json:"artifactLocation"`
					Region struct {
						Line int `json:"startLine"`
						Col  int `json:"startColumn"`
					} `json:"region"`
				} `json:"physicalLocation"`
			} `json:"locations"`
		} `json:"results"`
	} `json:"runs"`
}

// check --sarif says of each problem where it is, as code scanning takes it.
func TestCheckSARIF(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	const text = "version: 1\nbrands:\n  acme: {names: [Acmé, ab], langauges: en}\n"
	inside, outside := writeFile(t, filepath.Join(dir, "pr rules.yml"), text), writeFile(t, filepath.Join(t.TempDir(), "b.yml"), text)
	for _, c := range []struct{ file, uri string }{
		{"pr rules.yml", "pr%20rules.yml"},
		{inside, "pr%20rules.yml"},
		{outside, "file://" + filepath.ToSlash(outside)},
	} {
		code, out, _ := invoke(t, "check", "--sarif", c.file)
		var log sarifShape
		if err := json.Unmarshal([]byte(out), &log); code != exitProblems || err != nil || log.Version != "2.1.0" || log.Schema == "" || len(log.Runs) != 1 {
			t.Fatalf("exit code %d, %v\n%s", code, err, out)
		}
		run := log.Runs[0]
		if run.Tool.Driver.Name != "emberwatch" || run.ColumnKind != "unicodeCodePoints" || len(run.Results) != 2 {
			t.Fatalf("%+v", run)
		}
		short, unknown := run.Results[0], run.Results[1]
		if short.RuleID != "W02" || short.Level != "warning" || unknown.RuleID != "key" || unknown.Level != "error" || unknown.Message.Text != `unknown key "langauges" in a brand; did you mean "languages"?` {
			t.Errorf("%+v", run.Results)
		}
		at := unknown.Locations[0].Physical
		if at.Artifact.URI != c.uri || at.Region.Line != 3 || at.Region.Col != 29 || short.Locations[0].Physical.Region.Col != 24 {
			t.Errorf("%s: %+v", c.file, at)
		}
		var ids []string
		for _, r := range run.Tool.Driver.Rules {
			ids = append(ids, r.ID)
			if r.Short.Text == "" || r.Full.Text == "" || r.Help.Text == "" || r.Default.Level != "error" && r.Default.Level != "warning" {
				t.Errorf("%+v", r)
			}
		}
		if len(ids) != len(rules.Problems()) || !slices.Contains(ids, "W02") || !slices.Contains(ids, "key") {
			t.Errorf("described: %v", ids)
		}
	}
}

// Without problems there are results all the same, namely none.
func TestCheckSARIFWithoutProblems(t *testing.T) {
	file := writeFile(t, filepath.Join(t.TempDir(), "a.yml"), "version: 1\npacks: [starter]\n")
	code, out, _ := invoke(t, "check", "--sarif", file)
	var log struct {
		Runs []struct{ Results []any }
	}
	if err := json.Unmarshal([]byte(out), &log); code != exitOK || err != nil || len(log.Runs) != 1 || log.Runs[0].Results == nil || len(log.Runs[0].Results) != 0 {
		t.Errorf("exit code %d, %v\n%s", code, err, out)
	}
}
