package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"emberwatch/detector"
	"emberwatch/detector/sentiment"
	"emberwatch/detector/store"
	"emberwatch/detector/topics"
	"emberwatch/notifier"
	"emberwatch/notifier/chart"
	"emberwatch/notifier/console"
	"emberwatch/notifier/draft"
	"emberwatch/notifier/slack"
	"emberwatch/rules"
	"emberwatch/sources"
	"emberwatch/sources/feed"
	"emberwatch/sources/jsonl"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// lowDisk is the free part of the disk, in per cent, under which intake is refused: what is left is for
// incidents and the outbox.
const lowDisk = 5.0

// Daemon is the one long-running process: it ties sources, detector and notifiers together. New opens
// everything, Run works until its context ends and drains, Close undoes what New did, last things first.
type Daemon struct {
	config  atomic.Pointer[Config] // replaced as a whole by a reload
	dir     string
	log     *slog.Logger
	metrics *prometheus.Registry
	out     io.Writer // where alerts go without Slack
	color   bool
	model   *sentiment.Model
	pace    sources.Pace
	extra   func(*Daemon) (history, live []sources.Source)

	db         *store.DB
	detector   *detector.Detector
	library    *draft.Library
	rephraser  *draft.Rephraser // nil: drafts are not reworded
	about      *notifier.About
	languages  *notifier.Languages // nil: the embedded ones
	slack      *slack.Notifier     // nil: not configured
	console    *console.Notifier
	notifiers  atomic.Pointer[map[string]notifier.Notifier] // those of the configuration, by name; replaced by a reload
	dispatcher *notifier.Dispatcher
	supervisor *sources.Supervisor
	intake     *door // nil: closed
	hooks      []hook
	server     *server
	diskLow    atomic.Bool
	reloadErr  atomic.Value  // string: why the last reload was refused
	refused    chan []string // why a reload was refused, the latest one that is to be told
	tried      atomic.Pointer[triedRules]
	read       chan struct{} // rules were read again, wherever they stand now
	reloads    *prometheus.CounterVec
	problems   *prometheus.CounterVec
	reloading  sync.Mutex

	cleanups []cleanup
}

// cleanup is something that New opened, by name, so that a failing one can be told.
type cleanup struct {
	name string
	f    func() error
}

// DaemonOptions are what a Daemon is made from.
type DaemonOptions struct {
	Config *Config
	Rules  *rules.Set
	Model  *sentiment.Model // nil: the embedded one
	Dir    string           // data folder
	Log    *slog.Logger
	Out    io.Writer // console alerts
	Color  bool
	Now    func() time.Time // nil: time.Now
	Pace   sources.Pace     // of what sources wait for; 0: life's own
	// Extra adds sources that no configuration can name, such as a recording.
	Extra func(*Daemon) (history, live []sources.Source)
}

// NewDaemon opens the store and makes every part, but starts none.
func NewDaemon(ctx context.Context, opt DaemonOptions) (_ *Daemon, err error) {
	d := &Daemon{
		dir: opt.Dir, log: opt.Log, out: opt.Out, color: opt.Color, pace: opt.Pace, extra: opt.Extra,
		metrics: prometheus.NewRegistry(), model: opt.Model, refused: make(chan []string, 1), read: make(chan struct{}, 1),
	}
	d.config.Store(opt.Config)
	if d.model == nil {
		d.model = sentiment.New()
	}
	d.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	if err := d.openDetector(ctx, opt.Rules); err != nil {
		return nil, err
	}
	if opt.Now != nil {
		d.detector.Now = opt.Now
	}
	if err := d.makeNotifiers(); err != nil {
		return nil, err
	}
	if opt.Now != nil {
		d.dispatcher.Now = opt.Now
	}
	if err := d.makeSources(); err != nil {
		return nil, err
	}
	d.reloads = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "emberwatch_reloads_total",
		Help: "Reloads of rules and configuration by outcome.",
	}, []string{"outcome"})
	d.problems = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "emberwatch_refused_problems_total",
		Help: "Problems for which reloads were refused, by the id that check shows: E12 is a regular expression that is too large or always there.",
	}, []string{"id"})
	d.metrics.MustRegister(d.reloads, d.problems, newSourceMetrics(d.supervisor.Health))
	if d.server, err = newServer(d); err != nil {
		return nil, err
	}
	return d, nil
}

// cfg is the configuration in force.
func (d *Daemon) cfg() *Config { return d.config.Load() }

func (d *Daemon) onClose(name string, f func() error) {
	d.cleanups = append(d.cleanups, cleanup{name, f})
}

// Close undoes what NewDaemon did, last things first.
func (d *Daemon) Close() error {
	var errs []error
	for i := len(d.cleanups) - 1; i >= 0; i-- {
		if err := d.cleanups[i].f(); err != nil {
			errs = append(errs, fmt.Errorf("close %s: %w", d.cleanups[i].name, err))
		}
	}
	d.cleanups = nil
	return errors.Join(errs...)
}

