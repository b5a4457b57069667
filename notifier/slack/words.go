package slack

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"emberwatch/detector"
	"emberwatch/rules"
)

// icon and severity go together: a colour alone says nothing to some people.
func icon(s rules.Severity) string {
	switch s {
	case rules.Crisis:
		return "🔴"
	case rules.Serious:
		return "🟠"
	case rules.Issue:
		return "🟡"
	case rules.Notice:
		return "🔵"
	}
	return "⚪"
}

// thing is the severity as a noun, state as what an incident is.
func thing(s rules.Severity) string {
	if s == rules.Serious {
		return "serious incident"
	}
	return s.String()
}

func state(s rules.Severity) string {
	switch s {
	case rules.Crisis:
		return "a crisis"
	case rules.Issue:
		return "an issue"
	case rules.Notice:
		return "a notice"
	}
	return s.String()
}

// title returns a word with a capital.
func title(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

// topic makes words of an id such as "food_safety".
func topic(id string) string { return strings.NewReplacer("_", " ", "-", " ").Replace(id) }

// when shows a time in each reader's own zone.
func when(t time.Time) string {
	t = t.UTC()
	return fmt.Sprintf("<!date^%d^{date_short_pretty} {time}|%s>", t.Unix(), t.Format("2 Jan 15:04 UTC"))
}

// span writes a length of time in the largest units that are exact enough.
func span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour && d%(24*time.Hour) == 0:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= time.Hour && d%time.Hour < time.Minute:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return "less than a minute"
}

// number writes a count: whole from 10 on, with one digit below, thousands set apart.
func number(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "?"
	}
	if f < 10 && f != math.Trunc(f) {
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	s := strconv.FormatFloat(math.Round(f), 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// some writes a number with its noun.
func some(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(float64(n)) + " " + many
}

// top lists the largest entries of a split, "instagram 31, reviews 9 and 2 more".
func top(split map[string]int, name func(string) string, show func(n int) string) string {
	const most = 4
	keys := slices.SortedFunc(maps.Keys(split), func(a, b string) int {
		return cmp.Or(cmp.Compare(split[b], split[a]), cmp.Compare(a, b))
	})
	var out []string
	for _, k := range keys[:min(most, len(keys))] {
		out = append(out, esc(name(k), maxName)+" "+show(split[k]))
	}
	s := strings.Join(out, ", ")
	if more := len(keys) - most; more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

// person names an owner: somebody who pressed a button here by their id, anybody else in words.
func person(owner string) string {
	switch {
	case owner == "":
		return "somebody"
	case userID.MatchString(owner):
		return "<@" + owner + ">"
	}
	return esc(owner, maxName)
}

// closing says why an incident was closed.
func closing(i *detector.Incident) string {
	by := ""
	if i.ClosedBy != "" {
		by = " by " + person(i.ClosedBy)
	}
	switch i.Closing {
	case detector.FalseAlarm:
		return "closed" + by + " as a false alarm"
	case detector.KnownEvent:
		return "closed" + by + " as a known event"
	case detector.Merged:
		return "merged" + by + " into " + esc(i.MergedInto, maxName)
	case detector.CalmAgain:
		return "closed because it has been calm"
	case detector.Expired:
		return "closed because nobody took it for a week"
	}
	return "resolved" + by
}

// languages are the names of the codes that the scorer knows.
var languages = map[string]string{
	"ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German",
	"el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French",
	"he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian",
	"ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "ms": "Malay", "nb": "Norwegian",
	"nl": "Dutch", "nn": "Norwegian", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
	"ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish", "sw": "Swahili", "ta": "Tamil",
	"th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}

// language names a code; one that is not known stands for itself.
func language(code string) string {
	if code == "" || code == "und" {
		return "language unknown"
	}
	base, _, _ := strings.Cut(strings.ToLower(code), "-")
	if name, ok := languages[base]; ok {
		return name
	}
	return code
}
