package detector

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestEveryCodeHasAPhraseAndIsSaid reads the sources: each code that is said has its English, and none has it in vain.
func TestEveryCodeHasAPhraseAndIsSaid(t *testing.T) {
	said := regexp.MustCompile(`(?:Code: |code\(|\.Code(?:, why\.Topic)? = (?:rules\.\w+, )?)"([a-z._]+)"`)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{"note.late": true, "note.repeat": true} // those of whoever delivers
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		for _, m := range said.FindAllStringSubmatch(string(src), -1) {
			used[m[1]] = true
			if _, ok := texts[m[1]]; !ok && !strings.HasSuffix(m[1], ".") {
				t.Errorf("%s says %q, which has no English", f, m[1])
			}
		}
	}
	for c := range texts {
		if prefix := c[:strings.LastIndexByte(c, '.')+1]; !used[c] && !used[prefix] {
			t.Errorf("nobody says %q", c)
		}
	}
	for c := range singular {
		if _, ok := texts[c]; !ok {
			t.Errorf("%q has a singular and no plural", c)
		}
	}
}

// TestClausesKeepWhatTheySay: written and read they are the same, and what is of a person alone is not written twice.
func TestClausesKeepWhatTheySay(t *testing.T) {
	s := Said{
		{Code: "why.topic", Topic: "delivery"},
		{Code: "why.times", N: 4},
		{Code: "note.until", At: time.Date(2026, 11, 16, 8, 30, 0, 0, time.UTC)},
		{Code: "refused.length", Span: howLong(90*time.Minute + time.Millisecond), Limit: howLong(7 * 24 * time.Hour)},
		{Text: "see the desk"},
	}
	want := "an unusual number of complaints about delivery; 4 times the count of the first alert; until 2026-11-16 08:30 UTC; 1 h 30 min is not possible; at most 7 days; see the desk"
	if got := s.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back Said
	if err := json.Unmarshal(b, &back); err != nil || !reflect.DeepEqual(s, back) {
		t.Errorf("read back: %v %+v", err, back)
	}
	if wrote("only a person").coded() != nil || wrote("") != nil {
		t.Error("what a person wrote needs no clauses beside the note")
	}
	if got := howLong(-time.Hour); got != 0 {
		t.Errorf("a clock that was set back: %v", got)
	}
}

// TestWhatIsSaidIsInEnglishToo: JSON keeps its sentences, and they are those of the clauses.
func TestWhatIsSaidIsInEnglishToo(t *testing.T) {
	s := opened(t, "drip three")
	s.do(OpAck, Args{Note: "on it"})
	i := s.inc("acme-1")
	if len(i.SeveritySaid) == 0 || i.SeverityWhy != i.SeveritySaid.String() {
		t.Errorf("%q, in clauses %+v", i.SeverityWhy, i.SeveritySaid)
	}
	lines := s.disk.audit["acme-1"]
	for _, l := range lines {
		if len(l.Said) > 0 && l.Note != l.Said.String() {
			t.Errorf("%s: %q, in clauses %q", l.Op, l.Note, l.Said)
		}
	}
	if l := lines[len(lines)-1]; len(l.Said) != 2 || l.Said[1].Text != "on it" {
		t.Errorf("%+v", l)
	}
	old := Incident{SeverityWhy: "as an earlier version put it"}
	if got := old.whySaid().String(); got != old.SeverityWhy {
		t.Errorf("what has no clauses is its text: %q", got)
	}
}
