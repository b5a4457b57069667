package notifier

import (
	"context"
	"fmt"

	"emberwatch/detector"
	"emberwatch/rules"
	"emberwatch/sources"
)

// message looks up everything that is needed to tell people about an alert, as it is now.
func (d *Dispatcher) message(ctx context.Context, a *detector.Alert) (*Message, error) {
	var err error
	inc, ok := d.opt.Outbox.Incident(a.Incident)
	if !ok {
		if inc, err = d.opt.Reader.Incident(ctx, a.Incident); err != nil {
			return nil, fmt.Errorf("incident %s: %w", a.Incident, err)
		}
	}
	set := d.opt.Rules()
	m := &Message{Alert: *a, Incident: inc, Route: set.Route(a.Route), Zone: set.Zone, Now: d.Now()}
	m.Language = d.opt.Languages.In(m.Route.Language)
	m.Brand, _ = set.Brand(inc.Brand)
	if m.Brand == nil {
		m.Brand = d.unnamed(ctx, inc.Brand)
	}
	if a.Kind != detector.KindRoot {
		m.Root, _ = d.opt.Outbox.Root(a.Incident, a.Route)
	}
	for _, id := range a.Mention {
		if s := set.Route(id).Slack; s != (rules.Slack{}) {
			m.Mention = append(m.Mention, s)
		}
	}
	m.OnDuty = duty(m.Route)
	if step, at, ok := detector.NextStep(set, &inc); ok {
		m.Next = &Escalation{At: at, To: duty(set.Route(step.To))}
	}
	if d.opt.Link != nil {
		m.Link = d.opt.Link(inc.ID)
	}
	if err := d.quote(ctx, m); err != nil {
		d.opt.Log.Warn("alert without quotes", "incident", inc.ID, "err", err) // the numbers must get out all the same
	}
	if inc.Open() {
		if m.Topics, err = d.opt.About.Find(ctx, &m.Incident, m.Brand, m.Route.Private); err != nil {
			d.opt.Log.Warn("alert without topics", "incident", inc.ID, "err", err)
		}
	}
	m.Drafts = d.drafts(ctx, m)
	if d.opt.Chart != nil && charted(a) {
		m.Chart = d.opt.Chart(m)
	}
	return m, nil
}

// charted reports whether a picture goes with an alert: where an incident begins, and where it grows.
func charted(a *detector.Alert) bool {
	return a.Kind == detector.KindRoot || a.Kind == detector.KindBroadcast && a.Reason == detector.ReasonWorse
}

// unnamed is a brand that no rule file names: it is called as the mentions called it.
func (d *Dispatcher) unnamed(ctx context.Context, id string) *rules.Brand {
	b := &rules.Brand{ID: id}
	known, err := d.opt.Reader.Brands(ctx)
	if err != nil {
		return b // its id will do
	}
	for i := range known {
		if known[i].ID == id && known[i].Name != "" {
			b.Names = []string{known[i].Name}
		}
	}
	return b
}

// duty says in words who answers on a route.
func duty(r *rules.Route) string {
	switch {
	case r.Slack.Mention != "":
		return r.Slack.Mention
	case r.Slack.User != "":
		return r.Slack.User
	case r.Slack.Channel != "":
		return r.Slack.Channel
	}
	return ""
}

// quote looks up the most telling mentions that are still there. Direct messages stay out of routes that are
// not private: there they are a number.
func (d *Dispatcher) quote(ctx context.Context, m *Message) error {
	keys := m.Incident.Evidence.Mentions
	found, err := d.opt.Reader.MentionsByKey(ctx, m.Incident.Brand, keys[:min(len(keys), quotesLooked)])
	if err != nil {
		return fmt.Errorf("mentions of %s: %w", m.Incident.ID, err)
	}
	for _, j := range found {
		switch {
		case j.Mention.Visibility == sources.Private && !m.Route.Private:
			m.Private++
		case len(m.Quotes) < quotesShown:
			m.Quotes = append(m.Quotes, j)
		}
	}
	return nil
}

// drafts counts the drafts that could be sent for the first quotes.
func (d *Dispatcher) drafts(ctx context.Context, m *Message) int {
	if d.opt.Drafter == nil {
		return 0
	}
	n := 0
	for _, j := range m.Quotes[:min(len(m.Quotes), 3)] {
		s, err := d.opt.Drafter.Draft(ctx, Request{
			Mention: j, Incident: &m.Incident, Severity: m.Incident.Severity,
			Rules: d.opt.Rules(), Now: m.Now,
		})
		if err != nil {
			d.opt.Log.Warn("no drafts", "incident", m.Incident.ID, "err", err)
			continue
		}
		for i := range s.Drafts {
			if s.Drafts[i].Sendable {
				n++
			}
		}
	}
	return n
}
