package draft

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
	"emberwatch/sources"
)

// Playbooks and templates of the embedded library that the code asks for by name.
const (
	bookGeneral  = "general-complaints"
	bookSafety   = "safety"
	bookPraise   = "praise"
	bookQuestion = "question"
	bookIdea     = "suggestion"
	bookHolding  = "holding"
	bookApp      = "app-fix"

	templatePrivate = "private"

	kindReply   = "reply"
	kindHolding = "holding_statement"
)

// Categories with rules of their own. The rule files may add to those that forbid a draft.
const (
	categorySafety = "safety_injury"
	categoryBreach = "privacy_breach"
	categorySpam   = "spam_brigade"
)

// thanking reports whether a playbook answers what is no complaint.
func thanking(p *rules.Playbook) bool {
	return p != nil && (p.ID == bookPraise || p.ID == bookQuestion || p.ID == bookIdea)
}

// isHarm reports whether people are hurt in the first place: the playbook of such a category goes before any other.
func isHarm(category string) bool {
	return category == categorySafety || category == categoryBreach || category == "discrimination"
}

func forbids(set *rules.Set, category string) bool {
	switch category {
	case "legal_authority", "death", "minor", "self_harm":
		return true
	}
	c := set.Categories[category]
	return c != nil && c.NoDraft
}

func isPrivate(m *sources.Mention) bool {
	return m.Kind == sources.DM || m.Visibility == sources.Private
}

