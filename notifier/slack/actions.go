package slack

import (
	"fmt"
	"strconv"
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
	actUse     = "use"     // one of the drafts
	actDiscard = "discard" // all drafts to a mention
)

// token is what a button carries: the incident, the version that the person saw, a choice, and in which language to
// answer.
type token struct {
	incident string
	version  int
	choice   string
	zone     string // whose tomorrow it is
	lang     string // empty: that of the default route
}

// String writes a token; what is empty at its end is left out.
func (t token) String() string {
	s := strings.Join([]string{t.incident, strconv.Itoa(t.version), t.choice, t.zone, t.lang}, "|")
	return strings.TrimRight(s, "|")
}

// parseToken reads the value of something pressed.
func parseToken(s string) (token, error) {
	parts := strings.Split(s, "|")
	if len(parts) < 2 || len(parts) > 5 || parts[0] == "" {
		return token{}, fmt.Errorf("unreadable value of a button")
	}
	version, err := strconv.Atoi(parts[1])
	if err != nil {
		return token{}, fmt.Errorf("unreadable version in a button")
	}
	parts = append(parts, "", "", "")
	return token{parts[0], version, parts[2], parts[3], parts[4]}, nil
}

// value is a token of this incident.
func (p *page) value(choice, zone string) string {
	return token{p.Incident.ID, p.Incident.Version, choice, zone, p.answers}.String()
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
		return slackapi.NewActionBlock("", p.button(actReopen, p.v.Say("do.reopen")))
	}
	return slackapi.NewActionBlock("", p.openActions()...)
}

func (p *page) openActions() []slackapi.BlockElement {
	mine := p.Incident.Handling == detector.Acked
	ack := p.button(actAck, p.v.Say("do.ack")).WithStyle(slackapi.StylePrimary)
	if mine {
		ack = p.button(actAck, p.v.Say("do.renew"))
	}
	elements := []slackapi.BlockElement{ack}
	if p.drafts && p.Drafts > 0 {
		d := p.button(actDrafts, p.v.Say("do.drafts", "n", p.counted(p.Drafts)))
		if p.route().Private {
			d.Value = p.value(choicePrivate, "")
		}
		elements = append(elements, d)
	}
	if mine {
		elements = append(elements, p.button(actUnack, p.v.Say("do.unack")))
	}
	return append(elements,
		p.menu(actAckFor, "do.ack.for"),
		p.menu(actSnooze, "do.snooze"),
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
	choiceWeek     = "7d"
	choicePrivate  = "private" // of Drafts: direct messages may be shown
	choiceMerge    = "merge"
	choiceAssign   = "assign"
)

// menu offers how long; a snooze may last a week, an acknowledgement should be renewed sooner.
func (p *page) menu(action, label string) slackapi.BlockElement {
	options := []*slackapi.OptionBlockObject{
		option(p.value(choiceHour, ""), p.v.Say("do.hour")),
		option(p.value(choiceHours, ""), p.v.Say("do.hours")),
		option(p.value(choiceTomorrow, p.zone.String()), p.v.Say("do.tomorrow")),
	}
	if action == actSnooze {
		options = append(options, option(p.value(choiceWeek, ""), p.v.Say("do.week")))
	}
	return slackapi.NewOptionsSelectBlockElement(slackapi.OptTypeStatic, words(p.v.Say(label)), action, options...)
}

// overflow holds the five that Slack allows.
func (p *page) overflow() slackapi.BlockElement {
	var options []*slackapi.OptionBlockObject
	for _, choice := range []string{
		choiceAssign, string(detector.OpResolve), string(detector.OpFalseAlarm), string(detector.OpKnownEvent), choiceMerge,
	} {
		options = append(options, option(p.value(choice, ""), p.v.Say("do."+choice)))
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
