// Package chart draws what an incident is about: what was counted over the last day, against what was usual.
//
// [Draw] takes a [detector.Course] and returns a [notifier.Chart]: a PNG of one bar for each step, the range in which
// most steps lie behind them, and a line where the incident began; with the same said in words for those who do not
// see it. The same course always gives the same bytes.
//
// It knows nothing of where the picture goes, and keeps nothing but the fonts.
//
// # Caveats
//
// The Go fonts have Latin, Greek and Cyrillic letters, and nothing here shapes text or sets it from right to left. A
// title with other letters is replaced by a general one: what an incident is about stands in the message, not in the
// picture. Foreign words belong in neither.
package chart

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"emberwatch/detector"
	"emberwatch/notifier"
)

// The picture, in pixels: wide enough for a desk, and with letters that can be read when a phone shows it at a third.
const (
	width, height = 1200, 670
	margin, right = 90, 30  // at the left is room for numbers of four digits; longer ones move the plot
	top, bottom   = 180, 90 // above the plot stand title, legend, when it began, and the number on the highest bar
	plotHeight    = height - top - bottom
)

// Options say how to draw. The zero value is English in UTC.
type Options struct {
	Language *notifier.Language
	Zone     *time.Location // of the hours; nil: UTC
}

// Draw draws a course of at least one step.
func Draw(c *detector.Course, o Options) (*notifier.Chart, error) {
	if len(c.Steps) == 0 || c.Step <= 0 {
		return nil, fmt.Errorf("chart of %s: there is nothing to draw", c.Signal)
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	p, err := newPlot(c, o)
	if err != nil {
		return nil, err
	}
	p.title()
	p.grid()
	p.band()
	p.bars()
	p.hours()
	p.began()
	p.peak()
	var b bytes.Buffer
	if err := png.Encode(&b, p.img); err != nil {
		return nil, fmt.Errorf("chart of %s: %w", c.Signal, err)
	}
	return &notifier.Chart{PNG: b.Bytes(), Title: p.words(), Alt: p.alt()}, nil
}

// plot is a picture being drawn.
type plot struct {
	*canvas
	c        *detector.Course
	o        Options
	from, to time.Time
	scale    float64 // the value at the top
	left     float64 // where the plot begins
}

func newPlot(c *detector.Course, o Options) (*plot, error) {
	cv, err := newCanvas(image.Rect(0, 0, width, height))
	if err != nil {
		return nil, err
	}
	most := 4.0
	for _, s := range c.Steps {
		most = max(most, s.Count, s.High)
	}
	last := c.Steps[len(c.Steps)-1].At
	p := &plot{canvas: cv, c: c, o: o, from: c.Steps[0].At, to: last.Add(c.Step), scale: roundUp(most)}
	p.left = max(margin, 2*gap+p.length(p.plain, o.Language.Number(p.scale)))
	return p, nil
}

func (p *plot) x(t time.Time) float64 {
	return p.left + (width-right-p.left)*float64(t.Sub(p.from))/float64(p.to.Sub(p.from))
}

// within moves what is so long and would begin at x so that it ends within the picture.
func (p *plot) within(x, long float64) float64 { return max(p.left, min(x, width-right-long)) }

// gap is between a label and what it labels.
const gap = 14

func (p *plot) y(v float64) float64 { return top + plotHeight*(1-v/p.scale) }

// words are what is counted; letters that the font lacks would come out as boxes.
func (p *plot) words() string {
	l := p.o.Language
	render := func(s string) string { return s }
	title := l.Say("chart.title", "signal", notifier.SignalWords(l, p.c.Signal, render), "step", l.Span(p.c.Step))
	if !p.drawable(title) {
		title = l.Say("chart.title", "signal", l.Say("signal.all"), "step", l.Span(p.c.Step))
	}
	return capital(title)
}

func capital(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}

// title says what is drawn, and below it what the colours mean.
func (p *plot) title() {
	p.text(p.fitting(p.words(), width-right-p.left), ink, p.left, 52, p.words())
	l, at := p.o.Language, p.left
	for _, e := range []struct {
		colour paint
		label  string
	}{{counted, l.Say("chart.counted")}, {above, l.Say("chart.high")}, {usual, l.Say("chart.usual")}, {expected, l.Say("chart.expected")}} {
		if e.colour == expected { // a line, as it is drawn below
			p.rect(e.colour, at, 88, at+24, 92)
		} else {
			p.rect(e.colour, at, 78, at+24, 102)
		}
		p.text(p.plain, ink, at+34, 99, e.label)
		at += 34 + p.length(p.plain, e.label) + 40
	}
}

// grid draws lines at round numbers.
func (p *plot) grid() {
	for _, v := range []float64{0, p.scale / 2, p.scale} {
		y := p.y(v)
		p.rect(rule, p.left, y-1, width-right, y+1)
		label := p.o.Language.Number(v)
		p.text(p.plain, faint, p.left-gap-p.length(p.plain, label), y+9, label)
	}
}

// band is what most steps lie in, and the line of what was expected.
func (p *plot) band() {
	p.through(func(s *detector.CourseStep, x0, x1 float64) { p.rect(usual, x0, p.y(s.High), x1, p.y(0)) })
	p.through(func(s *detector.CourseStep, x0, x1 float64) {
		p.rect(expected, x0, p.y(s.Expected)-1.5, x1, p.y(s.Expected)+1.5)
	})
}

func (p *plot) bars() {
	p.through(func(s *detector.CourseStep, x0, x1 float64) {
		colour := counted
		if s.Count > s.High {
			colour = above
		}
		p.rect(colour, x0+3, p.y(s.Count), x1-3, p.y(0))
	})
}

func (p *plot) through(draw func(s *detector.CourseStep, x0, x1 float64)) {
	for i := range p.c.Steps {
		s := &p.c.Steps[i]
		draw(s, p.x(s.At), p.x(s.At.Add(p.c.Step)))
	}
}

// hours writes the hours below, in whose zone they are, names each day, and says at the end when it was drawn.
func (p *plot) hours() {
	every := 6
	if p.to.Sub(p.from) < 8*time.Hour {
		every = 1
	}
	now := p.clock(p.c.Now)
	end := width - right - p.length(p.plain, now) - gap
	p.text(p.plain, ink, end+gap, height-46, now)
	for t := p.from.In(p.o.Zone).Truncate(30 * time.Minute); !t.After(p.to); t = t.Add(30 * time.Minute) {
		if t.Before(p.from) || t.Minute() != 0 || t.Hour()%every != 0 {
			continue
		}
		p.rect(rule, p.x(t)-1, p.y(0), p.x(t)+1, p.y(0)+10)
		label := p.clock(t)
		if day := p.day(t) + " " + label; t.Hour() == 0 && p.hourAt(t, day, end) {
			continue
		}
		p.hourAt(t, label, end)
	}
	zone := p.to.In(p.o.Zone).Format("MST")
	if z := p.o.Zone.String(); z != "Local" {
		zone = z
	}
	p.text(p.plain, faint, width-right-p.length(p.plain, zone), height-14, zone)
}

// hourAt writes a label below its time if it stays in the picture and ends before end. It reports whether it did.
func (p *plot) hourAt(t time.Time, label string, end float64) bool {
	long := p.length(p.plain, label)
	at := p.x(t) - long/2
	if at <= 0 || at+long > end {
		return false
	}
	p.text(p.plain, faint, at, height-46, label)
	return true
}

func (p *plot) clock(t time.Time) string { return t.In(p.o.Zone).Format("15:04") }

func (p *plot) day(t time.Time) string {
	return p.o.Language.Say("day." + strconv.Itoa(int(t.In(p.o.Zone).Weekday())))
}

// began draws a line where the incident began, and writes when. Of one that began before the picture it says so at its
// left end.
func (p *plot) began() {
	since := p.c.Since
	if since.IsZero() || since.After(p.to) {
		return
	}
	label := p.o.Language.Say("chart.since", "when", p.moment(since))
	if since.Before(p.from) {
		p.text(p.plain, ink, p.left, top-44, "← "+label)
		return
	}
	x := p.x(since)
	for y := float64(top) - 36; y < p.y(0); y += 14 {
		p.rect(ink, x-1.5, y, x+1.5, min(y+8, p.y(0)))
	}
	long := p.length(p.plain, label)
	p.text(p.plain, ink, p.within(x-long/2, long), top-44, label)
}

// moment is a time as the picture needs it: with the day where it was another, and the date where that is long ago.
func (p *plot) moment(t time.Time) string {
	y, m, d := p.c.Now.In(p.o.Zone).Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, p.o.Zone)
	switch {
	case !t.Before(midnight):
		return p.clock(t)
	case t.After(midnight.AddDate(0, 0, -6)):
		return p.day(t) + " " + p.clock(t)
	}
	return t.In(p.o.Zone).Format("2006-01-02 15:04")
}

