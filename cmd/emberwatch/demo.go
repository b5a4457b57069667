package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"emberwatch/cmd/emberwatch/demo"
	"emberwatch/detector"
	"emberwatch/notifier/draft"
	"emberwatch/rules"
	"emberwatch/sources"

	"github.com/urfave/cli/v2"
)

// The demo is the daemon on a recording: the same store, detector, drafts and page. Only the time is the
// recorded one, and it runs faster.

const (
	demoStep  = 30 * time.Second      // of recorded time
	demoPause = 25 * time.Millisecond // of real time for each step
	demoBatch = 500
)

func (a *app) demoCommand() *cli.Command {
	return &cli.Command{
		Name: "demo", Usage: "the daemon on a recorded crisis, time-lapsed",
		Description: "Everything runs in a temporary folder that is removed at the end. Press Ctrl-C to leave.",
		Flags:       []cli.Flag{&cli.BoolFlag{Name: "once", Usage: "end when the recording does, and say what happened"}},
		Action:      a.demo,
	}
}

func (a *app) demo(c *cli.Context) (err error) {
	if c.Args().Present() {
		return usage("demo takes no arguments")
	}
	history, crisis, err := demo.Recording()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "emberwatch-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	clock := &recordedClock{}
	clock.set(history[0].CreatedAt)
	rec := &recording{clock: clock, mentions: crisis, done: make(chan struct{}), answer: c.Bool("once")}
	d, err := a.demoDaemon(c, dir, clock, history, rec)
	if err != nil {
		return err
	}
	defer func() {
		if again := d.Close(); err == nil {
			err = again
		}
	}()
	fmt.Fprintf(a.stdout, "Fjellbryg makes coffee machines. Emberwatch has read %d mentions of eight ordinary weeks\n"+
		"and now follows a Monday morning in November, %d times faster than it was.\n"+
		"The page: %s\n\n", len(history), int(demoStep/demoPause), d.server.URL())

	ctx, cancel := context.WithCancel(c.Context)
	defer cancel()
	if c.Bool("once") {
		go func() {
			select {
			case <-rec.done:
				cancel()
			case <-ctx.Done():
			}
		}()
	} else {
		go a.afterwards(ctx, d, rec)
	}
	if err := d.Run(ctx); err != nil {
		return err
	}
	return a.tellDemo(d, a.stdout)
}

// afterwards tells, once the recording has ended, that the page stays open; the recorded clock goes on at the pace
// of the real one.
func (a *app) afterwards(ctx context.Context, d *Daemon, rec *recording) {
	select {
	case <-ctx.Done():
	case <-rec.done:
		fmt.Fprintf(a.stdout, "\nThe recording has ended; the daemon runs on. Acknowledge on the page: %s\nPress Ctrl-C to leave.\n", d.server.URL())
	}
}

func (a *app) demoDaemon(c *cli.Context, dir string, clock *recordedClock, history []sources.Mention, rec *recording) (*Daemon, error) {
	cfg := Default()
	cfg.HTTP.Listen, cfg.Store.Backup.Every = "127.0.0.1:0", ""
	cfg.Retention = RetentionConfig{}
	lib, err := draft.New(draft.Options{})
	if err != nil {
		return nil, err
	}
	set, errs := parseRules(cfg, []rules.File{{Name: "fjellbryg.yml", Data: demo.Rules()}}, lib)
	if errs.Refused() {
		return nil, errs
	}
	log := slog.New(slog.DiscardHandler)
	if c.IsSet("log-level") {
		if log, err = a.logger(c); err != nil {
			return nil, err
		}
	}
	model, err := openModel(c, cfg)
	if err != nil {
		return nil, err
	}
	return NewDaemon(c.Context, DaemonOptions{
		Config: cfg, Rules: set, Model: model, Dir: dir, Log: log, Out: a.stdout, Color: colour(a.stdout),
		Now: clock.now, Extra: func(d *Daemon) ([]sources.Source, []sources.Source) {
			rec.daemon = d
			return []sources.Source{&past{clock: clock, mentions: history}}, []sources.Source{rec}
		},
	})
}

