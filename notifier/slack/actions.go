package slack

import (
	"fmt"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"emberwatch/detector"
	"emberwatch/rules"
)

// The ids of what can be pressed. Those of the outside world stay: an old message may still be pressed.
const (
	actAck     = "ack"
	actAckFor  = "ack_for"
	actSnooze  = "snooze"
	actDrafts  = "drafts"
	actMore    = "more"
	actResolve = "resolve"
	actUnack   = "unack"
	actReopen  = "reopen"
)

// token is what a button carries: the incident, the version that the person saw, and a choice.
type token struct {
	incident string
	version  int
	choice   string
	zone     string // whose tomorrow it is
}

func (t token) String() string {
	s := fmt.Sprintf("%s|%d", t.incident, t.version)
	if t.choice != "" {
		s += "|" + t.choice
	}
	if t.zone != "" {
		s += "|" + t.zone
	}
	return s
}

// parseToken reads the value of something pressed.
func parseToken(s string) (token, error) {
	parts := strings.Split(s, "|")
	var t token
	if len(parts) < 2 || len(parts) > 4 || parts[0] == "" {
		return t, fmt.Errorf("unreadable value of a button")
	}
	if _, err := fmt.Sscanf(parts[1], "%d", &t.version); err != nil {
		return t, fmt.Errorf("unreadable version in a button")
	}
	t.incident = parts[0]
	if len(parts) > 2 {
		t.choice = parts[2]
	}
	if len(parts) > 3 {
		t.zone = parts[3]
	}
	return t, nil
}

// value is a token of this incident.
func (p *page) value(choice, zone string) string {
	return token{p.Incident.ID, p.Incident.Version, choice, zone}.String()
}

// pressable reports whether the incident's name fits into every value; brands made from mentions may be long.
func (p *page) pressable() bool {
	return units(p.value("false-alarm", p.zone.String())) <= maxValue && !strings.Contains(p.Incident.ID, "|")
}

// actions is the row below the root; nil if there is nothing to press.
func (p *page) actions() slackapi.Block {
	i := &p.Incident
	if !p.pressable() || i.Closing == detector.Merged && !i.Open() {
		return nil
	}
	if !i.Open() {
		return slackapi.NewActionBlock("", p.button(actReopen, "Reopen"))
	}
	return slackapi.NewActionBlock("", p.openActions()...)
}

func (p *page) openActions() []slackapi.BlockElement {
	ack := p.button(actAck, "Acknowledge").WithStyle(slackapi.StylePrimary)
	if p.Incident.Handling == detector.Acked {
		ack = p.button(actAck, "Take over or renew")
	}
	elements := []slackapi.BlockElement{ack}
	if p.drafts && p.Drafts > 0 {
		d := p.button(actDrafts, fmt.Sprintf("Drafts (%d)", p.Drafts))
		if p.route().Private {
			d.Value = p.value(choicePrivate, "")
		}
		elements = append(elements, d)
	}
	return append(elements,
		p.menu(actAckFor, "Acknowledge for …"),
		p.menu(actSnooze, "Snooze …"),
		p.overflow())
}

func (p *page) button(action, label string) *slackapi.ButtonBlockElement {
	return slackapi.NewButtonBlockElement(action, p.value("", ""), words(label))
}

// The choices of the menus.
const (
	choiceHour     = "1h"
	choiceHours    = "4h"
	choiceTomorrow = "tomorrow"
	choicePrivate  = "private" // of Drafts: direct messages may be shown
)

func (p *page) menu(action, label string) slackapi.BlockElement {
	return slackapi.NewOptionsSelectBlockElement(slackapi.OptTypeStatic, words(label), action,
		option(p.value(choiceHour, ""), "1 hour"),
		option(p.value(choiceHours, ""), "4 hours"),
		option(p.value(choiceTomorrow, p.zone.String()), "until tomorrow 09:00"))
}

func (p *page) overflow() slackapi.BlockElement {
	options := []*slackapi.OptionBlockObject{
		option(p.value(string(detector.OpResolve), ""), "Resolve"),
		option(p.value(string(detector.OpFalseAlarm), ""), "False alarm"),
		option(p.value(string(detector.OpKnownEvent), ""), "Known event"),
	}
	if p.Incident.Handling != detector.New {
		options = append(options, option(p.value(string(detector.OpUnack), ""), "Hand back"))
	}
	return slackapi.NewOverflowBlockElement(actMore, options...)
}

func option(value, label string) *slackapi.OptionBlockObject {
	return slackapi.NewOptionBlockObject(value, words(label), nil)
}

// words is a label of ours.
func words(s string) *slackapi.TextBlockObject {
	return slackapi.NewTextBlockObject(slackapi.PlainTextType, plain(s, maxOption), false, false)
}

// tomorrow is 09:00 of the next day in a zone.
func tomorrow(now time.Time, zone string) time.Time {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
	y, m, d := now.In(loc).Date()
	return time.Date(y, m, d+1, 9, 0, 0, 0, loc).UTC()
}

// route is the route, or an empty one.
func (p *page) route() *rules.Route {
	if p.Route == nil {
		return &rules.Route{}
	}
	return p.Route
}
