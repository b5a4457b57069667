package main

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"emberwatch/notifier"
)

// TestComplaintsGetTheirDraft: ten complaints as people write them, in each language of the library, lead to the playbook
// that fits, and to a reply in their language that could be sent as it is.
func TestComplaintsGetTheirDraft(t *testing.T) {
	const file = "../../testdata/complaints.ndjson"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	args := []string{"emberwatch", "draft", "--json", "--rules", writeFile(t, t.TempDir()+"/r.yml", complaintRules), file}
	if code := run(t.Context(), args, strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	drafts := json.NewDecoder(&out)
	sendable := 0
	for line := range strings.Lines(string(data)) {
		var m struct{ ID, Expect string }
		var d drafted
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		if err := drafts.Decode(&d); err != nil || d.Mention != m.ID {
			t.Fatalf("%s: got %q, %v", m.ID, d.Mention, err)
		}
		if m.Expect == string(notifier.Handover) {
			if d.Suggest != notifier.Handover || len(d.Drafts) > 0 {
				t.Errorf("%s: %s with %d drafts", m.ID, d.Suggest, len(d.Drafts))
			}
			continue
		}
		lang, _, _ := strings.Cut(m.ID, "-")
		if d.Suggest != notifier.Reply || d.Playbook != m.Expect {
			t.Errorf("%s: %s with the playbook %s, want %s", m.ID, d.Suggest, d.Playbook, m.Expect)
		}
		for _, x := range d.Drafts {
			if !x.Sendable || x.Lang != lang {
				i := slices.IndexFunc(x.Guards, func(g notifier.Guard) bool { return !g.Pass })
				t.Errorf("%s: %s in %s: %+v\n%s", m.ID, x.ID, x.Lang, x.Guards[i], x.Text)
			}
			sendable++
		}
	}
	t.Logf("%d drafts, all sendable", sendable)
}

const complaintRules = `
version: 1
brands:
  fjellbryg:
    names: [Fjellbryg]
    contact: {dm: "https://fjellbryg.example/contact", status: "https://status.fjellbryg.example"}
    tone: {sign_off: "Kim, {{brand.name}}"}
`
