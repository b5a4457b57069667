package rules

import (
	"fmt"
	"strings"
	"testing"
)

// Answer clocks that the hours of a week cannot keep are doubted, each at the time that is too long.
func TestDoubtsAnswerClocks(t *testing.T) {
	const mornings = `{mon-fri: "09:00-12:00"}`
	for _, c := range []struct{ name, hours, sla, at, what string }{
		{"within a stretch", mornings, "first_answer: 3h, answer: 15h", "", ""},
		{"longer than every stretch", mornings, "first_answer: 4h, answer: 15h", "4:33", `first_answer of 4h, but "desk" is never open for more than 3h at a stretch`},
		{"two stretches of a day do not add up", `{daily: ["08:00-12:00", "13:00-17:00"]}`, "first_answer: 5h", "4:33", "more than 4h at a stretch"},
		{"hours that meet do", `{daily: ["08:00-12:00", "12:00-17:00"]}`, "first_answer: 5h", "", ""},
		{"a night is one stretch", `{fri: "22:00-02:00"}`, "first_answer: 4h, answer: 4h", "", ""},
		{"so is one into Monday", `{sun: "20:00-02:00"}`, "first_answer: 6h, answer: 6h", "", ""},
		{"longer than a week", mornings, "first_answer: 1h, answer: 16h", "4:45", `answer of 16h, but "desk" is open for 15h a week`},
		{"what is not written is at the sla", `{mon: "09:00-17:00"}`, "first_answer: 1h", "4:7", `answer of 1d, but "desk" is open for 8h a week`},
		{"never closed", `{daily: "00:00-24:00"}`, "first_answer: 2d, answer: 1w", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, errs := one(t, "version: 1\ntimezone: America/New_York\navailability: {desk: {hours: "+c.hours+"}}\nsla: {complaint: {"+c.sla+", clock: availability.desk}}\n", Options{Builtin: true})
			if set == nil {
				t.Fatalf("refused:\n%s", errs)
			}
			onlyDoubt(t, errs, "W09", c.at, c.what)
		})
	}
}

// A clock that always goes is doubted where it runs out before anybody is told.
func TestDoubtsClocksOfTheNight(t *testing.T) {
	const desk = `hours: "22:00-07:00"`
	for _, c := range []struct{ name, quiet, sla, route, what string }{
		{"told in the morning", desk, "first_answer: 1h, breach_severity: 3", "[desk]", `the clock of "complaint" always goes, but the routes of "late" are quiet for up to 9h`},
		{"the severity of the rule counts too", desk, "first_answer: 1h", "[desk]", "quiet for up to 9h"},
		{"time enough", desk, "first_answer: 9h, breach_severity: 3", "[desk]", ""},
		{"grave enough", desk, "first_answer: 1h, breach_severity: 2", "[desk]", ""},
		{"what is not grave passes here", desk + ", pass_severity: 3", "first_answer: 1h, breach_severity: 3", "[desk]", ""},
		{"for the digest", desk, "first_answer: 1h, breach_severity: 4", "[desk]", ""},
		{"somebody else hears of it", desk, "first_answer: 1h, breach_severity: 3", "[desk, night]", ""},
		{"a weekend", "outside: availability.desk", "first_answer: 1h, breach_severity: 3", "[desk]", "quiet for up to 64h"},
		{"a weekend and the hours before it", `outside: availability.desk, hours: "16:00-17:00"`, "first_answer: 1h, breach_severity: 3", "[desk]", "quiet for up to 65h"},
		{"the clock of the desk", desk, "first_answer: 1h, clock: availability.desk", "[desk]", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := `version: 1
availability: {desk: {hours: {mon-fri: "09:00-17:00"}}}
routes: {desk: {slack: {channel: "#a"}, quiet_hours: {` + c.quiet + `}}, night: {slack: {channel: "#b"}}}
sla: {complaint: {` + c.sla + `}}
rules:
  - {id: quiet, title: Quiet, kind: silence}
  - {id: late, title: Late, kind: unanswered, match: {sentiment: negative}, sla: complaint, severity: 3, route: ` + c.route + "}\n"
			set, errs := one(t, text, Options{Builtin: true})
			if set == nil {
				t.Fatalf("refused:\n%s", errs)
			}
			at := "7:10"
			if c.what == "" {
				at = ""
			}
			onlyDoubt(t, errs, "W09", at, c.what)
		})
	}
}

// The worked example keeps its own clocks.
func TestWorkedExampleKeepsItsClocks(t *testing.T) {
	_, errs := Parse([]File{{Name: "fjellbryg.yml", Data: []byte(workedExample(t))}}, Options{})
	for _, e := range errs {
		if e.ID == "W09" {
			t.Error(e)
		}
	}
}

// onlyDoubt checks that one problem is told, with a way out, or none if at is empty.
func onlyDoubt(t *testing.T, errs Errors, id, at, what string) {
	t.Helper()
	if at == "" {
		if len(errs) > 0 {
			t.Errorf("doubted:\n%s", errs)
		}
		return
	}
	if len(errs) != 1 || errs[0].ID != id || errs[0].Level != LevelWarning || fmt.Sprintf("%d:%d", errs[0].Pos.Line, errs[0].Pos.Col) != at || !strings.Contains(errs[0].What, what) || errs[0].Hint == "" {
		t.Errorf("got\n%s\nwant %s at %s: %s", errs, id, at, what)
	}
}
