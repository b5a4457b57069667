package draft

import (
	"fmt"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

// Repeats within repeatWithin move the proposed cluster one up (Coombs 2007: a history of similar crises
// raises the responsibility that people attribute).
const (
	repeatWithin = 60 * 24 * time.Hour
	repeats      = 2
)

// choosePosture proposes how much responsibility the drafts should take, or takes what a person has set. Nobody's
// guilt is decided here.
func (j *job) choosePosture() notifier.Posture {
	if c := j.sheet.Cluster; c != "" {
		return notifier.Posture{Cluster: c, Why: "set for this incident", Set: true}
	}
	p := j.playbook
	if p == nil || j.positive() || thanking(p) {
		return notifier.Posture{}
	}
	for _, c := range p.ClusterIf {
		if n := j.earlier(c.Of, c.Within); n >= c.AtLeast {
			return notifier.Posture{Cluster: c.Cluster, Why: repeatWhy(n, c.Within, c.Cluster)}
		}
	}
	cluster, why := p.Cluster, "as the playbook "+p.ID+" has it"
	if c := j.set.Categories[j.req.Mention.Category]; cluster == "" && c != nil {
		cluster, why = c.Cluster, "as usual for "+c.ID
	}
	if n := j.earlier("", repeatWithin); n >= repeats && cluster != "" && cluster != rules.Preventable {
		return notifier.Posture{Cluster: oneUp(cluster), Why: repeatWhy(n, repeatWithin, oneUp(cluster))}
	}
	return notifier.Posture{Cluster: cluster, Why: why}
}

func oneUp(c rules.Cluster) rules.Cluster {
	if c == rules.Victim {
		return rules.Accidental
	}
	return rules.Preventable
}

func repeatWhy(n int, within time.Duration, c rules.Cluster) string {
	return fmt.Sprintf("incident %d of its kind in %d days: people will see it as %s", n+1, int(within.Hours()/24), c)
}

// earlier counts the brand's earlier incidents of a rule, category or playbook; of "", those like this one.
func (j *job) earlier(of string, within time.Duration) int {
	n := 0
	for i := range j.req.History {
		past := &j.req.History[i]
		age := j.now.Sub(past.OpenedAt)
		if age < 0 || age > within || dismissed(past) || j.req.Incident != nil && past.ID == j.req.Incident.ID {
			continue
		}
		if j.like(past, of) {
			n++
		}
	}
	return n
}

// dismissed reports whether people said that an incident was none.
func dismissed(i *detector.Incident) bool {
	return i.Closing == detector.FalseAlarm || i.Closing == detector.KnownEvent || i.Closing == detector.Merged
}

func (j *job) like(past *detector.Incident, of string) bool {
	if of != "" {
		return past.Rule == of || past.NamedBy == of || past.Category == of || past.Playbook == of
	}
	category := j.req.Mention.Category
	if i := j.req.Incident; i != nil && i.Category != "" {
		category = i.Category
	}
	return category != "" && past.Category == category || past.Playbook == j.playbook.ID && past.Playbook != bookGeneral
}