// categories returns those of the mention, the leading one first.
func (j *job) categories() []string {
	m := &j.req.Mention
	out := make([]string, 0, len(m.Categories)+1)
	for _, c := range append([]string{m.Category}, m.Categories...) {
		if c != "" && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

func (j *job) severityOf() rules.Severity {
	switch {
	case j.req.Severity != rules.Calm:
		return j.req.Severity
	case j.req.Incident != nil && j.req.Incident.Severity != rules.Calm:
		return j.req.Incident.Severity
	}
	if c := j.set.Categories[j.req.Mention.Category]; c != nil {
		return c.Sev
	}
	return rules.Calm
}

// forbiddenCategory returns the category by which nothing may be said in public. A passing word is enough:
// to keep silent for an hour can be made good, a wrong sentence to a lawyer or a mourner cannot.
func (j *job) forbiddenCategory() string {
	for _, c := range j.categories() {
		if forbids(j.set, c) {
			return c
		}
	}
	if i := j.req.Incident; i != nil && forbids(j.set, i.Category) {
		return i.Category
	}
	return ""
}

// isGrave reports whether lightness is out of place whatever the severity.
func (j *job) isGrave() bool {
	if j.forbidden != "" || j.severity == rules.Crisis || j.severity == rules.Serious {
		return true
	}
	grave := func(id string) bool { return isHarm(id) || id == "staff_conduct" }
	if slices.ContainsFunc(j.categories(), grave) {
		return true
	}
	p := j.playbook
	return p != nil && (p.ID == bookHolding || p.ID == bookSafety || grave(p.ID) || slices.ContainsFunc(p.Categories, grave))
}

// choosePlaybook goes from what must not be missed to what always fits: forbidden categories and harm, praise,
// the incident's or rule's own playbook, the category's, a question, the general one. The general one
// named by a rule stands back behind the category's, which speaks of the concrete matter.
func (j *job) choosePlaybook() *rules.Playbook {
	ids := []string{j.forbidden}
	for _, c := range j.categories() {
		if isHarm(c) {
			ids = append(ids, j.answersFor(c))
		}
	}
	if j.positive() {
		ids = append(ids, bookPraise)
	}
	ids = append(ids, j.named()...)
	if c := j.matter(); j.network.is(familyStore) && (c == "outage" || c == "quality_defect") {
		ids = append(ids, bookApp)
	}
	ids = append(ids, j.answersFor(j.matter()))
	if strings.ContainsAny(j.item, "?؟") && j.req.Mention.P.Label() != detector.Negative {
		ids = append(ids, bookQuestion)
	}
	if j.req.Incident != nil {
		ids = append(ids, j.answersFor(j.req.Incident.Category))
	}
	for _, id := range append(ids, bookGeneral) {
		if p := j.set.Playbooks[id]; p != nil && id != "" {
			return p
		}
	}
	return nil
}

// matter returns the category that an answer has to be about. Who waits, waits for something: for a parcel or for their
// money, if the words say so.
func (j *job) matter() string {
	m := &j.req.Mention
	if m.Category != "waiting" {
		return m.Category
	}
	for _, c := range m.Categories {
		if c == "delivery" || c == "billing_refund" || c == "quality_defect" || c == "outage" {
			return c
		}
	}
	return m.Category
}

// named returns the playbooks that the incident and the rules of the mention name, the general one left out.
func (j *job) named() []string {
	var ids []string
	if j.req.Incident != nil {
		ids = append(ids, j.req.Incident.Playbook)
	}
	for _, id := range j.req.Mention.Rules {
		for _, r := range j.set.Rules {
			if r.ID == id {
				ids = append(ids, r.Playbook)
			}
		}
	}
	return slices.DeleteFunc(ids, func(id string) bool { return id == "" || id == bookGeneral })
}

// answersFor returns the id of the playbook of a category, or "" if only the general one is left. Injuries
// have the playbook "safety" even if no file says so.
func (j *job) answersFor(category string) string {
	if p := j.set.PlaybookFor(nil, category); p != nil && p.ID != bookGeneral {
		return p.ID
	}
	if category == categorySafety {
		return bookSafety
	}
	return ""
}

// positive reports whether the mention is praise, by its stars where it has any.
func (j *job) positive() bool {
	m := &j.req.Mention
	if m.Mention.Rating > 0 && m.Mention.Rating < 4 {
		return false
	}
	return m.P.Label() == detector.Positive
}

// suggest says what to do, and why.
func (j *job) suggest() notifier.Suggestion {
	m := &j.req.Mention
	monitor := func(why string) notifier.Suggestion {
		return notifier.Suggestion{Suggest: notifier.Monitor, Why: why}
	}
	switch {
	case m.Own:
		return monitor("written by the brand itself")
	case j.forbidden != "":
		return notifier.Suggestion{Suggest: notifier.Handover, Why: handoverLine(j.forbidden)}
	case j.spam():
		return monitor("looks like spam or a brigade: do not engage, document it and report it to the network")
	case nothingSaid(&m.Mention):
		return monitor("a reaction without words: there is nothing to answer")
	case j.article():
		return monitor("an article is not answered in a comment: speak to its newsroom, or publish the statement")
	case j.playbook == nil:
		return monitor("no playbook fits and there is no general one")
	case j.positive() && !strings.ContainsAny(j.item, "?؟") && j.playbook.ID == bookPraise:
		return monitor("praise: a word of thanks is welcome, but nobody waits for it")
	}
	if why := j.restraint(); why != "" {
		return monitor(why)
	}
	return notifier.Suggestion{Suggest: notifier.Reply, Why: j.replyWhy()}
}

// Where an answer does more harm than none.
const (
	oldThread   = 14 * 24 * time.Hour
	leastCopies = 5
)

// restraint returns why it is better not to answer, or "".
func (j *job) restraint() string {
	inc := j.req.Incident
	if inc == nil || j.private {
		return ""
	}
	at := j.req.Mention.Mention.CreatedAt
	switch e := &inc.Evidence; {
	case e.Copied >= leastCopies && 2*e.Copied >= e.Total:
		return fmt.Sprintf("%d of %d mentions look copied: do not engage, document them and report them to the network", e.Copied, max(e.Total, e.Copied))
	case !at.IsZero() && j.now.Sub(at) > oldThread:
		return fmt.Sprintf("the thread is %d days old: an answer now would only bring it back up", int(j.now.Sub(at).Hours()/24))
	}
	return ""
}

func (j *job) spam() bool {
	return j.req.Mention.Category == categorySpam
}

func (j *job) article() bool {
	return j.req.Mention.Mention.Kind == sources.Article || j.network.is(familyNews)
}

func nothingSaid(m *sources.Mention) bool {
	return m.Kind == sources.Metric || m.Kind.CountsWithoutText() && m.Kind != sources.Tag && strings.TrimSpace(m.Body()) == ""
}

// silent reports whether a suggestion comes without any draft.
func (j *job) silent(s notifier.Suggest) bool {
	m := &j.req.Mention
	switch {
	case m.Own || j.spam() && j.forbidden == "" || nothingSaid(&m.Mention):
		return true
	case s == notifier.Handover:
		return !j.sheet.Cleared["holding"] || j.playbook == nil || j.playbook.ID != j.forbidden
	}
	return false
}

func handoverLine(category string) string {
	to := map[string]string{
		"legal_authority": "legal: a lawyer, a court or an authority is in it",
		"death":           "the crisis lead: somebody may have died",
		"minor":           "the crisis lead: a child may be concerned",
		"self_harm":       "the crisis lead: somebody may harm themselves; the network's own help for such posts comes first",
	}[category]
	if to == "" {
		to = fmt.Sprintf("the people in charge of %s", category)
	}
	return "hand to " + to + ". No public answer until they have cleared one."
}

func (j *job) replyWhy() string {
	why := "playbook " + j.playbook.ID
	if j.req.Mention.Category != "" {
		why += ", category " + j.req.Mention.Category
	}
	return why
}

// approve returns the roles that must approve at the severity: those of the playbook, else the usual ones. A
// playbook can say that it is nobody.
func (j *job) approve() []string {
	if roles, ok := j.playbook.Approve[j.severity]; ok {
		return slices.Clone(roles)
	}
	switch j.severity {
	case rules.Crisis:
		return []string{"pr-lead", "legal"}
	case rules.Serious:
		return []string{"pr-on-duty"}
	case rules.Issue:
		return []string{"brand-manager"}
	}
	return nil
}
