package slack

import (
	"net/url"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"emberwatch/detector"
	"emberwatch/sources"
)

const maxQuotes = 3

// shown are the mentions that may be quoted here: direct messages only on a private route, whoever chose them.
func (p *page) shown() []detector.Judged {
	var out []detector.Judged
	for _, j := range p.Quotes {
		if len(out) < maxQuotes && (p.route().Private || !direct(&j.Mention)) {
			out = append(out, j)
		}
	}
	return out
}

func direct(m *sources.Mention) bool {
	return m.Visibility == sources.Private || m.Kind == sources.DM
}

// quotes shows what people wrote; nil if there is nothing to show. Rich text is not parsed by Slack.
func (v voice) quotes(js []detector.Judged, now time.Time) *slackapi.RichTextBlock {
	var elements []slackapi.RichTextElement
	for i := range js {
		elements = append(elements, v.quote(&js[i], now)...)
	}
	if elements == nil {
		return nil
	}
	return slackapi.NewRichTextBlock("", elements...)
}

// quote is a line about a mention and its words.
func (v voice) quote(j *detector.Judged, now time.Time) []slackapi.RichTextElement {
	about := []slackapi.RichTextSectionElement{rich(v.provenance(j, now), &slackapi.RichTextSectionTextStyle{Italic: true})}
	if u := webURL(j.Mention.URL); u != "" {
		about = append(about, rich(" · ", nil), slackapi.NewRichTextSectionLinkElement(u, v.Say("quote.open"), nil))
	}
	words := lines(j.Mention.Body(), maxQuote)
	if words == "" {
		words = v.Say("quote.empty")
	}
	return []slackapi.RichTextElement{
		slackapi.NewRichTextSection(about...),
		&slackapi.RichTextQuote{Type: slackapi.RTEQuote, Elements: []slackapi.RichTextSectionElement{rich(words, nil)}},
	}
}

func rich(s string, style *slackapi.RichTextSectionTextStyle) slackapi.RichTextSectionElement {
	return slackapi.NewRichTextSectionTextElement(s, style)
}

// provenance says who wrote where, in which language, about what: enough to judge a quote one cannot read.
func (v voice) provenance(j *detector.Judged, now time.Time) string {
	m := &j.Mention
	place := m.Network
	if place == "" {
		place = m.Source
	}
	parts := []string{plain(v.Say("quote.kind", "place", place, "kind", v.Kind(m.Kind)), maxName), v.LanguageName(plain(j.Lang, 8))}
	if j.Category != "" {
		parts = append(parts, plain(v.Topic(j.Category), maxName))
	}
	if m.Rating > 0 {
		parts = append(parts, strings.TrimSpace(v.Say("quote.stars", "n", v.Number(m.Rating))+" "+v.contradiction(j)))
	}
	if who := v.author(&m.Author); who != "" {
		parts = append(parts, who)
	}
	if d := now.Sub(m.CreatedAt); !m.CreatedAt.IsZero() && d > 0 {
		parts = append(parts, v.Say("ago", "span", v.SpanAfter(d.Truncate(time.Minute))))
	}
	return strings.Join(parts, " · ")
}

func (v voice) author(a *sources.Author) string {
	who := a.Handle
	if who == "" {
		who = a.Name
	}
	if who = plain(who, maxName); who == "" {
		return ""
	}
	if a.Followers > 0 {
		who += ", " + v.Count("followers", a.Followers)
	}
	return who
}

// contradiction says what the words of a mention are that its stars deny, or nothing.
func (v voice) contradiction(j *detector.Judged) string {
	switch {
	case !j.Disagree:
		return ""
	case j.Mention.Rating < 3:
		return v.Say("quote.but.positive")
	}
	return v.Say("quote.but.negative")
}

// webURL returns an address that may be linked to, or nothing: http(s), a host, no credentials, and none of the
// characters that end a control sequence.
func webURL(s string) string {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	out := strings.NewReplacer("<", "%3C", ">", "%3E", "|", "%7C", " ", "%20", "\u2068", "", "\u2069", "").Replace(u.String())
	if units(out) > maxURL || clean(out) != out {
		return ""
	}
	return out
}
