package web

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
	"emberwatch/sources"
)

// draftPatience is how long a page waits for reply drafts before it is shown without them.
const draftPatience = 5 * time.Second

// incidentView is the page of one incident.
type incidentView struct {
	frame
	Card       card
	Notice     string // what became of the last thing done here
	NoticeBad  bool
	Facts      []fact
	Windows    []windowView
	Score      string
	Cues       []string
	Topics     []detector.Topic
	Splits     []splitView
	Mentions   []mentionView
	Drafts     []draftsView
	DraftsNote string
	Timeline   []auditView
	Form       *formView // nil for those who may not act
	ChartText  string
}

// fact is one line beside an incident.
type fact struct {
	Name string
	Text string
	When *moment
}

// windowView is one line of the table that says why.
type windowView struct {
	Length, Observed, Expected, High, Surprise string
	Led                                        bool
}

// splitView is one way of splitting what was counted.
type splitView struct {
	Name  string
	Parts []share
}

// formView is what can be done.
type formView struct {
	Version int
	Nonce   string
	As      string
	Groups  []choiceGroup
}

func (s *Server) incidentPage(w http.ResponseWriter, r *http.Request, p person) error {
	return s.showIncident(w, r, p, s.voice(r).notice(r.FormValue("done")), false)
}

// showIncident answers with the page of an incident as it is now. The id of one that was merged leads to
// the one it went into.
func (s *Server) showIncident(w http.ResponseWriter, r *http.Request, p person, notice string, bad bool) error {
	d, err := s.dossier(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if d.incident.ID != r.PathValue("id") && r.Method == http.MethodGet {
		http.Redirect(w, r, "/incidents/"+d.incident.ID, http.StatusSeeOther)
		return nil
	}
	bs, err := s.brands(r.Context())
	if err != nil {
		return err
	}
	say := s.voice(r)
	v := say.incident(d, names(bs), s.rules(), p)
	v.Notice, v.NoticeBad = notice, bad
	v.Topics = s.topics(r.Context(), p, &d.incident)
	v.Drafts, v.DraftsNote = s.draftViews(r.Context(), say, p, &d.incident)
	if p.may(Act) {
		v.Form = &formView{Version: d.incident.Version, Nonce: rand.Text(), As: nameCookie(r), Groups: say.choices(&d.incident, s.rules().Zone)}
	}
	code := http.StatusOK
	if bad {
		code = http.StatusConflict
	}
	s.render(w, say, code, "incident.html", v)
	return nil
}

// topics says what the incident is about, or nothing: the page does without.
func (s *Server) topics(ctx context.Context, p person, i *detector.Incident) []detector.Topic {
	brand, _ := s.rules().Brand(i.Brand)
	ts, err := s.c.About.Find(ctx, i, brand, p.may(Act))
	if err != nil {
		s.c.Logger.Warn("page without topics", "incident", i.ID, "err", err)
	}
	return ts
}

func (v voice) incident(d dossier, brands namer, set *rules.Set, p person) *incidentView {
	i := &d.incident
	e := &i.Evidence
	out := &incidentView{
		Card: v.card(i, brands, set), Facts: v.facts(i), Windows: v.windows(e), Cues: e.Cues,
		Splits: v.splits(e), Mentions: v.mentions(show(p, d.mentions)), Timeline: v.timeline(d.audit),
		ChartText: v.Say("page.chart", "brand", brands.name(i.Brand)),
	}
	out.frame = frame{Title: i.ID + ": " + v.severity(i.Severity).Word, Who: p.name}
	if e.Bar > 0 {
		out.Score = v.Say("page.score", "score", v.Number(e.Score), "bar", v.Number(e.Bar))
		if e.Budget != nil {
			out.Score += " " + v.Say("page.score.budget", "budget", v.Budget(e.Budget))
		}
	}
	return out
}

// facts lists what is known beside the numbers; what is not known is left out.
func (v voice) facts(i *detector.Incident) []fact {
	e := &i.Evidence
	var fs []fact
	add := func(key, text string) {
		if text != "" {
			fs = append(fs, fact{Name: v.Say("page.fact." + key), Text: text})
		}
	}
	fs = append(fs, fact{Name: v.Say("field.since"), When: v.at(i.Since)}, fact{Name: v.Say("page.fact.opened"), When: v.at(i.OpenedAt)})
	add("owner", i.Owner)
	add("severity", v.Tell(i.SeverityWhy, i.SeveritySaid, v.manner()))
	add("authors", v.count(e.Authors))
	if e.Reach > 0 {
		add("reach", v.Count("page.reach", e.Reach))
	}
	if e.Private > 0 {
		add("private", v.Count("console.private", e.Private))
	}
	add("rule", i.Rule)
	add("signal", notifier.SignalWords(v.Language, i.Signal, asIs))
	add("learning", v.Learning(e, asIs))
	add("before", i.Previous)
	return fs
}

func (v voice) windows(e *detector.Evidence) []windowView {
	ws := e.Windows
	if len(ws) == 0 && e.Window.Length > 0 {
		ws = []detector.Window{e.Window}
	}
	out := make([]windowView, len(ws))
	for k, w := range ws {
		out[k] = windowView{
			v.span(w.Length), v.Number(w.Observed), v.Number(w.Expected), v.Number(w.High), v.Number(w.Surprise), w.Length == e.Window.Length,
		}
	}
	return out
}

func (v voice) splits(e *detector.Evidence) []splitView {
	var out []splitView
	for _, s := range []splitView{
		{v.Say("page.split.categories"), v.split(e.Categories, v.Topic)},
		{v.Say("page.split.sources"), v.split(e.Sources, asIs)},
		{v.Say("page.split.networks"), v.split(e.Networks, asIs)},
		{v.Say("field.languages"), v.split(e.Languages, v.LanguageName)},
	} {
		if len(s.Parts) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// draftViews asks for drafts and says in words when there are none.
func (s *Server) draftViews(ctx context.Context, v voice, p person, i *detector.Incident) ([]draftsView, string) {
	ctx, stop := context.WithTimeout(ctx, draftPatience)
	defer stop()
	ds, err := s.drafts(ctx, p, i.ID)
	switch {
	case err != nil:
		s.c.Logger.Warn("drafts for the page failed", "incident", i.ID, "error", err)
		return nil, v.Say("page.drafts.failed")
	case len(ds) == 0:
		return nil, v.Say("page.drafts.none")
	}
	out := make([]draftsView, len(ds))
	for k, d := range ds {
		out[k] = v.drafts(d)
	}
	return out, ""
}

// mentionView is a mention as a page shows it.
type mentionView struct {
	Masked   bool
	Kind     string
	Network  string
	Author   string
	Handle   string
	Text     string
	Lang     string // for the attribute
	Language string
	Category string
	Stars    string
	Rating   string
	But      string // what the words are that the stars deny
	Negative int    // percent
	URL      string
	When     *moment
}

func (v voice) mentions(js []shown) []mentionView {
	out := make([]mentionView, len(js))
	for k, j := range js {
		out[k] = v.mention(j)
	}
	return out
}

func (v voice) mention(j shown) mentionView {
	m := &j.Mention
	out := mentionView{
		Masked: j.Masked, Kind: v.Kind(m.Kind), Network: network(m), Author: m.Author.Name, Handle: m.Author.Handle,
		Text: cut(m.Body(), 1200), Lang: langAttr(j.Lang), Language: v.LanguageName(j.Lang), Category: v.Topic(j.Category),
		Negative: int(100*j.P.Negative + 0.5), URL: link(m.URL), When: v.at(m.CreatedAt),
	}
	if out.Author == "" {
		out.Author, out.Handle = out.Handle, ""
	}
	if n := int(m.Rating + 0.5); n >= 1 && n <= 5 {
		out.Stars, out.Rating = "★★★★★☆☆☆☆☆"[3*(5-n):3*(10-n)], v.Number(m.Rating)
		out.But = v.contradiction(&j.Judged)
	}
	return out
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

// network says where a mention was written.
func network(m *sources.Mention) string {
	if m.Network == "" {
		return m.Source
	}
	return m.Network
}
