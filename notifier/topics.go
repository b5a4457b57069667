package notifier

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/rules"
	"emberwatch/sources"
)

const (
	topicsShown    = 3
	topicMentions  = 500  // of the incident that are read
	usualMentions  = 2000 // of before
	usualDays      = 7
	beforeIncident = time.Hour // what led to it was said a little earlier
)

// About finds what an incident is about in words: what its mentions say more often than the brand's mentions of the
// week before. Direct messages take part only where they may be shown.
type About struct {
	Reader detector.Reader
	Topics detector.Topics // nil: nothing is ever found
}

// Find returns the topics of an incident, the most telling first.
func (a *About) Find(ctx context.Context, inc *detector.Incident, brand *rules.Brand, private bool) ([]detector.Topic, error) {
	if a == nil || a.Topics == nil {
		return nil, nil
	}
	now, err := a.said(ctx, inc)
	if err != nil {
		return nil, fmt.Errorf("topics of %s: %w", inc.ID, err)
	}
	from := inc.Since.Add(-beforeIncident)
	before, err := a.Reader.Mentions(ctx, detector.MentionFilter{
		Brand: inc.Brand, From: from.AddDate(0, 0, -usualDays), To: from, Limit: usualMentions,
	})
	if err != nil {
		return nil, fmt.Errorf("topics of %s: %w", inc.ID, err)
	}
	before = slices.DeleteFunc(before, func(j detector.Judged) bool { return j.Own })
	if !private {
		now, before = public(now), public(before)
	}
	var names []string
	if brand != nil {
		names = append([]string{brand.ID}, brand.Names...)
	}
	return a.Topics.Topics(detector.Texts(now), detector.Texts(before), names, topicsShown), nil
}

// said are the mentions of an incident: those that an each rule has found, else all that its signal counts.
func (a *About) said(ctx context.Context, inc *detector.Incident) ([]detector.Judged, error) {
	if inc.Evidence.Window.Length == 0 {
		return a.Reader.MentionsByKey(ctx, inc.Brand, inc.Evidence.Mentions)
	}
	source, ofSource := strings.CutPrefix(inc.Signal, "source:")
	if !ofSource {
		source = ""
	}
	category, ofCategory := strings.CutPrefix(inc.Signal, "category:")
	ofRule := strings.HasPrefix(inc.Signal, "rule:")
	f := detector.MentionFilter{Brand: inc.Brand, Source: source, From: inc.Since.Add(-beforeIncident), To: inc.ClosedAt, Limit: topicMentions}
	if !ofSource && !ofRule && inc.Signal != "all" {
		f.Label = detector.Negative
	}
	js, err := a.Reader.Mentions(ctx, f)
	return slices.DeleteFunc(js, func(j detector.Judged) bool {
		return j.Own || !inc.Evidence.Concerns(&j) || f.Label != "" && !j.Known ||
			ofRule && !slices.Contains(j.Rules, inc.Rule) || ofCategory && !slices.Contains(j.Categories, category)
	}), err
}

// TopicWords says topics in a line: how often each occurs in how many texts of its language. Render makes foreign
// words fit for where they go. A nil Language is English.
func TopicWords(l *Language, ts []detector.Topic, render func(string) string) string {
	parts := make([]string, len(ts))
	for i := range ts {
		parts[i] = l.Say("root.topic", "words", render(ts[i].Words), "n", l.Number(float64(ts[i].Count)), "of", l.Number(float64(ts[i].Of)))
	}
	return strings.Join(parts, " · ")
}

func public(js []detector.Judged) []detector.Judged {
	return slices.DeleteFunc(js, func(j detector.Judged) bool { return j.Mention.Visibility == sources.Private })
}
