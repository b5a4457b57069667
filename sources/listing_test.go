package sources_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"

	"emberwatch/sources"
)

// list stands for a list of ids, the newest first, two to a page.
type list struct {
	ids   []string
	fails int // the page that cannot be read; 0: all can
	asked int
}

func (l *list) read(_ context.Context, token string) (sources.Page, error) {
	at, _ := strconv.Atoi(token)
	l.asked++
	if l.fails == at+1 {
		return sources.Page{}, errors.New("502")
	}
	p := sources.Page{Rejected: sources.Rejects{Count: 1}}
	for _, id := range l.ids[min(2*at, len(l.ids)):min(2*at+2, len(l.ids))] {
		p.Mentions = append(p.Mentions, sources.Mention{ID: id, Op: sources.Create})
	}
	if 2*at+2 < len(l.ids) {
		p.Next = strconv.Itoa(at + 1)
	}
	return p, nil
}

// TestWalks follows one list over a time of growth and failures: nothing is told twice, and nothing left out.
func TestWalks(t *testing.T) {
	pages := &list{}
	var known sources.Listing
	for _, step := range []struct {
		ids   string
		fails int
		most  int
		news  string
		asked int
	}{
		{"", 0, 9, "", 1},
		{"a", 0, 9, "a", 1},
		{"edcba", 0, 9, "edcb", 3},
		{"edcba", 0, 9, "", 1},            // the first page is known
		{"fedcba", 0, 9, "f", 2},          // the second is
		{"lkjihgfedcba", 3, 9, "lkji", 3}, // the third cannot be read …
		{"nmlkjihgfedcba", 1, 9, "", 1},
		{"nmlkjihgfedcba", 0, 9, "nmhg", 7}, // … and is not forgotten, though all before it is known
		{"nmlkjihgfedcba", 0, 9, "", 1},
		{"ponmlkjihgfedcba", 0, 1, "po", 1},
		{"pponmlkjihgfedcba", 0, 9, "", 1}, // the same twice
	} {
		pages.ids, pages.fails, pages.asked = nil, step.fails, 0
		for _, r := range step.ids {
			pages.ids = append(pages.ids, string(r))
		}
		w := known.Walk(t.Context(), step.most, 100, pages.read)
		var news string
		for _, m := range w.News {
			news += m.ID
		}
		if news != step.news || pages.asked != step.asked || (w.Err != nil) != (step.fails != 0) || w.Rejected.Count != w.Pages {
			t.Errorf("%s: %q after %d pages, %+v", step.ids, news, pages.asked, w)
		}
		if w.Pages > 0 {
			known = w.After
		}
	}
}

func TestWalkRemembersNoMoreThanItMust(t *testing.T) {
	pages := &list{ids: []string{"f", "e", "d", "c", "b", "a"}}
	w := sources.Listing{}.Walk(t.Context(), 2, 3, pages.read)
	if len(w.After.Seen) != 4 { // what was found is remembered in any case
		t.Errorf("%d", len(w.After.Seen))
	}
	pages.ids = slices.Insert(pages.ids, 0, "g")
	if w = w.After.Walk(t.Context(), 1, 3, pages.read); len(w.After.Seen) != 3 {
		t.Errorf("%d", len(w.After.Seen))
	}
}
