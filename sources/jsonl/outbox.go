package jsonl

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"emberwatch/sources"
)

const (
	maxBatch  = 500         // records handed over at once
	heartbeat = time.Minute // how often a follower with nothing to tell says so
)

// outbox gathers what was read into batches.
type outbox struct {
	opt      *Options
	emit     sources.Emit
	mentions []sources.Mention
	rejected sources.Rejects
	last     time.Time // of the last batch
}

func (o *outbox) add(m sources.Mention) { o.mentions = append(o.mentions, m) }

func (o *outbox) reject(file string, line int, err error) {
	o.rejected.Add(fmt.Errorf("%s: line %d: %w", filepath.Base(file), line, err))
	o.opt.report(file, line, err)
}

func (o *outbox) full() bool { return len(o.mentions)+o.rejected.Count >= maxBatch }

// flush hands over what was gathered, with the places in all files that it came from.
func (o *outbox) flush(ctx context.Context, at marks) error {
	b := sources.Batch{Source: o.opt.Name, Mentions: o.mentions, History: o.opt.History, Rejected: o.rejected}
	if at != nil {
		cursor, err := at.cursor()
		if err != nil {
			return err
		}
		b.Cursor = cursor
	}
	if _, err := o.emit(ctx, b); err != nil {
		return err
	}
	o.mentions, o.rejected, o.last = nil, sources.Rejects{}, time.Now()
	return nil
}

// rest hands over what is left. With nothing left it says so: at once the first time, then once a minute.
func (o *outbox) rest(ctx context.Context, at marks) error {
	if len(o.mentions) == 0 && o.rejected.Count == 0 {
		if !o.last.IsZero() && time.Since(o.last) < heartbeat {
			return nil
		}
		at = nil
	}
	return o.flush(ctx, at)
}
