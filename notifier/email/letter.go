package email

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

const (
	longestText = 600 // runes of a quote
	longestName = 80
)

// letter is what a mail says, each string one plain line. The templates put markup around it.
type letter struct {
	Lang     string
	Headline string // what has happened, how grave it is, and to whom
	Sentence string // in numbers
	Note     string
	Facts    []fact
	Topics   string
	Quotes   []quote
	Hidden   string   // what is left out
	Entries  []string // of a digest
	Link     string
	Open     string // what stands for a quote's link
	Details  string // what stands for Link
	Ack      string // how to take it without the page; empty: there is nothing to take
}

type fact struct{ Name, Value string }

type quote struct{ Text, About, Link string }

// line makes foreign text fit for a letter.
func line(s string, most int) string {
	r := []rune(notifier.Plain(s))
	if len(r) <= most {
		return string(r)
	}
	return strings.TrimRight(string(r[:most-1]), " ") + "…"
}

func sentenceLine(s string) string { return line(s, longestText) }
func nameLine(s string) string     { return line(s, longestName) }

// subject is the same for every mail about an incident: programs that read mail keep a thread by it.
func subject(m *notifier.Message) string {
	what := nameLine(notifier.BrandName(m.Brand))
	if detector.IsDigest(m.Alert.Incident) {
		what = m.Language.Say("mail.subject.digest")
	}
	return m.Language.Say("mail.subject", "what", what) + " [" + nameLine(m.Alert.Incident) + "]"
}

// writer says our own words in the language of the message.
type writer struct {
	*notifier.Language
	m *notifier.Message
	l *letter
}

func newLetter(m *notifier.Message) *letter {
	w := writer{m.Language, m, &letter{Link: notifier.WebAddress(m.Link)}}
	w.l.Note = w.Tell(m.Alert.Note, m.Alert.Said, w.manner())
	w.l.Lang, w.l.Open, w.l.Details = w.Code(), w.Say("quote.open"), w.Say("mail.details")
	if m.Incident.ID == "" {
		w.digest()
	} else {
		w.incident()
	}
	return w.l
}

func (w writer) incident() {
	m, l := w.m, w.l
	i := &m.Incident
	l.Headline = fmt.Sprintf("%s: %s, %s", w.headline(), nameLine(notifier.BrandName(m.Brand)), w.severity(i))
	l.Sentence = notifier.Sentence(w.Language, i, m.Zone, sentenceLine)
	w.facts()
	if i.Open() {
		w.ack(i.ID)
	}
	if m.Alert.Kind != detector.KindRoot || !i.Open() {
		return
	}
	if words := notifier.TopicWords(w.Language, m.Topics, nameLine); words != "" {
		l.Topics = w.Say("root.words", "words", words)
	}
	for k := range m.Quotes {
		l.Quotes = append(l.Quotes, w.quote(&m.Quotes[k]))
	}
	if m.Private > 0 {
		l.Hidden = w.Count("root.private", m.Private)
	}
}

func (w writer) facts() {
	i := &w.m.Incident
	w.fact("console.state", w.handling(i))
	w.fact("mail.severity", w.Tell(i.SeverityWhy, i.SeveritySaid, w.manner()))
	if e := &i.Evidence; e.Window.Length > 0 {
		w.fact("console.counted", w.Say("mail.counted", "n", w.Number(e.Window.Observed), "window", w.SpanAfter(e.Window.Length),
			"usual", w.Number(e.Window.Expected), "people", w.Count("authors", e.Authors)))
	}
	w.fact("console.duty", nameLine(w.m.OnDuty))
	if n := w.m.Next; n != nil && i.Handling == detector.New {
		w.fact("console.next", w.Next(n, notifier.Manner{Foreign: nameLine, When: w.clock}))
	}
}

func (w writer) fact(key, value string) {
	if value != "" {
		w.l.Facts = append(w.l.Facts, fact{title(w.Say(key)), value})
	}
}

func (w writer) ack(id string) {
	w.l.Ack = title(w.Say("mail.ack", "command", "emberwatch incidents ack "+nameLine(id)))
}

func (w writer) quote(j *detector.Judged) quote {
	m := &j.Mention
	var about []string
	for _, s := range []string{w.LanguageName(j.Lang), w.Topic(j.Category), cmp.Or(m.Network, m.Source), cmp.Or(m.Author.Handle, m.Author.Name)} {
		if s = nameLine(s); s != "" {
			about = append(about, s)
		}
	}
	return quote{
		Text: cmp.Or(sentenceLine(m.Body()), w.Say("quote.empty")), About: strings.Join(about, " · "), Link: notifier.WebAddress(m.URL),
	}
}

// digest fills in the incidents for which there was no mail of their own; a line of its thread says only its note.
func (w writer) digest() {
	m := w.m
	if len(m.Digest) == 0 {
		w.l.Headline = w.headline()
		return
	}
	count := map[rules.Severity]int{}
	for k := range m.Digest {
		i := &m.Digest[k].Incident
		count[i.Severity]++
		s := fmt.Sprintf("%s %s: %s: %s", w.severity(i), nameLine(i.ID), nameLine(m.Digest[k].Brand), notifier.Sentence(w.Language, i, m.Zone, sentenceLine))
		if i.Handling == detector.New {
			w.ack(m.Alert.Incident)
		} else {
			s += " (" + w.handling(i) + ")"
		}
		w.l.Entries = append(w.l.Entries, s)
	}
	var split []string
	for s := rules.Crisis; s <= rules.Notice; s++ {
		if count[s] > 0 {
			split = append(split, fmt.Sprintf("%d × %s", count[s], w.Say("severity."+strconv.Itoa(int(s)))))
		}
	}
	w.l.Headline = strings.ReplaceAll(w.Count(m.DigestKey(), len(m.Digest), "split", strings.Join(split, ", ")), "*", "")
}

// headline says what has happened.
func (w writer) headline() string {
	return title(w.Say("console.reason." + nameLine(string(w.m.Alert.Reason))))
}

func (w writer) severity(i *detector.Incident) string {
	if !i.Open() {
		return w.Say("severity.closed")
	}
	return strings.ToUpper(w.Say("severity." + strconv.Itoa(int(i.Severity))))
}

// handling says what people do about it.
func (w writer) handling(i *detector.Incident) string {
	by := func(name string) string {
		if name == "" {
			return ""
		}
		return w.Say("closing.by", "who", nameLine(name))
	}
	until := func(t time.Time) string { return w.Say("handling.until", "when", w.clock(t)) }
	switch i.Handling {
	case detector.New:
		return w.Say("handling.new")
	case detector.Acked:
		return w.Say("console.state.acked", "by", by(i.Owner), "until", until(i.LeaseUntil))
	case detector.Snoozed:
		return w.Say("console.state.snoozed", "by", by(i.Owner), "until", until(i.SnoozeUntil))
	}
	return w.Say("closing."+string(cmp.Or(i.Closing, detector.Resolved)), "by", by(i.ClosedBy), "into", nameLine(i.MergedInto))
}

// title returns words with a capital.
func title(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

// clock writes a time in the zone of the team.
func (w writer) clock(t time.Time) string {
	zone := w.m.Zone
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone).Format(w.Say("report.date") + " 15:04 MST")
}

// manner is how names and times are written.
func (w writer) manner() notifier.Manner {
	return notifier.Manner{Foreign: sentenceLine, When: w.clock}
}
