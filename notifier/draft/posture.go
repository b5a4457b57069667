package draft

import (
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
		set := posture(c, detector.Clause{Code: "posture.set"})
		set.Set = true
		return set
	}
	p := j.playbook
	if p == nil || j.positive() || thanking(p) {
		return notifier.Posture{}
	}
	for _, c := range p.ClusterIf {
		if c.When.Holds(&rules.Facts{Sum: j.sum()}) {
			return posture(c.Cluster, detector.Clause{Code: "posture.where", Name: p.ID, Text: c.When.Text})
		}
	}
	cluster, why := p.Cluster, detector.Clause{Code: "posture.playbook", Name: p.ID}
	if c := j.set.Categories[j.req.Mention.Category]; cluster == "" && c != nil {
		cluster, why = c.Cluster, detector.Clause{Code: "posture.category", Topic: c.ID}
	}
	if n := j.earlier(repeatWithin, j.alike); n >= repeats && cluster != "" && cluster != rules.Preventable {
		return posture(oneUp(cluster), repeated(n, repeatWithin, oneUp(cluster)))
	}
	return posture(cluster, why)
}

func posture(c rules.Cluster, why detector.Clause) notifier.Posture {
	return notifier.Posture{Cluster: c, Why: inEnglish(why), Said: detector.Said{why}}
}

func oneUp(c rules.Cluster) rules.Cluster {
	if c == rules.Victim {
		return rules.Accidental
	}
	return rules.Preventable
}

func repeated(n int, within time.Duration, c rules.Cluster) detector.Clause {
	return detector.Clause{Code: "posture.repeated", N: n + 1, Of: int(within.Hours() / 24), Word: string(c)}
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
