package draft

import (
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
	monitor := func(code string) notifier.Suggestion {
		return suggestion(notifier.Monitor, detector.Clause{Code: code})
	}
	switch {
	case m.Own:
		return monitor("suggest.own")
	case j.forbidden != "":
		return suggestion(notifier.Handover, handover(j.forbidden))
	case j.spam():
		return monitor("suggest.spam")
	case nothingSaid(&m.Mention):
		return monitor("suggest.silent")
	case j.article():
		return monitor("suggest.article")
	case j.playbook == nil:
		return monitor("suggest.none")
	case j.positive() && !strings.ContainsAny(j.item, "?؟") && j.playbook.ID == bookPraise:
		return monitor("suggest.praise")
	}
	if why, ok := j.restraint(); ok {
		return suggestion(notifier.Monitor, why)
	}
	why := detector.Clause{Code: "suggest.reply", Name: j.playbook.ID}
	if m.Category != "" {
		why.Code, why.Topic = "suggest.reply.topic", m.Category
	}
	return suggestion(notifier.Reply, why)
}

func suggestion(what notifier.Suggest, why detector.Clause) notifier.Suggestion {
	return notifier.Suggestion{Suggest: what, Why: inEnglish(why), Said: detector.Said{why}}
}

// inEnglish says a clause as JSON and the terminal have it.
func inEnglish(c detector.Clause) string {
	asIs := func(s string) string { return s }
	return notifier.English().Tell("", detector.Said{c}, notifier.Manner{Foreign: asIs})
}

// Where an answer does more harm than none.
const (
	oldThread   = 14 * 24 * time.Hour
	leastCopies = 5
)

// restraint returns why it is better not to answer, if it is.
func (j *job) restraint() (why detector.Clause, better bool) {
	inc := j.req.Incident
	if inc == nil || j.private {
		return why, false
	}
	at := j.req.Mention.Mention.CreatedAt
	switch e := &inc.Evidence; {
	case e.Copied >= leastCopies && 2*e.Copied >= e.Total:
		return detector.Clause{Code: "suggest.copied", N: e.Copied, Of: max(e.Total, e.Copied)}, true
	case !at.IsZero() && j.now.Sub(at) > oldThread:
		return detector.Clause{Code: "suggest.old", N: int(j.now.Sub(at).Hours() / 24)}, true
	}
	return why, false
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

// handover says whom to hand a matter to that is not answered in public.
func handover(category string) detector.Clause {
	c := detector.Clause{Code: "suggest.hand." + category}
	if !notifier.English().Has(c.Code) {
		c.Code, c.Topic = "suggest.hand.others", category
	}
	return c
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
