package draft

import (
	"strings"
	"testing"
)

func TestNetworkNames(t *testing.T) {
	l := newLibrary(t)
	for name, want := range map[string]string{
		"twitter": "x", "X": "x", "Google Play": "googleplay", "google_play": "googleplay", "App Store": "appstore",
		"appstore": "appstore", "google-business": "google_business", "Facebook": "facebook", "bsky": "bluesky",
		"Hacker News": "hackernews", "rss": "news", "shop": "shop", "": "other",
	} {
		if got := l.networks.find(name).ID; got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
	if got := l.networks.find("", "our-desk", "mastodon").ID; got != "mastodon" {
		t.Errorf("a known source goes before an unknown network: got %q", got)
	}
}

func TestCounts(t *testing.T) {
	l := newLibrary(t)
	long := "https://fjellbryg.example/" + strings.Repeat("a", 60)
	for _, c := range []struct {
		network, text string
		want          int
	}{
		{"x", "abc", 3},
		{"x", "Привет, مرحبا", 13},
		{"x", "日本", 4},
		{"x", "👍", 2},
		{"x", "👨‍👩‍👧‍👦", 2},
		{"x", "🇳🇴", 2},
		{"x", "1\ufe0f\u20e3", 2},
		{"x", "e\u0301", 1}, // counted in NFC
		{"x", "“–”…", 5},    // the three dots are outside the light ranges,
		{"x", "see " + long, 4 + 23},
		{"x", "see " + long + ".", 4 + 23 + 1},
		{"x", "see a.example", 4 + 23},
		{"x", "see " + strings.Repeat("a", 40) + ".example", 4 + 48},
		{"mastodon", "see " + long, 4 + 23},
		{"mastodon", "👨‍👩‍👧‍👦", 7},
		{"bluesky", "👨‍👩‍👧‍👦e\u0301", 2},
		{"bluesky", "see " + long, 4 + len(long)},
		{"google_business", "é日", 5},
		{"googleplay", "é日", 2},
		{"trustpilot", "abc", 3},
	} {
		if got := l.networks.find(c.network).count(c.text); got != c.want {
			t.Errorf("%s counts %q as %d, want %d", c.network, c.text, got, c.want)
		}
	}
}

func TestFits(t *testing.T) {
	l := newLibrary(t)
	for _, c := range []struct {
		network string
		text    string
		want    bool
	}{
		{"x", strings.Repeat("a", 280), true},
		{"x", strings.Repeat("a", 281), false},
		{"x", strings.Repeat("日", 140), true},
		{"x", strings.Repeat("日", 141), false},
		{"bluesky", strings.Repeat("é", 300), true},
		{"bluesky", strings.Repeat("é", 301), false},
		{"bluesky", strings.Repeat("👨‍👩‍👧‍👦", 120), true},  // 3,000 bytes
		{"bluesky", strings.Repeat("👨‍👩‍👧‍👦", 121), false}, // few graphemes, too many bytes
		{"google_business", strings.Repeat("я", 2048), true},
		{"google_business", strings.Repeat("я", 2049), false},
		{"googleplay", strings.Repeat("я", 350), true},
		{"trustpilot", strings.Repeat("a", 100_000), true},
	} {
		if got := l.networks.find(c.network).fits(c.text); got != c.want {
			t.Errorf("%s fits %.10s… of %d bytes: %t", c.network, c.text, len(c.text), got)
		}
	}
}

func TestLimitsCanBeSet(t *testing.T) {
	l, err := New(Options{Limits: map[string]int{"Mastodon": 1000}})
	if err != nil {
		t.Fatal(err)
	}
	if got := l.networks.find("mastodon").Limit; got != 1000 {
		t.Errorf("limit %d", got)
	}
	if _, err := New(Options{Limits: map[string]int{"mastodont": 1}}); err == nil {
		t.Error("an unknown network is no error")
	}
}
