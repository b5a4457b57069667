package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/detector/store"
	"emberwatch/notifier/console"

	"github.com/urfave/cli/v2"
)

func (a *app) storeCommand() *cli.Command {
	online := func(f func(*cli.Context) error, name, help, args string, flags ...cli.Flag) *cli.Command {
		return &cli.Command{Name: name, Usage: help, ArgsUsage: args, Action: f, Flags: append(append(serverFlags(), jsonFlag()), flags...)}
	}
	offline := func(f func(*cli.Context) error, name, help, args string) *cli.Command {
		return &cli.Command{Name: name, Usage: help + " (the daemon has to be stopped)", ArgsUsage: args, Action: f, Flags: []cli.Flag{jsonFlag()}}
	}
	return &cli.Command{Name: "store", Usage: "the data folder", Subcommands: []*cli.Command{
		online(a.storeInfo, "info", "what it holds, and what was done to it: reloads, erasures, restores", ""),
		online(a.storeBackup, "backup", "copy it while the daemon runs, into a new folder on the daemon's machine", "[DIR]"),
		online(a.storeExport, "export", "mentions as NDJSON that replay reads", "",
			&cli.StringFlag{Name: "brand"}, &cli.StringFlag{Name: "source"}, &cli.StringFlag{Name: "author", Usage: "needs --source"}),
		online(a.storeErase, "erase", "remove what one author wrote", "", &cli.StringFlag{Name: "source", Usage: "`NAME` of the source"},
			&cli.StringFlag{Name: "author", Usage: "`ID` or handle"},
			&cli.StringFlag{Name: "author-hash", Usage: "`HASH` instead, as store info lists it: repeats an erasure after a restore"}),
		offline(a.storeCheck, "check", "verify every file, and the audit of erasures, restores and reloads", ""),
		offline(a.storeCompact, "compact", "give freed space back to the disk", ""),
		offline(a.storeRestore, "restore", "put a backup in its place; what is there is moved aside", "BACKUP"),
	}}
}

// withStore opens the data folder for a command that needs the daemon stopped.
func (a *app) withStore(c *cli.Context, f func(*store.DB) error) error {
	dir, err := dataDir(c)
	if err != nil {
		return err
	}
	if _, err := os.Stat(dir); err != nil {
		return &exitError{exitStore, fmt.Errorf("data folder: %w", err)} // looking must not make one
	}
	db, err := store.Open(dir, store.Options{})
	if err != nil {
		return &exitError{exitStore, err}
	}
	return errors.Join(f(db), db.Close())
}

// throughDaemon asks the daemon if one runs on the folder that is meant, else does it with the folder itself.
func (a *app) throughDaemon(c *cli.Context, op string, q url.Values, out any, self func(*store.DB) error) error {
	cl, err := a.newClient(c)
	if err != nil {
		return err
	}
	if q == nil {
		q = url.Values{}
	}
	if c.IsSet("data") {
		dir, err := filepath.Abs(c.String("data"))
		if err != nil {
			return err
		}
		q.Set("folder", dir)
	}
	status, err := cl.do(c.Context, http.MethodPost, "/api/v1/store/"+op+"?"+q.Encode(), nil, out)
	elsewhere := errors.Is(err, errNoDaemon) || status == http.StatusMisdirectedRequest
	if elsewhere && !c.IsSet("server") {
		return a.withStore(c, self)
	}
	return err
}

func (a *app) storeInfo(c *cli.Context) error {
	var info store.Info
	err := a.throughDaemon(c, "info", nil, &info, func(db *store.DB) (err error) {
		info, err = db.Info(c.Context)
		return err
	})
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return json.NewEncoder(a.stdout).Encode(info)
	}
	fmt.Fprintf(a.stdout, "%s: schema %d, %s in %s (%s free inside), disk %.0f%% free\n", info.Dir, info.Schema, bytesWord(info.Bytes),
		several(len(info.Files), "file"), bytesWord(info.FreeBytes), info.DiskFree)
	fmt.Fprintf(a.stdout, "%s, %d series, %s (%d open), %s to deliver\n", several(info.Brands, "brand"), info.Series, several(info.Incidents, "incident"), info.Open, several(info.Pending, "alert"))
	fmt.Fprintf(a.stdout, "%s, %d of them with text", several(info.Records, "mention"), info.Texts)
	if !info.Oldest.IsZero() {
		fmt.Fprintf(a.stdout, ", from %s to %s", local(info.Oldest), local(info.Newest))
	}
	fmt.Fprintf(a.stdout, "; %s\n", several(len(info.Backups), "backup"))
	for _, l := range info.Audit {
		fmt.Fprintf(a.stdout, "  %s  %-8s %s  %s\n", local(l.At), console.Clean(l.Op), console.Clean(l.Actor.ID+via(l.Actor)), console.Clean(l.Note))
	}
	return nil
}

// operator is who works on the store without a daemon, for the audit.
func operator(c *cli.Context) detector.Actor {
	name := actorName(c)
	return detector.Actor{Kind: "person", ID: name, Name: name, Via: "cli"}
}

func bytesWord(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.0f kB", float64(n)/(1<<10))
}

