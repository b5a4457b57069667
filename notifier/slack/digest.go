package slack

import (
	"fmt"
	"strings"

	slackapi "github.com/slack-go/slack"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

// How much of a digest's incidents is shown. What a message may hold is shared among its lines: each has at least
// its icon and its name.
const (
	digestRoom  = 10000 // units of all lines; Slack refuses somewhat more as msg_blocks_too_long
	longestLine = 160
)

// digest is the message that names incidents for which the channel has no room.
func (p *page) digest() []slackapi.Block {
	blocks := []slackapi.Block{section(p.digestText())}
	paragraph := ""
	for _, line := range p.entries() {
		if units(paragraph)+units(line)+1 > maxSection {
			blocks = append(blocks, section(paragraph))
			paragraph = ""
		}
		paragraph += line + "\n"
	}
	if paragraph != "" {
		blocks = append(blocks, section(strings.TrimSuffix(paragraph, "\n")))
	}
	if n := p.unowned(); n > 0 {
		all := slackapi.NewButtonBlockElement(actAck, token{incident: p.Alert.Incident, lang: p.answers}.String(),
			words(p.v.Count("digest.ack", n))).WithStyle(slackapi.StylePrimary)
		blocks = append(blocks, slackapi.NewActionBlock("", all))
	}
	return blocks
}

// digestText says how many there are, how grave they are and how many of them nobody has.
func (p *page) digestText() string {
	count := map[rules.Severity]int{}
	for i := range p.Digest {
		count[p.Digest[i].Incident.Severity]++
	}
	var split []string
	for s := rules.Crisis; s <= rules.Notice; s++ {
		if count[s] > 0 {
			split = append(split, fmt.Sprintf("%s %s × %s", icon(s), p.v.Number(float64(count[s])), p.v.severity(s)))
		}
	}
	s := "📚 " + p.v.Count(p.DigestKey(), len(p.Digest), "split", strings.Join(split, ", "))
	switch n := p.unowned(); {
	case n == len(p.Digest) && n > 0:
		s = join(s, p.v.Say("digest.free.all"))
	case n > 0:
		s = join(s, p.v.Count("digest.free", n))
	}
	if p.Alert.Note != "" {
		s += "\n" + p.v.note(&p.Alert)
	}
	return lead(p.mentions, s)
}

func (p *page) unowned() int {
	n := 0
	for i := range p.Digest {
		if p.Digest[i].Incident.Handling == detector.New {
			n++
		}
	}
	return n
}

// entries are the lines of a digest.
func (p *page) entries() []string {
	most := min(longestLine, digestRoom/max(len(p.Digest), 1))
	lines := make([]string, len(p.Digest))
	for k := range p.Digest {
		lines[k] = p.entry(&p.Digest[k], most)
	}
	return lines
}

func (p *page) entry(e *notifier.Entry, most int) string {
	i := &e.Incident
	mark := icon(i.Severity)
	switch i.Handling {
	case detector.Acked, detector.Snoozed:
		mark += " 👤 " + esc(i.Owner, maxName/2)
	case detector.Closed:
		mark = "✅"
	}
	s := mark + " *" + esc(i.ID, maxName/2) + "*"
	if room := most - units(s) - len(" ") - 1; room > 10 {
		s += " " + esc(e.Brand+": "+notifier.Sentence(p.v.Language, i, p.Zone, verbatim), room)
	}
	return s
}

// verbatim leaves foreign words as they are: the whole is escaped afterwards.
func verbatim(s string) string { return s }
