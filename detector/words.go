package detector

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Words says a duration as people do: "40 min", "1 h", "2 h 30 min", "3 days".
func Words(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Words(-d)
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		h, m := int(d.Hours()), int(d.Minutes())%60
		if m == 0 {
			return fmt.Sprintf("%d h", h)
		}
		return fmt.Sprintf("%d h %d min", h, m)
	}
	return fmt.Sprintf("%d days", int(d.Hours())/24)
}

// topics are the words for the embedded categories, as they fit after "about".
var topics = map[string]string{
	"safety_injury":        "safety and injury",
	"privacy_breach":       "personal data",
	"discrimination":       "discrimination",
	"staff_conduct":        "how staff behaved",
	"billing_refund":       "billing and refunds",
	"delivery":             "delivery",
	"quality_defect":       "defects",
	"outage":               "an outage",
	"price":                "prices",
	"misinformation":       "rumours",
	"environmental_ethics": "environment and ethics",
	"legal_authority":      "legal steps",
	"spam_brigade":         "spam",
	"boycott_cancel":       "boycott",
	"waiting":              "waiting for an answer",
	"press":                "press",
	"death":                "a death",
	"minor":                "a child",
	"self_harm":            "self-harm",
	"suggestion":           "suggestions",
	"praise":               "praise",
	"question":             "questions",
	"other":                "other things",
}

// TopicWords names a category in words.
func TopicWords(category string) string {
	if w, ok := topics[category]; ok {
		return w
	}
	return strings.ReplaceAll(category, "_", " ")
}

// places are the names of networks as they write themselves.
var places = map[string]string{
	"instagram": "Instagram", "facebook": "Facebook", "x": "X", "twitter": "Twitter", "mastodon": "Mastodon", "bluesky": "Bluesky",
	"threads": "Threads", "linkedin": "LinkedIn", "tiktok": "TikTok", "youtube": "YouTube", "reddit": "Reddit", "appstore": "the App Store",
	"googleplay": "Google Play", "hackernews": "Hacker News", "trustpilot": "Trustpilot", "news": "news sites",
}

// placeWords names a network or source in words.
func placeWords(name string) string {
	if w, ok := places[name]; ok {
		return w
	}
	return name
}

// languages are the names of those that are told apart.
var languages = map[string]string{
	"en": "English", "de": "German", "ru": "Russian", "ar": "Arabic", "sv": "Swedish", "es": "Spanish", "fr": "French",
	"it": "Italian", "pt": "Portuguese", "pl": "Polish", "hi": "Hindi", "und": "an unknown language",
}

// apartWords says which product and language a series is of. Source and topic are said with the rest.
func apartWords(ev *Evidence) string {
	s := ""
	if ev.Product != "" {
		s += " about " + ev.Product
	}
	if lang, ok := ev.Per["language"]; ok {
		s += " in " + cmp.Or(languages[lang], lang, languages["und"])
	}
	return s
}

// Contradiction says what the words of a mention are that its stars deny, or nothing.
func (j *Judged) Contradiction() string {
	switch {
	case !j.Disagree:
		return ""
	case j.Mention.Rating < 3:
		return "but the words are positive"
	}
	return "but the words are negative"
}
