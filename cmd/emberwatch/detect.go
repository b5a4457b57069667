package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/rules"

	"github.com/urfave/cli/v2"
)

func (a *app) detectCommand() *cli.Command {
	return &cli.Command{
		Name: "detect", Usage: "the volume detector on a CSV of counts", ArgsUsage: "[FILE]",
		Description: "Reads a CSV with the header timestamp,value: equally spaced rows in the order of time, RFC 3339 or\n" +
			"2006-01-02 15:04:05 (UTC). Rows may be left out; a row with a blank value means that its source was down.\n" +
			"Prints timestamp,value,expected,surprise,alert, a row for each row, without looking ahead: expected is the forecast\n" +
			"for the bucket, surprise the largest -log10 tail probability of the windows, alert 1 once at the start of an episode.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "bucket", Value: "auto", Usage: "`LENGTH` of a bucket, such as 5m; auto is the spacing of the rows"},
			&cli.StringFlag{Name: "budget", Usage: "how many false alerts one is willing to get, as `RATE` like 1/week; none: the fixed bar"},
			&cli.StringFlag{Name: "direction", Value: "up", Usage: "up, down or both"},
		},
		Action: a.detect,
	}
}

func (a *app) detect(c *cli.Context) error {
	if c.NArg() > 1 {
		return usage("detect reads one file, or standard input")
	}
	d, err := a.newDetection(c)
	if err != nil {
		return err
	}
	name := "-"
	if c.Args().Present() {
		name = c.Args().First()
	}
	var in io.Reader = a.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return &exitError{exitUsage, err}
		}
		defer f.Close()
		in = f
	}
	d.name = name
	return d.run(in)
}

// spacingRows is how many rows are looked at for their spacing before the first is judged.
const spacingRows = 12

// detection is one run of detect.
type detection struct {
	app       *app
	out       *bufio.Writer
	name      string
	bucket    time.Duration // 0: the spacing of the rows
	perWeek   float64
	direction detector.Direction

	counts      *detector.Counts
	waiting     []countRow
	first, last time.Time
	alerts, bad int
}

// countRow is one row as it was read.
type countRow struct {
	line        int
	stamp, text string // as written
	at          time.Time
	value       float64 // NaN: blank
	err         error
}

func (a *app) newDetection(c *cli.Context) (*detection, error) {
	d := &detection{app: a, out: bufio.NewWriter(a.stdout), direction: detector.Direction(c.String("direction"))}
	if s := c.String("bucket"); s != "auto" {
		length, err := detector.ParseDuration(s)
		if err != nil {
			return nil, usage("--bucket: %w", err)
		}
		d.bucket = length
	}
	if s := c.String("budget"); s != "" {
		rate, err := rules.ParseRate(s)
		if err != nil {
			return nil, usage("--budget: %w", err)
		}
		d.perWeek = rate.PerWeek()
	}
	if _, err := detector.NewCounts(max(d.bucket, time.Second), d.perWeek, d.direction); err != nil {
		return nil, usage("%w", err)
	}
	return d, nil
}

