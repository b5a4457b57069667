package email

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
)

const (
	longestText = 600 // runes of a quote
	longestName = 80
)

// letter is what a mail says, each string one plain line. The templates put markup around it.
type letter struct {
	Headline string // what has happened, how grave it is, and to whom
	Sentence string // in numbers
	Note     string
	Facts    []fact
	Topics   string
	Quotes   []quote
	Hidden   string   // what is left out
	Entries  []string // of a digest
	Link     string
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

// subject is the same for every mail about an incident: programs that read mail keep a thread by it.
func subject(m *notifier.Message) string {
	if detector.IsDigest(m.Alert.Incident) {
		return "Emberwatch: many incidents at once [" + line(m.Alert.Incident, longestName) + "]"
	}
	return fmt.Sprintf("Emberwatch: %s [%s]", line(notifier.BrandName(m.Brand), longestName), line(m.Alert.Incident, longestName))
}

func newLetter(m *notifier.Message) *letter {
	l := &letter{Note: line(m.Alert.Note, longestText), Link: notifier.WebAddress(m.Link)}
	if m.Incident.ID == "" {
		l.digest(m)
		return l
	}
	i := &m.Incident
	l.Headline = fmt.Sprintf("%s: %s, %s", headline(m), line(notifier.BrandName(m.Brand), longestName), severity(i))
	l.Sentence = line(cmp.Or(i.Sentence, i.Title), longestText)
	l.facts(m)
	if i.Open() {
		l.Ack = "emberwatch incidents ack " + line(i.ID, longestName)
	}
	if m.Alert.Kind != detector.KindRoot || !i.Open() {
		return l
	}
	l.Topics = notifier.TopicWords(m.Topics, func(s string) string { return line(s, longestName) })
	for k := range m.Quotes {
		l.Quotes = append(l.Quotes, newQuote(&m.Quotes[k]))
	}
	if m.Private > 0 {
		l.Hidden = fmt.Sprintf("%d direct messages are not shown here.", m.Private)
	}
	return l
}

func (l *letter) facts(m *notifier.Message) {
	i := &m.Incident
	l.fact("Handling", handling(i))
	l.fact("Severity", line(i.SeverityWhy, longestText))
	if e := &i.Evidence; e.Window.Length > 0 {
		l.fact("Counted", fmt.Sprintf("%.4g in %s, %.2g expected, %d authors", e.Window.Observed, detector.Words(e.Window.Length), e.Window.Expected, e.Authors))
	}
	l.fact("On duty", line(m.OnDuty, longestName))
	if m.Next != nil && i.Handling == detector.New {
		l.fact("Next", fmt.Sprintf("%s is told at %s unless somebody acknowledges", line(m.Next.To, longestName), clock(m.Next.At)))
	}
}

func (l *letter) fact(name, value string) {
	if value != "" {
		l.Facts = append(l.Facts, fact{name, value})
	}
}

func newQuote(j *detector.Judged) quote {
	m := &j.Mention
	var about []string
	for _, s := range []string{j.Lang, j.Category, cmp.Or(m.Network, m.Source), cmp.Or(m.Author.Handle, m.Author.Name)} {
		if s = line(s, longestName); s != "" {
			about = append(about, s)
		}
	}
	return quote{
		Text: cmp.Or(line(m.Body(), longestText), "(no text)"), About: strings.Join(about, " · "), Link: notifier.WebAddress(m.URL),
	}
}

// digest fills in the incidents for which there was no mail of their own.
func (l *letter) digest(m *notifier.Message) {
	l.Headline = m.DigestWords()
	if len(m.Digest) == 0 {
		l.Headline = "Emberwatch: " + strings.ReplaceAll(string(m.Alert.Reason), "_", " ")
	}
	for k := range m.Digest {
		e := &m.Digest[k]
		i := &e.Incident
		s := fmt.Sprintf("%s %s: %s: %s", severity(i), line(i.ID, longestName), line(e.Brand, longestName), line(cmp.Or(i.Sentence, i.Title), longestText))
		if i.Handling != detector.New {
			s += " (" + handling(i) + ")"
		}
		l.Entries = append(l.Entries, s)
		if i.Handling == detector.New {
			l.Ack = "emberwatch incidents ack " + m.Alert.Incident
		}
	}
}

func clock(t time.Time) string { return t.UTC().Format("2 Jan 15:04 MST") }
