package detector

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"emberwatch/rules"
)

// Names in the fact sheet of an incident, as people send them with the operation "facts". FactKnown and
// FactChecking hold several facts, one a line or parted by ";". "instruction.de" is the instruction for one
// language. FactNextUpdate and FactNextContact are RFC 3339 times. "cleared.cause", "cleared.apology",
// "cleared.refund" and "cleared.holding" are "true" or "false". FactStale "true" says that the sheet is out of
// date; it holds until the sheet is next renewed. FactCluster is how much responsibility a person sees with the
// brand. Any other name is a note to colleagues. An empty value takes a fact out.
const (
	FactKnown       = "known"
	FactChecking    = "checking"
	FactInstruction = "instruction"
	FactNextUpdate  = "next_update"
	FactWhere       = "where"
	FactNextContact = "next_contact"
	FactContact     = "contact"
	FactCluster     = "cluster"
	FactStale       = "stale"
	FactCleared     = "cleared."
)

const (
	maxFacts     = 100
	maxFactRunes = 2000
)

// renewFacts lays new facts over the old ones. The old sheet is not changed.
func renewFacts(old, more map[string]string) (map[string]string, error) {
	facts := map[string]string{}
	maps.Copy(facts, old)
	delete(facts, FactStale)
	for _, name := range sortedKeys(more) {
		text := strings.TrimSpace(more[name])
		if err := checkFact(name, text); err != nil {
			return nil, err
		}
		if facts[name] = text; text == "" {
			delete(facts, name)
		}
	}
	if len(facts) > maxFacts {
		return nil, fmt.Errorf("a fact sheet holds %d facts at most", maxFacts)
	}
	return facts, nil
}

func checkFact(name, text string) error {
	_, isCleared := strings.CutPrefix(name, FactCleared)
	switch {
	case strings.TrimSpace(name) == "" || utf8.RuneCountInString(name) > 60:
		return fmt.Errorf("a fact needs a name of at most 60 characters")
	case utf8.RuneCountInString(text) > maxFactRunes:
		return fmt.Errorf("the fact %s is longer than %d characters", name, maxFactRunes)
	case text == "":
		return nil
	case name == FactNextUpdate, name == FactNextContact:
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			return fmt.Errorf("the fact %s is a time such as 2026-11-16T14:00:00+01:00, not %q", name, text)
		}
	case name == FactStale, isCleared:
		if text != "true" && text != "false" {
			return fmt.Errorf("the fact %s is true or false, not %q", name, text)
		}
	case name == FactCluster:
		known := []rules.Cluster{rules.Victim, rules.Accidental, rules.Preventable}
		if !slices.Contains(known, rules.Cluster(text)) {
			return fmt.Errorf("the fact cluster is victim, accidental or preventable, not %q", text)
		}
	}
	return nil
}
