package sources_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"emberwatch/sources"
)

func TestRevisitTellsGrowthOnce(t *testing.T) {
	likes, gone, asked := 1, false, 0
	r := sources.Revisit{
		Hot: func(context.Context) []string { return []string{"a", "b"} },
		Look: func(_ context.Context, ids []string) ([]sources.Mention, error) {
			asked += len(ids)
			a, b := mention("a", "x"), mention("b", "y")
			a.Engagement.Likes = likes
			if gone {
				b = sources.Mention{ID: "b", Op: sources.Delete}
			}
			return []sources.Mention{a, b}, nil
		},
	}
	want := func(want ...string) {
		t.Helper()
		news, err := r.News(t.Context())
		if got := opsOf(news); err != nil || !slices.Equal(got, want) {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	want("update a", "update b")
	want()
	likes = 40
	want("update a")
	gone = true
	want("delete b")
	want()
	if asked != 10 {
		t.Errorf("%d looked at", asked)
	}
}

func TestRevisitIsBounded(t *testing.T) {
	failure := errors.New("lost")
	r := sources.Revisit{
		Hot: func(context.Context) (ids []string) {
			for i := range 100 {
				ids = append(ids, fmt.Sprint(i))
			}
			return ids
		},
		Look: func(_ context.Context, ids []string) ([]sources.Mention, error) {
			if len(ids) != 25 || ids[0] != "0" {
				t.Errorf("looks at %v", ids)
			}
			return nil, failure
		},
	}
	if _, err := r.News(t.Context()); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	if news, err := (&sources.Revisit{}).News(t.Context()); news != nil || err != nil {
		t.Errorf("without a list: %v, %v", news, err)
	}
}
