package demo

import (
	"time"

	"emberwatch/sources"
)

// knot is a point of a curve: how much per hour, so many minutes after Begin.
type knot struct {
	minute  int
	perHour float64
}

// The curves of the crisis: complaints on the networks, and reviews in the app store.
var (
	complaints = []knot{{46, 4}, {75, 12}, {105, 24}, {150, 42}, {220, 44}, {270, 36}, {330, 17}, {420, 4}}
	reviews    = []knot{{168, 4}, {200, 12}, {290, 11}, {350, 4}, {420, 2}}
)

// at returns the height of a curve between its knots; zero outside.
func at(curve []knot, minute int) float64 {
	for i := 1; i < len(curve); i++ {
		a, b := curve[i-1], curve[i]
		if a.minute <= minute && minute < b.minute {
			share := float64(minute-a.minute) / float64(b.minute-a.minute)
			rise := float64(share * (b.perHour - a.perHour)) // on its own, so that no machine fuses it with the sum
			return a.perHour + rise
		}
	}
	return 0
}

// leak writes the crisis, minute by minute: who writes at random first, then what the story needs.
func (g *generator) leak() {
	for minute := range int(length / time.Minute) {
		t := Begin.Add(time.Duration(minute) * time.Minute)
		if g.rnd.Float64() < at(complaints, minute)/60 {
			g.complaint(g.within(t, time.Minute), minute)
		}
		if g.rnd.Float64() < at(reviews, minute)/60 {
			lang := languages[g.draw([]int{36, 30, 14, 12, 8})]
			g.write(g.within(t, time.Minute), "appstore", sources.Review, lang, "review")
		}
	}
	g.first()
	g.press()
	g.hurt()
	g.brigade()
	g.private()
	g.statement()
}

// complaint is one voice of the crisis on a network.
func (g *generator) complaint(at time.Time, minute int) {
	lang := languages[g.draw([]int{38, 29, 13, 11, 9})]
	section := "leak"
	switch p := g.rnd.IntN(100); {
	case minute > 60 && p < 9:
		section = "ask"
	case minute > 130 && p < 20:
		section = "angry"
	case minute > 150 && p < 30:
		section = "support"
	}
	source, kind := "mastodon", sources.Tag
	if g.chance(58) {
		source = "instagram"
		if g.chance(65) {
			kind = sources.Comment
		}
	}
	m := g.write(at, source, kind, lang, section)
	m.HasMedia = section == "leak" && g.chance(15)
	g.afterwards(*m, lang, section, minute)
}

// write adds one text of the crisis by somebody new or, rarely, by somebody who is known.
func (g *generator) write(at time.Time, source string, kind sources.Kind, lang, section string) *sources.Mention {
	m := sources.Mention{Source: source, Kind: kind, Lang: lang, CreatedAt: at}
	if m.Author = g.people.stranger(g.rnd, lang); g.chance(8) {
		m.Author = g.people.somebody(g.rnd, lang)
	}
	if kind == sources.Review {
		m.Rating = 1
	}
	m.Title, m.Text = g.crisis[lang].deal(g.rnd, section)
	return g.post(m)
}

// afterwards is what follows: the brand answers, but late and not everybody; people edit and delete.
func (g *generator) afterwards(m sources.Mention, lang, section string, minute int) {
	later := m.CreatedAt
	switch {
	case section == "leak" && minute > 55 && g.chance(16):
		_, text := g.crisis[lang].deal(g.rnd, "own")
		g.answer(&m, text, g.within(later.Add(12*time.Minute), 30*time.Minute))
	case section == "leak" && minute > 90 && g.chance(5):
		g.change(m, edits[lang], g.within(later.Add(20*time.Minute), 40*time.Minute))
	case section == "angry" && g.chance(25):
		g.change(m, "", g.within(later.Add(20*time.Minute), time.Hour))
	}
}

var edits = map[string]string{
	"en": "Edit: support has answered, a new tank is on its way.", "de": "Edit: Der Kundendienst hat geantwortet, neuer Tank kommt.",
	"sv": "Edit: supporten har svarat, ny tank på väg.", "ru": "Обновление: поддержка ответила, новый бак в пути.",
	"ar": "تحديث: رد الدعم، والخزان الجديد في الطريق.",
}

// first are the complaints before anybody could speak of many.
func (g *generator) first() {
	g.write(Begin.Add(25*time.Minute+40*time.Second), "instagram", sources.Comment, "en", "first")
	g.write(Begin.Add(34*time.Minute+5*time.Second), "mastodon", sources.Tag, "de", "first")
	g.write(Begin.Add(43*time.Minute+31*time.Second), "instagram", sources.Tag, "en", "first")
	blog := g.write(Begin.Add(142*time.Minute), "instagram", sources.Tag, "en", "blog")
	blog.Author = sources.Author{Name: "The Long Pour", Handle: "thelongpour", Followers: 51_400, Verified: true}
	blog.HasMedia, blog.Engagement = true, sources.Engagement{Likes: 640, Shares: 38, Replies: 95}
}

// press are the articles.
func (g *generator) press() {
	for _, a := range []struct {
		minute      int
		lang, paper string
		section     string
	}{{196, "en", papers[0], "article"}, {214, "de", papers[2], "article"}, {262, "en", papers[3], "second article"}} {
		title, text := g.crisis[a.lang].deal(g.rnd, a.section)
		m := g.post(sources.Mention{
			Source: "news", Kind: sources.Article, Lang: a.lang, Title: title, Text: text,
			Author: sources.Author{Name: a.paper}, CreatedAt: Begin.Add(time.Duration(a.minute) * time.Minute),
		})
		m.URL = "https://news.example/" + m.ID
	}
}

// hurt are the two people who got a shock, half an hour apart.
func (g *generator) hurt() {
	m := g.write(Begin.Add(226*time.Minute), "instagram", sources.Comment, "en", "safety")
	m.HasMedia, m.Author.Followers = true, 310
	g.write(Begin.Add(256*time.Minute+20*time.Second), "mastodon", sources.Tag, "de", "safety")
}

// brigade is a dozen accounts without followers that copy one post. Some are gone an hour later.
func (g *generator) brigade() {
	for i := range 12 {
		m := g.write(Begin.Add(266*time.Minute+time.Duration(i)*71*time.Second), "mastodon", sources.Tag, "en", "brigade")
		m.Author.Followers, m.Engagement = i%4, sources.Engagement{}
		if i%3 == 1 {
			g.change(*m, "", m.CreatedAt.Add(50*time.Minute))
		}
	}
}

// private are direct messages, with the personal details that people send in them.
func (g *generator) private() {
	for i, lang := range []string{"en", "de", "en", "sv", "de", "en", "en"} {
		g.write(g.within(Begin.Add(time.Duration(95+38*i)*time.Minute), 30*time.Minute), "instagram", sources.DM, lang, "dm")
	}
}

// statement is what the brand tells everybody, in its own name and late.
func (g *generator) statement() {
	for i, source := range []string{"instagram", "mastodon"} {
		to := sources.Mention{Source: source, Network: source, Lang: "en"}
		_, text := g.crisis["en"].deal(g.rnd, "statement")
		g.answer(&to, text, Begin.Add(205*time.Minute+time.Duration(40*i)*time.Second))
	}
}
