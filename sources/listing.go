package sources

import "context"

// Listing is what a poller remembers of a list that it reads page by page, the newest first. It is a part of its
// cursor.
type Listing struct {
	Seen Seen `json:"seen,omitempty"`
	// Open: the last walk broke off. What is known at the top is then no sign that the rest is.
	Open bool `json:"open,omitempty"`
}

// Page is one page of a list. Next leads to the one after it; empty: it was the last.
type Page struct {
	Mentions []Mention
	Rejected Rejects // items of the page that are no mentions
	Next     string
}

// Walked is what a walk over a list found. News may be handed over even if it broke off: the walk after it will read on
// to where this one would have ended. Nothing is to be handed over if Pages is 0.
type Walked struct {
	News     []Mention // what is new or has changed
	Known    int       // items that are neither
	Rejected Rejects
	Pages    int     // that were read
	After    Listing // what is to be remembered once News is durable
	Err      error   // why it broke off
}

// Walk reads pages until one holds nothing new, the last or so many have been read, or reading fails. The memory
// after it holds the mentions that were found, and older ones up to keep. Read is called with an empty token for the
// first page.
func (l Listing) Walk(ctx context.Context, most, keep int, read func(ctx context.Context, token string) (Page, error)) Walked {
	var w Walked
	var found []Mention
	for token := ""; w.Pages < most; {
		page, err := read(ctx, token)
		if err != nil {
			w.Err = err
			break
		}
		w.Pages++
		found = append(found, page.Mentions...)
		w.Rejected.Join(page.Rejected)
		passed := !l.Open && len(page.Mentions) > 0 && len(l.Seen.News(page.Mentions)) == 0
		if token = page.Next; token == "" || passed {
			break
		}
	}
	w.News = l.Seen.News(found)
	w.Known = len(found) - len(w.News)
	w.After = Listing{Seen: l.Seen.With(found, keep), Open: w.Err != nil}
	return w
}
