package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"emberwatch/detector"
	"emberwatch/rules"
)

// printEach writes one standing after the other. What would change a severity is said again only where it is something else.
func printEach(b *strings.Builder, kind string, all []detector.Standing) {
	for i := range all {
		s := all[i]
		if i > 0 && slices.Equal(s.Graver, all[i-1].Graver) {
			s.Graver = nil
		}
		printStanding(b, kind, &s)
	}
}

// printStanding writes how a rule stands for one brand, series or source, from the top down: what is there, from when on it
// tells, what it lacks for that, how grave it would be, and what came nearest.
func printStanding(b *strings.Builder, kind string, s *detector.Standing) {
	fmt.Fprintf(b, "\n%s, %s%s", clean(s.Brand), clean(s.Signal), partWords(s))
	if s.Place != "" {
		fmt.Fprintf(b, ", %s", clean(s.Place))
	}
	fmt.Fprintf(b, ", as of %s\n", zoned(s.At))
	fact(b, "now", s.Now)
	if len(s.Windows) > 1 {
		printWindows(b, kind, s.Windows)
	}
	fact(b, "tells", s.Tells)
	fact(b, "verdict", verdict(s))
	if s.Budget != nil {
		fact(b, "budget", s.Budget.String())
	}
	fact(b, "learning", s.Learning)
	fact(b, "severity", severityWords(s))
	for _, x := range s.Graver {
		fact(b, "", x)
	}
	fact(b, "incident", s.Open)
	for i, x := range s.Also {
		fact(b, first(i, "also"), x)
	}
	for i, m := range s.Latest {
		fact(b, first(i, latestOf[rules.Kind(kind)]), latestWords(kind, &m))
	}
	for i, m := range s.Nearest {
		fact(b, first(i, "nearest"), nearestWords(kind, &m))
	}
}

// partWords says what a series of a rule with baseline.per is of, where the signal does not.
func partWords(s *detector.Standing) string {
	words := ""
	for _, by := range rules.PerValues {
		if value, ok := s.Per[by]; ok && s.Signal != by+":"+value {
			words += ", " + by + " " + clean(value)
		}
	}
	return words
}

// fact writes a text behind its name, in lines of at most textWidth runes; an empty one is left out.
func fact(b *strings.Builder, name, text string) {
	line := fmt.Sprintf("  %-9s", name)
	empty := line
	for _, word := range strings.Fields(clean(text)) {
		if utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > textWidth && line != empty {
			b.WriteString(line + "\n")
			line = fmt.Sprintf("  %-9s", "")
		}
		line += " " + word
	}
	if line != empty {
		b.WriteString(line + "\n")
	}
}

const textWidth = 120

// first names the first of several lines.
func first(i int, name string) string {
	if i > 0 {
		return ""
	}
	return name
}

// zoned writes a time in the zone that it came with.
func zoned(t time.Time) string { return t.Format("2006-01-02 15:04 MST") }

// printWindows writes a table of what each window holds against what is usual.
func printWindows(b *strings.Builder, kind string, all []detector.Window) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	sign := ""
	if kind == string(rules.Gauge) {
		sign = "+"
	}
	fmt.Fprint(w, "            last\tseen\tusual\trarely beyond\tsurprise\t\n")
	for _, x := range all {
		fmt.Fprintf(w, "            %s\t%"+sign+".0f\t%"+sign+".*f\t%"+sign+".0f\t%.1f\t\n",
			shortDuration(x.Length), x.Observed, places(x.Expected), x.Expected, x.High, x.Surprise)
	}
	w.Flush()
}

// places is how many decimals a number is worth.
func places(n float64) int {
	switch n = math.Abs(n); {
	case n == 0 || n >= 10:
		return 0
	case n >= 1:
		return 1
	}
	return 2
}

func verdict(s *detector.Standing) string {
	if len(s.Lacks) == 0 {
		return "told"
	}
	return "not told: " + strings.Join(s.Lacks, "; ")
}

func severityWords(s *detector.Standing) string {
	if s.Severity == rules.Calm {
		return ""
	}
	if len(s.Lacks) == 0 {
		return fmt.Sprintf("%d: %s", s.Severity, s.Why)
	}
	return fmt.Sprintf("%d if it told now: %s", s.Severity, s.Why)
}

// latestOf names what a rule without a score has looked at.
var latestOf = map[rules.Kind]string{rules.Each: "matches", rules.Unanswered: "waiting", rules.Correlate: "alarms"}

// latestWords say what a rule without a score has looked at.
func latestWords(kind string, m *detector.Miss) string {
	text := fmt.Sprintf("%s, %s", zoned(m.From), m.What)
	switch rules.Kind(kind) {
	case rules.Unanswered:
		if m.Told {
			return text + ", told"
		}
		return text + ", due at " + zoned(m.To)
	case rules.Correlate:
		if m.Told {
			return text + ", last above its bar at " + zoned(m.To) + ", counts"
		}
		return text + ", last above its bar at " + zoned(m.To) + ", too long ago"
	}
	if m.Told {
		return text + ", told"
	}
	return text + ", repeats one that was told"
}

// nearestWords say how near a stretch of the history came.
func nearestWords(kind string, m *detector.Miss) string {
	score := fmt.Sprintf("score %.2f", m.Score)
	if kind == string(rules.Spread) {
		score = fmt.Sprintf("%.0f shares an hour", m.Score)
	}
	word := "not told"
	switch {
	case m.Told:
		word = "told"
	case m.History:
		word += " (history: teaches only)"
	}
	return fmt.Sprintf("%s, %s for %s, %s", zoned(m.From), score, detector.Words(m.To.Sub(m.From)), word)
}