func (d *Daemon) openDetector(ctx context.Context, set *rules.Set) error {
	size, _ := ParseSize(d.cfg().Store.MaxSize) // validated
	db, err := store.Open(d.dir, store.Options{MaxSize: size})
	if err != nil {
		return &exitError{exitStore, err}
	}
	d.db = db
	d.onClose("store", db.Close)
	d.detector, err = detector.Open(ctx, detector.Options{
		Store: db, Reader: db, Scorer: d.model, Rules: set,
		Log: d.log.With("part", "detector"), Metrics: d.metrics, AutoBrands: d.cfg().Limits.AutoBrands,
		Model: strings.TrimSpace(d.model.Card.Name + " " + d.model.Card.Trained),
	})
	return err
}

func (d *Daemon) makeNotifiers() error {
	var err error
	if d.library, err = draft.New(draft.Options{}); err != nil {
		return err
	}
	if d.rephraser, err = newRephraser(d.cfg(), d.library); err != nil {
		return err
	}
	finder := topics.New(topics.Options{})
	d.onClose("topics", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return finder.Close(ctx)
	})
	if d.languages, err = d.cfg().languages(); err != nil {
		return err
	}
	d.about = &notifier.About{Reader: d.db, Topics: finder}
	d.console = console.New(d.out, console.Options{Color: d.color, Zone: time.Local, Width: terminalWidth()})
	var fallback notifier.Notifier
	if d.cfg().Slack.BotToken.value != "" {
		if d.slack, err = d.newSlack(); err != nil {
			return err
		}
		fallback = console.New(os.Stderr, console.Options{Zone: time.Local})
	}
	named, err := d.newNotifiers(d.cfg())
	if err != nil {
		return err
	}
	d.notifiers.Store(&named)
	d.dispatcher = notifier.NewDispatcher(notifier.DispatchOptions{
		Outbox: d.detector, Reader: d.db, Rules: d.detector.Rules,
		For: d.notifierFor, Fallback: fallback, Drafter: d.library, About: d.about, Link: d.link, Log: d.log.With("part", "dispatcher"),
		Metrics: d.metrics, Chart: d.draw, Languages: d.languages,
	})
	return nil
}

// draw draws what an incident's signal did over the last day. Without a picture the message still goes out.
func (d *Daemon) draw(m *notifier.Message) *notifier.Chart {
	c, ok := d.detector.Course(m.Incident.ID)
	if !ok {
		return nil
	}
	picture, err := chart.Draw(&c, chart.Options{Language: m.Language, Zone: d.detector.Rules().Zone})
	if err != nil {
		d.log.Warn("alert without a chart", "incident", m.Incident.ID, "err", err)
		return nil
	}
	return picture
}

// notifierFor is the way to people: the notifier of that name; without one Slack where it is configured, else the
// console. Nil: no notifier has the name.
func (d *Daemon) notifierFor(via string) notifier.Notifier {
	switch {
	case via != "":
		return (*d.notifiers.Load())[via]
	case d.slack != nil:
		return d.slack
	}
	return d.console
}

func (d *Daemon) newSlack() (*slack.Notifier, error) {
	s := &d.cfg().Slack
	return slack.New(slack.Config{
		BotToken: s.BotToken.value, AppToken: s.AppToken.value, SigningSecret: s.SigningSecret.value, APIURL: s.APIURL,
		DefaultChannel: s.Channel, Logger: d.log.With("part", "slack"), Zone: d.detector.Rules().Zone,
		Allow:     slack.Allow{Act: s.Allow.Act, Resolve: s.Allow.Resolve},
		Responder: d.replies(), Reader: d.db, Rules: d.detector.Rules, Languages: d.languages,
		Waiting: d.detector.Longest,
		Drafts: func(ctx context.Context, id string) ([]slack.Drafted, error) {
			found, err := d.draftsFor(ctx, id)
			out := make([]slack.Drafted, len(found))
			for i, f := range found {
				out[i] = slack.Drafted{Mention: f.Mention, Suggestion: f.Suggestion}
			}
			return out, err
		},
		Recheck: func(ctx context.Context, incident string, u detector.DraftUse, text string) ([]notifier.Guard, error) {
			x, _, err := d.edited(ctx, incident, u, text)
			return x.Guards, err
		},
	})
}

// link is the address of an incident's page.
func (d *Daemon) link(incident string) string {
	base := d.cfg().HTTP.PublicURL
	if base == "" && d.server != nil && d.slack == nil {
		base = d.server.URL()
	}
	if base == "" {
		return ""
	}
	return trimSlash(base) + "/incidents/" + incident
}