// tellDemo says what happened: each incident with its timeline.
func (a *app) tellDemo(d *Daemon, w io.Writer) error {
	ctx := context.Background()
	list, err := d.db.Incidents(ctx, detector.IncidentFilter{})
	if err != nil {
		return err
	}
	slices.Reverse(list)
	fmt.Fprintf(w, "\nWhat happened: %s.\n", several(len(list), "incident"))
	for i := range list {
		x := &list[i]
		fmt.Fprintf(w, "\n%s  %s, severity %d (%s), %s\n  %s\n", x.ID, x.Title, x.Severity, x.Severity, x.Handling, x.Sentence)
		lines, err := d.db.Audit(ctx, x.ID)
		if err != nil {
			return err
		}
		for _, l := range lines {
			if l.Op != "updated" {
				fmt.Fprintf(w, "    %s  %-11s %s\n", l.At.Format("15:04"), l.Op, l.Note)
			}
		}
	}
	return nil
}

// recordedClock is the time of the recording. Once it has ended, it goes on with the real time.
type recordedClock struct {
	at   atomic.Int64 // Unix nanoseconds of the recording
	real atomic.Int64 // when the recording ended, by the real clock; 0: it has not
}

func (c *recordedClock) set(t time.Time) { c.at.Store(t.UnixNano()) }

func (c *recordedClock) end() { c.real.Store(time.Now().UnixNano()) }

func (c *recordedClock) now() time.Time {
	t := time.Unix(0, c.at.Load()).UTC()
	if r := c.real.Load(); r != 0 {
		t = t.Add(time.Since(time.Unix(0, r)))
	}
	return t
}

// past is the ordinary weeks before: a source of history, read at once.
type past struct {
	clock    *recordedClock
	mentions []sources.Mention
}

// Name is recorded-history.
func (p *past) Name() string { return "recorded-history" }

// Run emits the weeks in order, with the clock following.
func (p *past) Run(ctx context.Context, _ sources.Cursor, emit sources.Emit) error {
	for part := range slices.Chunk(p.mentions, demoBatch) {
		p.clock.set(part[len(part)-1].CreatedAt)
		if _, err := emit(ctx, sources.Batch{Source: p.Name(), Mentions: part}); err != nil {
			return err
		}
	}
	return nil
}

// recording is the crisis, a source that moves the clock.
type recording struct {
	clock    *recordedClock
	mentions []sources.Mention
	daemon   *Daemon
	done     chan struct{}
	answer   bool // Ingrid acknowledges, as she did then; otherwise whoever looks at the page may
}

// ingridAnswers is when, in the recording, the PR lead takes the first incident.
const ingridAnswers = 150 * time.Minute

// Name is recording.
func (r *recording) Name() string { return "recording" }

// Run plays the recording step by step: the clock moves, mentions come in, the detector ticks, alerts go out.
func (r *recording) Run(ctx context.Context, _ sources.Cursor, emit sources.Emit) error {
	defer close(r.done)
	end := r.mentions[len(r.mentions)-1].CreatedAt
	rest := r.mentions
	for t := demo.Begin; !t.After(end.Add(demoStep)); t = t.Add(demoStep) {
		r.clock.set(t)
		n := 0
		for n < len(rest) && !rest[n].CreatedAt.After(t) {
			n++
		}
		if _, err := emit(ctx, sources.Batch{Source: r.Name(), Mentions: rest[:n]}); err != nil {
			return err
		}
		rest = rest[n:]
		if r.answer && t.Sub(demo.Begin) == ingridAnswers {
			if err := r.acknowledge(ctx); err != nil {
				return err
			}
		}
		if err := r.daemon.detector.Tick(ctx); err != nil {
			return err
		}
		r.daemon.dispatcher.Drain(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(demoPause):
		}
	}
	r.clock.end()
	return nil
}

// acknowledge takes the gravest open incident, as pressing the button does.
func (r *recording) acknowledge(ctx context.Context) error {
	list, err := r.daemon.db.Incidents(ctx, detector.IncidentFilter{State: "open"})
	if err != nil || len(list) == 0 {
		return err
	}
	worst := slices.MinFunc(list, func(a, b detector.Incident) int { return int(a.Severity) - int(b.Severity) })
	_, err = r.daemon.detector.Respond(ctx, detector.Event{
		ID: "recorded-1", Incident: worst.ID, Op: detector.OpAck,
		Actor: detector.Actor{Kind: "person", ID: "ingrid", Name: "Ingrid", Via: "recording"},
	})
	return err
}
