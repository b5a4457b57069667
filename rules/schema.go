package rules

import (
	_ "embed"
	"strings"
)

//go:embed schema.json
var schema string

// Schema returns the JSON Schema (draft 2020-12) of rule files, for editors. Parse checks the same and more; a test holds
// the two together.
func Schema() string {
	var facts []string
	for _, f := range KnownFacts() {
		facts = append(facts, f.Name+" ("+f.Says+")")
	}
	says := "facts joined by and, or, not and = != < <= > >=: " + strings.Join(facts, "; ")
	return strings.ReplaceAll(schema, `"FACTS"`, `"`+says+`"`)
}
