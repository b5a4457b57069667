package notifier

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"emberwatch/detector"
)

// Sentence says what happened against what was expected, in a language. In English it is the sentence of the incident;
// elsewhere the same is said anew from its figures. An incident whose figures do not tell it (one that was stored by an
// earlier version) keeps its English sentence. zone is that of the weekday; render makes foreign words fit for where they go.
func Sentence(l *Language, i *detector.Incident, zone *time.Location, render func(string) string) string {
	own := cmp.Or(i.Sentence, i.Title)
	if l.Code() == English().Code() || len(i.Signals) == 0 {
		return render(own)
	}
	if zone == nil {
		zone = time.UTC
	}
	s := speaker{l, render, l.Say("day." + strconv.Itoa(int(i.LastHit.In(zone).Weekday())))}
	if said := s.sentence(i); said != "" {
		return said
	}
	return render(own)
}

// speaker says sentences in a language. day is the day of the week that they are about.
type speaker struct {
	l      *Language
	render func(string) string
	day    string
}

// sentence is the sentence of an incident, or nothing if its figures do not tell.
func (s speaker) sentence(i *detector.Incident) string {
	lead, ev := &i.Signals[0], &i.Evidence
	kind, _, _ := strings.Cut(i.Signal, ":")
	switch {
	case ev.From != "":
		return s.l.Say("sentence.split", "count", s.l.Count("mentions", int(ev.Window.Observed)), "people", s.l.Count("people", ev.Authors), "id", s.render(ev.From))
	case strings.HasPrefix(lead.Series, "correlate:"):
		return s.together(lead)
	case i.Signal == "unanswered":
		return s.waiting(i)
	case lead.Series == "":
		return s.single(i)
	case ev.Window.Length <= 0:
		return ""
	case lead.Watch:
		return s.counted(i, "sentence.watch", "sentence.records.watch")
	case ev.Of > 0 && (kind == "share" || kind == "rating"):
		return s.share(i)
	case kind == "spread":
		return s.spread(i)
	case kind == "silence":
		return s.silence(i)
	case kind == "gauge":
		return s.gauge(i)
	}
	if season := ev.Season; season != "" {
		return s.counted(i, "sentence.burst."+string(season), "sentence.records.burst."+string(season))
	}
	return s.counted(i, "sentence.burst", "sentence.records.burst")
}

// together names the rules that tell at the same time.
func (s speaker) together(lead *detector.ActiveSignal) string {
	if len(lead.Said) == 0 {
		return ""
	}
	return s.l.Say("sentence.together", "why", s.l.Tell("", lead.Said, Manner{Foreign: s.render}))
}

// waiting says what waits for an answer, for how long, and how soon the team answers otherwise.
func (s speaker) waiting(i *detector.Incident) string {
	ev := &i.Evidence
	if ev.Waited == 0 {
		return ""
	}
	out := s.l.Count("sentence.waiting", int(ev.Window.Observed+0.5), "span", s.l.SpanAfter(time.Duration(ev.Waited)),
		"limit", s.l.Span(time.Duration(ev.Limit)), "where", s.places(ev))
	if ev.Answers != nil {
		out += " " + s.l.Count("figures", ev.Answers.Of, percents(ev.Answers)...)
	}
	return out
}

// share says which part of the mentions is of a kind.
func (s speaker) share(i *detector.Incident) string {
	ev := &i.Evidence
	key := "sentence.share." + ev.Counts
	if !s.l.Has(key) {
		return ""
	}
	of := max(1, float64(ev.Of))
	part := func(n float64) string { return s.l.Say("percent", "n", s.l.Number(math.Round(100*n/of))) }
	return s.l.Say(key, "part", part(ev.Window.Observed), "about", s.apart(ev), "window", s.last(ev.Window.Length), "n", s.l.Number(ev.Window.Observed),
		"of", s.l.Number(of), "people", s.l.Count("people", ev.Authors), "usual", part(ev.Window.Expected), "high", part(ev.Window.High),
		"condition", s.render(ev.Condition), "where", s.where(i)+s.planned(ev))
}

