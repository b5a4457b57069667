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
		if c.When.Holds(&rules.Facts{Sum: j.sum()}) {
			return notifier.Posture{Cluster: c.Cluster, Why: "the playbook " + p.ID + " asks for it where " + c.When.Text}
		}
	}
	cluster, why := p.Cluster, "as the playbook "+p.ID+" has it"
	if c := j.set.Categories[j.req.Mention.Category]; cluster == "" && c != nil {
		cluster, why = c.Cluster, "as usual for "+c.ID
	}
	if n := j.earlier(repeatWithin, j.alike); n >= repeats && cluster != "" && cluster != rules.Preventable {
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

// earlier counts the brand's earlier incidents of a kind.
func (j *job) earlier(within time.Duration, kind func(*detector.Incident) bool) int {
	n := 0
	for i := range j.req.History {
		past := &j.req.History[i]
		age := j.now.Sub(past.OpenedAt)
		if age < 0 || age > within || dismissed(past) || j.req.Incident != nil && past.ID == j.req.Incident.ID {
			continue
		}
		if kind(past) {
			n++
		}
	}
	return n
}

// sum is what conditions ask of the incident: its evidence, and how many a rule has opened, this one too.
func (j *job) sum() *rules.Sum {
	ev := &detector.Evidence{}
	if j.req.Incident != nil {
		ev = &j.req.Incident.Evidence
	}
	return &rules.Sum{
		Items:   func(time.Duration) int { return int(ev.Window.Observed) },
		Authors: func(time.Duration) int { return ev.Authors },
		Sources: len(ev.Sources), Languages: len(ev.Languages), Reach: ev.Reach, Media: j.req.Mention.Mention.HasMedia,
		Incidents: func(rule string, within time.Duration) int {
			of := func(i *detector.Incident) bool { return i.Rule == rule || i.NamedBy == rule }
			n := j.earlier(within, of)
			if i := j.req.Incident; i != nil && of(i) {
				n++
			}
			return n
		},
	}
}

// dismissed reports whether people said that an incident was none.
func dismissed(i *detector.Incident) bool {
	return i.Closing == detector.FalseAlarm || i.Closing == detector.KnownEvent || i.Closing == detector.Merged
}

// alike reports whether an earlier incident was about the same.
func (j *job) alike(past *detector.Incident) bool {
	category := j.req.Mention.Category
	if i := j.req.Incident; i != nil && i.Category != "" {
		category = i.Category
	}
	return category != "" && past.Category == category || past.Playbook == j.playbook.ID && past.Playbook != bookGeneral
}
