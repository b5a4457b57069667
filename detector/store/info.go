package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"emberwatch/detector"
)

// Info is what is to be known about a data folder.
type Info struct {
	Dir        string     `json:"dir"`
	Schema     int        `json:"schema"`
	LastCommit time.Time  `json:"last_commit,omitzero"` // the time of the newest change
	Files      []FileInfo `json:"files"`
	Bytes      int64      `json:"bytes"`
	FreePages  int        `json:"free_pages"` // of state.db; compact gives them back
	FreeBytes  int64      `json:"free_bytes"`
	DiskFree   float64    `json:"disk_free_percent"`
	Backups    []string   `json:"backups,omitempty"`

	Brands    int       `json:"brands"`
	Series    int       `json:"series"`
	Items     int       `json:"items"` // mentions that the model remembers
	Incidents int       `json:"incidents"`
	Open      int       `json:"open"`
	Pending   int       `json:"pending"` // alerts that are not done
	Seen      int       `json:"seen"`    // ids of the last 35 days
	Texts     int       `json:"texts"`   // judged mentions with their text
	Records   int       `json:"records"` // judged mentions, with and without
	Oldest    time.Time `json:"oldest,omitzero"`
	Newest    time.Time `json:"newest,omitzero"`

	Audit []detector.Audit `json:"audit,omitempty"` // the newest lines of the system chain
}

// FileInfo is one file of the folder.
type FileInfo struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

// Info counts what the folder holds. It goes through the pages of every file.
func (db *DB) Info(ctx context.Context) (Info, error) {
	in := Info{Dir: db.dir, Backups: backups(db.dir)}
	var err error
	if in.DiskFree, err = Free(db.dir); err != nil {
		return in, fmt.Errorf("info: %w", err)
	}
	if err := in.size(db.state.path); err != nil {
		return in, fmt.Errorf("info: %w", err)
	}
	if err := db.state.view(in.countState); err != nil {
		return in, fmt.Errorf("info: %w", err)
	}
	for _, sp := range db.archive.spans() {
		v, ok := db.archive.get(sp)
		if !ok {
			continue
		}
		if err := ctx.Err(); err != nil {
			return in, fmt.Errorf("info: %w", err)
		}
		err := v.view(in.countArchive)
		if err == nil {
			err = in.size(v.path)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return in, fmt.Errorf("info: %w", err)
		}
	}
	return in, nil
}

func (in *Info) size(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	in.Files = append(in.Files, FileInfo{filepath.Base(path), st.Size()})
	in.Bytes += st.Size()
	return nil
}

func (in *Info) countState(t *txn) error {
	schema, err := schemaOf(t.Tx)
	if err != nil {
		return err
	}
	if in.Audit, err = lastLines(t, detector.SystemChain, linesShown); err != nil {
		return err
	}
	in.Schema, in.LastCommit = int(schema), readTime(t.b(metaBucket), metaLast)
	for name, n := range map[string]*int{
		brandBucket: &in.Brands, seriesBucket: &in.Series, itemBucket: &in.Items, incidentBucket: &in.Incidents,
		outboxBucket: &in.Pending,
	} {
		*n = t.b(name).Stats().KeyN
	}
	c := t.b(endedBucket).Cursor()
	for k, _ := c.Seek(seqKey(math.MaxUint64)); k != nil; k, _ = c.Next() {
		in.Open++
	}
	seen := t.b(seenBucket)
	err = seen.ForEachBucket(func(day []byte) error {
		in.Seen += seen.Bucket(day).Stats().KeyN
		return nil
	})
	stats := t.DB().Stats()
	in.FreePages, in.FreeBytes = stats.FreePageN+stats.PendingPageN, int64(stats.FreeAlloc)
	return err
}

func (in *Info) countArchive(t *txn) error {
	in.Records += t.b(itemBucket).Stats().KeyN
	if b := t.b(textBucket); b != nil {
		in.Texts += b.Stats().KeyN
	}
	return eachBrand(t, "", func(id uint32, _ string) error {
		c := t.b(itemBucket).Cursor()
		first, _ := c.Seek(appendItemKey(id, math.MinInt64, 0))
		if err := in.span(first); err != nil {
			return err
		}
		last, _ := c.Seek(appendItemKey(id, math.MaxInt64, math.MaxUint64))
		if last == nil {
			last, _ = c.Last()
		} else {
			last, _ = c.Prev()
		}
		return in.span(last)
	})
}

// span widens Oldest and Newest to the time of an item key.
func (in *Info) span(key []byte) error {
	_, ms, _, err := splitItemKey(key)
	if err != nil {
		return err
	}
	at := time.UnixMilli(ms).UTC()
	if in.Oldest.IsZero() || at.Before(in.Oldest) {
		in.Oldest = at
	}
	if at.After(in.Newest) {
		in.Newest = at
	}
	return nil
}
