// Command emberwatch is an early-warning daemon for reputation crises: it reads what people say about brands,
// notices when that departs from each brand's own normal, and tells the right people in Slack, with the
// evidence and with reply drafts they could send.
//
// Package main is the composition root: the only place that knows that Slack, bbolt or RSS exist. There is
// one file for each command; daemon.go ties the rooms together, config.go says what can be configured,
// http.go mounts handlers made elsewhere. Nothing is decided here.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // time zones of rule files, on machines that have none
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal leaves at once
	os.Exit(run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr))
}
