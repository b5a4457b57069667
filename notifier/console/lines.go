package console

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

const (
	labelWidth = 10
	quoteWidth = 300 // columns that a quote may fill, over all its lines
	lineWidth  = 240 // of one thread line; a terminal breaks it
)

// lines makes the text of one alert.
type lines struct {
	o   Options
	now time.Time
	b   strings.Builder
}

// block writes the root of an incident.
func (l *lines) block(m *notifier.Message) {
	i := &m.Incident
	l.raw(strings.Repeat("─", l.o.Width))
	l.raw(join(" · ", l.severity(i.Severity, true), l.bold(brandName(m)), clean(i.ID), l.clock(m.Now)))
	for _, line := range wrap(clean(cmp.Or(i.Sentence, i.Title)), l.o.Width) {
		l.raw(l.bold(line))
	}
	if note := clean(m.Alert.Note); note != "" {
		l.text("", note)
	}
	l.raw("")
	l.numbers(&i.Evidence)
	l.text("in words", notifier.TopicWords(m.Topics, clean))
	l.text("since", join(", ", l.clock(i.Since), ago(i.Since, m.Now)))
	l.text("why", clean(i.SeverityWhy))
	l.quotes(m)
	l.raw("")
	l.whatNext(m)
	l.raw("")
}

// also says that another route is told of an incident that stands above.
func (l *lines) also(m *notifier.Message) {
	to := m.Alert.Route
	if s := m.Route; s != nil {
		to = cmp.Or(s.Slack.Mention, s.Slack.User, s.Slack.Channel, s.ID)
	}
	l.oneLine(m.Incident.Severity, clean(m.Incident.ID)+" also told to "+clean(to), clean(m.Alert.Note))
}

// numbers writes what was counted against what was expected.
func (l *lines) numbers(e *detector.Evidence) {
	if w := e.Window; w.Length > 0 {
		l.text("counted", fmt.Sprintf("%s in %s; %s expected, %s is still usual (score %.1f, bar %.1f)",
			number(w.Observed), span(w.Length), number(w.Expected), number(w.High), e.Score, e.Bar))
	}
	reach := ""
	if e.Reach > 0 {
		reach = fmt.Sprintf("reach about %d", e.Reach)
	}
	l.text("who", join(", ", plural(e.Authors, "author"), reach, plural(e.Private, "direct message")))
	l.text("where", join(" · ", tally(e.Sources), tally(e.Languages)))
	l.text("about", tally(e.Categories))
	l.text("learning", clean(e.Learning))
}

// quotes writes what people said, each with language, topic, stars and author below it.
func (l *lines) quotes(m *notifier.Message) {
	for _, j := range m.Quotes {
		l.raw("")
		for k, line := range wrap(cut(cmp.Or(clean(j.Mention.Body()), "(no text)"), quoteWidth), l.o.Width-4) {
			l.raw([]string{"  » ", "    "}[min(k, 1)] + line)
		}
		a := j.Mention.Author
		where := cmp.Or(j.Mention.Network, j.Mention.Source)
		about := join(" · ", clean(j.Lang), clean(j.Category), strings.TrimSpace(stars(j.Mention.Rating)+" "+j.Contradiction()),
			cut(clean(cmp.Or(a.Name, a.Handle)), 40), cut(clean(where), 30))
		for _, line := range wrap(about, l.o.Width-4) {
			l.raw("    " + l.dim(line))
		}
		if u := notifier.WebAddress(j.Mention.URL); u != "" {
			l.raw("    " + l.dim(u))
		}
	}
	if m.Private > 0 {
		l.raw("")
		l.text("", plural(m.Private, "direct message")+" not shown here.")
	}
}

// whatNext writes who is to do what, and what happens otherwise.
func (l *lines) whatNext(m *notifier.Message) {
	l.text("on duty", clean(m.OnDuty))
	if n := m.Next; n != nil {
		l.text("next", fmt.Sprintf("%s at %s unless somebody acknowledges", cmp.Or(clean(n.To), "told again"), l.clock(n.At)))
	}
	l.text("drafts", plural(m.Drafts, "reply draft"))
	if u := notifier.WebAddress(m.Link); u != "" {
		l.raw(l.label("page") + u)
	}
	if m.Incident.Handling == detector.New || m.Incident.Handling == "" {
		l.raw(l.label("to do") + "emberwatch incidents ack " + clean(m.Incident.ID))
		return
	}
	l.text("state", handling(&m.Incident, l.clock))
}

