package web

import (
	"emberwatch/detector"
	"emberwatch/sources"
)

// shown is a mention as it leaves: direct messages are masked for those who may only read.
type shown struct {
	detector.Judged
	Masked bool `json:"masked,omitempty"`
}

// show returns mentions as p may see them.
func show(p person, js []detector.Judged) []shown {
	out := make([]shown, len(js))
	for i, j := range js {
		out[i].Judged = j
		if isPrivate(j) && !p.may(Act) {
			out[i] = shown{masked(j), true}
		}
	}
	return out
}

func isPrivate(j detector.Judged) bool {
	return j.Mention.Kind == sources.DM || j.Mention.Visibility == sources.Private
}

// masked leaves nothing of a mention that its author wrote or that leads to them.
func masked(j detector.Judged) detector.Judged {
	m := &j.Mention
	m.Author, m.Title, m.Text, m.URL, m.ParentID, m.RootID = sources.Author{}, "", "", "", "", ""
	j.Cue = ""
	return j
}
