package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"emberwatch/sources"
	"emberwatch/sources/jsonl"

	"github.com/urfave/cli/v2"
)

// sourceWithin is how long doctor reads a source.
const sourceWithin = 30 * time.Second

// running is how the sources of the running daemon are doing, by name; none where no daemon answers, or none that we may ask.
func (a *app) running(c *cli.Context) map[string]sources.Health {
	ctx, cancel := context.WithTimeout(c.Context, 5*time.Second)
	defer cancel()
	var answer struct{ Sources []sources.Health }
	cl, err := a.newClient(c)
	if err == nil {
		_, err = cl.do(ctx, http.MethodGet, "/api/v1/sources", nil, &answer)
	}
	all := map[string]sources.Health{}
	if err == nil {
		for _, h := range answer.Sources {
			all[h.Name] = h
		}
	}
	return all
}

// examineSources has each configured source read once, whole. Nothing of it is kept. Of those that are pushed to, the
// running daemon knows what became of it.
func examineSources(ctx context.Context, cfg *Config, running map[string]sources.Health) []finding {
	client := sources.NewClient(sources.ClientOptions{Allow: outgoing(cfg), UserAgent: "emberwatch/" + version()}).Once()
	defer client.Close()
	d := &Daemon{log: slog.New(slog.DiscardHandler)} // without a store: only what makes sources
	d.config.Store(cfg)
	var out []finding
	for i := range cfg.Sources {
		s := &cfg.Sources[i]
		check := "source " + s.Name
		switch {
		case s.Type == "webhook" || s.Type == "meta":
			out = append(out, examinePushed(check, s.Name, running))
		case slices.Contains(s.Path, jsonl.Stdin):
			out = append(out, good(check, "reads standard input; not tried, since what is read there is gone"))
		case s.Type == "jsonl":
			out = append(out, d.examineFiles(ctx, check, *s))
		default:
			out = append(out, d.examineSource(ctx, check, s, client))
		}
	}
	return out
}

func examinePushed(check, name string, running map[string]sources.Health) finding {
	switch h, known := running[name]; {
	case !known:
		return good(check, "mentions are pushed to it")
	case h.Rejecting:
		return bad(check, h.LastError, pushedRepair)
	default:
		return good(check, "mentions are pushed to it; the running daemon has taken %d and rejected %d", h.Mentions, h.Rejected)
	}
}

const pushedRepair = "correct map, each and timezone of the source, or what the sender sends; the README has an example for helpdesks"

// examineFiles reads the files that are there now. Those of a source that is followed may come later.
func (d *Daemon) examineFiles(ctx context.Context, check string, s SourceConfig) finding {
	if missing := d.cfg().unmatched(&s); len(missing) > 0 {
		return bad(check, "no file is at "+strings.Join(missing, ", "), "correct path; a relative one begins where "+d.cfg().name()+" is")
	}
	found, _ := jsonl.Files(d.fileOptions(&s).Paths)
	if len(found) == 0 {
		return good(check, "no file has come yet; it waits for them")
	}
	s.Path, s.Follow = found, false
	return d.examineSource(ctx, check, &s, nil)
}

func (d *Daemon) examineSource(ctx context.Context, check string, s *SourceConfig, client *sources.Client) finding {
	src, err := d.newSource(s, client)
	if err != nil {
		return bad(check, unnamed(err, s.Name), "see sources in the configuration")
	}
	ctx, cancel := context.WithTimeout(ctx, sourceWithin)
	defer cancel()
	var seen look
	err = src.Run(ctx, nil, seen.take)
	if seen.late = ctx.Err() != nil; seen.late && unnamed(err, s.Name) == ctx.Err().Error() {
		err = nil // it was at work, and waited for nobody
	}
	return seen.finding(check, s.Name, err)
}

// look is what a source has handed over so far.
type look struct {
	mu       sync.Mutex // guards what follows
	batches  int
	mentions int
	rejected sources.Rejects
	late     bool // it was broken off: there is more than can be read in the time
}

func (l *look) take(ctx context.Context, b sources.Batch) (sources.Taken, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.batches++
	l.mentions += len(b.Mentions)
	l.rejected.Join(b.Rejected)
	return sources.Taken{Accepted: len(b.Mentions)}, ctx.Err()
}

// finding says how it went: what failed before what was refused, and that before what came.
func (l *look) finding(check, name string, err error) finding {
	failed := parts(err)
	switch {
	case l.late && len(failed) > 0 && !slices.ContainsFunc(failed, func(e error) bool { return !errors.Is(e, context.DeadlineExceeded) }):
		return doubtful(check, fmt.Sprintf("%s within %s, and then: %s", l.sum(), sourceWithin, unnamed(errors.Join(failed...), name)),
			"it may just be much to read; else look at the network, and whether the server answers there")
	case len(failed) > 0:
		problem := unnamed(errors.Join(failed...), name)
		if l.mentions > 0 {
			problem += "; the rest gave " + l.sum()
		}
		return bad(check, problem, sourceRepairs(failed))
	case l.batches == 0:
		return doubtful(check, fmt.Sprintf("nothing came within %s", sourceWithin), "look at its address and at the network")
	case l.rejected.Count > l.mentions:
		f := doubtful(check, l.sum(), "correct what sends or writes them; the README says under Mentions what one has to have")
		if l.mentions == 0 {
			f.Level = "error"
		}
		return f
	case l.late:
		return good(check, "%s within %s, and there is more", l.sum(), sourceWithin)
	}
	return good(check, "%s", l.sum())
}

// sum is what came: "3 mentions, 2 items refused: past.ndjson: line 1: id: missing".
func (l *look) sum() string {
	s := several(l.mentions, "mention")
	if l.rejected.Count > 0 {
		s += fmt.Sprintf(", %s refused: %s", several(l.rejected.Count, "item"), l.rejected.Why)
	}
	return s
}

// parts takes apart what failed of a source.
func parts(err error) (failed []error) {
	many, ok := err.(interface{ Unwrap() []error })
	if !ok {
		many, ok = errors.Unwrap(err).(interface{ Unwrap() []error }) // below the name of the source
	}
	switch {
	case err == nil:
		return nil
	case !ok:
		return []error{err}
	}
	for _, part := range many.Unwrap() {
		failed = append(failed, parts(part)...)
	}
	return failed
}

// unnamed is the text of an error in one line, without the name of the source, which stands before it. No error: no text.
func unnamed(err error, name string) string {
	if err == nil {
		return ""
	}
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "source "+name+": ")
	}
	return strings.Join(lines, "; ")
}

// sourceRepairs says what to do about errors of a source, each thing once.
func sourceRepairs(failed []error) string {
	var out []string
	for _, err := range failed {
		if r := sourceRepair(err); !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return cmp.Or(strings.Join(out, "; "), "look at its address, its credentials and the network")
}
