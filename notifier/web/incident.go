package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"time"

	"emberwatch/detector"
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
	return s.showIncident(w, r, p, notices[r.FormValue("done")], false)
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
	v := newIncidentView(d, names(bs), s.rules(), p, s.c.Now())
	v.Notice, v.NoticeBad = notice, bad
	v.Topics = s.topics(r.Context(), p, &d.incident)
	v.Drafts, v.DraftsNote = s.draftViews(r.Context(), p, &d.incident)
	if p.may(Act) {
		v.Form = &formView{Version: d.incident.Version, Nonce: rand.Text(), As: nameCookie(r), Groups: choicesFor(&d.incident, s.c.Now(), s.rules().Zone)}
	}
	code := http.StatusOK
	if bad {
		code = http.StatusConflict
	}
	s.render(w, code, "incident.html", v)
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

func newIncidentView(d dossier, brands namer, set *rules.Set, p person, now time.Time) *incidentView {
	i := &d.incident
	e := &i.Evidence
	v := &incidentView{
		Card: newCard(*i, brands, set, now), Facts: factsOf(i, now), Windows: windowsOf(e), Cues: e.Cues,
		Splits: splitsOf(e), Mentions: mentionViews(show(p, d.mentions), now), Timeline: timeline(d.audit, now),
		ChartText: fmt.Sprintf("Mentions of %s per hour over 48 hours, the negative ones apart", brands.name(i.Brand)),
	}
	v.frame = frame{Title: i.ID + ": " + i.Severity.String(), Who: p.name}
	if e.Bar > 0 {
		v.Score = fmt.Sprintf("The score is %.1f; it had to pass %.1f.", e.Score, e.Bar)
		if e.Budget != nil {
			v.Score += " Budget: " + e.Budget.String() + "."
		}
	}
	return v
}

// factsOf lists what is known beside the numbers; what is not known is left out.
func factsOf(i *detector.Incident, now time.Time) []fact {
	e := &i.Evidence
	var fs []fact
	add := func(name, text string) {
		if text != "" {
			fs = append(fs, fact{Name: name, Text: text})
		}
	}
	fs = append(fs, fact{Name: "Since", When: at(i.Since, now)}, fact{Name: "Opened", When: at(i.OpenedAt, now)})
	add("Owner", i.Owner)
	add("Severity", i.SeverityWhy)
	add("Authors", thousands(e.Authors))
	if e.Reach > 0 {
		add("Reach", "about "+plural(e.Reach, "follower"))
	}
	if e.Private > 0 {
		add("Private", plural(e.Private, "direct message"))
	}
	add("Rule", i.Rule)
	add("Signal", i.Signal)
	add("Learning", e.Learning)
	add("Before", i.Previous)
	return fs
}

func windowsOf(e *detector.Evidence) []windowView {
	ws := e.Windows
	if len(ws) == 0 && e.Window.Length > 0 {
		ws = []detector.Window{e.Window}
	}
	out := make([]windowView, len(ws))
	for k, w := range ws {
		out[k] = windowView{
			window(w.Length), number(w.Observed), number(w.Expected), number(w.High),
			fmt.Sprintf("%.1f", w.Surprise), w.Length == e.Window.Length,
		}
	}
	return out
}

func splitsOf(e *detector.Evidence) []splitView {
	var out []splitView
	for _, s := range []splitView{
		{"Categories", split(e.Categories, spaced)},
		{"Sources", split(e.Sources, asIs)},
		{"Networks", split(e.Networks, asIs)},
		{"Languages", split(e.Languages, language)},
	} {
		if len(s.Parts) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// draftViews asks for drafts and says in words when there are none.
func (s *Server) draftViews(ctx context.Context, p person, i *detector.Incident) ([]draftsView, string) {
	ctx, stop := context.WithTimeout(ctx, draftPatience)
	defer stop()
	ds, err := s.drafts(ctx, p, i.ID)
	switch {
	case err != nil:
		s.c.Logger.Warn("drafts for the page failed", "incident", i.ID, "error", err)
		return nil, "The reply drafts could not be made just now."
	case len(ds) == 0:
		return nil, "There are no reply drafts for this incident."
	}
	out := make([]draftsView, len(ds))
	for k, d := range ds {
		out[k] = newDraftsView(d, s.c.Now())
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

func mentionViews(js []shown, now time.Time) []mentionView {
	out := make([]mentionView, len(js))
	for k, j := range js {
		out[k] = newMentionView(j, now)
	}
	return out
}

func newMentionView(j shown, now time.Time) mentionView {
	m := &j.Mention
	v := mentionView{
		Masked: j.Masked, Kind: string(m.Kind), Network: network(m), Author: m.Author.Name, Handle: m.Author.Handle,
		Text: cut(m.Body(), 1200), Lang: langAttr(j.Lang), Language: language(j.Lang), Category: spaced(j.Category),
		Negative: int(100*j.P.Negative + 0.5), URL: link(m.URL), When: at(m.CreatedAt, now),
	}
	if m.Kind == sources.DM {
		v.Kind = "direct message"
	}
	if v.Author == "" {
		v.Author, v.Handle = v.Handle, ""
	}
	if n := int(m.Rating + 0.5); n >= 1 && n <= 5 {
		v.Stars, v.Rating = "★★★★★☆☆☆☆☆"[3*(5-n):3*(10-n)], number(m.Rating)
		v.But = j.Contradiction()
	}
	return v
}

// network says where a mention was written.
func network(m *sources.Mention) string {
	if m.Network == "" {
		return m.Source
	}
	return m.Network
}
