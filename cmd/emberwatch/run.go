package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"emberwatch/notifier/draft"

	"github.com/urfave/cli/v2"
)

func (a *app) runCommand() *cli.Command {
	return &cli.Command{
		Name: "run", Usage: "run the daemon", Action: a.run,
		Description: "Without a configuration file it runs on defaults: starter rules, brands taken from the mentions'\n" +
			"own \"brand\", intake and page on 127.0.0.1:8080, alerts on the console until a Slack token is there.\n" +
			"SIGHUP reloads rules, configuration and secrets, SIGTERM drains and leaves.",
	}
}

func (a *app) run(c *cli.Context) error {
	if c.Args().Present() {
		return usage("run takes no arguments")
	}
	log, err := a.logger(c)
	if err != nil {
		return err
	}
	if a.logFormat(c) == "json" {
		a.log = log
	}
	cfg, err := a.loadConfig(c)
	if err != nil {
		return err
	}
	lib, err := draft.New(draft.Options{})
	if err != nil {
		return err
	}
	set, errs := loadRules(cfg, lib)
	if err := a.report(errs); err != nil {
		return err
	}
	model, err := openModel(c, cfg)
	if err != nil {
		return err
	}
	dir, err := dataDir(c)
	if err != nil {
		return err
	}
	d, err := NewDaemon(c.Context, DaemonOptions{Config: cfg, Rules: set, Model: model, Dir: dir, Log: log, Out: a.stdout, Color: colour(a.stdout)})
	if err != nil {
		return err
	}
	d.greet()
	stop := reloadOnHangup(c.Context, d)
	err = d.Run(c.Context)
	stop()
	if again := d.Close(); err == nil {
		err = again
	}
	return err
}

// greet says on the log what a person should know at the start.
func (d *Daemon) greet() {
	if _, unsigned := senders(d.cfg()); unsigned {
		d.log.Warn("unsigned mentions are taken from this machine; set intake.secret to change that")
	}
	if d.slack == nil {
		d.log.Warn("Slack is not configured; alerts go to the console")
	}
}

// reloadOnHangup reloads on SIGHUP until stop is called.
func reloadOnHangup(ctx context.Context, d *Daemon) (stop func()) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hup:
				_, _ = d.Reload(signalActor) // told to people, in the log, in metrics and on /readyz
			}
		}
	}()
	return func() {
		signal.Stop(hup)
		cancel()
		<-done
	}
}

// newestBackup is the time of the newest backup, by its modification time.
func newestBackup(paths []string, none time.Time) time.Time {
	newest := time.Time{}
	for _, p := range paths {
		if info, err := os.Stat(filepath.Clean(p)); err == nil && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	if newest.IsZero() {
		return none
	}
	return newest
}