// spread says how fast one mention is passed on.
func (s speaker) spread(i *detector.Incident) string {
	ev := &i.Evidence
	usual := s.l.Say("sentence.spread.rule", "n", s.l.Number(ev.Bar))
	if b := ev.Budget; b != nil && b.Own {
		usual = s.l.Say("sentence.spread.weeks", "weeks", s.l.Number(math.Round(b.Weeks)), "n", s.l.Number(ev.Bar))
	}
	return s.l.Say("sentence.spread", "n", s.l.Number(ev.Window.Observed), "of", s.l.Number(float64(ev.Of)), "usual", usual, "where", s.where(i))
}

// silence says what is not heard.
func (s speaker) silence(i *detector.Incident) string {
	w := &i.Evidence.Window
	return s.l.Say("sentence.silence", "place", s.render(i.Evidence.Place), "window", s.last(w.Length), "day", s.day, "usual", s.usual(math.Round(w.Expected)))
}

// gauge says how a number moved.
func (s speaker) gauge(i *detector.Incident) string {
	w := &i.Evidence.Window
	key := "sentence.gauge.up"
	if w.Observed < 0 {
		key = "sentence.gauge.down"
	}
	usual := s.l.Say("sentence.gauge.little")
	if math.Abs(w.Expected) >= 1 {
		usual = s.l.Say("sentence.gauge.by", "n", s.signed(w.Expected))
	}
	_, metric, _ := strings.Cut(i.Signal, ":")
	return s.l.Say(key, "metric", s.render(metric), "place", s.render(i.Evidence.Place), "n", s.l.Number(math.Abs(w.Observed)),
		"value", s.l.Number(float64(i.Evidence.Of)), "window", s.last(w.Length), "usual", usual, "high", s.signed(w.High))
}

func (s speaker) signed(n float64) string {
	if n = math.Round(n); n > 0 {
		return "+" + s.l.Number(n)
	}
	return s.l.Number(n)
}

// counted says what a burst or a slow rise is made of.
func (s speaker) counted(i *detector.Incident, key, ofRecords string) string {
	ev, w := &i.Evidence, &i.Evidence.Window
	count := s.count(i)
	if count == "" {
		return ""
	}
	if ev.Counts != "" {
		key = ofRecords // they have no authors
	}
	learning := ""
	if ev.Learning != "" {
		learning = s.l.Say("sentence.learning")
	}
	return s.l.Say(key, "day", s.day,
		"count", count, "about", s.apart(ev), "people", s.l.Count("people", ev.Authors), "window", s.last(w.Length),
		"usual", s.usual(w.Expected), "high", s.l.Number(w.High), "learning", learning, "where", s.where(i), "copies", s.copies(i)+s.planned(ev))
}

// apart says which product and language a series is of.
func (s speaker) apart(ev *detector.Evidence) string {
	out := ""
	if ev.Product != "" {
		out += s.l.Say("sentence.product", "product", s.render(ev.Product))
	}
	switch code, ok := ev.Per["language"]; {
	case !ok:
	case code == "", code == "und":
		out += s.l.Say("sentence.language.und")
	default:
		out += s.l.Say("sentence.language", "language", s.render(s.l.LanguageName(code)))
	}
	return out
}

// count names what was counted; nothing if it is a kind that has no words here.
func (s speaker) count(i *detector.Incident) string {
	n, kind := int(i.Evidence.Window.Observed+0.5), i.Evidence.Counts
	of := func(key string) string {
		if !s.l.Has(key) {
			return ""
		}
		return s.l.Count(key, n)
	}
	signal, _, _ := strings.Cut(i.Signal, ":")
	switch {
	case kind != "":
		return of("counted." + kind)
	case signal == "negative" || signal == "category":
		return of("negative")
	case signal == "backlash":
		return of("counted.backlash")
	case slices.Contains([]string{"all", "source", "rule"}, signal):
		return of("mentions")
	}
	return ""
}