func (a *app) storeBackup(c *cli.Context) error {
	to, err := backupTarget(c)
	if err != nil {
		return err
	}
	q := url.Values{}
	if to != "" {
		q.Set("to", to)
	}
	var copied store.Copied
	err = a.throughDaemon(c, "backup", q, &copied, func(db *store.DB) (err error) {
		if to == "" {
			to = db.BackupPath(time.Now())
		}
		copied, err = db.Backup(c.Context, to)
		return err
	})
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return json.NewEncoder(a.stdout).Encode(copied)
	}
	fmt.Fprintf(a.stdout, "%s: %s, %s, checked\n", copied.Path, several(copied.Files, "file"), bytesWord(copied.Bytes))
	return nil
}

// backupTarget is where a backup shall go, or empty for the daemon's place. A relative path means the folder
// that the command was given in, not the daemon's.
func backupTarget(c *cli.Context) (string, error) {
	switch c.Args().Len() {
	case 0:
		return "", nil
	case 1:
		return filepath.Abs(c.Args().First())
	}
	return "", usage("name one folder for the backup, or none to keep it in the data folder")
}

func (a *app) storeExport(c *cli.Context) error {
	f := store.ExportFilter{Brand: c.String("brand"), Source: c.String("source"), Author: c.String("author")}
	if f.Author != "" && f.Source == "" {
		return usage("--author needs --source: ids are unique within a source")
	}
	q := url.Values{"brand": {f.Brand}, "source": {f.Source}, "author": {f.Author}}
	return a.throughDaemon(c, "export", q, a.stdout, func(db *store.DB) error {
		_, err := db.Export(c.Context, a.stdout, f)
		return err
	})
}

func (a *app) storeErase(c *cli.Context) error {
	whom := store.Erasure{Source: c.String("source"), Author: c.String("author"), Hash: c.String("author-hash"), By: operator(c), At: time.Now()}
	if err := erasable(&whom); err != nil {
		return &exitError{exitUsage, err}
	}
	var erased store.Erased
	q := url.Values{"source": {whom.Source}, "author": {whom.Author}, "author_hash": {whom.Hash}}
	err := a.throughDaemon(c, "erase", q, &erased, func(db *store.DB) (err error) {
		erased, err = db.EraseAuthor(c.Context, whom)
		return err
	})
	switch {
	case err != nil:
		return err
	case len(erased.Sources) > 0:
		return usage("no source %q: nothing that is held came from it; there are %s", whom.Source, strings.Join(erased.Sources, ", "))
	case c.Bool("json"):
		return json.NewEncoder(a.stdout).Encode(erased)
	case erased.Mentions == 0:
		fmt.Fprintf(a.stdout, "nothing is held of this author of source %s\n", console.Clean(whom.Source))
	default:
		fmt.Fprintf(a.stdout, "erased text and author of %s in %s; backups keep what they hold until they expire\n", several(erased.Mentions, "record"), several(len(erased.Files), "file"))
	}
	return nil
}

// erasable says what an erasure lacks.
func erasable(e *store.Erasure) error {
	switch {
	case e.Source == "" || (e.Author == "") == (e.Hash == ""):
		return errors.New("say whom: the source and the author are needed, the author by id or handle (--author) or by the hash of an earlier erasure (--author-hash)")
	case e.Hash != "":
		_, err := store.ParseHash(e.Hash)
		return err
	}
	return nil
}

func (a *app) storeCheck(c *cli.Context) error {
	return a.withStore(c, func(db *store.DB) error {
		problems, err := db.Check(c.Context)
		if err != nil {
			return err
		}
		if c.Bool("json") {
			enc := json.NewEncoder(a.stdout)
			for _, p := range problems {
				if err := enc.Encode(p); err != nil {
					return err
				}
			}
		} else {
			for _, p := range problems {
				fmt.Fprintln(a.stdout, strings.TrimSpace(fmt.Sprint(p)))
			}
		}
		if len(problems) > 0 {
			return &exitError{exitFailed, fmt.Errorf("%s; restore the last good backup with emberwatch store restore", several(len(problems), "problem"))}
		}
		if !c.Bool("json") {
			fmt.Fprintln(a.stdout, "ok: every page, every reference, and the audit of the system")
		}
		return nil
	})
}

func (a *app) storeCompact(c *cli.Context) error {
	return a.withStore(c, func(db *store.DB) error {
		gained, err := db.Compact(c.Context)
		if err == nil {
			fmt.Fprintf(a.stdout, "gave back %s\n", bytesWord(gained))
		}
		return err
	})
}

func (a *app) storeRestore(c *cli.Context) error {
	if c.Args().Len() != 1 {
		return usage("name the backup: emberwatch store restore DIR")
	}
	dir, err := dataDir(c)
	if err != nil {
		return err
	}
	aside, err := store.Restore(c.Context, c.Args().First(), dir, time.Now())
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "restored into %s\n", dir)
	from, err := filepath.Abs(c.Args().First())
	if err != nil {
		return err
	}
	note := "from " + from
	if aside != "" {
		fmt.Fprintf(a.stdout, "what was there is now in %s\n", aside)
		note += "; what was there is in " + aside
		fmt.Fprintf(a.stdout, "authors that were erased after the backup was made are back: emberwatch --data %s store info lists the erasures; repeat them with emberwatch --data %s store erase --source NAME --author-hash HASH\n", aside, dir)
	}
	err = a.withStore(c, func(db *store.DB) error {
		return db.Record(c.Context, detector.Audit{At: time.Now().UTC(), Actor: operator(c), Op: "restore", Note: note})
	})
	if err != nil {
		return fmt.Errorf("it is restored, but that could not be noted in its audit: %w", err)
	}
	return nil
}
