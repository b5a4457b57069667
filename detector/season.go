package detector

import (
	"strings"

	"emberwatch/rules"
)

// A rule says which rhythm its normal has (baseline.season). What is expected follows it, and so does all that a series learns
// of its surprises; so a rule with another season than the usual one of its kind has series and trails of its own, and their
// names say so: they are read back with it, and a rule whose season changes learns anew.
//
//   - hour_of_week, usual for counts: each hour of the week has its own level, believed as it is seen often enough.
//   - hour_of_day: every day is like the other; a quiet Sunday is less than usual.
//   - day_of_week, usual for shares: a day has one level from midnight to midnight (UTC), whatever the hour, so that a busy hour
//     of an ordinary day has to stand out among the busy hours of other days, and so has one at night.
//   - none: the level of the last days alone.
//
// Without the hours the ordinary crest of a day looks like a small surge each day. It is not told, for how far windows
// scatter and what is usual for a series' surprises are learnt against the same forecast; but a surge has to rise above the crest,
// and is found later (TestCalibrationSeasons says by how much).
//
// The slow-burn channel knows the hour of the week whatever a rule says: it learns nothing while its sum is high, so against
// a flat forecast it would sum up every crest, learn from the nights alone, and take two thirds of the usual for the usual.

// seasoned is a rule's id, and its season if that is not the usual one.
func seasoned(r *rules.Rule) string {
	if r.Season == "" {
		return r.ID
	}
	return r.ID + "@" + string(r.Season)
}

// seasonOf returns the season that the name of a rule's own series or trail says; empty: the usual one.
func seasonOf(signal string) rules.Season {
	kind, rest, _ := strings.Cut(signal, ":")
	if kind != "rule" && kind != string(rules.Shift) {
		return ""
	}
	id, _, _ := strings.Cut(rest, "/")
	_, season, _ := strings.Cut(id, "@")
	return rules.Season(season)
}
