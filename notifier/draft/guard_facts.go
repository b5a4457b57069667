package draft

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"emberwatch/rules"
)

func (e *exam) instructs() string {
	if len(e.sheet.Instruction) > 0 && e.sheet.instruction(e.lang) == "" {
		return fmt.Sprintf("the fact sheet has no instruction in %q", e.lang)
	}
	if !answers(e.book, categorySafety) && !answers(e.book, categoryBreach) {
		return ""
	}
	given := e.vals[slotInstruction]
	if given != "" && strings.Contains(e.text, strings.TrimRight(given, ".")) || e.lib.phrases.findIn("instruction", e.lang, e.flat) != "" {
		return ""
	}
	return "does not say what people should do now"
}

func answers(p *rules.Playbook, category string) bool {
	return p.ID == category || category == categorySafety && p.ID == bookSafety || slices.Contains(p.Categories, category)
}

// fresh refuses what people set for the incident and nobody has looked at for too long. The facts of the playbook do
// not age.
func (e *exam) fresh() string {
	if e.sheet.stale == "" {
		return ""
	}
	for _, f := range e.sheet.list(e.vals, e.lang) {
		if strings.Contains(e.text, strings.TrimRight(f.Text, ".")) {
			return e.sheet.stale
		}
	}
	return ""
}

// punctual looks at the times that the draft names, and for promises of a time without a clock.
func (e *exam) punctual() string {
	for _, at := range []struct {
		slot, what string
		t          time.Time
	}{
		{slotUpdateTime, "the next update", e.sheet.NextUpdate},
		{slotNextContact, "the next contact", e.sheet.NextContact},
	} {
		if x := e.vals[at.slot]; x == "" || !strings.Contains(e.text, x) {
			continue
		}
		if why := e.keepable(at.t); why != "" {
			return fmt.Sprintf("%s %s", at.what, why)
		}
	}
	if found := e.lib.phrases.find("vague_time", digits.ReplaceAllString(e.flat, "#")); found != "" {
		return fmt.Sprintf("promises a time without a clock: %q", found)
	}
	return ""
}

// keepable returns why nobody can keep a time, or "".
func (e *exam) keepable(t time.Time) string {
	if !t.After(e.now) {
		return "was due at " + t.In(e.zone).Format("2006-01-02 15:04 MST")
	}
	if e.req.Hours == nil {
		return ""
	}
	if there := e.req.Hours(t); there.After(t) {
		return "falls where nobody is there before " + there.In(e.zone).Format("2006-01-02 15:04 MST")
	}
	return ""
}

func (e *exam) approved() string {
	if e.severity == rules.Calm || e.severity == rules.Notice {
		return ""
	}
	roles := e.approve()
	if len(roles) == 0 || slices.ContainsFunc(roles, func(r string) bool { return strings.TrimSpace(r) == "" }) {
		return fmt.Sprintf("the playbook names nobody to approve it at severity %d", e.severity)
	}
	return ""
}

// away asks replies for the hour at which somebody is back, if nobody is there now.
func (e *exam) away() string {
	back := e.back()
	if back.IsZero() || kindOf(e.template) != kindReply {
		return ""
	}
	for _, slot := range []string{slotAvailable, slotNextContact, slotUpdateTime} {
		if x := e.vals[slot]; x != "" && strings.Contains(e.text, strings.TrimRight(x, ".")) {
			return ""
		}
	}
	return "nobody is there before " + back.In(e.zone).Format("2006-01-02 15:04 MST") + ", and it does not say so"
}

// numbers looks for one that neither a slot nor the name of a product brought.
func (e *exam) numbers() string {
	text := e.withoutNames()
	for _, x := range e.vals.byLength() {
		text = strings.ReplaceAll(text, strings.TrimRight(x, "."), " ")
	}
	if i := strings.IndexFunc(text, unicode.IsDigit); i >= 0 {
		return fmt.Sprintf("%q comes from no fact", digits.FindString(text[i:]))
	}
	return ""
}
