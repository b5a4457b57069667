package sources

import (
	"context"
	"fmt"
)

// Hot returns ids of mentions of one source that are worth a second look, the widest spread first: negative ones
// of the last hours, whose likes and shares foretell how far they will go. A source works without it.
type Hot func(ctx context.Context) []string

// maxHot is how many mentions are looked at again with each poll.
const maxHot = 25

// Revisit looks at hot mentions again. It belongs to one run of a source.
type Revisit struct {
	Hot  Hot                                                        // nil: nothing is looked at
	Look func(ctx context.Context, ids []string) ([]Mention, error) // reads them again; what is gone comes as a Delete

	told map[string]string // id -> digest of what was told of it
}

// News returns the mentions that have changed since they were last looked at, as updates, and as deletes those that
// are gone.
func (r *Revisit) News(ctx context.Context) ([]Mention, error) {
	if r.Hot == nil {
		return nil, nil
	}
	ids := r.Hot(ctx)
	if len(ids) == 0 {
		return nil, nil
	}
	ms, err := r.Look(ctx, ids[:min(len(ids), maxHot)])
	if err != nil {
		return nil, err
	}
	return r.changed(ms), nil
}

func (r *Revisit) changed(ms []Mention) (out []Mention) {
	told := make(map[string]string, len(ms))
	for _, m := range ms {
		if m.Op != Delete {
			m.Op = Update
		}
		now := Digest(string(m.Op), m.Title, m.Text, fmt.Sprint(m.Engagement.Likes, m.Engagement.Shares, m.Engagement.Replies))
		if r.told[m.ID] != now {
			out = append(out, m)
		}
		told[m.ID] = now
	}
	r.told = told
	return out
}
