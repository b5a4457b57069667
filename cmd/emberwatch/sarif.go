package main

import (
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"

	"emberwatch/rules"
)

// The parts of SARIF 2.1.0 (OASIS, https://docs.oasis-open.org/sarif/sarif/v2.1.0/) that code scanning reads.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string       `json:"id"`
		Short   sarifText    `json:"shortDescription"`
		Full    sarifText    `json:"fullDescription"`
		Help    sarifText    `json:"help"`
		Default sarifDefault `json:"defaultConfiguration"`
	}
	sarifDefault struct {
		Level rules.Level `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		Level     rules.Level     `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPlace `json:"physicalLocation"`
	}
	sarifPlace struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		Line int `json:"startLine"`
		Col  int `json:"startColumn"`
	}
)

// writeSARIF writes problems for code scanning: one run, with every id that there is described.
func writeSARIF(w io.Writer, errs rules.Errors) error {
	run := sarifRun{
		Tool: sarifTool{sarifDriver{Name: "emberwatch", Version: version()}}, ColumnKind: "unicodeCodePoints", Results: []sarifResult{},
	}
	for _, p := range rules.Problems() {
		level := rules.LevelError
		if p.ID[0] == 'W' {
			level = rules.LevelWarning
		}
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: p.ID, Short: sarifText{p.What}, Full: sarifText{p.What + ". " + p.Why},
			Help: sarifText{p.Why + " The message of each problem says how to repair it; emberwatch check shows it beside its line."}, Default: sarifDefault{level},
		})
	}
	for _, e := range errs {
		at := sarifPlace{sarifArtifact{fileURI(e.Pos.File)}, sarifRegion{max(e.Pos.Line, 1), max(e.Pos.Col, 1)}}
		run.Results = append(run.Results, sarifResult{e.ID, e.Level, sarifText{inOneLine(e)}, []sarifLocation{{at}}})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

// fileURI is a file as seen from the working folder, which in CI is the top of the repository; one outside of it is
// absolute.
func fileURI(name string) string {
	if filepath.IsAbs(name) {
		if here, err := filepath.Abs("."); err == nil {
			if rel, err := filepath.Rel(here, name); err == nil && filepath.IsLocal(rel) {
				name = rel
			}
		}
	}
	u := url.URL{Path: filepath.ToSlash(filepath.Clean(name))}
	if filepath.IsAbs(name) {
		u.Scheme = "file"
	}
	return u.String()
}