func (d *detection) run(in io.Reader) error {
	r := csv.NewReader(bufio.NewReader(in))
	r.FieldsPerRecord, r.ReuseRecord = -1, true
	head, err := r.Read()
	if err != nil && err != io.EOF {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	at, value, err := countColumns(head)
	if err != nil {
		return &exitError{exitUsage, fmt.Errorf("%s:1: %w", d.name, err)}
	}
	fmt.Fprintln(d.out, "timestamp,value,expected,surprise,alert")
	for {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		var syntax *csv.ParseError
		if err != nil && !errors.As(err, &syntax) {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		line, _ := r.FieldPos(0)
		if err := d.take(readCount(line, row, at, value, err)); err != nil {
			return err
		}
	}
	if err := d.settle(); err != nil {
		return err
	}
	d.sum()
	return d.out.Flush()
}

// countColumns finds the two columns by their names.
func countColumns(head []string) (at, value int, err error) {
	at, value = -1, -1
	for i, h := range head {
		switch strings.ToLower(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff"))) {
		case "timestamp":
			at = i
		case "value":
			value = i
		}
	}
	if at < 0 || value < 0 {
		return 0, 0, fmt.Errorf("the first line is %q; it has to name the columns timestamp and value", strings.Join(head, ","))
	}
	return at, value, nil
}

func readCount(line int, row []string, at, value int, bad error) countRow {
	r := countRow{line: line, err: bad, value: math.NaN()}
	if len(row) <= max(at, value) {
		if bad == nil {
			r.err = fmt.Errorf("%d columns, fewer than the header", len(row))
		}
		return r
	}
	r.stamp, r.text = row[at], row[value]
	if bad != nil {
		return r
	}
	if r.at, r.err = parseStamp(strings.TrimSpace(r.stamp)); r.err != nil {
		return r
	}
	if s := strings.TrimSpace(r.text); s != "" {
		if r.value, r.err = strconv.ParseFloat(s, 64); r.err != nil || math.IsNaN(r.value) {
			r.value, r.err = math.NaN(), fmt.Errorf("value %q is no number; leave it blank where the source was down", s)
		}
	}
	return r
}

func parseStamp(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateTime, "2006-01-02T15:04:05", "2006-01-02 15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("timestamp %q; write it like 2026-11-16T07:42:10Z or 2026-11-16 07:42:10", s)
}

// take judges a row, once enough rows have shown their spacing.
func (d *detection) take(r countRow) error {
	if d.counts != nil {
		return d.judge(&r)
	}
	d.waiting = append(d.waiting, r)
	if len(d.waiting) >= spacingRows {
		return d.settle()
	}
	return nil
}

// settle decides the length of a bucket and judges the rows that waited for it.
func (d *detection) settle() error {
	if d.counts != nil {
		return nil
	}
	step := spacing(d.waiting)
	switch {
	case d.bucket == 0:
		d.bucket = step
	case d.bucket < step:
		return usage("--bucket %s: the rows are %s apart; a bucket is at least as long", shortSpan(d.bucket), shortSpan(step))
	}
	if d.bucket == 0 {
		d.bucket = detector.BucketLength // a single row has no spacing
	}
	var err error
	if d.counts, err = detector.NewCounts(d.bucket, d.perWeek, d.direction); err != nil {
		return usage("%w; name it with --bucket", err)
	}
	for i := range d.waiting {
		if err := d.judge(&d.waiting[i]); err != nil {
			return err
		}
	}
	d.waiting = nil
	return nil
}

// spacing is the smallest step between rows, in whole seconds.
func spacing(rows []countRow) time.Duration {
	var steps []time.Duration
	var last time.Time
	for i := range rows {
		if rows[i].err != nil {
			continue
		}
		if step := rows[i].at.Sub(last).Round(time.Second); !last.IsZero() && step > 0 {
			steps = append(steps, step)
		}
		last = rows[i].at
	}
	if len(steps) == 0 {
		return 0
	}
	return slices.Min(steps)
}

func (d *detection) judge(r *countRow) error {
	var e detector.CountEval
	if r.err == nil {
		e, r.err = d.counts.Next(r.at, r.value)
	}
	if r.err != nil {
		return d.reject(r)
	}
	if d.first.IsZero() {
		d.first = r.at
	}
	d.last = r.at
	alert := "0"
	if e.Alert {
		alert = "1"
		d.alerts++
	}
	return d.write(r, strconv.FormatFloat(e.Expected, 'f', 4, 64), strconv.FormatFloat(e.Surprise, 'f', 6, 64), alert)
}

// reject tells what is wrong with a row and prints it without a judgement, so that rows stay beside rows.
func (d *detection) reject(r *countRow) error {
	const shown = 10
	if d.bad++; d.bad <= shown {
		fmt.Fprintf(d.app.stderr, "emberwatch: %s:%d: %v\n", d.name, r.line, r.err)
	}
	return d.write(r, "", "", "0")
}

func (d *detection) write(r *countRow, fields ...string) error {
	w := csv.NewWriter(d.out)
	if err := w.Write(append([]string{r.stamp, r.text}, fields...)); err != nil {
		return err
	}
	w.Flush()
	if isTerminal(d.app.stdout) {
		return errors.Join(w.Error(), d.out.Flush())
	}
	return w.Error()
}

// sum says on standard error what the alerts add up to.
func (d *detection) sum() {
	weeks := d.last.Sub(d.first).Hours() / (7 * 24)
	fmt.Fprintf(d.app.stderr, "emberwatch: %s", several(d.alerts, "alert"))
	if weeks >= 1 {
		fmt.Fprintf(d.app.stderr, " in %.1f weeks, %.2f a week", weeks, float64(d.alerts)/weeks)
	}
	if d.bad > 0 {
		fmt.Fprintf(d.app.stderr, "; %s could not be read", several(d.bad, "row"))
	}
	fmt.Fprintf(d.app.stderr, "; buckets of %s\n", shortSpan(d.bucket))
}

// shortSpan writes 5m, 1h, 90s.
func shortSpan(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}
