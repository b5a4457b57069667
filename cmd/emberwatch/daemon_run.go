package main

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"emberwatch/detector"
	"emberwatch/detector/store"
)

// drainTime is how long stopping may take: what is in hand is committed, what is due is sent.
const drainTime = 10 * time.Second

// Run works until ctx ends. Then it stops in the order of the flow: sources first, so that nothing new comes
// in; then the detector; then what is due in the outbox; the server last.
func (d *Daemon) Run(ctx context.Context) error {
	intake, stopIntake := context.WithCancel(context.WithoutCancel(ctx))
	defer stopIntake()
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	var in, out sync.WaitGroup
	failed := make(chan error, 1)

	in.Go(func() { d.supervisor.Run(intake) })
	out.Go(func() { d.clock(work) })
	out.Go(func() { d.housekeeping(work) })
	out.Go(func() { d.rehearseAtStart(work) })
	d.tried.Store(newTriedRules(d.cfg()))
	out.Go(func() { d.watchRules(work) })
	out.Go(func() { d.tellRefusals(work) })
	out.Go(func() { _ = d.dispatcher.Run(work, d.detector.Wake()) })
	if s := &d.cfg().Slack; d.slack != nil && (s.AppToken.value != "" || s.SigningSecret.value != "") {
		out.Go(func() { d.listen(work) })
	}
	if d.slack != nil {
		out.Go(func() { d.weekly(work) })
	}
	go func() {
		if err := d.server.Serve(); !errors.Is(err, http.ErrServerClosed) {
			failed <- err
		}
	}()
	d.log.Info("running", "listen", d.server.URL(), "data", d.dir, "rules", d.detector.Rules().Hash,
		"slack", d.slack != nil)

	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	d.log.Info("stopping")
	d.server.CloseIntake()
	stopIntake()
	in.Wait()
	d.detector.Close()
	stopWork()
	out.Wait()
	d.flush(ctx)
	return errors.Join(err, d.server.Shutdown(drainTime))
}

// flush makes one last pass over the outbox: one message for each channel that may have one now. The rest is
// durable and goes out after the next start.
func (d *Daemon) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	d.dispatcher.Drain(ctx)
}

// clock ticks the detector every second.
func (d *Daemon) clock(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := d.detector.Tick(ctx); err != nil {
				d.log.Error("tick", "err", err)
			}
		}
	}
}

// listen takes presses from Slack; a connection that ends for good is tried again, not given up.
func (d *Daemon) listen(ctx context.Context) {
	for wait := time.Second; ctx.Err() == nil; wait = min(2*wait, 5*time.Minute) {
		began := time.Now()
		err := d.slack.Listen(ctx)
		if ctx.Err() != nil {
			return
		}
		d.log.Error("slack does not answer presses", "err", err, "again", wait)
		if time.Since(began) > 10*time.Minute {
			wait = time.Second
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// housekeeping watches the disk every minute, lets old data go every hour, and backs up.
func (d *Daemon) housekeeping(ctx context.Context) {
	minute := time.NewTicker(time.Minute)
	defer minute.Stop()
	lastRetain, lastBackup := time.Time{}, d.lastBackup(ctx)
	for {
		d.watchDisk()
		now := d.detector.Now()
		if now.Sub(lastRetain) >= time.Hour {
			lastRetain = now
			d.retain(ctx, now)
		}
		every, _ := detector.ParseDuration(d.cfg().Store.Backup.Every) // validated
		if every > 0 && now.Sub(lastBackup) >= every {
			lastBackup = now
			d.backup(ctx, now)
		}
		select {
		case <-ctx.Done():
			return
		case <-minute.C:
		}
	}
}

func (d *Daemon) watchDisk() {
	free, err := store.Free(d.dir)
	if err != nil {
		d.log.Error("disk", "err", err)
		return
	}
	if low := free < lowDisk; low != d.diskLow.Swap(low) {
		d.log.Warn("disk", "free_percent", free, "intake_closed", low)
	}
}

func (d *Daemon) retain(ctx context.Context, now time.Time) {
	r := d.retention()
	if _, err := d.db.Retain(ctx, now, r); err != nil && ctx.Err() == nil {
		d.log.Error("retention", "err", err)
	}
}

func (d *Daemon) retention() store.Retention {
	text, _ := detector.ParseDuration(d.cfg().Retention.Text) // validated
	counts, _ := detector.ParseDuration(d.cfg().Retention.Counts)
	audit, _ := detector.ParseDuration(d.cfg().Retention.Audit)
	return store.Retention{Text: text, Counts: counts, Audit: audit}
}

// lastBackup is when the newest backup was made; without one it is now, so that a first start does not begin
// with a copy of nothing.
func (d *Daemon) lastBackup(ctx context.Context) time.Time {
	info, err := d.db.Info(ctx)
	if err != nil || len(info.Backups) == 0 {
		return d.detector.Now()
	}
	return newestBackup(info.Backups, d.detector.Now())
}

func (d *Daemon) backup(ctx context.Context, now time.Time) {
	copied, err := d.db.Backup(ctx, d.db.BackupPath(now))
	if err != nil {
		if ctx.Err() == nil {
			d.log.Error("backup", "err", err)
		}
		return
	}
	d.log.Info("backup", "to", copied.Path, "bytes", copied.Bytes)
	if keep := d.cfg().Store.Backup.Keep; keep > 0 {
		if _, err := d.db.PruneBackups(keep); err != nil {
			d.log.Error("backup", "err", err)
		}
	}
}
