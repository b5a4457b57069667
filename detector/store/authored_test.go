package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"emberwatch/sources"
)

func TestAuthoredFindsWhatIsHeldOfAnAuthor(t *testing.T) {
	db := openTemp(t)
	for d := range 3 {
		for n := range 4 {
			j := judged(n, "fjellbryg")
			j.Mention.ID += string(rune('a' + d))
			j.Mention.CreatedAt = noon.AddDate(0, 0, d)
			j.Mention.Author = sources.Author{ID: "did:plc:x", Handle: "@Solveig"}
			if n > 0 {
				j.Mention.Author = sources.Author{ID: "did:plc:other"}
			}
			other := j // the same for a second brand
			other.Brand = "nordhavn"
			commit(t, db, taking(j, other))
		}
	}
	ids := func(source, author string) []string {
		t.Helper()
		keys, err := db.Authored(t.Context(), source, author)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, k := range keys {
			ids = append(ids, k.ID)
		}
		slices.Sort(ids)
		return ids
	}
	first := judged(0, "fjellbryg").Mention.ID
	want := []string{first + "a", first + "b", first + "c"}
	for _, author := range []string{"did:plc:x", "solveig"} {
		if got := ids("shop", author); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", author, got, want)
		}
	}
	if got := ids("forum", "did:plc:x"); len(got) != 0 {
		t.Errorf("another source's author of that name has %q", got)
	}
	if _, err := db.EraseAuthor(t.Context(), Erasure{Source: "shop", Author: "did:plc:x", At: noon}); err != nil {
		t.Fatal(err)
	}
	if got := ids("shop", "did:plc:x"); len(got) != 0 {
		t.Errorf("after erasing: %s", strings.Join(got, ", "))
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := db.Authored(ended, "shop", "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