// peak writes the number of the highest bar on top of it.
func (p *plot) peak() {
	s := p.highest()
	if s.Count <= s.High {
		return
	}
	label := p.o.Language.Number(s.Count)
	long := p.length(p.plain, label)
	x := p.within((p.x(s.At)+p.x(s.At.Add(p.c.Step)))/2-long/2, long)
	y := p.y(s.Count) - 8
	p.rect(paper, x-4, y-plainSize+4, x+long+4, y+4) // the line of the beginning may pass here
	p.text(p.plain, above, x, y, label)
}

func (p *plot) highest() detector.CourseStep {
	peak := p.c.Steps[0]
	for _, s := range p.c.Steps {
		if s.Count > peak.Count {
			peak = s
		}
	}
	return peak
}

// alt says what the chart shows.
func (p *plot) alt() string {
	peak := p.highest()
	l, in := p.o.Language, func(t time.Time) string { return p.moment(t) + t.In(p.o.Zone).Format(" MST") }
	render := func(s string) string { return s }
	usual := l.Number(peak.Expected)
	if peak.Expected < 0.1 {
		usual = l.Say("sentence.almost")
	}
	return l.Say("chart.alt",
		"signal", notifier.SignalWords(l, p.c.Signal, render), "step", l.Span(p.c.Step), "hours", l.Number(math.Round(p.to.Sub(p.from).Hours())),
		"peak", l.Number(peak.Count), "when", in(peak.At), "usual", usual, "high", l.Number(peak.High), "since", in(p.c.Since))
}

// roundUp returns the end of a scale that holds v: an even number that people like to read.
func roundUp(v float64) float64 {
	for unit := 1.0; ; unit *= 10 {
		for _, m := range []float64{2, 3, 4, 5, 6, 8, 10} {
			if v <= m*unit && math.Mod(m*unit, 2) == 0 {
				return m * unit
			}
		}
	}
}