// thread writes one line that follows a root.
func (l *lines) thread(m *notifier.Message) {
	what := headline[m.Alert.Reason]
	if what == "" {
		what = clean(string(m.Alert.Reason))
	}
	asked := m.Alert.Reason == detector.ReasonLeaseEnded && m.Incident.Handling == detector.Acked
	if asked {
		what = "is it still in hand?"
	}
	severity := m.Incident.Severity
	if severity == rules.Calm {
		severity = m.Alert.Severity
	}
	id := cmp.Or(clean(m.Incident.ID), clean(m.Alert.Incident))
	more := clean(cmp.Or(m.Alert.Note, m.Incident.Sentence))
	if asked {
		more = "acknowledge again, or the ladder runs on"
	}
	if m.Incident.ID != "" && !m.Incident.Open() {
		more = join("; ", handling(&m.Incident, l.clock), clean(m.Alert.Note))
	}
	l.oneLine(severity, join(" ", id, what), more)
}

// digest writes the incidents for which there was no room, a line each.
func (l *lines) digest(m *notifier.Message) {
	l.oneLine(m.Digest[0].Incident.Severity, m.DigestWords(), join(" ", clean(m.Alert.Note), "acknowledge them all with emberwatch incidents ack "+clean(m.Alert.Incident)))
	for i := range m.Digest {
		inc := &m.Digest[i].Incident
		what := join(" ", clean(m.Digest[i].Brand)+":", clean(cmp.Or(inc.Sentence, inc.Title)))
		if inc.Handling != detector.New {
			what = handling(inc, l.clock)
		}
		l.raw("  " + l.severity(inc.Severity, false) + " " + cut(clean(inc.ID)+" "+what, l.o.Width-4))
	}
}

// edit writes one line about a change of state.
func (l *lines) edit(m *notifier.Message) {
	l.oneLine(m.Incident.Severity, clean(m.Incident.ID), join(", ", m.Incident.Severity.String(), handling(&m.Incident, l.clock)))
}

func (l *lines) oneLine(s rules.Severity, head, rest string) {
	line := l.clock(l.now) + " " + l.severity(s, false) + " " + l.bold(head)
	if rest != "" {
		line += ": " + cut(rest, lineWidth)
	}
	l.raw(line)
}

// text writes wrapped text behind a label; nothing if there is none.
func (l *lines) text(label, text string) {
	for k, line := range wrap(text, l.o.Width-labelWidth) {
		if k > 0 {
			label = ""
		}
		l.raw(l.label(label) + line)
	}
}

func (l *lines) label(name string) string {
	return l.dim(fmt.Sprintf("%-*s", labelWidth, name))
}

func (l *lines) raw(line string) {
	l.b.WriteString(line)
	l.b.WriteByte('\n')
}

// clock writes a time in the zone of the terminal, with its date unless that is today.
func (l *lines) clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t, now := t.In(l.o.Zone), l.now.In(l.o.Zone)
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04 MST")
	}
	return t.Format("2 Jan 15:04 MST")
}

func ago(t, now time.Time) string {
	if t.IsZero() || !t.Before(now) {
		return ""
	}
	return span(now.Sub(t)) + " ago"
}

// severity writes the shape of a severity, and its word if wanted.
func (l *lines) severity(s rules.Severity, word bool) string {
	text := icon(s)
	if word {
		text += " " + strings.ToUpper(s.String())
	}
	return l.paint(map[rules.Severity]string{rules.Crisis: "1;31", rules.Serious: "1;33", rules.Issue: "33"}[s], text)
}

func (l *lines) bold(text string) string { return l.paint("1", text) }
func (l *lines) dim(text string) string  { return l.paint("2", text) }

// paint puts a colour around text, if colours are wanted.
func (l *lines) paint(code, text string) string {
	if !l.o.Color || code == "" || strings.TrimSpace(text) == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