// copies says how many mentions say nearly what others say.
func (s speaker) copies(i *detector.Incident) string {
	switch n := i.Evidence.Copied; {
	case n == 0:
		return ""
	case i.Signals[0].CountsCopies():
		return s.l.Count("sentence.copies.counted", n)
	default:
		return s.l.Count("sentence.copies", n)
	}
}

// planned names the planned event during which something happens.
func (s speaker) planned(ev *detector.Evidence) string {
	if ev.Planned == "" {
		return ""
	}
	return s.l.Say("sentence.planned", "event", s.render(ev.Planned))
}

func (s speaker) usual(n float64) string {
	if n < 0.1 {
		return s.l.Say("sentence.almost")
	}
	return s.l.Number(n)
}

func (s speaker) last(d time.Duration) string {
	switch {
	case d < time.Hour:
		return s.l.Count("window.minutes", int(d.Minutes()))
	case d%(24*time.Hour) == 0:
		return s.l.Count("window.days", int(d.Hours())/24)
	}
	return s.l.Count("window.hours", int(d.Hours()))
}

// where says on which network or source and about what most of the mentions are.
func (s speaker) where(i *detector.Incident) string {
	out := s.places(&i.Evidence)
	if i.Category != "" {
		out += s.l.Say("sentence.topic", "topic", s.render(s.l.Topic(i.Category)))
	}
	return out
}

func (s speaker) places(ev *detector.Evidence) string {
	split := ev.Networks
	if len(split) == 0 {
		split = ev.Sources
	}
	if len(split) == 0 {
		return ""
	}
	first := slices.MinFunc(slices.Sorted(maps.Keys(split)), func(a, b string) int { return cmp.Compare(split[b], split[a]) })
	switch {
	case len(split) == 1:
		return s.l.Say("sentence.place.all", "place", s.render(s.l.Place(first)))
	case 2*split[first] >= int(ev.Window.Observed):
		return s.l.Say("sentence.place.most", "place", s.render(s.l.Place(first)))
	}
	return s.l.Count("sentence.place.many", len(split))
}

// single says what single mentions are about.
func (s speaker) single(i *detector.Incident) string {
	ev := &i.Evidence
	topic := s.l.Say("sentence.rule", "rule", s.render(i.Rule))
	if i.Category != "" {
		topic = s.render(s.l.Topic(i.Category))
	}
	cues := ""
	if n := min(3, len(ev.Cues)); n > 0 {
		words := make([]string, n)
		for k, c := range ev.Cues[:n] {
			words[k] = s.l.Quote(s.render(c))
		}
		cues = s.l.Say("sentence.cues", "words", strings.Join(words, ", "))
	}
	pairs := []string{"topic", topic, "cues", cues, "where", s.places(ev)}
	if ev.Window.Observed <= 1 {
		return s.l.Say("sentence.one", pairs...)
	}
	return s.l.Say("sentence.several", append(pairs, "n", s.l.Number(ev.Window.Observed), "people", s.l.Count("people", ev.Authors))...)
}

// SignalWords names what a signal of the contract counts.
func SignalWords(l *Language, signal string, render func(string) string) string {
	kind, what, of := strings.Cut(signal, ":")
	switch {
	case !of && l.Has("signal."+kind):
		return l.Say("signal." + kind)
	case kind == "category":
		return l.Say("signal.category", "what", render(l.Topic(what)))
	case of && l.Has("signal."+kind):
		return l.Say("signal."+kind, "what", render(what))
	}
	return render(signal)
}

// Chart is a picture that goes with a message, and what it shows in words for those who do not see it.
type Chart struct {
	PNG   []byte
	Title string // of our own words
	Alt   string // likewise
}
