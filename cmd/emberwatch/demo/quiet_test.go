package demo

import (
	"time"

	"emberwatch/sources"
)

const (
	perHour = 3.4 // mentions, on average over the week
	slots   = 180 // an hour has
	spell   = 90 * time.Minute
)

// dayRhythm is how much is written in an hour of the day in Oslo, with 1 as the mean.
var dayRhythm = [24]float64{.22, .12, .1, .1, .12, .3, .7, 1.3, 1.6, 1.5, 1.4, 1.3, 1.4, 1.3, 1.2, 1.2, 1.3, 1.4, 1.5, 1.7, 1.6, 1.3, .8, .44}

// weekRhythm is the same for the days from Sunday on.
var weekRhythm = [7]float64{.75, 1.1, 1.1, 1.05, 1.1, 1.15, .75}

// moods are quantiles of a gamma distribution of shape 5 and mean 1: how much a spell is above or below what the
// hour would have. With them the counts are negative binomial rather than Poisson.
var moods = []float64{.32, .44, .52, .59, .65, .7, .75, .8, .86, .91, .96, 1.02, 1.08, 1.14, 1.22, 1.3, 1.4, 1.52, 1.7, 2.05}

// oslo returns the time of day in Oslo. Summer time ends within the recording, on 25 October 2026 at 01:00 UTC.
func oslo(t time.Time) time.Time {
	if t.Before(time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC)) {
		return t.Add(2 * time.Hour)
	}
	return t.Add(time.Hour)
}

// ordinary writes what people say when nothing is wrong.
func (g *generator) ordinary(from, to time.Time) {
	const step = time.Hour / slots
	mood := 1.0
	for t := from; t.Before(to); t = t.Add(step) {
		if t.Sub(from)%spell == 0 {
			mood = moods[g.rnd.IntN(len(moods))]
		}
		local := oslo(t)
		if g.rnd.Float64() < perHour/slots*dayRhythm[local.Hour()]*weekRhythm[local.Weekday()]*mood {
			g.one(g.within(t, step))
		}
	}
}

// one writes one ordinary mention.
func (g *generator) one(at time.Time) {
	lang := languages[g.draw(spoken)]
	x := g.quiet[lang]
	m := sources.Mention{Lang: lang, CreatedAt: at, Author: g.people.somebody(g.rnd, lang), Kind: sources.Comment}
	section := ""
	switch g.draw([]int{43, 23, 17, 15, 2}) {
	case 0:
		m.Source, section = "instagram", g.tone()
		if g.chance(25) {
			m.Kind = sources.Tag
		} else if g.chance(5) && x.sections["dm"] != nil {
			m.Kind, section = sources.DM, "dm"
		}
	case 1:
		m.Source, section = "mastodon", g.tone()
	case 2:
		m.Source, m.Kind = "appstore", sources.Review
		section = []string{"review+", "review0", "review-"}[g.draw([]int{66, 12, 22})]
		m.Rating = g.stars(section)
	case 3:
		m.Source, section = "helpdesk", []string{"ticket", "ticket-"}[g.draw([]int{75, 25})]
	default:
		m.Source, m.Kind, section = "news", sources.Article, "news"
		m.Author = sources.Author{Name: papers[g.rnd.IntN(len(papers))]}
	}
	if x.sections[section] == nil { // not in every language
		m.Source, m.Kind, section = "mastodon", sources.Tag, "question"
	}
	m.Title, m.Text = x.deal(g.rnd, section)
	g.followUp(*g.post(m), x, section)
}

var papers = []string{"Kitchen Weekly (example)", "Nordposten (example)", "Der Haushalt (example)", "Bean & Business (example)"}

func (g *generator) tone() string {
	return []string{"praise", "question", "neutral", "complaint"}[g.draw([]int{41, 23, 19, 17})]
}

func (g *generator) stars(section string) float64 {
	switch section {
	case "review+":
		return float64(4 + g.draw([]int{30, 70}))
	case "review0":
		return 3
	}
	return float64(1 + g.draw([]int{60, 40}))
}

// followUp is what may come of a mention later: an answer in office hours, an edit, a deletion.
func (g *generator) followUp(m sources.Mention, x *texts, section string) {
	later := g.within(m.CreatedAt.Add(15*time.Minute), 2*time.Hour)
	if later.After(Begin) || m.Kind == sources.DM || m.Source != "instagram" && m.Source != "mastodon" {
		return
	}
	h := oslo(later).Hour()
	switch own := "own " + section; {
	case h >= 8 && h < 18 && x.sections[own] != nil && g.chance(8):
		_, text := x.deal(g.rnd, own)
		g.answer(&m, text, later)
	case g.rnd.IntN(600) == 0:
		g.change(m, "", later)
	case g.rnd.IntN(600) == 0:
		g.change(m, "☕", later)
	}
}