func (d *Daemon) makeSources() error {
	opt := sources.SupervisorOptions{Emit: d.emit, Log: d.log.With("part", "sources"), Pace: d.pace}
	if err := d.makeIntake(&opt); err != nil {
		return err
	}
	client := sources.NewClient(sources.ClientOptions{Allow: outgoing(d.cfg()), UserAgent: "emberwatch/" + version(), Pace: d.pace})
	d.onClose("connections of sources", func() error { client.Close(); return nil })
	for i := range d.cfg().Sources {
		if err := d.addSource(&opt, &d.cfg().Sources[i], client); err != nil {
			return err
		}
	}
	if d.extra != nil {
		history, live := d.extra(d)
		opt.History, opt.Sources = append(opt.History, history...), append(opt.Sources, live...)
	}
	opt.Cursors, opt.Arrivals = d.cursor, d.arrivals
	var err error
	d.supervisor, err = sources.NewSupervisor(opt)
	return err
}

// cursor is where a source goes on. It is read at every start of the source: one that failed must not begin
// where the process once did. Without it the source reads again what it can, and what is known is recognised.
func (d *Daemon) cursor(source string) sources.Cursor {
	c, err := d.db.Cursor(context.Background(), source)
	if err != nil {
		d.log.Error("the source starts without its cursor", "source", source, "err", err)
	}
	return c
}

// makeIntake opens the webhook, unless there are tokens and none of them, nor any secret, lets mentions in.
func (d *Daemon) makeIntake(opt *sources.SupervisorOptions) error {
	keeper, err := d.newDoorkeeper(d.cfg())
	if err != nil {
		return err
	}
	if keeper == nil {
		d.log.Warn("intake is closed: there are API tokens, but no intake.secret and no token with the scope ingest")
		return nil
	}
	d.intake = &door{inside: keeper}
	opt.Sources = append(opt.Sources, d.intake)
	return nil
}

// emit is the one way in. On a nearly full disk it is closed.
func (d *Daemon) emit(ctx context.Context, b sources.Batch) (sources.Taken, error) {
	if d.diskLow.Load() {
		return sources.Taken{}, fmt.Errorf("less than %.0f%% of the disk is free: %w", lowDisk, sources.ErrUnavailable)
	}
	return d.detector.Ingest(ctx, b)
}

// outgoing are the networks besides public ones that sources may fetch from.
func outgoing(cfg *Config) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range cfg.Outgoing.Allow {
		if p, err := netip.ParsePrefix(s); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// addSource adds one configured source.
func (d *Daemon) addSource(opt *sources.SupervisorOptions, s *SourceConfig, client *sources.Client) error {
	src, err := d.newSource(s, client)
	switch {
	case err != nil:
		return fmt.Errorf("source %s: %w", s.Name, err)
	case src == nil: // the intake is always there
	case s.History:
		opt.History = append(opt.History, src)
	default:
		opt.Sources = append(opt.Sources, src)
	}
	return nil
}

// newSource makes one configured source; nil for the intake, which is always there.
func (d *Daemon) newSource(s *SourceConfig, client *sources.Client) (sources.Source, error) {
	switch s.Type {
	case "jsonl":
		return jsonl.New(d.fileOptions(s))
	case "feed":
		return feed.New(feed.Options{
			Name: s.Name, URL: s.URL, Every: s.every(), Kind: sources.Kind(s.Kind),
			Network: s.Network, Brand: s.Brand, Client: client.For(s.Budget),
		})
	case "bluesky", "mastodon", "hackernews", "discourse":
		return d.newListener(s, client.For(s.Budget))
	case "webhook":
		if s.Name == intakeName {
			return nil, nil
		}
		return d.newHook(s)
	case "meta":
		return d.newMeta(s, client.For(0))
	case "appstore":
		return s.appstore(client)
	case "googleplay":
		return s.googleplay(client)
	case "youtube":
		return s.youtube(client, d.hot(s.Name), d.log.With("part", "sources"))
	}
	return nil, nil
}

func (d *Daemon) fileOptions(s *SourceConfig) jsonl.Options {
	o := jsonl.Options{
		Name: s.Name, Follow: s.Follow, History: s.History, Brand: s.Brand, Stdin: os.Stdin,
		Report: func(file string, line int, err error) {
			if line > 0 { // of all sources alike the supervisor says what is rejected; this says where all of it stands
				d.log.Debug("line not read", "source", s.Name, "file", filepath.Base(file), "line", line, "err", err)
				return
			}
			d.log.Warn("file not read", "source", s.Name, "file", filepath.Base(file), "err", err)
		},
	}
	for _, p := range s.Path {
		o.Paths = append(o.Paths, d.cfg().resolvePath(p))
	}
	if s.Timezone != "" {
		o.Timezone, _ = time.LoadLocation(s.Timezone) // validated
	}
	return o
}
