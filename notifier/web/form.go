package web

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/rules"
)

// nameCookieName keeps how somebody called themselves, so that they need to write it once.
const nameCookieName = "emberwatch-name"

// choice is one button.
type choice struct {
	Value string // what the button sends
	Label string // the key of its words; in a group on a page the words themselves
	op    detector.Operation
	args  func(now time.Time, zone *time.Location) detector.Args
}

// choiceGroup is a row of buttons.
type choiceGroup struct {
	Name    string
	Hint    string
	Choices []choice
}

func plain(time.Time, *time.Location) detector.Args { return detector.Args{} }

func lasting(d time.Duration) func(time.Time, *time.Location) detector.Args {
	return func(time.Time, *time.Location) detector.Args { return detector.Args{For: detector.Duration(d)} }
}

func untilMorning(now time.Time, zone *time.Location) detector.Args {
	return detector.Args{Until: morning(now, zone)}
}

// morning returns tomorrow 09:00 in the zone of the team.
func morning(now time.Time, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	y, m, d := now.In(zone).Date()
	return time.Date(y, m, d+1, 9, 0, 0, 0, zone).UTC()
}

// The buttons of the page. The first of a form is pressed by the enter key: it is the harmless one.
var (
	noteButton = choice{"note", "page.note.add", detector.OpNote, plain}
	ackButtons = []choice{
		{"ack-1h", "do.hour", detector.OpAck, lasting(time.Hour)},
		{"ack-4h", "do.hours", detector.OpAck, lasting(4 * time.Hour)},
		{"ack-morning", "do.tomorrow", detector.OpAck, untilMorning},
	}
	snoozeButtons = []choice{
		{"snooze-1h", "do.hour", detector.OpSnooze, lasting(time.Hour)},
		{"snooze-4h", "do.hours", detector.OpSnooze, lasting(4 * time.Hour)},
		{"snooze-morning", "do.tomorrow", detector.OpSnooze, untilMorning},
	}
	closeButtons = []choice{
		{"resolve", "page.close.resolve", detector.OpResolve, plain},
		{"false-alarm", "do.false-alarm", detector.OpFalseAlarm, plain},
		{"known-event", "do.known-event", detector.OpKnownEvent, plain},
	}
	reopenButton = choice{"reopen", "do.reopen", detector.OpReopen, plain}
)

// choices returns the buttons that make sense for an incident; zone is that of the team's mornings, nil if nobody said.
func (v voice) choices(i *detector.Incident, zone *time.Location) []choiceGroup {
	group := func(key, nine string, buttons ...choice) choiceGroup {
		g := choiceGroup{Name: v.Say("page.group." + key)}
		if hint := "page.hint." + key; v.Has(hint) {
			g.Hint = v.Say(hint) + nine
		}
		for _, b := range buttons {
			b.Label = v.Say(b.Label)
			g.Choices = append(g.Choices, b)
		}
		return g
	}
	if !i.Open() {
		return []choiceGroup{group("reopen", "", reopenButton)}
	}
	nine := ""
	if zone != nil {
		nine = " " + v.Say("page.nine", "zone", morning(v.now, zone).In(zone).Format("MST"))
	}
	ack := "ack"
	if i.Handling == detector.Acked {
		ack = "keep"
	}
	return []choiceGroup{group(ack, nine, ackButtons...), group("snooze", nine, snoozeButtons...), group("close", "", closeButtons...)}
}

// choiceOf finds the button that sends value.
func choiceOf(value string) (choice, bool) {
	for _, group := range [][]choice{{noteButton, reopenButton}, ackButtons, snoozeButtons, closeButtons} {
		for _, c := range group {
			if c.Value == value {
				return c, true
			}
		}
	}
	return choice{}, false
}

// notice says what became of a button; only our own words can come from the address of a page.
func (v voice) notice(done string) string {
	key := "page.done." + done
	if done == "" || !v.Has(key) {
		return ""
	}
	return v.Say(key)
}

func (s *Server) postForm(w http.ResponseWriter, r *http.Request, p person) error {
	r.Body = http.MaxBytesReader(w, r.Body, formLimit)
	if err := r.ParseForm(); err != nil {
		return refuseSaying(http.StatusBadRequest, "problem.form", "why", err.Error())
	}
	e, err := formEvent(r, p, s.rules(), s.c.Now())
	if err != nil {
		return err
	}
	if as := oneLine(r.PostForm.Get("as"), longestName); as != "" {
		s.setCookie(w, r, nameCookieName, hex.EncodeToString([]byte(as)), 365*24*time.Hour)
	}
	v := s.voice(r)
	res, err := s.respond(r.Context(), e)
	switch {
	case err != nil:
		return err
	case res.Outcome == detector.Applied:
		http.Redirect(w, r, "/incidents/"+res.Incident.ID+"?done="+string(e.Op), http.StatusSeeOther)
		return nil
	case res.Outcome == detector.Refused:
		return s.showIncident(w, r, p, v.told(&res)+" "+v.Say("page.below"), true)
	}
	return s.showIncident(w, r, p, v.told(&res), false)
}

// formEvent makes an event of a pressed button.
func formEvent(r *http.Request, p person, set *rules.Set, now time.Time) (detector.Event, error) {
	c, ok := choiceOf(r.PostForm.Get("do"))
	if !ok {
		return detector.Event{}, refuseSaying(http.StatusBadRequest, "problem.button", "name", oneLine(r.PostForm.Get("do"), longestName))
	}
	version, err := strconv.Atoi(r.PostForm.Get("version"))
	if err != nil {
		return detector.Event{}, refuseSaying(http.StatusBadRequest, "problem.version")
	}
	args := c.args(now, set.Zone)
	args.Note = strings.TrimSpace(r.PostForm.Get("note"))
	return detector.Event{
		ID: pressID(r), Incident: r.PathValue("id"), Op: c.op, Expected: version,
		Actor: actor(p, r.PostForm.Get("as"), "page"), Args: args,
	}, nil
}

// pressID is the same for a form that is sent twice, and another for another button or note on the same
// page.
func pressID(r *http.Request) string {
	f := r.PostForm
	sum := sha256.Sum256([]byte(strings.Join([]string{
		r.PathValue("id"), f.Get("nonce"), f.Get("do"), f.Get("note"), f.Get("as"), f.Get("version"),
	}, "\x00")))
	return "page-" + hex.EncodeToString(sum[:12])
}

// nameCookie returns how somebody called themselves last time.
func nameCookie(r *http.Request) string {
	c, err := r.Cookie(nameCookieName)
	if err != nil {
		return ""
	}
	name, err := hex.DecodeString(c.Value)
	if err != nil {
		return ""
	}
	return oneLine(string(name), longestName)
}
