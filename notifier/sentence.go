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
// elsewhere the same is said anew from its figures. An incident whose figures do not tell it (one that was split off) keeps
// its English sentence. zone is that of the weekday; render makes foreign words fit for where they go.
func Sentence(l *Language, i *detector.Incident, zone *time.Location, render func(string) string) string {
	own := cmp.Or(i.Sentence, i.Title)
	if l.Code() == English().Code() || len(i.Signals) == 0 {
		return render(own)
	}
	s := speaker{l, render}
	lead := &i.Signals[0]
	switch {
	case lead.Series == "":
		return s.single(i)
	case i.Evidence.Window.Length <= 0:
		return render(own)
	case lead.Watch:
		return s.say("sentence.watch", i)
	}
	if zone == nil {
		zone = time.UTC
	}
	day := l.Say("day." + strconv.Itoa(int(i.LastHit.In(zone).Weekday())))
	switch kind, _, _ := strings.Cut(i.Signal, ":"); kind {
	case "share", "rating":
		return s.share("sentence."+kind, i)
	case "spread":
		return s.spread(i)
	case "silence":
		return s.silence(i, day)
	case "gauge":
		return s.gauge(i)
	default:
		if !spoken(i.Signal) {
			return render(own)
		}
	}
	if season := i.Evidence.Season; season != "" {
		return s.say("sentence.burst."+string(season), i, "day", day)
	}
	return s.say("sentence.burst", i, "day", day)
}

// share says which part of the mentions is of a kind.
func (s speaker) share(key string, i *detector.Incident) string {
	ev := &i.Evidence
	of := max(1, float64(ev.Of))
	part := func(n float64) string { return s.l.Number(100*n/of) + " %" }
	return s.l.Say(key, "part", part(ev.Window.Observed), "about", s.apart(ev), "window", s.last(ev.Window.Length), "n", s.l.Number(ev.Window.Observed),
		"of", s.l.Number(of), "people", s.l.Count("people", ev.Authors), "usual", part(ev.Window.Expected), "high", part(ev.Window.High), "where", s.where(i))
}

// spread says how fast one mention is passed on.
func (s speaker) spread(i *detector.Incident) string {
	return s.l.Say("sentence.spread", "n", s.l.Number(i.Evidence.Window.Observed), "of", s.l.Number(float64(i.Evidence.Of)), "where", s.where(i))
}

// silence says what is not heard.
func (s speaker) silence(i *detector.Incident, day string) string {
	w := &i.Evidence.Window
	return s.l.Say("sentence.silence", "place", s.render(i.Evidence.Place), "window", s.last(w.Length), "day", day, "usual", s.usual(w.Expected))
}

// gauge says how a number moved.
func (s speaker) gauge(i *detector.Incident) string {
	w := &i.Evidence.Window
	key := "sentence.gauge.up"
	if w.Observed < 0 {
		key = "sentence.gauge.down"
	}
	_, metric, _ := strings.Cut(i.Signal, ":")
	return s.l.Say(key, "metric", s.render(metric), "place", s.render(i.Evidence.Place), "n", s.l.Number(math.Abs(w.Observed)),
		"value", s.l.Number(float64(i.Evidence.Of)), "window", s.last(w.Length), "usual", s.l.Number(w.Expected))
}

// spoken reports whether a signal counts what people wrote; what it counts else has no words here.
func spoken(signal string) bool {
	kind, _, _ := strings.Cut(signal, ":")
	return slices.Contains([]string{"negative", "all", "category", "source", "rule", "backlash", "unfollow"}, kind)
}

type speaker struct {
	l      *Language
	render func(string) string
}

// say says what a burst or a slow rise is made of.
func (s speaker) say(key string, i *detector.Incident, more ...string) string {
	ev, w := &i.Evidence, &i.Evidence.Window
	learning := ""
	if ev.Learning != "" {
		learning = s.l.Say("sentence.learning")
	}
	copies := ""
	if ev.Copied > 0 {
		copies = s.l.Count("sentence.copies", ev.Copied)
	}
	return s.l.Say(key, append(more,
		"count", s.count(i), "about", s.apart(ev), "people", s.l.Count("people", ev.Authors), "window", s.last(w.Length),
		"usual", s.usual(w.Expected), "high", s.l.Number(w.High), "learning", learning, "where", s.where(i), "copies", copies)...)
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

func (s speaker) count(i *detector.Incident) string {
	noun := "mentions"
	if i.Signal == "negative" || i.Signal == "backlash" || strings.HasPrefix(i.Signal, "category:") {
		noun = "negative"
	}
	return s.l.Count(noun, int(i.Evidence.Window.Observed+0.5))
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
		return s.l.Say("sentence.place.all", "place", s.render(first))
	case 2*split[first] >= int(ev.Window.Observed):
		return s.l.Say("sentence.place.most", "place", s.render(first))
	}
	return s.l.Count("sentence.place.many", len(split))
}

// single says what single mentions are about.
func (s speaker) single(i *detector.Incident) string {
	ev := &i.Evidence
	topic := s.l.Say("sentence.rule")
	if i.Category != "" {
		topic = s.render(s.l.Topic(i.Category))
	}
	cues := ""
	if n := min(3, len(ev.Cues)); n > 0 {
		words := make([]string, n)
		for k, c := range ev.Cues[:n] {
			words[k] = "“" + s.render(c) + "”"
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
