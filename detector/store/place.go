package store

import (
	"maps"
	"slices"
	"time"

	"emberwatch/detector"
	"emberwatch/sources"
)

// place is where the archive keeps one judged mention: the day of at leads to the file, the rest is the key.
type place struct {
	brand string
	at    int64 // created_at in milliseconds
	hash  uint64
}

func placeOf(brand string, at time.Time, k sources.Key) place {
	return place{brand, millis(at), hashKey(k).short()}
}

func (p place) day() span { return daySpan(time.UnixMilli(p.at)) }

// find returns the key of the place in a file; false if the file has never heard of the brand.
func (p place) find(t *txn) ([]byte, bool) {
	brand, ok := t.known(p.brand)
	return appendItemKey(brand, p.at, p.hash), ok
}

// put is a judged mention on its way to its place.
type put struct {
	place
	judged *detector.Judged
}

// chores is what one commit changes in the archive on one day.
type chores struct {
	puts  []put
	drops []place // judged for a brand or at a time that an edit has taken away
	wipes []place // deleted at the source
}

// timetable is what is to be done on which day, by its start.
type timetable map[time.Time]*chores

// on returns the chores of the day of a place.
func (days timetable) on(p place) *chores {
	from := p.day().from
	if days[from] == nil {
		days[from] = &chores{}
	}
	return days[from]
}

// plan says what a change does to which day of the archive. The places follow from what the change marks
// as seen, else from what is stored, else from the mention itself.
func (db *DB) plan(c *detector.Change) (timetable, error) {
	before, err := db.recallAll(changedKeys(c))
	if err != nil {
		return nil, err
	}
	now := maps.Clone(before)
	for _, s := range c.Seen {
		now[s.Key] = s
	}
	days := make(timetable)
	for i := range c.Put {
		j := &c.Put[i]
		at := j.Mention.CreatedAt
		if s, ok := now[j.Mention.Key()]; ok {
			if !slices.Contains(s.Brands, j.Brand) {
				continue // a later edit of this change speaks of other brands
			}
			at = s.At
		}
		p := placeOf(j.Brand, at, j.Mention.Key())
		d := days.on(p)
		d.puts = append(d.puts, put{p, j})
	}
	for k, s := range before {
		for _, p := range abandoned(s, now[k]) {
			d := days.on(p)
			d.drops = append(d.drops, p)
		}
	}
	for _, k := range c.Erase {
		for _, brand := range now[k].Brands {
			p := placeOf(brand, now[k].At, k)
			d := days.on(p)
			d.wipes = append(d.wipes, p)
		}
	}
	return days, nil
}

// changedKeys lists the mentions of a change whose earlier places matter.
func changedKeys(c *detector.Change) []sources.Key {
	keys := slices.Clone(c.Erase)
	for i := range c.Put {
		keys = append(keys, c.Put[i].Mention.Key())
	}
	for i := range c.Seen {
		keys = append(keys, c.Seen[i].Key)
	}
	return keys
}

// abandoned returns the places of before that are not among those of after.
func abandoned(before, after detector.Seen) []place {
	var gone []place
	for _, brand := range before.Brands {
		p := placeOf(brand, before.At, after.Key)
		if p.at != millis(after.At) || !slices.Contains(after.Brands, brand) {
			gone = append(gone, p)
		}
	}
	return gone
}
