package console

import (
	"cmp"
	"fmt"
	"strconv"
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
	say *notifier.Language
	now time.Time
	b   strings.Builder
}

// block writes the root of an incident.
func (l *lines) block(m *notifier.Message) {
	i := &m.Incident
	l.raw(strings.Repeat("─", l.o.Width))
	l.raw(join(" · ", l.severity(i.Severity, true), l.bold(brandName(m)), clean(i.ID), l.clock(m.Now)))
	for _, line := range wrap(notifier.Sentence(l.say, i, l.o.Zone, clean), l.o.Width) {
		l.raw(l.bold(line))
	}
	if note := l.note(m); note != "" {
		l.text("", note)
	}
	l.raw("")
	l.numbers(&i.Evidence)
	l.text("words", notifier.TopicWords(m.Language, m.Topics, clean))
	l.text("since", join(", ", l.clock(i.Since), l.ago(i.Since, m.Now)))
	l.text("why", l.say.Tell(i.SeverityWhy, i.SeveritySaid, l.manner()))
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
	l.oneLine(m.Incident.Severity, clean(m.Incident.ID)+" "+l.say.Say("console.also", "whom", clean(to)), l.note(m))
}

// numbers writes what was counted against what was expected.
func (l *lines) numbers(e *detector.Evidence) {
	if w := e.Window; w.Length > 0 {
		l.text("counted", l.say.Say("console.counted.value", "n", l.say.Number(w.Observed), "window", l.say.SpanAfter(w.Length),
			"usual", l.say.Number(w.Expected), "high", l.say.Number(w.High), "score", l.say.Number(e.Score), "bar", l.say.Number(e.Bar)))
	}
	reach := ""
	if e.Reach > 0 {
		reach = l.say.Say("field.people.reach", "n", l.say.Number(float64(e.Reach)))
	}
	l.text("who", join(", ", l.some("authors", e.Authors), reach, l.some("console.private", e.Private)))
	l.text("where", join(" · ", l.tally(e.Sources, asIs), l.tally(e.Languages, asIs)))
	l.text("about", l.tally(e.Categories, l.say.Topic))
	l.text("learning", l.say.Learning(e, clean))
}

// quotes writes what people said, each with language, topic, stars and author below it.
func (l *lines) quotes(m *notifier.Message) {
	for _, j := range m.Quotes {
		l.raw("")
		for k, line := range wrap(cut(cmp.Or(clean(j.Mention.Body()), l.say.Say("quote.empty")), quoteWidth), l.o.Width-4) {
			l.raw([]string{"  » ", "    "}[min(k, 1)] + line)
		}
		a := j.Mention.Author
		where := cmp.Or(j.Mention.Network, j.Mention.Source)
		about := join(" · ", clean(j.Lang), clean(l.say.Topic(j.Category)), strings.TrimSpace(stars(j.Mention.Rating)+" "+l.contradiction(&j)),
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
		l.text("", l.say.Count("root.private", m.Private)+".")
	}
}

// whatNext writes who is to do what, and what happens otherwise.
func (l *lines) whatNext(m *notifier.Message) {
	l.text("duty", clean(m.OnDuty))
	if n := m.Next; n != nil {
		l.text("next", l.say.Next(n, l.manner()))
	}
	l.text("drafts", l.some("console.drafts.value", m.Drafts))
	if u := notifier.WebAddress(m.Link); u != "" {
		l.raw(l.label("page") + u)
	}
	if m.Incident.Handling == detector.New || m.Incident.Handling == "" {
		l.raw(l.label("todo") + "emberwatch incidents ack " + clean(m.Incident.ID))
		return
	}
	l.text("state", l.handling(&m.Incident))
}

// thread writes one line that follows a root.
func (l *lines) thread(m *notifier.Message) {
	what := clean(string(m.Alert.Reason))
	if key := "console.reason." + string(m.Alert.Reason); l.say.Has(key) {
		what = l.say.Say(key)
	}
	asked := m.Alert.Reason == detector.ReasonLeaseEnded && m.Incident.Handling == detector.Acked
	if asked {
		what = l.say.Say("console.asked")
	}
	severity := m.Incident.Severity
	if severity == rules.Calm {
		severity = m.Alert.Severity
	}
	id := cmp.Or(clean(m.Incident.ID), clean(m.Alert.Incident))
	more := l.note(m)
	if more == "" {
		more = notifier.Sentence(l.say, &m.Incident, l.o.Zone, clean)
	}
	if asked {
		more = l.say.Say("console.asked.more")
	}
	if m.Incident.ID != "" && !m.Incident.Open() {
		more = join("; ", l.handling(&m.Incident), l.note(m))
	}
	l.oneLine(severity, join(" ", id, what), more)
}

// digest writes the incidents for which there was no room, a line each.
func (l *lines) digest(m *notifier.Message) {
	split := map[rules.Severity]int{}
	for i := range m.Digest {
		split[m.Digest[i].Incident.Severity]++
	}
	var parts []string
	for s := rules.Crisis; s <= rules.Notice; s++ {
		if split[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d × %s", split[s], l.word(s)))
		}
	}
	head := strings.ReplaceAll(l.say.Count(m.DigestKey(), len(m.Digest), "split", strings.Join(parts, ", ")), "*", "")
	l.raw(l.clock(l.now) + " " + l.severity(m.Digest[0].Incident.Severity, false) + " " + l.bold(head))
	if m.Alert.Note != "" {
		l.raw("  " + cut(l.note(m), lineWidth))
	}
	for i := range m.Digest {
		inc := &m.Digest[i].Incident
		what := join(" ", clean(m.Digest[i].Brand)+":", notifier.Sentence(l.say, inc, l.o.Zone, clean))
		if inc.Handling != detector.New {
			what = l.handling(inc)
		}
		l.raw("  " + l.severity(inc.Severity, false) + " " + cut(clean(inc.ID)+" "+what, l.o.Width-4))
	}
	l.raw("  " + l.dim(l.say.Say("digest.command", "command", "emberwatch incidents ack "+clean(m.Alert.Incident))))
}

// edit writes one line about a change of state.
func (l *lines) edit(m *notifier.Message) {
	l.oneLine(m.Incident.Severity, clean(m.Incident.ID), join(", ", l.word(m.Incident.Severity), l.handling(&m.Incident)))
}

func (l *lines) oneLine(s rules.Severity, head, rest string) {
	line := l.clock(l.now) + " " + l.severity(s, false) + " " + l.bold(head)
	if rest != "" {
		line += ": " + cut(rest, lineWidth)
	}
	l.raw(line)
}

// text writes wrapped text behind a label, named by its key; nothing if there is none.
func (l *lines) text(label, text string) {
	for k, line := range wrap(text, l.o.Width-labelWidth) {
		if k > 0 {
			label = ""
		}
		l.raw(l.label(label) + line)
	}
}

func (l *lines) label(key string) string {
	name := ""
	if key != "" {
		name = l.say.Say("console." + key)
	}
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
	return t.Format(l.say.Say("console.date") + " 15:04 MST")
}

func (l *lines) ago(t, now time.Time) string {
	if t.IsZero() || !t.Before(now) {
		return ""
	}
	return l.say.Say("ago", "span", l.say.SpanAfter(now.Sub(t)))
}

func (l *lines) word(s rules.Severity) string { return l.say.Say("severity." + strconv.Itoa(int(s))) }

// severity writes the shape of a severity, and its word if wanted.
func (l *lines) severity(s rules.Severity, word bool) string {
	text := icon(s)
	if word {
		text += " " + strings.ToUpper(l.word(s))
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
