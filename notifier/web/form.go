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
	Label string
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
	noteButton = choice{"note", "Add note", detector.OpNote, plain}
	ackButtons = []choice{
		{"ack-1h", "1 hour", detector.OpAck, lasting(time.Hour)},
		{"ack-4h", "4 hours", detector.OpAck, lasting(4 * time.Hour)},
		{"ack-morning", "until tomorrow 09:00", detector.OpAck, untilMorning},
	}
	snoozeButtons = []choice{
		{"snooze-1h", "1 hour", detector.OpSnooze, lasting(time.Hour)},
		{"snooze-4h", "4 hours", detector.OpSnooze, lasting(4 * time.Hour)},
		{"snooze-morning", "until tomorrow 09:00", detector.OpSnooze, untilMorning},
	}
	closeButtons = []choice{
		{"resolve", "Resolved", detector.OpResolve, plain},
		{"false-alarm", "False alarm", detector.OpFalseAlarm, plain},
		{"known-event", "Known event", detector.OpKnownEvent, plain},
	}
	reopenButton = choice{"reopen", "Reopen", detector.OpReopen, plain}
)

// choicesFor returns the buttons that make sense for an incident; zone is that of the team's mornings.
func choicesFor(i *detector.Incident, now time.Time, zone *time.Location) []choiceGroup {
	if !i.Open() {
		return []choiceGroup{{"Not over after all?", "", []choice{reopenButton}}}
	}
	nine := ""
	if zone != nil {
		nine = " 09:00 is " + morning(now, zone).In(zone).Format("MST") + "."
	}
	ack := choiceGroup{"Acknowledge", "You have it. Escalation stops, watching goes on." + nine, ackButtons}
	if i.Handling == detector.Acked {
		ack.Name, ack.Hint = "Keep it or take it over", "Starts the time anew, in your name."+nine
	}
	return []choiceGroup{
		ack,
		{"Snooze", "Quiet until then, or until it gets worse." + nine, snoozeButtons},
		{"Close", "Say why: it teaches the rules.", closeButtons},
	}
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

// notices says what became of a button; only these words can come from the address of a page.
var notices = map[string]string{
	"note": "Your note is in the timeline.", "ack": "It is yours now. Escalation has stopped, watching goes on.",
	"snooze":  "Snoozed. You will hear of it when the time is over or it gets worse.",
	"resolve": "Closed as resolved.", "false-alarm": "Closed as a false alarm.",
	"known-event": "Closed as a known event.", "reopen": "Open again.",
}

func (s *Server) postForm(w http.ResponseWriter, r *http.Request, p person) error {
	r.Body = http.MaxBytesReader(w, r.Body, formLimit)
	if err := r.ParseForm(); err != nil {
		return badRequest("the form cannot be read: %v", err)
	}
	e, err := formEvent(r, p, s.rules(), s.c.Now())
	if err != nil {
		return err
	}
	if as := oneLine(r.PostForm.Get("as"), longestName); as != "" {
		s.setCookie(w, r, nameCookieName, hex.EncodeToString([]byte(as)), 365*24*time.Hour)
	}
	res, err := s.respond(r.Context(), e)
	switch {
	case err != nil:
		return err
	case res.Outcome == detector.Applied:
		http.Redirect(w, r, "/incidents/"+res.Incident.ID+"?done="+string(e.Op), http.StatusSeeOther)
		return nil
	case res.Outcome == detector.Refused:
		return s.showIncident(w, r, p, res.Message+" Below is how it stands now.", true)
	}
	return s.showIncident(w, r, p, res.Message, false)
}

// formEvent makes an event of a pressed button.
func formEvent(r *http.Request, p person, set *rules.Set, now time.Time) (detector.Event, error) {
	c, ok := choiceOf(r.PostForm.Get("do"))
	if !ok {
		return detector.Event{}, badRequest("there is no button %q", r.PostForm.Get("do"))
	}
	version, err := strconv.Atoi(r.PostForm.Get("version"))
	if err != nil {
		return detector.Event{}, badRequest("the form lacks the version of the incident; load the page again")
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
